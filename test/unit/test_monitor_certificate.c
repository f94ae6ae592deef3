/*
 * A session that says it has been shown a certificate, and the monitor that finds out whose it is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"
#include "hostile.h"

#define CERTIFICATE "bob's certificate, in whatever form"

static void
fingerprint(const char *text, char hex[static HASH_HEX])
{
	struct hash *h = hash_begin(HASH_SHA256);

	assert_non_null(h);
	hash_add(h, text, strlen(text));
	hash_end(h, hex);
}

/* A file in which user has CERTIFICATE, and more below. */
static void
write_file(struct house *h, const char *user, const char *more, mode_t mode)
{
	char path[128], line[160], hex[HASH_HEX];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/certificates", h->base);
	assert_non_null(file = fopen(path, "w"));
	fingerprint(CERTIFICATE, hex);
	fprintf(file, "%s %s\n%s", user, hex, more);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
	(void)snprintf(line, sizeof(line), "TLSUserCertificates %s", path);
	house_conf(h, line);
}

static int
show(struct house *h, const char *user, const char *certificate, size_t len, struct ans_login *ans)
{
	static struct req_certificate req;
	struct ans_login mine;
	size_t n = strlen(certificate);

	memset(&req, 0, sizeof(req));
	req.len = (uint32_t)len;
	memcpy(req.der, certificate, n);
	(void)strlcpy(req.user, user, sizeof(req.user));
	return house_ask(
	    h, REQ_CERTIFICATE, &req, sizeof(req), ans == NULL ? &mine : ans, sizeof(mine), NULL);
}

static int
show_bobs(struct house *h)
{
	return show(h, HOUSE_USER, CERTIFICATE, strlen(CERTIFICATE), NULL);
}

/* With TLS and the file as it should be. */
static void
begin(struct house *h)
{
	h->tls = true;
	write_file(h, HOUSE_USER, "", 0600);
}

static void
the_users_certificate_lets_in(void **state)
{
	struct house *h = *state;
	struct ans_login ans;

	begin(h);
	house_start(h);
	assert_int_equal(show(h, HOUSE_USER, CERTIFICATE, strlen(CERTIFICATE), &ans), 0);
	assert_true(ans.rights & RIGHT_STORE);
	assert_false(ans.anonymous);
	assert_string_equal(ans.directory, "/");
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/"), 0);
	house_end(h);
	assert_true(house_logged(h, " by=certificate\n"));
}

static void
what_does_not_fit_is_refused_at_once_and_a_password_may_follow(void **state)
{
	struct house *h = *state;
	int64_t began;
	char hex[HASH_HEX];
	int i;

	begin(h);
	house_start(h);
	fingerprint(CERTIFICATE, hex);
	began = house_clock();
	/* more often than MaxLoginAttempts */
	for (i = 0; i < 10; i++) {
		assert_int_equal(show(h, HOUSE_USER, "another", 7, NULL), EACCES);
		assert_int_equal(
		    show(h, "nobody-at-all", CERTIFICATE, strlen(CERTIFICATE), NULL), EACCES);
		assert_int_equal(show(h, "", CERTIFICATE, strlen(CERTIFICATE), NULL), EACCES);
		assert_int_equal(
		    show(h, HOUSE_USER, CERTIFICATE, strlen(CERTIFICATE) - 1, NULL), EACCES);
		assert_int_equal(
		    show(h, HOUSE_USER, CERTIFICATE, strlen(CERTIFICATE) + 1, NULL), EACCES);
		assert_int_equal(show(h, HOUSE_USER, CERTIFICATE, 0, NULL), EACCES);
		assert_int_equal(show(h, HOUSE_USER, CERTIFICATE, REQ_DER, NULL), EACCES);
		/* the fingerprint, which the file and the log tell, is not the certificate */
		assert_int_equal(show(h, HOUSE_USER, hex, strlen(hex), NULL), EACCES);
	}
	assert_true(house_clock() - began < 1000);
	assert_int_equal(house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, NULL, NULL), 0);
	house_end(h);
	assert_true(house_logged(h, ": bob has no certificate with the fingerprint "));
}

static void
a_length_beyond_the_request_is_refused(void **state)
{
	struct house *h = *state;

	begin(h);
	house_start(h);
	assert_int_equal(show(h, HOUSE_USER, CERTIFICATE, REQ_DER + 1, NULL), EINVAL);
	assert_int_equal(show(h, HOUSE_USER, CERTIFICATE, UINT32_MAX, NULL), EINVAL);
	assert_int_equal(show_bobs(h), 0);
	house_end(h);
}

static void
without_tls_or_the_directive_nobody_comes_in(void **state)
{
	struct house *h = *state;

	begin(h);
	h->tls = false;
	house_start(h);
	assert_int_equal(show_bobs(h), EACCES);
	house_end(h);
	assert_true(house_logged(h, "shows a certificate that it cannot have been shown"));
	h->tls = true;
	house_conf(h, "TLSUserCertificates none");
	house_start(h);
	assert_int_equal(show_bobs(h), EACCES);
	house_end(h);
}

static void
after_login_it_ends_the_connection(void **state)
{
	struct house *h = *state;

	begin(h);
	house_login(h);
	assert_int_equal(show_bobs(h), -1);
	house_end(h);
	assert_true(house_logged(h, "request CERTIFICATE is not for this state"));
}

static void
a_file_that_others_may_write_lets_nobody_in(void **state)
{
	struct house *h = *state;

	begin(h);
	write_file(h, HOUSE_USER, "", 0666);
	house_start(h);
	assert_int_equal(show_bobs(h), EACCES);
	assert_int_equal(house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, NULL, NULL), 0);
	house_end(h);
	assert_true(house_logged(h, "/certificates: other users may write it"));
}

static void
a_file_that_is_missing_is_told_and_passwords_go_on(void **state)
{
	struct house *h = *state;

	h->tls = true;
	house_conf(h, "TLSUserCertificates /nonexistent/certificates");
	house_start(h);
	assert_int_equal(show_bobs(h), EACCES);
	assert_int_equal(house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, NULL, NULL), 0);
	house_end(h);
	assert_true(house_logged(h, "TLSUserCertificates /nonexistent/certificates: No such file"));
}

static void
a_mistake_in_the_file_is_told_and_harms_no_other_line(void **state)
{
	struct house *h = *state;

	begin(h);
	write_file(h, HOUSE_USER, "anna 12\n", 0600);
	house_start(h);
	assert_int_equal(show_bobs(h), 0);
	house_end(h);
	assert_true(house_logged(h, "/certificates: line 2: a fingerprint of SHA-256"));
}

/* Bob has the certificate, and is not let in for this reason. */
static void
stays_out(struct house *h, const char *reason)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "user=\"bob\" reason=%s", reason);
	house_start(h);
	assert_int_equal(show_bobs(h), EACCES);
	house_end(h);
	assert_true(house_logged(h, text));
}

static void
every_other_rule_holds(void **state)
{
	struct house *h = *state;
	char line[128];

	begin(h);
	house_make(h, "ftpusers", "bob\n");
	(void)snprintf(line, sizeof(line), "FtpUsers %s/ftpusers", h->base);
	house_conf(h, line);
	stays_out(h, "ftpusers");
	house_conf(h, "FtpUsers none");
	house_conf(h, "RequireValidShell on");
	stays_out(h, "shell");
	house_conf(h, "RequireValidShell off");

	house_make(h, "nologin", "");
	(void)snprintf(line, sizeof(line), "NologinFile %s/nologin", h->base);
	house_conf(h, line);
	house_start(h);
	assert_int_equal(show_bobs(h), EACCES);
	assert_int_equal(house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, NULL, NULL), ESHUTDOWN);
	house_end(h);
	house_conf(h, "NologinFile none");

	house_conf(h, "MaxLoginAttempts 1");
	house_start(h);
	assert_int_equal(house_ask_login(h, HOUSE_USER, "wrong", NULL, NULL), EPERM);
	assert_int_equal(show_bobs(h), EACCES);
	house_end(h);
}

static void
accounts_that_are_locked_stay_out_those_without_password_come_in(void **state)
{
	static const struct {
		const char *hash;
		unsigned uid;
		const char *reason;
	} rows[] = { { "!", 65534, "locked" }, { "!$5$x$y", 65534, "locked" }, { "*", 65534, NULL },
		{ "*", 0, "root" } };
	struct house *h = *state;

	begin(h);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unlink(h->file);
		unlink(h->log);
		house_user(h, HOUSE_USER, rows[i].hash, rows[i].uid, h->home);
		if (rows[i].reason != NULL) {
			stays_out(h, rows[i].reason);
			continue;
		}
		house_start(h);
		assert_int_equal(show_bobs(h), 0);
		house_end(h);
	}
}

static void
a_user_who_is_in_no_file_of_users_stays_out(void **state)
{
	struct house *h = *state;

	begin(h);
	unlink(h->file);
	house_user(h, "anna", NULL, 65534, h->home);
	stays_out(h, "unknown-user");
}

#define T(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(the_users_certificate_lets_in),
		T(what_does_not_fit_is_refused_at_once_and_a_password_may_follow),
		T(a_length_beyond_the_request_is_refused),
		T(without_tls_or_the_directive_nobody_comes_in),
		T(after_login_it_ends_the_connection),
		T(a_file_that_others_may_write_lets_nobody_in),
		T(a_file_that_is_missing_is_told_and_passwords_go_on),
		T(a_mistake_in_the_file_is_told_and_harms_no_other_line),
		T(every_other_rule_holds),
		T(accounts_that_are_locked_stay_out_those_without_password_come_in),
		T(a_user_who_is_in_no_file_of_users_stays_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
