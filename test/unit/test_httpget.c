/*
 * Requests of browsers, and of others.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "httpget.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
requests_are_read(void **state)
{
	static const struct {
		const char *text, *path, *host, *language;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nHost: home.example.net:4000\r\nAccept-Language: ja,en;q=0.5\r\n\r\n", "/",
		    "home.example.net", "ja,en;q=0.5" },
		{ "GET /0123?x=1 HTTP/1.1\r\nhOST:203.0.113.2\r\n\r\n", "/0123", "203.0.113.2", "" },
		{ "GET /a HTTP/1.1\r\nHost: [2001:db8::1]:4000\r\n\r\n", "/a", "[2001:db8::1]", "" },
		{ "GET /a HTTP/1.1\r\nX: Host: y\r\n\r\nHost: z\r\n", "/a", "z", "" },
		{ "GET / HTTP/1.0\r\n\r\n", "/", "", "" },
		/* what could break out of the page is left out */
		{ "GET / HTTP/1.1\r\nHost: \"><script>\r\n\r\n", "/", "", "" },
		{ "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "/", "", "" },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", "/", "", "" },
		{ "GET / HTTP/1.1\r\nAccept-Language: 0123456789012345678901234567890123456789\r\n\r\n", "/", "",
		    "0123456789012345678901234567890" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct httpget got;

		assert_int_equal(httpget_read(rows[i].text, strlen(rows[i].text), &got), 1);
		assert_string_equal(got.path, rows[i].path);
		assert_string_equal(got.host, rows[i].host);
		assert_string_equal(got.language, rows[i].language);
	}
}

static void
every_beginning_of_a_request_may_become_one(void **state)
{
	static const char text[] = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
	struct httpget got;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(httpget_read(text, n, &got), 0);
	assert_int_equal(httpget_read(text, sizeof(text) - 1, &got), 1);
}

static void
others_are_refused(void **state)
{
	static const char *const texts[] = { "POST / HTTP/1.1\r\n\r\n", "USER anna\r\n", "\x16\x03\x01",
		"GET http://other/ HTTP/1.1\r\n\r\n", "get / HTTP/1.1\r\n\r\n", "GETS" };
	static const char nul[] = "GET / \0HTTP/1.1\r\n\r\n";
	char longer[HTTPGET_MAX + 1];
	struct httpget got;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_int_equal(httpget_read(texts[i], strlen(texts[i]), &got), -1);
	assert_int_equal(httpget_read(nul, sizeof(nul) - 1, &got), -1);
	memset(longer, 'a', sizeof(longer));
	memcpy(longer, "GET / HTTP/1.1\r\nX: ", 19);
	assert_int_equal(httpget_read(longer, HTTPGET_MAX - 1, &got), 0);
	assert_int_equal(httpget_read(longer, HTTPGET_MAX, &got), -1);
	memcpy(longer, "GET /aaaaaaaaaaaaaaaaaaa", 24);
	assert_int_equal(httpget_read(longer, 200, &got), -1);
}

static void
ports_that_browsers_refuse(void **state)
{
	(void)state;
	assert_true(httpget_is_for_browsers(80));
	assert_true(httpget_is_for_browsers(2121));
	assert_true(httpget_is_for_browsers(4000));
	assert_true(httpget_is_for_browsers(65535));
	assert_false(httpget_is_for_browsers(21));
	assert_false(httpget_is_for_browsers(4045));
	assert_false(httpget_is_for_browsers(6000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_read),
		cmocka_unit_test(every_beginning_of_a_request_may_become_one),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(ports_that_browsers_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
