/*
 * Names that change while they are resolved: somebody at the machine swaps a
 * directory and a link, moves folders out of the root, puts a FIFO in a file's
 * place. Each race is run both by openat2(2) and by the walk of older kernels, and
 * goes on until both sides of it have been seen.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"
#include "sysfilter.h"

/* At least so many tries, and no more than so many milliseconds until both sides are seen. */
#define TRIES    300
#define PATIENCE 40000

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

static const char *
in_base(struct house *h, const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", h->base, name);
	return p;
}

/* Makes the monitor believe that its kernel is older than 5.6. */
static void
hide_openat2(void)
{
	static const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		SYSFILTER_ERRNO(openat2, ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    sysfilter_enter(filter, sizeof(filter) / sizeof(filter[0])) == -1)
		_exit(1);
}

/* A process that swaps two names as fast as it can. */
static pid_t
swap_for_ever(struct house *h, const char *a, const char *b)
{
	const char *one = in_base(h, a), *other = in_base(h, b);
	pid_t pid;

	if (syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) == -1)
		skip(); /* a file system without it */
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		alarm(HOUSE_SECONDS);
		for (;;)
			(void)syscall(
			    SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
	}
	return pid;
}

static void
stop(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Also puts the folder back in its place, for the next race. */
static void
stop_swapping(struct house *h, pid_t pid, const char *folder, const char *link)
{
	struct stat st;

	stop(pid);
	assert_int_equal(lstat(in_base(h, folder), &st), 0);
	if (!S_ISDIR(st.st_mode))
		assert_int_equal(syscall(SYS_renameat2, AT_FDCWD, in_base(h, folder), AT_FDCWD,
		                     in_base(h, link), RENAME_EXCHANGE), 0);
}

/* Opens for reading: the errno, and what it begins with. */
static int
look_into(struct house *h, const char *path, char text[static 32])
{
	int fd = house_open(h, OPEN_READ, path, 0);

	memset(text, 0, 32);
	if (fd == -1)
		return errno;
	assert_int_not_equal(read(fd, text, 31), -1);
	close(fd);
	return 0;
}

/* The secret is outside, and home/link leads there by an absolute and home/up by a relative way. */
static void
dig(struct house *h)
{
	house_make(h, "outside", NULL);
	house_make(h, "outside/file", "secret\n");
	house_make(h, "home/dir", NULL);
	house_make(h, "home/dir/file", "inside\n");
	assert_int_equal(symlink(in_base(h, "outside"), in_base(h, "home/link")), 0);
	assert_int_equal(symlink("../outside", in_base(h, "home/up")), 0);
}

/* Runs a race by both ways of resolving. */
static void
both_ways(struct house *h, void (*race)(struct house *, const char *), const char *with)
{
	h->before = NULL;
	race(h, with);
	h->before = hide_openat2; /* with sanitizers the filter is off, and openat2 is used again */
	race(h, with);
}

static void
race_of_reading(struct house *h, const char *link)
{
	pid_t swapper = swap_for_ever(h, "home/dir", link);
	int64_t end = house_clock() + PATIENCE;
	unsigned inside = 0, refused = 0, i;
	char text[32];

	house_login(h);
	for (i = 0; (i < TRIES || inside == 0 || refused == 0) && house_clock() < end; i++) {
		int error = look_into(h, "/dir/file", text);

		if (error == 0)
			assert_string_equal(text, "inside\n");
		inside += error == 0;
		refused += error != 0;
	}
	house_end(h);
	stop_swapping(h, swapper, "home/dir", link);
	assert_true(inside > 0 && refused > 0);
}

static void
a_link_that_takes_a_folders_place_leads_nowhere_outside(void **state)
{
	struct house *h = *state;

	dig(h);
	both_ways(h, race_of_reading, "home/link");
	both_ways(h, race_of_reading, "home/up");
}

static int
change_name(struct house *h, const char *from, const char *to)
{
	struct req_rename req = { 0 };
	struct answer ans;

	(void)strlcpy(req.from, from, sizeof(req.from));
	(void)strlcpy(req.to, to, sizeof(req.to));
	return house_ask(h, REQ_RENAME, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

static int
make_folder(struct house *h, const char *path)
{
	struct req_mkdir req = { .permissions = 0755 };
	struct answer ans;

	(void)strlcpy(req.path, path, sizeof(req.path));
	return house_ask(h, REQ_MKDIR, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

static int
change_attributes(struct house *h, const char *path)
{
	struct req_setattr req = { .set_mode = true, .mode = 0600, .set_time = true };
	struct answer ans;

	(void)strlcpy(req.path, path, sizeof(req.path));
	return house_ask(h, REQ_SETATTR, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

/* How many names a directory has. */
static unsigned
count_names(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

static void
race_of_changing(struct house *h, const char *link)
{
	pid_t swapper = swap_for_ever(h, "home/dir", link);
	int64_t end = house_clock() + PATIENCE;
	unsigned made = 0, refused = 0, i;
	int fd;

	house_login(h);
	for (i = 0; (i < TRIES / 3 || made == 0 || refused == 0) && house_clock() < end; i++) {
		fd = house_open(h, OPEN_STORE, "/dir/new", 0);
		made += fd != -1;
		refused += fd == -1;
		if (fd != -1)
			close(fd);
		(void)make_folder(h, "/dir/folder");
		(void)change_attributes(h, "/dir/file");
		(void)change_name(h, "/dir/new", "/dir/newer");
		(void)change_name(h, "/dir/file", "/taken");
		(void)change_name(h, "/taken", "/dir/file");
		(void)house_ask_path(h, REQ_UNLINK, "/dir/newer");
		(void)house_ask_path(h, REQ_UNLINK, "/dir/file.1");
		(void)house_ask_path(h, REQ_RMDIR, "/dir/folder");
	}
	house_end(h);
	stop_swapping(h, swapper, "home/dir", link);
	assert_true(made > 0 && refused > 0);
}

static void
nothing_outside_changes_while_a_link_takes_a_folders_place(void **state)
{
	struct house *h = *state;
	struct stat before, after;

	dig(h);
	assert_int_equal(stat(in_base(h, "outside/file"), &before), 0);
	both_ways(h, race_of_changing, "home/link");
	assert_int_equal(stat(in_base(h, "outside/file"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	assert_int_equal(count_names(in_base(h, "outside")), 1);
	assert_true(house_holds(h, "outside/file", "secret\n"));
}

static void
race_of_dots(struct house *h, const char *other)
{
	pid_t swapper = swap_for_ever(h, "home/a/b", other);
	int64_t end = house_clock() + PATIENCE;
	unsigned one = 0, two = 0, i;
	char text[32];

	house_login(h);
	for (i = 0; (i < TRIES || one == 0 || two == 0) && house_clock() < end; i++) {
		/* from outside/b it would be base/secret; the session takes ".." out, but who knows */
		assert_int_not_equal(look_into(h, "/a/b/../../secret", text), 0);
		assert_int_not_equal(look_into(h, "/a/b/../../../secret", text), 0);
		if (look_into(h, "/a/b/mark", text) == 0) {
			one += strcmp(text, "one") == 0;
			two += strcmp(text, "two") == 0;
		}
	}
	house_end(h);
	stop(swapper);
	assert_true(one > 0 && two > 0);
}

static void
dots_lead_nowhere_outside_while_their_folder_is_moved_out(void **state)
{
	struct house *h = *state;

	dig(h);
	house_make(h, "secret", "secret\n");
	house_make(h, "home/a", NULL);
	house_make(h, "home/a/b", NULL);
	house_make(h, "home/a/b/mark", "one");
	house_make(h, "outside/b", NULL);
	house_make(h, "outside/b/mark", "two");
	both_ways(h, race_of_dots, "outside/b");
}

static void
a_folder_that_is_moved_out_is_gone(void **state)
{
	struct house *h = *state;
	char text[32];

	dig(h);
	house_login(h);
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/dir"), 0);
	assert_int_equal(look_into(h, "/dir/file", text), 0);
	assert_int_equal(rename(in_base(h, "home/dir"), in_base(h, "outside/dir")), 0);
	assert_int_equal(look_into(h, "/dir/file", text), ENOENT);
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/dir"), ENOENT);
	assert_int_equal(house_open(h, OPEN_STORE, "/dir/new", 0), -1);
	/* the name is resolved anew each time: another folder in its place is the folder */
	house_make(h, "home/dir", NULL);
	house_make(h, "home/dir/file", "another");
	assert_int_equal(look_into(h, "/dir/file", text), 0);
	assert_string_equal(text, "another");
	house_end(h);
	assert_int_equal(count_names(in_base(h, "outside/dir")), 1);
}

/* Swaps a file and something that is none: only files are ever opened, and nothing waits. */
static void
race_of_kinds(struct house *h, const char *other)
{
	pid_t swapper = swap_for_ever(h, "home/plain", other);
	int64_t end = house_clock() + PATIENCE;
	unsigned opened = 0, refused = 0, i;
	struct stat st;
	int fd;

	house_login(h);
	for (i = 0; (i < TRIES || opened == 0 || refused == 0) && house_clock() < end; i++) {
		fd = house_open(h, i % 2 == 0 ? OPEN_READ : OPEN_APPEND, "/plain", 0);
		if (fd == -1) {
			assert_int_equal(errno, EINVAL);
			refused++;
			continue;
		}
		assert_int_equal(fstat(fd, &st), 0);
		assert_true(S_ISREG(st.st_mode));
		opened++;
		close(fd);
	}
	house_end(h);
	stop(swapper);
	assert_true(opened > 0 && refused > 0);
}

static void
a_fifo_that_takes_a_files_place_is_not_opened(void **state)
{
	struct house *h = *state;

	house_make(h, "home/plain", "text");
	assert_int_equal(mkfifo(in_base(h, "home/fifo"), 0666), 0);
	both_ways(h, race_of_kinds, "home/fifo");
}

static void
a_device_that_takes_a_files_place_is_not_opened(void **state)
{
	struct house *h = *state;

	if (geteuid() != 0)
		skip();
	house_make(h, "home/plain", "text");
	if (mknod(in_base(h, "home/device"), S_IFCHR | 0666, makedev(1, 3)) == -1)
		skip();
	both_ways(h, race_of_kinds, "home/device");
}

/* Mounts in the root that the administrator has made; false where that cannot be tried. */
static bool
mount_inside(struct house *h, const char *what, const char *where)
{
	static bool apart;

	if (geteuid() != 0)
		return false;
	if (!apart && (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1))
		return false;
	apart = true;
	return mount(what, in_base(h, where), NULL, MS_BIND | MS_REC, NULL) == 0;
}

static void
a_mount_is_part_of_the_root_and_leads_no_further(void **state)
{
	struct house *h = *state;
	char text[32];

	dig(h);
	house_make(h, "secret", "secret\n");
	house_make(h, "home/file", "own\n");
	house_make(h, "home/mnt", NULL);
	house_make(h, "outside/deep", NULL);
	if (!mount_inside(h, in_base(h, "outside"), "home/mnt"))
		skip();
	house_login(h);
	assert_int_equal(look_into(h, "/mnt/file", text), 0);
	assert_string_equal(text, "secret\n"); /* that is what was mounted */
	assert_int_equal(look_into(h, "/mnt/../file", text), 0);
	assert_string_equal(text, "own\n"); /* above it is the root, not what is above it elsewhere */
	assert_int_not_equal(look_into(h, "/mnt/../secret", text), 0);
	assert_int_not_equal(look_into(h, "/mnt/deep/../../secret", text), 0);
	assert_int_not_equal(look_into(h, "/mnt/../../secret", text), 0);
	/* another file system takes no renames, and says so */
	house_end(h);
	assert_int_equal(umount2(in_base(h, "home/mnt"), MNT_DETACH), 0);
}

static void
proc_in_the_root_is_no_way_out(void **state)
{
	static const char *const ways[] = { "/proc/self/root/etc/passwd", "/proc/1/root/etc/passwd",
		"/proc/self/cwd/file", "/proc/self/fd/0", "/proc/self/exe", "/proc/thread-self/root/etc" };
	struct house *h = *state;
	char text[32];
	size_t i;
	int error;

	house_make(h, "home/proc", NULL);
	if (!mount_inside(h, "/proc", "home/proc"))
		skip();
	house_login(h);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		error = look_into(h, ways[i], text);
		/* into other processes nobody may look at all */
		if (error != ELOOP && error != EACCES)
			fail_msg("%s: %s", ways[i], strerror(error));
	}
	house_end(h);
	assert_int_equal(umount2(in_base(h, "home/proc"), MNT_DETACH), 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)
	const struct CMUnitTest tests[] = {
		T(a_link_that_takes_a_folders_place_leads_nowhere_outside),
		T(nothing_outside_changes_while_a_link_takes_a_folders_place),
		T(dots_lead_nowhere_outside_while_their_folder_is_moved_out),
		T(a_folder_that_is_moved_out_is_gone),
		T(a_fifo_that_takes_a_files_place_is_not_opened),
		T(a_device_that_takes_a_files_place_is_not_opened),
		T(a_mount_is_part_of_the_root_and_leads_no_further),
		T(proc_in_the_root_is_no_way_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
