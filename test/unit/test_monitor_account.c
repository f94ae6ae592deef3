/*
 * The rules between the right password and the login, and the names that nobody
 * gets.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "caps.h"
#include "groups.h"
#include "hostile.h"
#include "monitor/rights.h"

#define ALL_CAPS (CAPS_SETUID | CAPS_SETGID | CAPS_SYS_CHROOT | CAPS_NET_BIND_SERVICE)

#define EVERYTHING                                                                                 \
	(RIGHT_READ | RIGHT_LIST | RIGHT_STORE | RIGHT_OVERWRITE | RIGHT_DELETE | RIGHT_RENAME |   \
	    RIGHT_MKDIR | RIGHT_ATTR)

/* Writes base/<name> as root's own and makes it the value of a directive. */
static void
give_file(struct house *h, const char *directive, const char *name, const char *text)
{
	char path[512], line[600];

	house_make(h, name, text);
	(void)snprintf(path, sizeof(path), "%s/%s", h->base, name);
	if (geteuid() == 0)
		assert_int_equal(chown(path, 0, 0), 0);
	(void)snprintf(line, sizeof(line), "%s %s", directive, path);
	house_conf(h, line);
}

static int
log_in(struct house *h, const char *user, struct ans_login *ans)
{
	return house_ask_login(h, user, HOUSE_PASSWORD, ans, NULL);
}

/* Bob's password is right, and he is refused for this reason. */
static void
stays_out(struct house *h, const char *user, const char *reason)
{
	char line[128];
	int64_t began = house_clock();

	unlink(h->log);
	house_start(h);
	assert_int_equal(log_in(h, user, NULL), EACCES);
	assert_true(house_clock() - began >= 1000); /* as for a wrong password */
	house_end(h);
	(void)snprintf(line, sizeof(line), "auth-fail rhost=127.0.0.1 user=\"%s\" reason=%s n=1\n", user,
	    reason);
	assert_true(house_logged(h, line));
}

static unsigned
rights_now(struct house *h, const char *user)
{
	struct ans_login ans;

	house_start(h);
	assert_int_equal(log_in(h, user, &ans), 0);
	house_end(h);
	return ans.rights;
}

static void
users_of_ftpusers_stay_out_like_a_wrong_password(void **state)
{
	struct house *h = *state;

	house_user(h, "anna", NULL, 65534, h->home);
	give_file(h, "FtpUsers", "ftpusers", "# not these\nroot\n  bob  deny # why\nbobby\n");
	stays_out(h, HOUSE_USER, "ftpusers");
	assert_int_equal(rights_now(h, "anna"), EVERYTHING);
	give_file(h, "FtpUsers", "ftpusers", "#bob\nbobby\n");
	assert_int_equal(rights_now(h, HOUSE_USER), EVERYTHING);
	house_conf(h, "FtpUsers /nonexistent/ftpusers");
	assert_int_equal(rights_now(h, HOUSE_USER), EVERYTHING);
}

static void
ftpusers_that_cannot_be_read_lets_nobody_in(void **state)
{
	struct house *h = *state;
	char line[200];

	/* a file as a directory on the way: ENOTDIR also for root */
	(void)snprintf(line, sizeof(line), "FtpUsers %s/x", h->file);
	house_conf(h, line);
	stays_out(h, HOUSE_USER, "ftpusers");
}

static void
guests_and_groups_can_stand_in_ftpusers(void **state)
{
	struct house *h = *state;
	char line[200];

	(void)snprintf(line, sizeof(line), "AnonymousRoot %s", h->home);
	house_conf(h, line);
	house_conf(h, "Anonymous on");
	give_file(h, "FtpUsers", "ftpusers", "anonymous\n@kids\n");
	stays_out(h, "ftp", "ftpusers");
	give_file(h, "AuthGroupFile", "group", "kids:x:3000:bob\n");
	stays_out(h, HOUSE_USER, "ftpusers");
}

static void
a_nologin_file_closes_the_house_for_everybody(void **state)
{
	struct house *h = *state;

	give_file(h, "NologinFile", "nologin", "");
	house_conf(h, "MaxLoginAttempts 2");
	house_start(h);
	assert_int_equal(log_in(h, HOUSE_USER, NULL), ESHUTDOWN);
	/* whoever it is, and whatever the password */
	assert_int_equal(house_ask_login(h, "whoever", "wrong", NULL, NULL), ESHUTDOWN);
	assert_int_equal(log_in(h, HOUSE_USER, NULL), EPERM);
	house_end(h);
	house_conf(h, "NologinFile none");
	assert_int_equal(rights_now(h, HOUSE_USER), EVERYTHING);
}

static void
users_of_the_system_need_a_start_as_root(void **state)
{
	struct house *h = *state;

	house_conf(h, "AuthSystem shadow");
	stays_out(h, "root", "no-root");
	assert_true(house_logged(h, "AuthSystem needs a start as root"));
	/* a name of the file is never asked for elsewhere */
	house_start(h);
	assert_int_equal(house_ask_login(h, HOUSE_USER, "wrong", NULL, NULL), EACCES);
	assert_int_equal(log_in(h, HOUSE_USER, NULL), 0);
	house_end(h);
	assert_true(house_logged(h, "user=\"bob\" reason=bad-password n=1\n"));
}

static void
without_its_program_no_user_of_the_system_comes_in(void **state)
{
	struct house *h = *state;

	if (geteuid() != 0 || (caps_permitted() & ALL_CAPS) != ALL_CAPS)
		skip();
	h->root = true;
	house_conf(h, "AuthSystem shadow");
	/* there is none beside this test; an installed one knows no such user */
	house_start(h);
	assert_int_equal(log_in(h, "no-such-user-here", NULL), EACCES);
	house_end(h);
	assert_true(house_logged(h, "auth-fail rhost=127.0.0.1 user=\"no-such-user-here\" reason="));
}

static void
a_shell_is_asked_for_where_it_is_wanted(void **state)
{
	struct house *h = *state;

	house_conf(h, "RequireValidShell on"); /* bob's is /bin/false */
	stays_out(h, HOUSE_USER, "shell");
	house_conf(h, "RequireValidShell system"); /* bob is none of the system's */
	assert_int_equal(rights_now(h, HOUSE_USER), EVERYTHING);
}

static void
rights_are_those_of_the_first_line_that_fits(void **state)
{
	static const struct {
		const char *text;
		unsigned rights;
	} rows[] = {
		{ "", EVERYTHING },
		{ "anna: none\n", EVERYTHING },
		{ "bob: read list\n", RIGHT_READ | RIGHT_LIST },
		{ "bob:read", RIGHT_READ },
		{ "  bob : READ\tlist # comment\nbob: all\n", RIGHT_READ | RIGHT_LIST },
		{ "*: none\n", 0 },
		{ "bob: store\n*: none\n", RIGHT_STORE },
		{ "*: all -delete -overwrite\n", EVERYTHING & ~(RIGHT_DELETE | RIGHT_OVERWRITE) },
		{ "@kids: list\n@cooks: rename mkdir attr\n*: none\n",
		    RIGHT_RENAME | RIGHT_MKDIR | RIGHT_ATTR },
	};
	struct house *h = *state;
	size_t i;

	give_file(h, "AuthGroupFile", "group", "kids:x:3000:anna\ncooks:x:3001:bob\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		give_file(h, "UserRights", "rights", rows[i].text);
		assert_int_equal(rights_now(h, HOUSE_USER), rows[i].rights);
	}
}

static void
a_file_of_rights_gives_nothing_that_the_directives_do_not(void **state)
{
	struct house *h = *state;

	give_file(h, "UserRights", "rights", "bob: all\n");
	house_conf(h, "ReadOnly on");
	assert_int_equal(rights_now(h, HOUSE_USER), RIGHT_READ | RIGHT_LIST);
}

static void
mistakes_in_a_file_of_rights_are_told_by_line(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "bob: raed\n", "line 1: \"raed\" is no right (known are read, list, store, overwrite, "
				 "delete, rename, mkdir, attr, all, none)" },
		{ "# x\nbob: -raed\n",
		    "line 2: \"-raed\" is no right (known are read, list, store, overwrite, delete, "
		    "rename, mkdir, attr, all, none)" },
		{ "bob:\n", "line 1: no rights stand behind the colon (none is a word, too)" },
		{ "bob read\n", "line 1: there is no colon behind the user" },
		{ "\n\n: read\n", "line 3: there is no user before the colon" },
		{ "@: read\n", "line 1: there is no user before the colon" },
	};
	struct groups groups = { 0 };
	char error[RIGHTS_ERROR];
	unsigned rights;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *file = fmemopen((void *)(uintptr_t)rows[i].text, strlen(rows[i].text), "r");

		assert_int_equal(rights_read(file, "bob", &groups, &rights, error), -1);
		assert_string_equal(error, rows[i].error);
		fclose(file);
	}
}

static void
a_file_of_rights_with_a_mistake_lets_nobody_in(void **state)
{
	struct house *h = *state;

	give_file(h, "UserRights", "rights", "bob: all\nanna: lits\n");
	stays_out(h, HOUSE_USER, "no-rights");
	assert_true(house_logged(h, "/rights: line 2: \"lits\" is no right"));
	house_conf(h, "UserRights /nonexistent/rights");
	stays_out(h, HOUSE_USER, "no-rights");
}

static void
a_file_of_rights_that_others_may_write_lets_nobody_in(void **state)
{
	struct house *h = *state;
	char path[512];

	give_file(h, "UserRights", "rights", "bob: all\n");
	(void)snprintf(path, sizeof(path), "%s/rights", h->base);
	assert_int_equal(chmod(path, 0666), 0);
	stays_out(h, HOUSE_USER, "no-rights");
	assert_true(house_logged(h, "other users may write it"));
}

static void
groups_of_the_file_are_the_process_s(void **state)
{
	struct house *h = *state;
	char path[128], text[4096] = "";
	int fd;

	if (geteuid() != 0 || (caps_permitted() & ALL_CAPS) != ALL_CAPS)
		skip();
	h->root = true;
	give_file(h, "AuthGroupFile", "group", "root:x:0:bob\nkids:x:3000:bob\ncooks:x:3001:anna\n");
	house_login(h);
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)h->pid);
	fd = open(path, O_RDONLY);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_non_null(strstr(text, "\nGroups:\t3000 \n"));
	house_end(h);
}

static void
the_root_is_that_of_the_first_rule_that_fits(void **state)
{
	struct house *h = *state;
	struct ans_login ans;
	char line[256];

	give_file(h, "AuthGroupFile", "group", "kids:x:3000:bob\n");
	(void)snprintf(line, sizeof(line), "DefaultRoot %s kids", h->base);
	house_conf(h, line);
	house_start(h);
	assert_int_equal(log_in(h, HOUSE_USER, &ans), 0);
	assert_string_equal(ans.directory, "/home");
	house_end(h);

	(void)snprintf(line, sizeof(line), "DefaultRoot ~ !staff");
	house_conf(h, line);
	house_start(h);
	assert_int_equal(log_in(h, HOUSE_USER, &ans), 0);
	assert_string_equal(ans.directory, "/");
	house_end(h);

	/* as ProFTPD has it: whom no rule fits is shut in nowhere, and begins at home */
	house_conf(h, "DefaultRoot ~ !kids");
	house_start(h);
	assert_int_equal(log_in(h, HOUSE_USER, &ans), 0);
	assert_string_equal(ans.directory, h->home);
	house_end(h);
}

/* REQ_STAT's errno. */
static int
look(struct house *h, const char *path)
{
	struct req_stat req = { .follow = true };
	struct ans_stat ans;

	(void)strlcpy(req.path, path, sizeof(req.path));
	return house_ask(h, REQ_STAT, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

static int
list(struct house *h, const char *path, char *text, size_t size)
{
	struct req_list req = { .kind = LIST_FACTS };
	struct answer ans;
	int fd = -1, error;
	ssize_t n;

	(void)strlcpy(req.path, path, sizeof(req.path));
	error = house_ask(h, REQ_LIST, &req, sizeof(req), &ans, sizeof(ans), &fd);
	text[0] = '\0';
	if (error != 0)
		return error;
	while (size > 1 && (n = read(fd, text, size - 1)) > 0) {
		text[n] = '\0';
		text += n;
		size -= (size_t)n;
	}
	close(fd);
	return 0;
}

static int
rename_to(struct house *h, const char *from, const char *to)
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

static void
a_drop_box_takes_new_files_and_tells_nothing(void **state)
{
	struct house *h = *state;
	char text[4096];

	house_make(h, "home/there", "secret\n");
	house_conf(h, "UploadOnly on");
	house_login(h);
	assert_int_equal(try_open(h, OPEN_STORE, "/new"), 0);
	assert_int_equal(try_open(h, OPEN_UNIQUE, "/new"), 0);
	assert_int_equal(make_folder(h, "/folder"), 0);
	assert_int_equal(try_open(h, OPEN_READ, "/there"), EACCES);
	assert_int_equal(try_open(h, OPEN_READ, "/missing"), EACCES);
	assert_int_equal(try_open(h, OPEN_STORE, "/there"), EEXIST);
	assert_int_equal(try_open(h, OPEN_APPEND, "/there"), EEXIST);
	assert_int_equal(house_open(h, OPEN_STORE, "/there", 3), -1);
	/* no probing */
	assert_int_equal(look(h, "/there"), EACCES);
	assert_int_equal(look(h, "/missing"), EACCES);
	assert_int_equal(list(h, "/", text, sizeof(text)), EACCES);
	assert_int_equal(house_ask_path(h, REQ_UNLINK, "/there"), EACCES);
	assert_int_equal(house_ask_path(h, REQ_UNLINK, "/missing"), EACCES);
	assert_int_equal(house_ask_path(h, REQ_RMDIR, "/folder"), EACCES);
	assert_int_equal(rename_to(h, "/there", "/else"), EACCES);
	house_end(h);
	assert_true(house_holds(h, "home/there", "secret\n"));
	assert_true(house_holds(h, "home/new.1", ""));

	house_conf(h, "UploadOnly files");
	house_login(h);
	assert_int_equal(make_folder(h, "/folder2"), EACCES);
	house_end(h);
}

static void
denied_names_are_neither_opened_nor_made_nor_listed(void **state)
{
	struct house *h = *state;
	char text[4096];

	house_make(h, "home/.htaccess", "secret\n");
	house_make(h, "home/Setup.EXE", "x");
	house_make(h, "home/file", "x");
	house_make(h, "home/cgi-bin", NULL);
	house_make(h, "home/cgi-bin/script", "x");
	house_conf(h, "PathDeny .ht* *.exe cgi-bin *.1");
	house_login(h);
	assert_int_equal(try_open(h, OPEN_READ, "/.htaccess"), EKEYREJECTED);
	assert_int_equal(try_open(h, OPEN_READ, "/.htmissing"), EKEYREJECTED);
	assert_int_equal(try_open(h, OPEN_READ, "/Setup.EXE"), EKEYREJECTED);
	assert_int_equal(try_open(h, OPEN_READ, "/cgi-bin/script"), EKEYREJECTED);
	assert_int_equal(try_open(h, OPEN_READ, "/file/../cgi-bin/script"), EKEYREJECTED);
	assert_int_equal(try_open(h, OPEN_STORE, "/new.exe"), EKEYREJECTED);
	assert_int_equal(try_open(h, OPEN_APPEND, "/new.exe"), EKEYREJECTED);
	assert_int_equal(try_open(h, OPEN_UNIQUE, "/new.exe"), EKEYREJECTED);
	/* also a name that the server chooses */
	assert_int_equal(try_open(h, OPEN_UNIQUE, "/file"), EKEYREJECTED);
	assert_int_equal(make_folder(h, "/x.exe"), EKEYREJECTED);
	assert_int_equal(rename_to(h, "/file", "/file.exe"), EKEYREJECTED);
	assert_int_equal(rename_to(h, "/.htaccess", "/readable"), EKEYREJECTED);
	assert_int_equal(rename_to(h, "/file", "/cgi-bin/file"), EKEYREJECTED);
	assert_int_equal(house_ask_path(h, REQ_UNLINK, "/.htaccess"), EKEYREJECTED);
	assert_int_equal(house_ask_path(h, REQ_RMDIR, "/cgi-bin"), EKEYREJECTED);
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/cgi-bin"), EKEYREJECTED);
	assert_int_equal(look(h, "/.htaccess"), EKEYREJECTED);
	assert_int_equal(list(h, "/cgi-bin", text, sizeof(text)), EKEYREJECTED);
	assert_int_equal(list(h, "/", text, sizeof(text)), 0);
	assert_non_null(strstr(text, " file\r\n"));
	assert_null(strstr(text, "htaccess"));
	assert_null(strstr(text, "EXE"));
	assert_null(strstr(text, "cgi-bin"));
	house_end(h);
	assert_true(house_holds(h, "home/.htaccess", "secret\n"));
}

static void
denied_dot_names_leave_replacing_uploads_alone(void **state)
{
	struct house *h = *state;
	struct req_done done = { .complete = true, .upload = true, .path = "/file" };
	struct answer ans;
	int fd;

	house_make(h, "home/file", "old");
	house_conf(h, "PathDeny .*");
	house_login(h);
	fd = house_open(h, OPEN_STORE, "/file", 0);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "new", 3), 3);
	close(fd);
	assert_int_equal(house_ask(h, REQ_DONE, &done, sizeof(done), &ans, sizeof(ans), NULL), 0);
	house_end(h);
	assert_true(house_holds(h, "home/file", "new"));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)
	const struct CMUnitTest tests[] = {
		T(users_of_ftpusers_stay_out_like_a_wrong_password),
		T(ftpusers_that_cannot_be_read_lets_nobody_in),
		T(guests_and_groups_can_stand_in_ftpusers),
		T(a_nologin_file_closes_the_house_for_everybody),
		T(users_of_the_system_need_a_start_as_root),
		T(without_its_program_no_user_of_the_system_comes_in),
		T(a_shell_is_asked_for_where_it_is_wanted),
		T(rights_are_those_of_the_first_line_that_fits),
		T(a_file_of_rights_gives_nothing_that_the_directives_do_not),
		T(mistakes_in_a_file_of_rights_are_told_by_line),
		T(a_file_of_rights_with_a_mistake_lets_nobody_in),
		T(a_file_of_rights_that_others_may_write_lets_nobody_in),
		T(groups_of_the_file_are_the_process_s),
		T(the_root_is_that_of_the_first_rule_that_fits),
		T(a_drop_box_takes_new_files_and_tells_nothing),
		T(denied_names_are_neither_opened_nor_made_nor_listed),
		T(denied_dot_names_leave_replacing_uploads_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
