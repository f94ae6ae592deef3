/*
 * Who comes in, as whom, and what is left of the monitor's power then.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "caps.h"
#include "hostile.h"
#include "msg.h"

#define ALL_CAPS (CAPS_SETUID | CAPS_SETGID | CAPS_SYS_CHROOT | CAPS_NET_BIND_SERVICE)

#define READ_ONLY (RIGHT_READ | RIGHT_LIST)
#define EVERYTHING                                                                                 \
	(READ_ONLY | RIGHT_STORE | RIGHT_OVERWRITE | RIGHT_DELETE | RIGHT_RENAME | RIGHT_MKDIR |   \
	    RIGHT_ATTR)

/* Skips a test that needs to be root. */
static void
as_root(struct house *h)
{
	if (geteuid() != 0 || (caps_permitted() & ALL_CAPS) != ALL_CAPS)
		skip();
	h->root = true;
}

static void
conf_path(struct house *h, const char *directive, const char *path)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "%s %s", directive, path);
	house_conf(h, line);
}

static void
set_text(char **field, const char *text)
{
	free(*field);
	assert_non_null(*field = strdup(text));
}

static void
anonymous(struct house *h)
{
	conf_path(h, "AnonymousRoot", h->home);
	house_conf(h, "Anonymous on");
}

static int
log_in(struct house *h)
{
	return house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, NULL, NULL);
}

static void
the_right_password_lets_in(void **state)
{
	struct house *h = *state;
	struct ans_login ans;

	house_start(h);
	assert_int_equal(house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, &ans, NULL), 0);
	assert_int_equal(ans.rights, EVERYTHING);
	assert_false(ans.anonymous);
	assert_string_equal(ans.directory, "/");
	house_end(h);
	assert_true(house_logged(h, "login user=\"bob\" rhost=127.0.0.1"));
}

static void
rights_follow_the_configuration(void **state)
{
	static const struct {
		const char *line, *user;
		unsigned rights;
	} rows[] = {
		{ "AllowOverwrite off", HOUSE_USER, EVERYTHING & ~RIGHT_OVERWRITE },
		{ "ReadOnly on", HOUSE_USER, READ_ONLY },
		{ "ReadOnly on", "anonymous", READ_ONLY },
		{ "ReadOnly off", "ftp", READ_ONLY },
		{ "AnonymousUpload on", "anonymous", READ_ONLY | RIGHT_STORE | RIGHT_MKDIR },
		{ "ReadOnly on", "anonymous", READ_ONLY },
	};
	struct house *h = *state;
	struct ans_login ans;
	size_t i;

	anonymous(h);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		house_conf(h, rows[i].line);
		house_start(h);
		assert_int_equal(house_ask_login(h, rows[i].user, HOUSE_PASSWORD, &ans, NULL), 0);
		assert_int_equal(ans.rights, rows[i].rights);
		assert_int_equal(ans.anonymous, strcmp(rows[i].user, HOUSE_USER) != 0);
		house_end(h);
	}
}

static void
a_failure_costs_a_second_and_the_next_one_two(void **state)
{
	struct house *h = *state;
	int64_t began = house_clock();

	house_start(h);
	assert_int_equal(house_ask_login(h, HOUSE_USER, "wrong", NULL, NULL), EACCES);
	assert_true(house_clock() - began >= 1000);
	began = house_clock();
	assert_int_equal(house_ask_login(h, HOUSE_USER, "wrong", NULL, NULL), EACCES);
	assert_true(house_clock() - began >= 2000);
	assert_int_equal(log_in(h), 0);
	house_end(h);
	assert_true(
	    house_logged(h, ": auth-fail rhost=127.0.0.1 user=\"bob\" reason=bad-password n=1\n"));
	assert_true(
	    house_logged(h, ": auth-fail rhost=127.0.0.1 user=\"bob\" reason=bad-password n=2\n"));
}

static void
the_last_try_is_told_and_there_is_none_behind_it(void **state)
{
	struct house *h = *state;

	house_conf(h, "MaxLoginAttempts 1");
	house_start(h);
	assert_int_equal(house_ask_login(h, "nobody-at-all", "x", NULL, NULL), EPERM);
	assert_int_equal(log_in(h), EPERM);
	house_end(h);
	assert_true(house_logged(h, "user=\"nobody-at-all\" reason=unknown-user n=1\n"));
}

static void
a_session_that_goes_ends_the_delay(void **state)
{
	struct house *h = *state;
	struct req_login req = { .user = "x", .password = "x" };
	int64_t began = house_clock();
	int i;

	house_conf(h, "MaxLoginAttempts 100");
	house_start(h);
	/* 55 s of delays, if nobody watched */
	for (i = 0; i < 10; i++)
		assert_int_equal(msg_send(h->sock, REQ_LOGIN, &req, sizeof(req), -1), 0);
	house_end(h);
	assert_true(house_clock() - began < 40000);
}

static void
names_cannot_forge_the_log(void **state)
{
	struct house *h = *state;

	house_conf(h, "MaxLoginAttempts 1");
	house_start(h);
	assert_int_equal(
	    house_ask_login(h, "a\" rhost=192.0.2.1 \nx\t'\\", "x", NULL, NULL), EPERM);
	house_end(h);
	assert_true(house_logged(h, "user=\"a__rhost=192.0.2.1__x___\" reason=unknown-user n=1\n"));
}

/*
 * A login that is not granted. The session does not wait for the answer, which
 * is what the monitor would be slow with; other tests see the answer.
 */
static void
try_in_vain(struct house *h, const char *user, const char *password)
{
	struct req_login req = { 0 };

	(void)strlcpy(req.user, user, sizeof(req.user));
	(void)strlcpy(req.password, password, sizeof(req.password));
	house_start(h);
	assert_int_equal(msg_send(h->sock, REQ_LOGIN, &req, sizeof(req), -1), 0);
	house_end(h);
}

static void
fails(struct house *h, const char *user, const char *password, const char *reason)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "user=\"%s\" reason=%s n=1\n", user, reason);
	unlink(h->log);
	try_in_vain(h, user, password);
	assert_true(house_logged(h, line));
}

static void
empty_passwords_and_hashes_never_match(void **state)
{
	struct house *h = *state;

	house_user(h, "blank", "", 65534, h->home);
	house_user(h, "emptied", crypt("", "$5$rounds=1000$genkan"), 65534, h->home);
	house_user(h, "locked", "!$5$rounds=1000$genkan$", 65534, h->home);
	house_user(h, "starred", "*", 65534, h->home);
	fails(h, "blank", "", "locked");
	fails(h, "blank", "x", "locked");
	fails(h, "emptied", "", "empty-password");
	fails(h, "locked", "!", "locked");
	fails(h, "starred", "*", "locked");
	fails(h, HOUSE_USER, "", "empty-password");
}

static void
uid_0_and_gid_0_never_come_in(void **state)
{
	struct house *h = *state;

	house_user(h, "root", NULL, 0, h->home);
	fails(h, "root", HOUSE_PASSWORD, "root");
	anonymous(h);
	/* conf.c would not take it */
	set_text(&h->conf.anonymous_user, "root");
	fails(h, "anonymous", "me@example.net", "root");
}

static void
anonymous_users_come_in_only_where_they_are_wanted(void **state)
{
	struct house *h = *state;

	fails(h, "anonymous", "me@example.net", "unknown-user");
	anonymous(h);
	house_start(h);
	assert_int_equal(house_ask_login(h, "anonymous", "", NULL, NULL), 0);
	house_end(h);
}

/* CPU seconds of a monitor that refuses this user. */
static double
cost(struct house *h, const char *user)
{
	try_in_vain(h, user, "wrong");
	return (double)h->usage.ru_utime.tv_sec + (double)h->usage.ru_utime.tv_usec / 1e6;
}

static void
an_unknown_name_costs_as_much_as_a_wrong_password(void **state)
{
	struct house *h = *state;
	double known, unknown, locked;

	/* dear enough that nothing else counts; the first line of the file sets the price */
	unlink(h->file);
	house_user(h, "dear", crypt("x", "$5$rounds=400000$genkan"), 65534, h->home);
	house_user(h, "locked", "!", 65534, h->home);
	known = cost(h, "dear");
	unknown = cost(h, "whoever");
	locked = cost(h, "locked");
	assert_true(known > 0.05);
	assert_true(unknown > known / 2 && unknown < known * 2);
	assert_true(locked > known / 2 && locked < known * 2);
}

static void
a_user_file_that_others_may_write_is_not_believed(void **state)
{
	struct house *h = *state;

	assert_int_equal(chmod(h->file, 0666), 0);
	fails(h, HOUSE_USER, HOUSE_PASSWORD, "no-accounts");
	assert_true(house_logged(h, "other users may write it"));
}

static void
without_a_user_file_nobody_comes_in(void **state)
{
	struct house *h = *state;

	conf_path(h, "AuthUserFile", "none");
	fails(h, HOUSE_USER, HOUSE_PASSWORD, "no-accounts");
	conf_path(h, "AuthUserFile", "/nonexistent/passwd");
	fails(h, HOUSE_USER, HOUSE_PASSWORD, "no-accounts");
}

/* A user with the right password whose root cannot be entered. */
static void
stays_out(struct house *h, const char *user, const char *home)
{
	house_user(h, user, NULL, 65534, home);
	house_start(h);
	assert_int_equal(house_ask_login(h, user, HOUSE_PASSWORD, NULL, NULL), EACCES);
	house_end(h);
}

static void
a_missing_home_refuses_the_login(void **state)
{
	struct house *h = *state;
	char path[256];
	int round;

	house_make(h, "file", "");
	for (round = 0; round < 2; round++) {
		(void)snprintf(path, sizeof(path), "%s/missing", h->base);
		stays_out(h, round == 0 ? "missing" : "missing1", path);
		assert_true(house_logged(h, "missing"));
		(void)snprintf(path, sizeof(path), "%s/file", h->base);
		stays_out(h, round == 0 ? "file" : "file1", path);
		stays_out(h, round == 0 ? "relative" : "relative1", "home");
		as_root(h); /* the second round */
	}
}

static void
nobody_ever_lands_in_the_whole_system(void **state)
{
	struct house *h = *state;

	stays_out(h, "slash", "/");
	stays_out(h, "dots", "/tmp/..");
	assert_true(house_logged(h, "a home must not be /tmp/.."));
	as_root(h);
	stays_out(h, "slash1", "/");
}

static void
a_home_that_the_user_may_not_enter_ends_all_logins_as_root(void **state)
{
	struct house *h = *state;

	as_root(h);
	house_make(h, "closed", NULL);
	assert_int_equal(chown(h->home, 0, 0), 0);
	assert_int_equal(chmod(h->home, 0700), 0);
	house_start(h);
	assert_int_equal(log_in(h), EACCES);
	assert_int_equal(log_in(h), EPERM); /* we are bob already */
	house_end(h);
}

static void
default_root_is_the_root_and_the_session_begins_at_home(void **state)
{
	struct house *h = *state;
	struct ans_login ans;
	char path[256];

	house_make(h, "homely", NULL);
	(void)snprintf(path, sizeof(path), "%s/homely", h->base);
	house_user(h, "alice", NULL, 65534, path);
	conf_path(h, "DefaultRoot", h->base);
	house_start(h);
	assert_int_equal(house_ask_login(h, "alice", HOUSE_PASSWORD, &ans, NULL), 0);
	assert_string_equal(ans.directory, "/homely");
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/home"), 0);
	house_end(h);

	/* elsewhere, and no prefix of "homely" */
	conf_path(h, "DefaultRoot", h->home);
	house_start(h);
	assert_int_equal(house_ask_login(h, "alice", HOUSE_PASSWORD, &ans, NULL), 0);
	assert_string_equal(ans.directory, "/");
	house_end(h);

	(void)snprintf(path, sizeof(path), "%s/gone", h->base);
	conf_path(h, "DefaultRoot", h->base);
	stays_out(h, "carol", path);
}

static void
read_display(int fd, const char *text)
{
	char buf[64] = "";

	assert_int_not_equal(fd, -1);
	assert_int_equal(read(fd, buf, sizeof(buf) - 1), (ssize_t)strlen(text));
	assert_string_equal(buf, text);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
}

static void
the_login_text_comes_along(void **state)
{
	struct house *h = *state;
	char path[256];
	int fd;

	house_make(h, "welcome", "outside\n");
	house_make(h, "home/welcome", "inside\n");
	(void)snprintf(path, sizeof(path), "%s/welcome", h->base);
	conf_path(h, "DisplayLogin", path);
	house_start(h);
	assert_int_equal(house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, NULL, &fd), 0);
	read_display(fd, "outside\n");
	house_end(h);

	set_text(&h->conf.display_login, "welcome");
	house_start(h);
	assert_int_equal(house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, NULL, &fd), 0);
	read_display(fd, "inside\n");
	house_end(h);
}

static void
a_login_text_that_is_no_file_is_left_out(void **state)
{
	struct house *h = *state;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/fifo", h->home);
	assert_int_equal(mkfifo(path, 0666), 0);
	set_text(&h->conf.display_login, "fifo");
	house_login(h);
	house_end(h);
	(void)snprintf(path, sizeof(path), "%s/out", h->home);
	assert_int_equal(symlink(h->file, path), 0);
	set_text(&h->conf.display_login, "out");
	house_login(h);
	house_end(h);
}

static void
the_login_deadline_ends_the_connection(void **state)
{
	struct house *h = *state;
	int64_t began = house_clock();
	char byte;

	house_conf(h, "TimeoutLogin 1");
	house_start(h);
	assert_int_equal(read(h->sock, &byte, 1), 0);
	/* TimeoutLogin and the grace of 5 s */
	assert_in_range(house_clock() - began, 5900, 40000);
	house_end(h);
	assert_true(house_logged(h, "the login deadline has passed"));
}

static void
without_root_it_is_told(void **state)
{
	house_login(*state);
	house_end(*state);
	assert_true(house_logged(*state, "not started as root: no change of user and no chroot"));
}

/* The value of a line of /proc/<pid>/status, such as "Uid:". */
static const char *
status(struct house *h, const char *key)
{
	static char line[512];
	char path[64], *value = NULL;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)h->pid);
	assert_non_null(file = fopen(path, "r"));
	while (value == NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			value = line + strlen(key);
	fclose(file);
	assert_non_null(value);
	value[strcspn(value, "\n")] = '\0';
	return value + strspn(value, "\t ");
}

static void
after_login_the_monitor_is_the_user_and_nothing_else(void **state)
{
	static const struct {
		const char *line, *permitted;
	} rows[] = {
		{ "ActivePort 20", "0000000000000400" }, /* CAP_NET_BIND_SERVICE */
		{ "ActivePort any", "0000000000000000" },
		{ "ActivePort 2020", "0000000000000000" },
	};
	struct house *h = *state;
	char path[64], root[256];
	ssize_t n;
	size_t i;

	as_root(h);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		house_conf(h, rows[i].line);
		house_login(h);
		/* the last wall is up before the next request is served */
		assert_int_equal(house_ask_path(h, REQ_CHDIR, "/"), 0);
		assert_string_equal(status(h, "Uid:"), "65534\t65534\t65534\t65534");
		assert_string_equal(status(h, "Gid:"), "65534\t65534\t65534\t65534");
		assert_string_equal(status(h, "Groups:"), "");
		assert_string_equal(status(h, "CapInh:"), "0000000000000000");
		assert_string_equal(status(h, "CapPrm:"), rows[i].permitted);
		assert_string_equal(status(h, "CapEff:"), "0000000000000000");
		assert_string_equal(status(h, "CapBnd:"), "0000000000000000");
		assert_string_equal(status(h, "CapAmb:"), "0000000000000000");
		assert_string_equal(status(h, "NoNewPrivs:"), "1");
#ifndef SYSFILTER_OFF
		assert_string_equal(status(h, "Seccomp:"), "2");
#endif
		(void)snprintf(path, sizeof(path), "/proc/%d/root", (int)h->pid);
		n = readlink(path, root, sizeof(root) - 1);
		assert_true(n > 0);
		root[n] = '\0';
		assert_string_equal(root, h->home);
		house_end(h);
	}
}

static void
before_login_the_monitor_has_its_four_capabilities_and_none_raised(void **state)
{
	struct house *h = *state;
	struct req_login req = { .user = "x" };

	as_root(h);
	house_conf(h, "MaxLoginAttempts 1");
	house_start(h);
	/* an answer shows that the monitor is in its loop */
	assert_int_equal(house_ask_login(h, req.user, "x", NULL, NULL), EPERM);
	assert_string_equal(status(h, "CapPrm:"), "00000000000404c0");
	assert_string_equal(status(h, "CapEff:"), "0000000000000000");
	assert_string_equal(status(h, "CapBnd:"), "0000000000000000");
	house_end(h);
}

#define T(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(the_right_password_lets_in),
		T(rights_follow_the_configuration),
		T(a_failure_costs_a_second_and_the_next_one_two),
		T(the_last_try_is_told_and_there_is_none_behind_it),
		T(a_session_that_goes_ends_the_delay),
		T(names_cannot_forge_the_log),
		T(empty_passwords_and_hashes_never_match),
		T(uid_0_and_gid_0_never_come_in),
		T(anonymous_users_come_in_only_where_they_are_wanted),
		T(an_unknown_name_costs_as_much_as_a_wrong_password),
		T(a_user_file_that_others_may_write_is_not_believed),
		T(without_a_user_file_nobody_comes_in),
		T(a_missing_home_refuses_the_login),
		T(nobody_ever_lands_in_the_whole_system),
		T(a_home_that_the_user_may_not_enter_ends_all_logins_as_root),
		T(default_root_is_the_root_and_the_session_begins_at_home),
		T(the_login_text_comes_along),
		T(a_login_text_that_is_no_file_is_left_out),
		T(the_login_deadline_ends_the_connection),
		T(without_root_it_is_told),
		T(after_login_the_monitor_is_the_user_and_nothing_else),
		T(before_login_the_monitor_has_its_four_capabilities_and_none_raised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
