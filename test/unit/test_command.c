/*
 * The command table and the rules that derive from it. The session runs here
 * without a monitor: whatever would ask it must not be reached.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf.h"
#include "session/command.h"
#include "session/session.h"

static struct conf conf;
static struct client client;
static struct session session;
static int wire[2]; /* [0] is the client's end */

static int
set_up(void **state)
{
	(void)state;
	conf_init(&conf);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, wire), 0);
	client = (struct client){ .in = wire[1], .out = wire[1], .socket = true };
	netaddr_parse("192.0.2.1", &client.peer);
	session = (struct session){ .conf = &conf, .client = &client, .port.fd = -1, .monitor = -1,
		.directory = "/", .idle = 600 };
	control_init(&session.ctl, wire[1], wire[1], true);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	close(wire[0]);
	close(wire[1]);
	conf_free(&conf);
	return 0;
}

/* Dispatches a line and returns the first digits of what came back, 0 for nothing. */
static int
code_of(const char *line)
{
	char copy[256], answer[16384];
	int code = 0;
	ssize_t n;

	strlcpy(copy, line, sizeof(copy));
	command_dispatch(&session, copy);
	n = recv(wire[0], answer, sizeof(answer) - 1, MSG_DONTWAIT);
	if (n > 0) {
		answer[n] = '\0';
		assert_true(n > 2 && strcmp(answer + n - 2, "\r\n") == 0);
		assert_int_equal(sscanf(answer, "%3d", &code), 1);
	}
	return code;
}

static void
every_verb_stands_once_in_capitals_with_help(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->verb != NULL; c++) {
		assert_in_range(strlen(c->verb), 3, 7);
		for (const char *p = c->verb; *p != '\0'; p++)
			assert_true(isupper((unsigned char)*p) || isdigit((unsigned char)*p));
		assert_non_null(c->run);
		assert_non_null(c->help);
		assert_true(c->arity == ARG_NONE || *c->help != '\0' || c->effect & IN_TRANSFER);
		assert_ptr_equal(command_find(c->verb, strlen(c->verb)), c);
	}
}

static void
what_touches_files_or_data_needs_a_login(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->verb != NULL; c++)
		if (c->effect & (DATA | WRITES))
			assert_int_equal(c->when, WHEN_LOGGED_IN);
}

static void
only_passwords_and_accounts_are_kept_from_the_log(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->verb != NULL; c++)
		assert_int_equal((c->effect & SECRET) != 0,
		    strcmp(c->verb, "PASS") == 0 || strcmp(c->verb, "ACCT") == 0);
}

static void
verbs_are_found_in_any_case_and_bytes_above_127_are_no_letters(void **state)
{
	(void)state;
	assert_non_null(command_find("noop", 4));
	assert_non_null(command_find("NoOp", 4));
	assert_null(command_find("NOO", 3));
	assert_null(command_find("NOOPS", 5));
	assert_null(command_find("\xce\xcf\xcf\xd0", 4));
	assert_null(command_find("", 0));
}

static void
before_login_file_commands_get_530(void **state)
{
	char line[64];

	(void)state;
	for (const struct command *c = commands; c->verb != NULL; c++) {
		if (c->when != WHEN_LOGGED_IN)
			continue;
		snprintf(line, sizeof(line), "%s x", c->verb);
		assert_int_equal(code_of(line), 530);
		assert_int_equal(code_of(c->verb), 530);
	}
}

static void
missing_argument_gets_501_and_user_500(void **state)
{
	(void)state;
	session.login = LOGIN_DONE;
	for (const struct command *c = commands; c->verb != NULL; c++)
		if (c->arity == ARG_MUST)
			assert_int_equal(code_of(c->verb), strcmp(c->verb, "USER") == 0 ? 500 : 501);
}

static void
argument_where_none_belongs_gets_501(void **state)
{
	(void)state;
	session.login = LOGIN_DONE;
	assert_int_equal(code_of("PASV x"), 501);
	assert_int_equal(code_of("PWD x"), 501);
	assert_int_equal(code_of("PWD"), 257);
}

static void
replies_without_a_file(void **state)
{
	static const struct {
		const char *line;
		int code;
	} rows[] = {
		{ "NOOP", 200 },
		{ "SYST", 215 },
		{ "FEAT", 211 },
		{ "HELP", 214 },
		{ "HELP stor", 214 },
		{ "HELP NOPE", 501 },
		{ "STAT", 211 },
		{ "TYPE I", 200 },
		{ "TYPE L 8", 200 },
		{ "TYPE A", 200 },
		{ "TYPE E", 504 },
		{ "TYPE L 7", 504 },
		{ "TYPE X", 501 },
		{ "STRU F", 200 },
		{ "STRU R", 504 },
		{ "STRU x", 501 },
		{ "MODE S", 200 },
		{ "MODE b", 504 },
		{ "MODE q", 501 },
		{ "REST 100", 501 }, /* type A */
		{ "REST 0", 350 },
		{ "REST -1", 501 },
		{ "REST 9223372036854775808", 501 },
		{ "REST 1x", 501 },
		{ "ALLO x", 504 },
		{ "OPTS UTF8 ON", 200 },
		{ "OPTS UTF8 OFF", 504 },
		{ "OPTS MLST type;size;", 200 },
		{ "OPTS NOPE", 501 },
		{ "PORT 192,0,2,1,4,0", 200 },
		{ "PORT 192,0,2,1,0,80", 500 },
		{ "PORT 192,0,2,2,4,0", 500 },
		{ "PORT 999,0,2,1,4,0", 501 },
		{ "EPRT |1|192.0.2.1|1024|", 200 },
		{ "EPRT |3|192.0.2.1|1024|", 522 },
		{ "EPRT |1|192.0.2.9|1024|", 500 },
		{ "EPRT garbage", 501 },
		{ "EPSV 2", 522 },
		{ "EPSV x", 501 },
		{ "RNTO x", 503 },
		{ "ABOR", 226 },
		{ "ACCT x", 202 },
		{ "SMNT x", 502 },
		{ "REIN", 502 },
		{ "SITE", 501 },
		{ "SITE HELP", 214 },
		{ "SITE UMASK", 200 },
		{ "SITE UMASK 1000", 501 },
		{ "SITE EXEC id", 500 },
		{ "SITE IDLE", 200 },
		{ "SITE IDLE 60", 200 },
		{ "SITE IDLE 0", 501 },
		{ "SITE MKDIR", 501 },
		{ "SITE RMDIR", 501 },
		{ "SITE CHMOD 888 x", 501 },
		{ "SITE CHGRP staff x", 501 },
		{ "SITE CHGRP 1", 501 },
		{ "SITE CHGRP -1 x", 501 },
		{ "SITE SYMLINK x", 501 },
		{ "SITE SYMLINK \"x y", 501 },
		{ "MFF UNIX.group=x; f", 501 },
		{ "MFF UNIX.owner=0; f", 504 },
		{ "SITE UTIME nonsense", 501 },
		{ "MFCT 20200101000000 x", 502 },
		{ "MFMT x", 501 },
		{ "MFF x", 501 },
		{ "LANG", 200 },
		{ "LANG en-GB", 200 },
		{ "LANG ja", 504 },
		{ "PRET STOR x", 200 },
		{ "LPRT x", 502 },
		{ "LPSV", 502 },
		{ "CSID Name=x;", 200 },
		{ "CLNT x", 200 },
		{ "OPTS HASH", 200 },
		{ "OPTS HASH MD5", 200 },
		{ "OPTS HASH ROT13", 501 },
		{ "COMB x", 502 },
		{ "DSIZ x", 502 },
		{ "NOPE", 500 },
		{ "\n", 500 },
		{ "\xff\xfe", 500 },
	};

	(void)state;
	session.login = LOGIN_DONE;
	session.rights = ~0u;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int code = code_of(rows[i].line);

		if (code != rows[i].code)
			print_error("%s: %d\n", rows[i].line, code);
		assert_int_equal(code, rows[i].code);
	}
}

static void
empty_line_gets_no_reply(void **state)
{
	(void)state;
	assert_int_equal(code_of(""), 0);
}

static void
http_gets_no_reply_and_ends_the_session(void **state)
{
	(void)state;
	assert_int_equal(code_of("GET / HTTP/1.1"), 0);
	assert_true(session.quit);
}

static void
twenty_unknown_commands_before_login_get_421(void **state)
{
	(void)state;
	for (int i = 0; i < 19; i++)
		assert_int_equal(code_of("NOPE"), 500);
	assert_int_equal(code_of("NOPE"), 421);
	assert_true(session.quit);
}

static void
rest_is_forgotten_by_what_is_no_transfer(void **state)
{
	(void)state;
	session.login = LOGIN_DONE;
	code_of("TYPE I");
	assert_int_equal(code_of("REST 7"), 350);
	code_of("PORT 192,0,2,1,4,0"); /* clients agree on the data connection in between */
	assert_int_equal(session.params.restart, 7);
	code_of("PWD");
	assert_int_equal(session.params.restart, 0);
}

static void
rang_sets_and_takes_back_a_range(void **state)
{
	(void)state;
	session.login = LOGIN_DONE;
	assert_int_equal(code_of("RANG 0 9"), 501); /* type A */
	code_of("TYPE I");
	assert_int_equal(code_of("RANG 10 19"), 350);
	assert_int_equal(session.params.restart, 10);
	assert_int_equal(session.params.length, 10);
	assert_int_equal(code_of("RANG 1 0"), 350);
	assert_int_equal(session.params.restart, 0);
	assert_int_equal(session.params.length, -1);
	code_of("RANG 10 19");
	code_of("TYPE A"); /* bytes are not counted there */
	assert_int_equal(session.params.restart, 0);
	assert_int_equal(session.params.length, -1);
	code_of("TYPE I");
	assert_int_equal(code_of("RANG 9 3"), 501);
	assert_int_equal(code_of("RANG -1 3"), 501);
	assert_int_equal(code_of("RANG 0 9223372036854775807"), 501);
	assert_int_equal(code_of("RANG 5"), 501);
}

static void
short_idle_limits_can_be_set(void **state)
{
	(void)state;
	session.login = LOGIN_DONE;
	conf.timeout_idle = 10;
	assert_int_equal(code_of("SITE IDLE 10"), 200);
	assert_int_equal(session.idle, 10);
	assert_int_equal(code_of("SITE IDLE 11"), 501);
}

static void
refused_port_forgets_the_accepted_one(void **state)
{
	(void)state;
	session.login = LOGIN_DONE;
	assert_int_equal(code_of("PORT 192,0,2,1,4,0"), 200);
	assert_int_equal(session.port.kind, PORT_ACTIVE);
	assert_int_equal(code_of("PORT 192,0,2,99,4,0"), 500);
	assert_int_equal(session.port.kind, PORT_NONE);
}

static void
epsv_all_refuses_the_others_for_good(void **state)
{
	(void)state;
	session.login = LOGIN_DONE;
	assert_int_equal(code_of("PORT 192,0,2,1,4,0"), 200);
	assert_int_equal(code_of("EPSV ALL"), 200);
	assert_int_equal(session.port.kind, PORT_NONE);
	assert_int_equal(code_of("PORT 192,0,2,1,4,0"), 500);
	assert_int_equal(code_of("EPRT |1|192.0.2.1|1024|"), 500);
	assert_int_equal(code_of("PASV"), 500);
}

static void
during_a_transfer_only_flagged_commands_are_served(void **state)
{
	(void)state;
	assert_true(command_in_transfer("ABOR", 4));
	assert_true(command_in_transfer("abor", 4));
	assert_true(command_in_transfer("STAT", 4));
	assert_true(command_in_transfer("NOOP", 4));
	assert_false(command_in_transfer("STAT /", 6)); /* would ask the monitor */
	assert_false(command_in_transfer("QUIT", 4));   /* waits its turn */
	assert_false(command_in_transfer("RETR x", 6));
	assert_false(command_in_transfer("NOPE", 4));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_verb_stands_once_in_capitals_with_help),
		TEST(what_touches_files_or_data_needs_a_login),
		TEST(only_passwords_and_accounts_are_kept_from_the_log),
		TEST(verbs_are_found_in_any_case_and_bytes_above_127_are_no_letters),
		TEST(before_login_file_commands_get_530),
		TEST(missing_argument_gets_501_and_user_500),
		TEST(argument_where_none_belongs_gets_501),
		TEST(replies_without_a_file),
		TEST(empty_line_gets_no_reply),
		TEST(http_gets_no_reply_and_ends_the_session),
		TEST(twenty_unknown_commands_before_login_get_421),
		TEST(rest_is_forgotten_by_what_is_no_transfer),
		TEST(rang_sets_and_takes_back_a_range),
		TEST(short_idle_limits_can_be_set),
		TEST(refused_port_forgets_the_accepted_one),
		TEST(epsv_all_refuses_the_others_for_good),
		TEST(during_a_transfer_only_flagged_commands_are_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
