/*
 * Files that replace others when they are complete: what the session says about
 * it gains nothing, and nothing is left behind.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"
#include "msg.h"
#include "sysfilter.h"

/* Tells that a transfer has ended; the answer's errno. */
static int
done(struct house *h, bool upload, bool complete, const char *path)
{
	struct req_done req = { .upload = upload, .complete = complete };
	struct answer ans;

	(void)strlcpy(req.path, path, sizeof(req.path));
	return house_ask(h, REQ_DONE, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

static void
put(int fd, const char *text)
{
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Logs bob in, who owns what house_make() makes. */
static void
enter(struct house *h)
{
	h->root = geteuid() == 0;
	house_login(h);
}

/* How many names there are in the home, and how many are those of hidden files. */
static int
count(struct house *h, int *hidden)
{
	DIR *dir = opendir(h->home);
	struct dirent *e;
	int n = 0;

	assert_non_null(dir);
	*hidden = 0;
	while ((e = readdir(dir)) != NULL) {
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
		*hidden += strncmp(e->d_name, ".in.", 4) == 0;
	}
	closedir(dir);
	return n;
}

static bool
holds_alone(struct house *h, const char *text)
{
	int hidden;

	return house_holds(h, "home/file", text) && count(h, &hidden) == 1;
}

/* What every way of hiding has to do. */
static void
replace_and_break(struct house *h)
{
	struct stat st;
	char path[128];
	int fd;

	house_make(h, "home/file", "old");
	(void)snprintf(path, sizeof(path), "%s/file", h->home);
	assert_int_equal(chmod(path, 0604), 0);
	enter(h);
	put(fd = house_open(h, OPEN_STORE, "/file", 0), "new");
	assert_true(house_holds(h, "home/file", "old"));
	close(fd);
	assert_int_equal(done(h, true, true, "/file"), 0);
	assert_true(holds_alone(h, "new"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);

	put(fd = house_open(h, OPEN_STORE, "/file", 0), "broken");
	close(fd);
	assert_int_equal(done(h, true, false, "/file"), 0);
	assert_true(holds_alone(h, "new"));

	/* the session forgets to tell, begins another one, goes */
	put(fd = house_open(h, OPEN_STORE, "/file", 0), "forgotten");
	close(fd);
	put(fd = house_open(h, OPEN_STORE, "/file", 0), "left");
	close(fd);
	house_end(h);
	assert_true(holds_alone(h, "new"));
}

static void
a_file_is_replaced_when_the_upload_is_complete(void **state)
{
	replace_and_break(*state);
}

static void
with_sync_too(void **state)
{
	house_conf(*state, "SyncUploads on");
	replace_and_break(*state);
}

#ifndef SYSFILTER_OFF
/* As before Linux 6.10: a file without a name gets none. */
static void
hide_linkat(void)
{
	static const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		SYSFILTER_ERRNO(linkat, ENOENT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    sysfilter_enter(filter, sizeof(filter) / sizeof(filter[0])) == -1)
		_exit(1);
}
#endif

static void
without_nameless_files_the_hidden_one_has_a_name(void **state)
{
#ifdef SYSFILTER_OFF
	(void)state;
	skip();
#else
	struct house *h = *state;
	int hidden, fd;

	h->before = hide_linkat;
	replace_and_break(h);
	enter(h);
	put(fd = house_open(h, OPEN_STORE, "/file", 0), "x");
	assert_int_equal(count(h, &hidden), 2);
	assert_int_equal(hidden, 1);
	close(fd);
	house_end(h);
	assert_true(holds_alone(h, "new"));
#endif
}

static void
a_monitor_that_is_killed_leaves_nothing(void **state)
{
	struct house *h = *state;
	int hidden, fd, probe;

	house_make(h, "home/file", "old");
	enter(h);
	put(fd = house_open(h, OPEN_STORE, "/file", 0), "x");
	close(fd);
	(void)count(h, &hidden);
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
	h->pid = 0;
	probe = open(h->home, O_TMPFILE | O_WRONLY, 0600);
	if (probe == -1 || hidden != 0) {
		close(probe);
		skip(); /* documented: such a system cannot do it */
	}
	close(probe);
	assert_true(holds_alone(h, "old"));
}

static void
what_the_session_says_of_names_does_not_count(void **state)
{
	struct house *h = *state;
	int fd;

	house_make(h, "secret", "secret");
	house_make(h, "home/file", "old");
	house_make(h, "home/other", "other");
	enter(h);
	/* nothing is pending */
	assert_int_equal(done(h, true, true, "/other"), 0);
	put(fd = house_open(h, OPEN_STORE, "/file", 0), "new");
	assert_int_equal(done(h, true, true, "/../secret"), 0);
	assert_int_equal(done(h, true, true, "/other"), 0);
	/* the descriptor still writes, but what it has been given */
	put(fd, "er");
	close(fd);
	/* a download's end is none of an upload */
	put(fd = house_open(h, OPEN_STORE, "/file", 0), "x");
	close(fd);
	assert_int_equal(done(h, false, true, "/file"), 0);
	assert_int_equal(done(h, true, true, "/file"), 0);
	house_end(h);
	assert_true(house_holds(h, "home/file", "newer"));
	assert_true(house_holds(h, "home/other", "other"));
	assert_true(house_holds(h, "secret", "secret"));
}

static void
the_directory_is_that_of_the_beginning(void **state)
{
	struct house *h = *state;
	char path[128], moved[128];
	int fd;

	house_make(h, "home/dir", NULL);
	house_make(h, "home/dir/file", "old");
	house_make(h, "outside", NULL);
	house_make(h, "outside/file", "outside");
	enter(h);
	put(fd = house_open(h, OPEN_STORE, "/dir/file", 0), "new");
	close(fd);
	/* what leads to another place now is not followed */
	(void)snprintf(path, sizeof(path), "%s/dir", h->home);
	(void)snprintf(moved, sizeof(moved), "%s/moved", h->home);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(symlink("../outside", path), 0);
	assert_int_equal(done(h, true, true, "/dir/file"), 0);
	house_end(h);
	assert_true(house_holds(h, "home/moved/file", "new"));
	assert_true(house_holds(h, "outside/file", "outside"));
}

static void
a_directory_that_took_the_name_is_an_error(void **state)
{
	struct house *h = *state;
	char path[128];
	int hidden, fd;

	house_make(h, "home/file", "old");
	enter(h);
	put(fd = house_open(h, OPEN_STORE, "/file", 0), "new");
	close(fd);
	(void)snprintf(path, sizeof(path), "%s/file", h->home);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(done(h, true, true, "/file"), EISDIR);
	house_end(h);
	assert_int_equal(count(h, &hidden), 1);
}

/* ENDED is for transfers that need nothing: it never puts a hidden file in its place. */
static void
an_upload_that_is_only_ended_was_broken_off(void **state)
{
	struct house *h = *state;
	struct req_done req = { .upload = true, .complete = true, .path = "/file" };
	int fd, hidden;

	house_make(h, "home/file", "old");
	enter(h);
	put(fd = house_open(h, OPEN_STORE, "/file", 0), "new");
	close(fd);
	assert_int_equal(msg_send(h->sock, REQ_ENDED, &req, sizeof(req), -1), 0);
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/"), 0);
	assert_true(house_holds(h, "home/file", "old"));
	assert_int_equal(count(h, &hidden), 1);
	assert_true(house_logged(h, "incomplete"));
	/* there is nothing left that could be completed */
	assert_int_equal(done(h, true, true, "/file"), 0);
	assert_true(house_holds(h, "home/file", "old"));
	house_end(h);
}

/* True if the log tells of these paths, one behind the other. */
static bool
logged_in_order(struct house *h, const char *first, const char *second)
{
	char log[4096] = "", *at;
	FILE *file = fopen(h->log, "r");

	assert_non_null(file);
	assert_true(fread(log, 1, sizeof(log) - 1, file) > 0);
	fclose(file);
	return (at = strstr(log, first)) != NULL && strstr(at, second) != NULL;
}

static void
ends_with_a_request_behind_them_are_logged_in_order(void **state)
{
	struct house *h = *state;
	struct req_done one = { .more = true, .complete = true, .path = "/one" };
	struct req_done two = { .more = true, .complete = true, .path = "/two" };
	struct req_done three = { .complete = true, .path = "/three" };

	enter(h);
	assert_int_equal(msg_send(h->sock, REQ_ENDED, &one, sizeof(one), -1), 0);
	assert_int_equal(msg_send(h->sock, REQ_ENDED, &two, sizeof(two), -1), 0);
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/"), 0);
	/* behind the answer, so before the next one */
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/"), 0);
	assert_true(logged_in_order(h, "path=\"/one\"", "path=\"/two\""));
	assert_int_equal(msg_send(h->sock, REQ_ENDED, &two, sizeof(two), -1), 0);
	assert_int_equal(msg_send(h->sock, REQ_ENDED, &three, sizeof(three), -1), 0);
	house_end(h);
	assert_true(logged_in_order(h, "path=\"/two\" bytes=0 ms=0 complete", "path=\"/three\""));
}

static void
an_end_with_no_request_behind_it_after_all_is_logged(void **state)
{
	struct house *h = *state;
	struct req_done req = { .more = true, .complete = true, .path = "/last" };

	enter(h);
	assert_int_equal(msg_send(h->sock, REQ_ENDED, &req, sizeof(req), -1), 0);
	house_end(h);
	assert_true(house_logged(h, "path=\"/last\""));
}

#define T(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_file_is_replaced_when_the_upload_is_complete),
		T(with_sync_too),
		T(an_upload_that_is_only_ended_was_broken_off),
		T(ends_with_a_request_behind_them_are_logged_in_order),
		T(an_end_with_no_request_behind_it_after_all_is_logged),
		T(without_nameless_files_the_hidden_one_has_a_name),
		T(a_monitor_that_is_killed_leaves_nothing),
		T(what_the_session_says_of_names_does_not_count),
		T(the_directory_is_that_of_the_beginning),
		T(a_directory_that_took_the_name_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
