/*
 * Landlock: each test asks a child that has entered it. Skipped where the kernel
 * has none, and in builds with sanitizers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "landlock.h"

static char base[64];

static long
version(void)
{
#ifdef SYSFILTER_OFF
	return 0;
#else
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
#endif
}

static const char *
at(const char *name)
{
	static char path[2][256];
	static unsigned turn;
	char *p = path[turn++ % 2];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", base, name);
	return p;
}

static void
make_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT, mode);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int
setup(void **state)
{
	(void)state;
	(void)strlcpy(base, "/tmp/test_landlock.XXXXXX", sizeof(base));
	if (mkdtemp(base) == NULL)
		return -1;
	assert_int_equal(mkdir(at("in"), 0755), 0);
	assert_int_equal(mkdir(at("in/dir"), 0755), 0);
	assert_int_equal(mkdir(at("read"), 0755), 0);
	assert_int_equal(mkdir(at("out"), 0755), 0);
	make_file("in/file", "in", 0644);
	make_file("in/program", "#!/bin/sh\n", 0755);
	make_file("read/file", "read", 0644);
	make_file("out/file", "out", 0644);
	assert_int_equal(symlink("../out/file", at("in/link")), 0);
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

/* The errno of what a child does that may write in "in" and read in "read". */
static int
inside(int (*act)(void))
{
	int status;
	pid_t pid;

	if (version() < 1)
		skip();
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct landlock_place places[] = {
			{ open(at("in"), O_PATH), LANDLOCK_READ | LANDLOCK_WRITE },
			{ open(at("read"), O_PATH), LANDLOCK_READ },
			{ open("/dev/null", O_PATH), LANDLOCK_READ | LANDLOCK_WRITE },
		};

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || landlock_enter(places, 3) == -1)
			_exit(255);
		_exit(act() == -1 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 255);
	return WEXITSTATUS(status);
}

static int read_inside(void) { return open(at("in/file"), O_RDONLY); }
static int list_inside(void) { return open(at("in/dir"), O_RDONLY | O_DIRECTORY); }
static int cut_inside(void) { return open(at("in/file"), O_WRONLY | O_TRUNC); }
static int make_inside(void) { return open(at("in/new"), O_WRONLY | O_CREAT, 0600); }
static int folder_inside(void) { return mkdir(at("in/folder"), 0700); }
static int move_inside(void) { return rename(at("in/file"), at("in/dir/file")); }
static int remove_inside(void) { return unlink(at("in/file")); }
static int use_null(void) { return open("/dev/null", O_RDWR); }

static void
what_lies_in_a_place_can_be_used(void **state)
{
	(void)state;
	assert_int_equal(inside(read_inside), 0);
	assert_int_equal(inside(list_inside), 0);
	assert_int_equal(inside(cut_inside), 0);
	assert_int_equal(inside(make_inside), 0);
	assert_int_equal(inside(folder_inside), 0);
	assert_int_equal(inside(use_null), 0);
	if (version() >= 2) { /* before, nothing moves */
		assert_int_equal(inside(move_inside), 0);
		assert_int_equal(rename(at("in/dir/file"), at("in/file")), 0);
	}
	assert_int_equal(inside(remove_inside), 0);
}

static int read_outside(void) { return open(at("out/file"), O_RDONLY); }
static int read_by_link(void) { return open(at("in/link"), O_RDONLY); }
static int read_by_dots(void) { return open(at("in/../out/file"), O_RDONLY); }
static int read_system(void) { return open("/etc/passwd", O_RDONLY); }
static int read_proc(void) { return open("/proc/self/environ", O_RDONLY); }
static int make_outside(void) { return open(at("out/new"), O_WRONLY | O_CREAT, 0600); }
static int remove_outside(void) { return unlink(at("out/file")); }
static int move_out(void) { return rename(at("in/file"), at("out/moved")); }
static int link_in(void) { return link(at("out/file"), at("in/hard")); }

/* EXDEV is what some kernels say of moves. */
static void
assert_refused(int error)
{
	if (error != EACCES && error != EXDEV)
		fail_msg("errno %d", error);
}

static void
what_lies_outside_cannot(void **state)
{
	(void)state;
	assert_int_equal(inside(read_outside), EACCES);
	assert_int_equal(inside(read_by_link), EACCES);
	assert_int_equal(inside(read_by_dots), EACCES);
	assert_int_equal(inside(read_system), EACCES);
	assert_int_equal(inside(read_proc), EACCES);
	assert_int_equal(inside(make_outside), EACCES);
	assert_int_equal(inside(remove_outside), EACCES);
	assert_refused(inside(move_out));
	assert_refused(inside(link_in));
}

static int read_readable(void) { return open(at("read/file"), O_RDONLY); }
static int write_readable(void) { return open(at("read/file"), O_WRONLY); }
static int make_readable(void) { return open(at("read/new"), O_WRONLY | O_CREAT, 0600); }
static int remove_readable(void) { return unlink(at("read/file")); }

static void
a_place_for_reading_is_not_written(void **state)
{
	(void)state;
	assert_int_equal(inside(read_readable), 0);
	assert_int_equal(inside(write_readable), EACCES);
	assert_int_equal(inside(make_readable), EACCES);
	assert_int_equal(inside(remove_readable), EACCES);
}

static int make_fifo(void) { return mkfifo(at("in/fifo"), 0600); }
static int make_device(void) { return mknod(at("in/device"), S_IFCHR | 0600, 0x103); }
static int run_program(void) { return execl(at("in/program"), "program", (char *)NULL); }

static void
nothing_is_executed_and_no_device_made(void **state)
{
	(void)state;
	assert_int_equal(inside(make_fifo), EACCES);
	if (geteuid() == 0)
		assert_int_equal(inside(make_device), EACCES);
	assert_int_equal(inside(run_program), EACCES);
}

static int signal_parent(void) { return kill(getppid(), 0); }

static void
processes_outside_get_no_signals(void **state)
{
	(void)state;
	if (version() < 6)
		skip();
	assert_int_equal(inside(signal_parent), EPERM);
}

static void
without_no_new_privs_it_fails(void **state)
{
	struct landlock_place place = { open("/", O_PATH), LANDLOCK_READ };
	int status;
	pid_t pid;

	(void)state;
	if (version() < 1 || geteuid() == 0) /* root may */
		skip();
	if ((pid = fork()) == 0)
		_exit(landlock_enter(&place, 1) == -1 ? errno : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), EPERM);
}

static void
a_place_that_is_none_is_an_error(void **state)
{
	struct landlock_place place = { -1, LANDLOCK_READ };

	(void)state;
	if (version() < 1)
		skip();
	assert_int_equal(landlock_enter(&place, 1), -1);
	assert_int_equal(errno, EBADF);
	assert_int_not_equal(read_outside(), -1); /* nothing has been entered */
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_lies_in_a_place_can_be_used),
		T(what_lies_outside_cannot),
		T(a_place_for_reading_is_not_written),
		T(nothing_is_executed_and_no_device_made),
		T(processes_outside_get_no_signals),
		T(without_no_new_privs_it_fails),
		T(a_place_that_is_none_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
