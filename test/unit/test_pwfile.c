/*
 * passwd(5) lines, files of them, and the users of this machine.
 */
#include "pwfile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char buf[PWFILE_LINE];
static struct pwentry entry;

static void
line_is_split_into_seven_fields(void **state)
{
	char line[] = "anna:$y$j9T$abc$def:1000:100:Anna, at home:/home/anna:/bin/false\n";

	(void)state;
	assert_int_equal(pwfile_parse(line, &entry), 0);
	assert_string_equal(entry.name, "anna");
	assert_string_equal(entry.hash, "$y$j9T$abc$def");
	assert_int_equal(entry.uid, 1000);
	assert_int_equal(entry.gid, 100);
	assert_string_equal(entry.gecos, "Anna, at home");
	assert_string_equal(entry.home, "/home/anna");
	assert_string_equal(entry.shell, "/bin/false");
}

static void
hash_gecos_and_shell_may_be_empty(void **state)
{
	char line[] = "a::0:2147483647::/:";

	(void)state;
	assert_int_equal(pwfile_parse(line, &entry), 0);
	assert_string_equal(entry.hash, "");
	assert_int_equal(entry.uid, 0);
	assert_int_equal(entry.gid, 2147483647);
	assert_string_equal(entry.gecos, "");
	assert_string_equal(entry.shell, "");
}

static void
bad_lines_are_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"a",
		"a:x:1:1:g:/h",     /* six fields */
		"a:x:1:1:g:/h:/s:", /* eight */
		":x:1:1:g:/h:/s",   /* no name */
		"a:x:1:1:g::/s",    /* no home */
		"a:x::1:g:/h:/s",
		"a:x:1::g:/h:/s",
		"a:x:-1:1:g:/h:/s",
		"a:x:+1:1:g:/h:/s",
		"a:x: 1:1:g:/h:/s",
		"a:x:1 :1:g:/h:/s",
		"a:x:1x:1:g:/h:/s",
		"a:x:0x1:1:g:/h:/s",
		"a:x:2147483648:1:g:/h:/s",
		"a:x:4294967296:1:g:/h:/s", /* would be root in 32 bits */
		"a:x:1:4294967295:g:/h:/s",
		"a:x:99999999999999999999:1:g:/h:/s",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(buf, rows[i]);
		errno = 0;
		if (pwfile_parse(buf, &entry) != -1)
			fail_msg("\"%s\" was taken", rows[i]);
		assert_int_equal(errno, EINVAL);
	}
}

static FILE *
file_of(const char *bytes, size_t len)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	return file;
}

static void
assert_uid_in_file(const char *text, size_t len, const char *name, int want)
{
	FILE *file = file_of(text, len);

	/* Twice: it begins at the start of the file each time. */
	for (int i = 0; i < 2; i++) {
		int r = pwfile_find(file, name, buf, &entry);

		assert_int_equal(r, want != -1);
		if (want != -1) {
			assert_string_equal(entry.name, name);
			assert_int_equal(entry.uid, want);
		}
	}
	fclose(file);
}

static void
user_is_found_by_the_whole_name(void **state)
{
	static const char text[] = "# comment:x:1:1::/:\n"
				   "\n"
				   "anna:x:1:1::/a:\n"
				   "an:x:2:2::/b:\n"
				   "bad:x:one:1::/:\n"
				   "an:x:3:3::/second:\n"
				   "last:x:4:4::/d:";

	(void)state;
	assert_uid_in_file(text, sizeof(text) - 1, "anna", 1);
	assert_uid_in_file(text, sizeof(text) - 1, "an", 2);   /* the first one holds */
	assert_uid_in_file(text, sizeof(text) - 1, "last", 4); /* also without a line end */
	assert_uid_in_file(text, sizeof(text) - 1, "ann", -1);
	assert_uid_in_file(text, sizeof(text) - 1, "bad", -1);
	assert_uid_in_file(text, sizeof(text) - 1, "", -1);
	assert_uid_in_file(text, sizeof(text) - 1, "# comment", -1);
	assert_uid_in_file("", 0, "anna", -1);
}

static void
too_long_line_is_skipped_never_half_read(void **state)
{
	static char text[3 * PWFILE_LINE];
	static const char tail[] = "evil:x:0:0::/:\nanna:x:1:1::/:\n";
	size_t len;

	(void)state;
	/* One byte too long; a reader with a buffer of this size would begin anew at "evil". */
	memset(text, 'x', PWFILE_LINE);
	memcpy(text, "long:", 5);
	strcpy(text + PWFILE_LINE, tail);
	len = PWFILE_LINE + sizeof(tail) - 1;
	assert_uid_in_file(text, len, "evil", -1);
	assert_uid_in_file(text, len, "anna", 1);

	/* The longest that is allowed. */
	memset(text, 'x', PWFILE_LINE);
	memcpy(text, "long:", 5);
	strcpy(text + PWFILE_LINE - strlen(":7:7::/:\n"), ":7:7::/:\n");
	assert_int_equal(strlen(text), PWFILE_LINE);
	assert_uid_in_file(text, PWFILE_LINE, "long", 7);
}

static void
line_with_nul_is_skipped(void **state)
{
	static const char text[] = "a\0b:x:1:1::/:\nanna\0:x:0:0::/:\n"
				   "bert:x:1:1::/:/bin/sh\0x\nanna:x:1:1::/:\n";

	(void)state;
	assert_uid_in_file(text, sizeof(text) - 1, "anna", 1);
	assert_uid_in_file(text, sizeof(text) - 1, "a", -1);
	assert_uid_in_file(text, sizeof(text) - 1, "bert", -1);
}

static void
read_error_is_told(void **state)
{
	FILE *file = fopen("/", "r");

	(void)state;
	assert_non_null(file);
	assert_int_equal(pwfile_find(file, "anna", buf, &entry), -1);
	assert_int_equal(errno, EISDIR);
	fclose(file);
}

static void
names_of_users(void **state)
{
	char longest[65] = "";

	(void)state;
	assert_true(pwfile_name_ok("anna"));
	assert_true(pwfile_name_ok("anna@example.net"));
	assert_true(pwfile_name_ok("\xe7\x8e\x84"));
	assert_true(pwfile_name_ok("a-b c#"));
	assert_false(pwfile_name_ok(""));
	assert_false(pwfile_name_ok("-a"));
	assert_false(pwfile_name_ok("#a"));
	assert_false(pwfile_name_ok("a:b"));
	assert_false(pwfile_name_ok("a/b"));
	assert_false(pwfile_name_ok("a\n"));
	assert_false(pwfile_name_ok("a\tb"));
	assert_false(pwfile_name_ok("a\x7f"));
	memset(longest, 'n', 63);
	assert_true(pwfile_name_ok(longest));
	longest[63] = 'n';
	assert_false(pwfile_name_ok(longest));
}

static void
system_users_are_resolved(void **state)
{
	uid_t uid = 1;
	gid_t gid = 1;

	(void)state;
	assert_int_equal(pwfile_system_user("root", &uid, &gid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(gid, 0);
	uid = gid = 1;
	assert_int_equal(pwfile_system_user("0", &uid, &gid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(gid, 0);
	assert_int_equal(pwfile_system_user("1987654321", &uid, &gid), 0);
	assert_int_equal(uid, 1987654321);
	assert_int_equal(gid, 1987654321);
	errno = 0;
	assert_int_equal(pwfile_system_user("no such user", &uid, &gid), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(pwfile_system_user("-1", &uid, &gid), -1);
	assert_int_equal(pwfile_system_user("4294967295", &uid, &gid), -1);
	assert_int_equal(pwfile_system_user("", &uid, &gid), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_is_split_into_seven_fields),
		cmocka_unit_test(hash_gecos_and_shell_may_be_empty),
		cmocka_unit_test(bad_lines_are_refused),
		cmocka_unit_test(user_is_found_by_the_whole_name),
		cmocka_unit_test(too_long_line_is_skipped_never_half_read),
		cmocka_unit_test(line_with_nul_is_skipped),
		cmocka_unit_test(read_error_is_told),
		cmocka_unit_test(names_of_users),
		cmocka_unit_test(system_users_are_resolved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
