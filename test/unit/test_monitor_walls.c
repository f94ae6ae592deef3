/*
 * The walls behind the resolver: what happens if a name did get past it. A seam
 * in the monitor (pattern_denies, which each name passes) plays the hole: for the
 * name "hole" it opens things without any of the resolver's care, as somebody
 * would who had taken the monitor over.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "caps.h"
#include "hostile.h"

#define ALL_CAPS (CAPS_SETUID | CAPS_SETGID | CAPS_SYS_CHROOT | CAPS_NET_BIND_SERVICE)

bool __real_pattern_denies(const char *list, const char *path);
bool __wrap_pattern_denies(const char *list, const char *path);

static char secret[128];

/* As openat2(2) with no resolve flag at all: the same as open(2). */
static int
careless(const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)flags, .mode = (flags & O_CREAT) != 0 ? 0600 : 0 };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* What came of it is told in the log. */
static void
act(const char *name)
{
	int fd = -1;

	if (strcmp(name, "read") == 0)
		fd = careless(secret, O_RDONLY);
	else if (strcmp(name, "write") == 0)
		fd = careless(secret, O_WRONLY);
	else if (strcmp(name, "make") == 0)
		fd = careless("/tmp/test_monitor_walls.new", O_WRONLY | O_CREAT);
	else if (strcmp(name, "system") == 0)
		fd = careless("/etc/passwd", O_RDONLY);
	else if (strcmp(name, "proc") == 0)
		fd = careless("/proc/self/maps", O_RDONLY);
	dprintf(STDERR_FILENO, "hole %s: %s\n", name, fd == -1 ? strerror(errno) : "open");
	if (fd != -1)
		close(fd);
}

bool
__wrap_pattern_denies(const char *list, const char *path)
{
	if (strncmp(path, "/hole-", 6) == 0)
		act(path + 6);
	return __real_pattern_denies(list, path);
}

static bool
has_landlock(void)
{
#ifdef SYSFILTER_OFF
	return false;
#else
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
#endif
}

static void
dig(struct house *h)
{
	static const char *const holes[] = { "read", "write", "make", "system", "proc" };
	char path[32], line[64];

	house_make(h, "secret", "secret\n");
	(void)snprintf(secret, sizeof(secret), "%s/secret", h->base);
	house_make(h, "home/file", "content\n");
	house_login(h);
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		(void)snprintf(path, sizeof(path), "/hole-%s", holes[i]);
		assert_int_equal(house_ask_path(h, REQ_CHDIR, path), ENOENT);
	}
	/* while the user's own files are reached as ever */
	close(house_open(h, OPEN_READ, "/file", 0));
	close(house_open(h, OPEN_STORE, "/file", 0));
	close(house_open(h, OPEN_STORE, "/new", 0));
	house_end(h);
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		(void)snprintf(line, sizeof(line), "hole %s: open", holes[i]);
		assert_false(house_logged(h, line));
		(void)snprintf(line, sizeof(line), "hole %s: ", holes[i]);
		assert_true(house_logged(h, line));
	}
}

static void
without_root_landlock_is_the_wall_behind_the_resolver(void **state)
{
	struct house *h = *state;

	if (!has_landlock())
		skip();
	dig(h);
	assert_true(house_logged(h, "hole system: Permission denied"));
}

static void
as_root_the_chroot_stands_there_as_well(void **state)
{
	struct house *h = *state;

	if (geteuid() != 0 || (caps_permitted() & ALL_CAPS) != ALL_CAPS)
		skip();
	h->root = true;
	dig(h);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)
	const struct CMUnitTest tests[] = {
		T(without_root_landlock_is_the_wall_behind_the_resolver),
		T(as_root_the_chroot_stands_there_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
