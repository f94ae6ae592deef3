/*
 * Users and the fingerprints of their certificates.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "certusers.h"

#define ONE "00112233445566778899aabbccddeeff00112233445566778899aabbccddee01"
#define TWO "00112233445566778899aabbccddeeff00112233445566778899aabbccddee02"
#define BIG "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEE01"
#define WITH                                                                                       \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"                                         \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:01"

static char error[CERTUSERS_ERROR];

static bool
have_bytes(const char *text, size_t len, const char *user, const char *print)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, len, "r");
	bool has;

	assert_non_null(file);
	has = certusers_have(file, user, print, error);
	fclose(file);
	return has;
}

static bool
have(const char *text, const char *user, const char *print)
{
	return have_bytes(text, strlen(text), user, print);
}

static void
a_fingerprint_in_every_form_lets_in(void **state)
{
	static const char *const lines[] = { "anna " ONE "\n", "anna " ONE, "anna\t" BIG "\r\n",
		"  anna  " WITH "  # new\n", "# who\n\nanna " TWO " " ONE "\n",
		"anna " TWO "\nbob " TWO "\nanna " ONE "\n", "anna " ONE "#x" };

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(have(lines[i], "anna", ONE));
		assert_string_equal(error, "");
	}
	/* a comment begins with a word */
	assert_false(have(lines[6], "anna", ONE));
	assert_string_not_equal(error, "");
}

static void
nobody_else_comes_in(void **state)
{
	static const char text[] = "anna " ONE "\nbob " TWO "\n#eve " ONE "\n";

	(void)state;
	assert_true(have(text, "anna", ONE));
	assert_true(have(text, "bob", TWO));
	assert_false(have(text, "anna", TWO));
	assert_false(have(text, "bob", ONE));
	assert_false(have(text, "eve", ONE));
	assert_false(have(text, "#eve", ONE));
	assert_false(have(text, "", ONE));
	assert_false(have(text, "Anna", ONE));
	assert_false(have(text, "ann", ONE));
	assert_false(have(text, ONE, ONE));
	assert_false(have(text, "anna", ""));
}

static void
a_line_with_a_mistake_gives_nothing_and_is_told(void **state)
{
	static const struct {
		const char *line, *told;
	} rows[] = {
		{ "anna", "no fingerprint" },
		{ "anna # " ONE, "no fingerprint" },
		{ "anna " ONE "a", "not more" },
		{ "anna 0011", "64 hexadecimal digits" },
		{ "anna " ONE " 0011", "64 hexadecimal digits" },
		{ "anna 00112233445566778899aabbccddeeff00112233", "SHA-1" },
		{ "anna " WITH ":", "hexadecimal digits and colons" },
		{ "anna :" WITH, "hexadecimal digits and colons" },
		{ "anna 00:1122:33", "colons stand between all" },
		{ "anna Fingerprint=" WITH, "hexadecimal digits and colons" },
		{ "anna: " ONE, "no user's name" },
		{ ONE " anna", "no user's name" },
		{ "-x " ONE, "no user's name" },
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "# one\n%s\nbob " TWO "\nbad\n", rows[i].line);
		assert_false(have(text, "anna", ONE));
		assert_false(have(text, "anna:", ONE));
		assert_non_null(strstr(error, rows[i].told));
		assert_int_equal(strncmp(error, "line 2: ", 8), 0);
		assert_true(have(text, "bob", TWO)); /* and harms no other line */
	}
}

static void
a_byte_0_is_a_mistake(void **state)
{
	static const char text[] = "anna\0x " ONE "\nanna " ONE "\0\nbob " TWO "\n";

	(void)state;
	assert_false(have_bytes(text, sizeof(text) - 1, "anna", ONE));
	assert_string_equal(error, "line 1: a byte 0 is in it");
	assert_true(have_bytes(text, sizeof(text) - 1, "bob", TWO));
}

static void
a_file_that_cannot_be_read_lets_nobody_in(void **state)
{
	FILE *file = fopen("/proc/self", "r");

	(void)state;
	assert_non_null(file);
	assert_false(certusers_have(file, "anna", ONE, error));
	assert_string_equal(error, "Is a directory");
	fclose(file);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fingerprint_in_every_form_lets_in),
		cmocka_unit_test(nobody_else_comes_in),
		cmocka_unit_test(a_line_with_a_mistake_gives_nothing_and_is_told),
		cmocka_unit_test(a_byte_0_is_a_mistake),
		cmocka_unit_test(a_file_that_cannot_be_read_lets_nobody_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
