/*
 * Files by name: nothing outside of the root, nothing that is no file, nothing
 * that the account may not do.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "facts.h"
#include "hostile.h"
#include "sysfilter.h"

/* base/<name>; the buffer is good until the next call but one. */
static const char *
in_base(struct house *h, const char *name)
{
	static char path[2][512];
	static unsigned turn;
	char *p = path[turn++ % 2];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", h->base, name);
	return p;
}

static struct stat
stat_of(struct house *h, const char *name)
{
	struct stat st;

	assert_int_equal(lstat(in_base(h, name), &st), 0);
	return st;
}

static bool
exists(struct house *h, const char *name)
{
	return access(in_base(h, name), F_OK) == 0;
}

/* The errno of opening; what was opened is closed. */
static int
try_open(struct house *h, enum open_mode mode, const char *path)
{
	int fd = house_open(h, mode, path, 0);

	if (fd == -1)
		return errno;
	close(fd);
	return 0;
}

/* True if the file that is opened for reading begins with this text. */
static bool
reads(struct house *h, const char *path, int64_t restart, const char *text)
{
	char buf[64] = "";
	int fd = house_open(h, OPEN_READ, path, restart);

	if (fd == -1)
		return false;
	assert_int_not_equal(read(fd, buf, sizeof(buf) - 1), -1);
	assert_int_equal(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_RDONLY);
	close(fd);
	return strcmp(buf, text) == 0;
}

static int
make_folder(struct house *h, const char *path, unsigned permissions)
{
	struct req_mkdir req = { .permissions = permissions };
	struct answer ans;

	(void)strlcpy(req.path, path, sizeof(req.path));
	return house_ask(h, REQ_MKDIR, &req, sizeof(req), &ans, sizeof(ans), NULL);
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
change_mode(struct house *h, const char *path, unsigned mode)
{
	struct req_setattr req = { .set_mode = true, .mode = mode };
	struct answer ans;

	(void)strlcpy(req.path, path, sizeof(req.path));
	return house_ask(h, REQ_SETATTR, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

static int
change_time(struct house *h, const char *path, time_t t)
{
	struct req_setattr req = { .set_time = true, .modified.tv_sec = t };
	struct answer ans;

	(void)strlcpy(req.path, path, sizeof(req.path));
	return house_ask(h, REQ_SETATTR, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

static int
ask_stat(struct house *h, const char *path, bool follow, struct ans_stat *ans)
{
	struct req_stat req = { .follow = follow };

	(void)strlcpy(req.path, path, sizeof(req.path));
	return house_ask(h, REQ_STAT, &req, sizeof(req), ans, sizeof(*ans), NULL);
}

/* A secret outside, and ways out of the root that all of them must not be. */
static void
dig_tunnels(struct house *h)
{
	house_make(h, "secret", "secret\n");
	house_make(h, "outside", NULL);
	house_make(h, "outside/file", "outside\n");
	house_make(h, "home/file", "inside\n");
	house_make(h, "home/dir", NULL);
	house_make(h, "home/dir/file", "deeper\n");
	assert_int_equal(symlink(in_base(h, "secret"), in_base(h, "home/absolute")), 0);
	assert_int_equal(symlink("../secret", in_base(h, "home/relative")), 0);
	assert_int_equal(symlink("../outside", in_base(h, "home/folder")), 0);
	assert_int_equal(symlink("/proc/self/cwd", in_base(h, "home/cwd")), 0);
	assert_int_equal(symlink("/proc/self/root", in_base(h, "home/root")), 0);
	assert_int_equal(symlink("loop", in_base(h, "home/loop")), 0);
	assert_int_equal(symlink("dir/file", in_base(h, "home/good")), 0);
	assert_int_equal(symlink("/dir", in_base(h, "home/gooddir")), 0);
}

static const char *const tunnels[] = {
	"/../secret",
	"../secret",
	"/dir/../../secret",
	"/dir/../../../../../../../etc/passwd",
	"/absolute",
	"/relative",
	"/folder/file",
	"/gooddir/../../secret",
	"/cwd/secret",
	"/root/etc/passwd",
	"/loop",
	"//..//../secret",
	"/./../secret",
};

#define TUNNELS (sizeof(tunnels) / sizeof(tunnels[0]))

static void
nothing_leads_out_of_the_root(void **state)
{
	struct house *h = *state;
	struct ans_stat ans;
	struct stat before;
	size_t i;
	int round;

	dig_tunnels(h);
	before = stat_of(h, "secret");
	for (round = 0; round < 2 && (round == 0 || geteuid() == 0); round++) {
		h->root = round == 1;
		house_login(h);
		for (i = 0; i < TUNNELS; i++) {
			assert_int_not_equal(try_open(h, OPEN_READ, tunnels[i]), 0);
			assert_int_not_equal(ask_stat(h, tunnels[i], true, &ans), 0);
			assert_int_not_equal(change_mode(h, tunnels[i], 0777), 0);
			assert_int_not_equal(change_time(h, tunnels[i], 1), 0);
		}
		/* creating may make something inside, never outside */
		for (i = 0; i < TUNNELS; i++) {
			(void)try_open(h, OPEN_APPEND, tunnels[i]);
			(void)make_folder(h, tunnels[i], 0755);
			(void)try_open(h, OPEN_UNIQUE, tunnels[i]);
			(void)change_name(h, "/dir/file", tunnels[i]);
			(void)change_name(h, tunnels[i], "/dir/file");
			(void)house_ask_path(h, REQ_UNLINK, tunnels[i]);
			(void)house_ask_path(h, REQ_RMDIR, tunnels[i]);
		}
		house_end(h);
	}
	assert_true(house_holds(h, "secret", "secret\n"));
	assert_true(house_holds(h, "outside/file", "outside\n"));
	assert_int_equal(stat_of(h, "secret").st_ctim.tv_nsec, before.st_ctim.tv_nsec);
	assert_int_equal(stat_of(h, "secret").st_ino, before.st_ino);
	assert_false(exists(h, "secret.1"));
	assert_false(exists(h, "outside/file.1"));
}

static void
links_that_stay_inside_are_followed(void **state)
{
	struct house *h = *state;

	dig_tunnels(h);
	house_login(h);
	assert_true(reads(h, "/file", 0, "inside\n"));
	assert_true(reads(h, "file", 0, "inside\n"));
	assert_true(reads(h, "/../file", 0, "inside\n"));
	assert_true(reads(h, "/good", 0, "deeper\n"));
	assert_true(reads(h, "/gooddir/file", 0, "deeper\n"));
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/gooddir"), 0);
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/good"), ENOTDIR);
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/folder"), ENOENT);
	house_end(h);
}

static void
magic_links_are_not_followed(void **state)
{
	struct house *h = *state;
	char path[64];

	/* a root that has /proc in it: the worst case */
	house_user(h, "proc", NULL, 65534, "/proc");
	house_start(h);
	assert_int_equal(house_ask_login(h, "proc", HOUSE_PASSWORD, NULL, NULL), 0);
	assert_int_equal(try_open(h, OPEN_READ, "/self/root/etc/passwd"), ELOOP);
	assert_int_equal(try_open(h, OPEN_READ, "/self/cwd/passwd"), ELOOP);
	assert_int_equal(try_open(h, OPEN_READ, "/self/exe"), ELOOP);
	(void)snprintf(path, sizeof(path), "/self/fd/%d", STDERR_FILENO);
	assert_int_equal(try_open(h, OPEN_APPEND, path), ELOOP);
	house_end(h);
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

static void
without_openat2_no_link_is_followed(void **state)
{
	struct house *h = *state;
	struct ans_stat ans;
	size_t i;

#ifdef SYSFILTER_OFF
	skip();
#endif
	dig_tunnels(h);
	h->before = hide_openat2;
	house_login(h);
	for (i = 0; i < TUNNELS; i++) {
		assert_int_not_equal(try_open(h, OPEN_READ, tunnels[i]), 0);
		assert_int_not_equal(try_open(h, OPEN_APPEND, tunnels[i]), 0);
		assert_int_not_equal(ask_stat(h, tunnels[i], true, &ans), 0);
		assert_int_not_equal(change_mode(h, tunnels[i], 0777), 0);
	}
	assert_int_equal(try_open(h, OPEN_READ, "/good"), ELOOP);
	assert_int_equal(ask_stat(h, "/good", true, &ans), ELOOP);
	assert_int_equal(ask_stat(h, "/good", false, &ans), 0);
	assert_true(S_ISLNK(ans.st.st_mode));
	assert_true(reads(h, "/dir/file", 0, "deeper\n"));
	assert_true(reads(h, "//dir/./file", 0, "deeper\n"));
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/dir"), 0);
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/"), 0);
	assert_int_equal(make_folder(h, "/dir/new", 0755), 0);
	assert_int_equal(try_open(h, OPEN_STORE, "/dir/new/file"), 0);
	assert_int_equal(house_ask_path(h, REQ_UNLINK, "/dir/new/file"), 0);
	assert_int_equal(house_ask_path(h, REQ_RMDIR, "/dir/new"), 0);
	house_end(h);
	assert_true(house_holds(h, "secret", "secret\n"));
}

static void
only_regular_files_are_opened(void **state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct house *h = *state;
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), reader;
	static const enum open_mode modes[] = { OPEN_READ, OPEN_STORE, OPEN_APPEND };
	size_t i;

	assert_int_equal(mkfifo(in_base(h, "home/fifo"), 0666), 0);
	(void)strlcpy(to.sun_path, in_base(h, "home/socket"), sizeof(to.sun_path));
	assert_int_equal(bind(sock, (struct sockaddr *)&to, sizeof(to)), 0);
	house_make(h, "home/dir", NULL);
	house_login(h);
	for (i = 0; i < 3; i++) {
		assert_int_equal(try_open(h, modes[i], "/fifo"), EINVAL);
		assert_int_equal(try_open(h, modes[i], "/socket"), EINVAL);
		assert_int_equal(try_open(h, modes[i], "/dir"), EISDIR);
		assert_int_equal(try_open(h, modes[i], "/"), EISDIR);
	}
	/* a FIFO that somebody reads can be opened for writing at once */
	reader = open(in_base(h, "home/fifo"), O_RDONLY | O_NONBLOCK);
	assert_int_not_equal(reader, -1);
	assert_int_equal(try_open(h, OPEN_STORE, "/fifo"), EINVAL);
	close(reader);
	assert_int_equal(change_mode(h, "/fifo", 0600), EINVAL);
	house_end(h);
	close(sock);
}

static void
devices_are_not_opened(void **state)
{
	struct house *h = *state;

	if (geteuid() != 0 || mknod(in_base(h, "home/null"), S_IFCHR | 0666, makedev(1, 3)) == -1)
		skip();
	house_login(h);
	assert_int_equal(try_open(h, OPEN_READ, "/null"), EINVAL);
	assert_int_equal(try_open(h, OPEN_STORE, "/null"), EINVAL);
	house_end(h);
}

static void
a_file_is_read_from_where_it_is_resumed(void **state)
{
	struct house *h = *state;

	house_make(h, "home/file", "0123456789");
	house_login(h);
	assert_true(reads(h, "/file", 0, "0123456789"));
	assert_true(reads(h, "/file", 7, "789"));
	assert_true(reads(h, "/file", 10, ""));
	assert_int_equal(house_open(h, OPEN_READ, "/file", 11), -1);
	assert_int_equal(errno, ERANGE);
	assert_int_equal(house_open(h, OPEN_READ, "/file", INT64_MAX), -1);
	assert_int_equal(errno, ERANGE);
	assert_int_equal(house_open(h, OPEN_READ, "/file", -1), -1);
	assert_int_equal(errno, EINVAL);
	house_end(h);
}

/* Opens for writing and writes a text. */
static int
store(struct house *h, enum open_mode mode, const char *path, int64_t restart, const char *text)
{
	int fd = house_open(h, mode, path, restart);

	if (fd == -1)
		return errno;
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return 0;
}

static void
a_file_is_stored_resumed_and_appended_to(void **state)
{
	struct house *h = *state;

	house_conf(h, "HiddenStores off"); /* the rest is in test_monitor_upload.c */
	house_login(h);
	assert_int_equal(store(h, OPEN_STORE, "/file", 0, "0123456789"), 0);
	assert_true(house_holds(h, "home/file", "0123456789"));
	assert_int_equal(store(h, OPEN_STORE, "/file", 0, "abcd"), 0);
	assert_true(house_holds(h, "home/file", "abcd"));
	assert_int_equal(store(h, OPEN_STORE, "/file", 2, "XYZ"), 0);
	assert_true(house_holds(h, "home/file", "abXYZ"));
	assert_int_equal(store(h, OPEN_STORE, "/file", 6, "hole"), ERANGE);
	assert_int_equal(store(h, OPEN_STORE, "/new", 6, "hole"), ENOENT);
	assert_int_equal(store(h, OPEN_APPEND, "/file", 0, "!"), 0);
	assert_true(house_holds(h, "home/file", "abXYZ!"));
	assert_int_equal(store(h, OPEN_APPEND, "/file", 1, "!"), EINVAL);
	assert_int_equal(store(h, OPEN_APPEND, "/log", 0, "line"), 0);
	assert_true(house_holds(h, "home/log", "line"));
	house_end(h);
	assert_true(house_holds(h, "home/file", "abXYZ!"));
	assert_false(exists(h, "home/new"));
}

static void
unique_names_are_new(void **state)
{
	static const char *const names[] = { "file", "file.1", "file.3" };
	struct req_open req = { .mode = OPEN_UNIQUE, .permissions = 0644, .path = "/dir/file" };
	struct house *h = *state;
	struct ans_open ans;
	size_t i;
	int fd;

	house_make(h, "home/dir", NULL);
	house_make(h, "home/dir/file.2", "old");
	house_login(h);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(
		    house_ask(h, REQ_OPEN, &req, sizeof(req), &ans, sizeof(ans), &fd), 0);
		assert_string_equal(ans.name, names[i]);
		close(fd);
	}
	house_end(h);
	assert_true(house_holds(h, "home/dir/file.2", "old"));
}

static void
special_modes_are_never_set(void **state)
{
	struct req_open req = { .mode = OPEN_STORE, .permissions = 07777, .path = "/file" };
	struct house *h = *state;
	struct ans_open ans;
	int fd;

	house_login(h);
	assert_int_equal(house_ask(h, REQ_OPEN, &req, sizeof(req), &ans, sizeof(ans), &fd), 0);
	close(fd);
	assert_int_equal(make_folder(h, "/dir", 07777), 0);
	assert_int_equal(stat_of(h, "home/file").st_mode & 07777, 0777);
	assert_int_equal(stat_of(h, "home/dir").st_mode & 07777, 0777);
	assert_int_equal(change_mode(h, "/file", 04755), EINVAL);
	assert_int_equal(change_mode(h, "/file", 0640), 0);
	assert_int_equal(stat_of(h, "home/file").st_mode & 07777, 0640);
	house_end(h);
}

static void
times_are_set(void **state)
{
	struct house *h = *state;
	struct stat before;

	house_make(h, "home/file", "x");
	before = stat_of(h, "home/file");
	house_login(h);
	assert_int_equal(change_time(h, "/file", 1000000000), 0);
	house_end(h);
	assert_int_equal(stat_of(h, "home/file").st_mtime, 1000000000);
	assert_int_equal(stat_of(h, "home/file").st_atim.tv_nsec, before.st_atim.tv_nsec);
	assert_int_equal(stat_of(h, "home/file").st_mode, before.st_mode);
}

static void
a_file_that_its_owner_may_not_read_can_be_mended(void **state)
{
	struct house *h = *state;
	int error;

	if (geteuid() == 0)
		h->root = true;
	house_make(h, "home/file", "x");
	assert_int_equal(chmod(in_base(h, "home/file"), 0), 0);
	house_login(h);
	assert_int_equal(try_open(h, OPEN_READ, "/file"), EACCES);
	error = change_mode(h, "/file", 0644);
	house_end(h);
	if (error == EACCES) /* Linux before 6.6 */
		skip();
	assert_int_equal(error, 0);
	assert_int_equal(stat_of(h, "home/file").st_mode & 07777, 0644);
}

static void
folders_come_and_go(void **state)
{
	struct house *h = *state;

	house_login(h);
	assert_int_equal(make_folder(h, "/dir", 0750), 0);
	assert_int_equal(stat_of(h, "home/dir").st_mode & 07777, 0750);
	assert_int_equal(make_folder(h, "/dir", 0750), EEXIST);
	assert_int_equal(make_folder(h, "/", 0750), EEXIST);
	assert_int_equal(make_folder(h, "/dir/a/b", 0750), ENOENT);
	assert_int_equal(make_folder(h, "/dir/with blank/", 0750), 0);
	assert_int_equal(house_ask_path(h, REQ_RMDIR, "/dir"), ENOTEMPTY);
	assert_int_equal(house_ask_path(h, REQ_UNLINK, "/dir"), EISDIR);
	assert_int_equal(house_ask_path(h, REQ_RMDIR, "/dir/with blank"), 0);
	assert_int_equal(house_ask_path(h, REQ_RMDIR, "/dir/."), EBUSY);
	assert_int_equal(house_ask_path(h, REQ_RMDIR, "/dir/.."), EBUSY);
	assert_int_equal(house_ask_path(h, REQ_RMDIR, "/"), EBUSY);
	assert_int_equal(house_ask_path(h, REQ_UNLINK, ""), EBUSY);
	assert_int_equal(house_ask_path(h, REQ_RMDIR, "/dir"), 0);
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/dir"), ENOENT);
	house_end(h);
}

static void
names_change_but_never_over_others_without_the_right(void **state)
{
	struct house *h = *state;

	house_make(h, "home/a", "a");
	house_make(h, "home/b", "b");
	house_make(h, "home/dir", NULL);
	house_conf(h, "AllowOverwrite off");
	house_login(h);
	assert_int_equal(change_name(h, "/a", "/b"), EEXIST);
	assert_int_equal(store(h, OPEN_STORE, "/b", 0, "x"), EEXIST);
	assert_int_equal(store(h, OPEN_APPEND, "/b", 0, "x"), EEXIST);
	assert_int_equal(store(h, OPEN_STORE, "/b", 1, "x"), EACCES);
	assert_int_equal(change_name(h, "/a", "/dir/a"), 0);
	assert_int_equal(change_name(h, "/nothing", "/c"), ENOENT);
	assert_int_equal(store(h, OPEN_STORE, "/c", 0, "c"), 0);
	house_end(h);
	assert_true(house_holds(h, "home/b", "b"));

	house_conf(h, "AllowOverwrite on");
	house_login(h);
	assert_int_equal(change_name(h, "/dir/a", "/b"), 0);
	assert_int_equal(change_name(h, "/dir", "/dir/below"), EINVAL);
	assert_int_equal(change_name(h, "/", "/x"), EBUSY);
	house_end(h);
	assert_true(house_holds(h, "home/b", "a"));
}

static void
rights_are_enforced_here(void **state)
{
	struct house *h = *state;
	char line[128];

	house_make(h, "home/file", "x");
	house_make(h, "home/dir", NULL);
	(void)snprintf(line, sizeof(line), "AnonymousRoot %s", h->home);
	house_conf(h, line);
	house_conf(h, "Anonymous on");
	house_start(h);
	assert_int_equal(house_ask_login(h, "ftp", "me@", NULL, NULL), 0);
	assert_true(reads(h, "/file", 0, "x"));
	assert_int_equal(try_open(h, OPEN_STORE, "/new"), EACCES);
	assert_int_equal(try_open(h, OPEN_UNIQUE, "/new"), EACCES);
	assert_int_equal(make_folder(h, "/new", 0755), EACCES);
	assert_int_equal(change_name(h, "/file", "/new"), EACCES);
	assert_int_equal(change_mode(h, "/file", 0600), EACCES);
	assert_int_equal(house_ask_path(h, REQ_UNLINK, "/file"), EACCES);
	assert_int_equal(house_ask_path(h, REQ_RMDIR, "/dir"), EACCES);
	house_end(h);

	house_conf(h, "AnonymousUpload on");
	house_start(h);
	assert_int_equal(house_ask_login(h, "ftp", "me@", NULL, NULL), 0);
	assert_int_equal(try_open(h, OPEN_STORE, "/new"), 0);
	assert_int_equal(try_open(h, OPEN_STORE, "/new"), EEXIST);
	assert_int_equal(make_folder(h, "/newdir", 0755), 0);
	assert_int_equal(change_name(h, "/new", "/newer"), EACCES);
	assert_int_equal(house_ask_path(h, REQ_UNLINK, "/new"), EACCES);
	house_end(h);
}

static void
the_perm_fact_knows_rights_and_modes(void **state)
{
	enum { ALL = FACTS_MAY_READ | FACTS_MAY_WRITE | FACTS_MAY_DELETE | FACTS_MAY_RENAME };
	struct house *h = *state;
	struct ans_stat ans;

	if (geteuid() == 0)
		h->root = true;
	house_make(h, "home/file", "x");
	house_make(h, "home/dir", NULL);
	house_make(h, "home/dir/file", "x");
	assert_int_equal(chmod(in_base(h, "home/dir/file"), 0444), 0);
	assert_int_equal(chmod(in_base(h, "home/dir"), 0555), 0);
	house_login(h);
	assert_int_equal(ask_stat(h, "/file", true, &ans), 0);
	assert_int_equal(ans.st.st_size, 1);
	assert_int_equal(ans.may, ALL);
	assert_int_equal(ask_stat(h, "/dir", true, &ans), 0);
	assert_int_equal(ans.may, ALL & ~FACTS_MAY_WRITE);
	assert_int_equal(ask_stat(h, "/dir/file", true, &ans), 0);
	assert_int_equal(ans.may, FACTS_MAY_READ);
	assert_int_equal(ask_stat(h, "/", true, &ans), 0);
	assert_int_equal(ans.may, FACTS_MAY_READ | FACTS_MAY_WRITE);
	house_end(h);

	house_conf(h, "ReadOnly on");
	house_login(h);
	assert_int_equal(ask_stat(h, "/file", true, &ans), 0);
	assert_int_equal(ans.may, FACTS_MAY_READ);
	house_end(h);
	assert_int_equal(chmod(in_base(h, "home/dir"), 0755), 0);
}

static int
make_link(struct house *h, const char *target, const char *path)
{
	struct req_symlink req = { 0 };
	struct answer ans;

	(void)strlcpy(req.target, target, sizeof(req.target));
	(void)strlcpy(req.path, path, sizeof(req.path));
	return house_ask(h, REQ_SYMLINK, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

static void
links_are_made_to_what_lies_below_alone(void **state)
{
	static const char *const bad[][2] = {
		{ "/file", "/dir/link" }, { "/dir", "/dir/link" }, { "/dir/", "/dir/link" },
		{ "/dir//file", "/dir/link" }, { "/dir/../file", "/dir/link" },
		{ "/dir/sub/../../file", "/dir/link" }, { "file", "link" }, { "", "/link" },
		{ "/file", "" }, { "../secret", "/link" }, { "/../secret", "/link" },
		{ "/..", "/link" }, { "/dir/..", "/dir/link" } };
	struct house *h = *state;
	char text[64] = "";
	size_t i;

	house_make(h, "secret", "secret\n");
	house_make(h, "home/file", "inside");
	house_make(h, "home/dir", NULL);
	house_make(h, "home/dir/file", "deeper");
	house_make(h, "home/dir/sub", NULL);
	house_login(h);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(make_link(h, bad[i][0], bad[i][1]), EXDEV);
	assert_int_equal(make_link(h, "/dir/missing", "/dir/link"), ENOENT);
	assert_int_equal(make_link(h, "/dir/file", "/dir/file"), EEXIST);
	assert_int_equal(make_link(h, "/dir/file", "/link"), 0);
	assert_true(reads(h, "/link", 0, "deeper"));
	house_end(h);
	assert_int_equal(readlink(in_base(h, "home/link"), text, sizeof(text) - 1), 8);
	assert_string_equal(text, "dir/file");

	house_conf(h, "ReadOnly on");
	house_login(h);
	assert_int_equal(make_link(h, "/dir/file", "/other"), EACCES);
	house_end(h);
}

static void
the_room_of_a_directory_is_told(void **state)
{
	struct req_path req = { .path = "/" };
	struct house *h = *state;
	struct ans_space ans;

	house_make(h, "home/file", "x");
	house_login(h);
	assert_int_equal(house_ask(h, REQ_SPACE, &req, sizeof(req), &ans, sizeof(ans), NULL), 0);
	assert_true(ans.bytes > 0);
	(void)strlcpy(req.path, "/file", sizeof(req.path));
	assert_int_equal(
	    house_ask(h, REQ_SPACE, &req, sizeof(req), &ans, sizeof(ans), NULL), ENOTDIR);
	house_end(h);
}

static void
the_group_is_set_to_ones_own_alone(void **state)
{
	struct req_setattr req = { .set_group = true, .path = "/file" };
	struct house *h = *state;
	struct answer ans;

	h->root = geteuid() == 0;
	house_make(h, "home/file", "x");
	req.group = h->root ? 65534 : getegid();
	house_login(h);
	assert_int_equal(house_ask(h, REQ_SETATTR, &req, sizeof(req), &ans, sizeof(ans), NULL), 0);
	req.group = 0;
	if (h->root || getegid() != 0)
		assert_int_equal(
		    house_ask(h, REQ_SETATTR, &req, sizeof(req), &ans, sizeof(ans), NULL), EPERM);
	req.group = UINT32_MAX;
	assert_int_equal(
	    house_ask(h, REQ_SETATTR, &req, sizeof(req), &ans, sizeof(ans), NULL), EINVAL);
	house_end(h);
}

static void
long_names_are_errors_and_no_more(void **state)
{
	struct house *h = *state;
	char path[REQ_PATH], *p;

	house_login(h);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(try_open(h, OPEN_READ, path), ENAMETOOLONG);
	assert_int_equal(make_folder(h, path, 0755), ENAMETOOLONG);
	path[NAME_MAX + 1] = '\0';
	assert_int_equal(make_folder(h, path, 0755), 0);
	assert_int_equal(try_open(h, OPEN_UNIQUE, path), ENAMETOOLONG);
	path[NAME_MAX + 1] = 'x';
	path[NAME_MAX + 2] = '\0';
	assert_int_equal(make_folder(h, path, 0755), ENAMETOOLONG);
	for (p = path; p < path + sizeof(path) - 3; p += 2)
		memcpy(p, "/x", 2);
	*p = '\0';
	assert_int_equal(try_open(h, OPEN_READ, path), ENOENT);
	house_end(h);
}

static void
names_of_owners_are_told_when_asked_and_never_to_guests(void **state)
{
	struct house *h = *state;
	struct req_stat req = { .more = true, .path = "/file" };
	struct ans_stat ans;
	char line[512];

	if (geteuid() == 0)
		h->root = true;
	house_make(h, "home/file", "x");
	if (geteuid() == 0)
		assert_int_equal(chown(in_base(h, "home/file"), 0, 0), 0);
	house_login(h);
	assert_int_equal(house_ask(h, REQ_STAT, &req, sizeof(req), &ans, sizeof(ans), NULL), 0);
	if (geteuid() == 0)
		assert_string_equal(ans.group, "root");
	if (geteuid() == 0)
		assert_string_equal(ans.user, "root");
	else
		assert_string_not_equal(ans.user, ""); /* ours, whoever we are: at least bob's */
	assert_int_equal(ask_stat(h, "/file", true, &ans), 0);
	assert_string_equal(ans.user, "");
	assert_string_equal(ans.group, "");
	house_end(h);

	house_make(h, "guests", NULL);
	house_make(h, "guests/file", "x");
	house_conf(h, "Anonymous on");
	(void)snprintf(line, sizeof(line), "AnonymousRoot %s", in_base(h, "guests"));
	house_conf(h, line);
	house_start(h);
	assert_int_equal(house_ask_login(h, "ftp", "guest", NULL, NULL), 0);
	assert_int_equal(house_ask(h, REQ_STAT, &req, sizeof(req), &ans, sizeof(ans), NULL), 0);
	assert_string_equal(ans.user, "");
	assert_string_equal(ans.group, "");
	house_end(h);
}

#define T(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(nothing_leads_out_of_the_root),
		T(links_that_stay_inside_are_followed),
		T(magic_links_are_not_followed),
		T(without_openat2_no_link_is_followed),
		T(only_regular_files_are_opened),
		T(devices_are_not_opened),
		T(a_file_is_read_from_where_it_is_resumed),
		T(a_file_is_stored_resumed_and_appended_to),
		T(unique_names_are_new),
		T(special_modes_are_never_set),
		T(times_are_set),
		T(a_file_that_its_owner_may_not_read_can_be_mended),
		T(folders_come_and_go),
		T(names_change_but_never_over_others_without_the_right),
		T(rights_are_enforced_here),
		T(the_perm_fact_knows_rights_and_modes),
		T(links_are_made_to_what_lies_below_alone),
		T(the_room_of_a_directory_is_told),
		T(names_of_owners_are_told_when_asked_and_never_to_guests),
		T(the_group_is_set_to_ones_own_alone),
		T(long_names_are_errors_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
