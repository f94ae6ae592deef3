/*
 * Names in the client's own tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "vpath.h"

static void
names_are_joined_and_cleaned(void **state)
{
	static const struct {
		const char *cwd, *arg, *want;
	} rows[] = {
		{ "/", "", "/" },
		{ "/", "a", "/a" },
		{ "/a", "b", "/a/b" },
		{ "/a", "/b", "/b" },
		{ "/a/b", "..", "/a" },
		{ "/a/b", "../..", "/" },
		{ "/a", "./b/./c", "/a/b/c" },
		{ "/a", "b//c///", "/a/b/c" },
		{ "/", " leading and trailing ", "/ leading and trailing " },
		{ "/", "...", "/..." },
		{ "/", "..a/b..", "/..a/b.." },
		{ "/", "-rf", "/-rf" },
		{ "/", "\xe8\xa1\xa8", "/\xe8\xa1\xa8" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(vpath_join(rows[i].cwd, rows[i].arg, out, sizeof(out)), 0);
		assert_string_equal(out, rows[i].want);
	}
}

static void
dot_dot_stops_at_the_root(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(vpath_join("/", "../../../etc/passwd", out, sizeof(out)), 0);
	assert_string_equal(out, "/etc/passwd");
	assert_int_equal(vpath_join("/a", "../../..", out, sizeof(out)), 0);
	assert_string_equal(out, "/");
}

static void
name_that_just_fits_is_taken_and_one_byte_more_is_not(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(vpath_join("/abc", "def", out, sizeof(out)), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(vpath_join("/abc", "de", out, sizeof(out)), 0);
	assert_string_equal(out, "/abc/de");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_joined_and_cleaned),
		cmocka_unit_test(dot_dot_stops_at_the_root),
		cmocka_unit_test(name_that_just_fits_is_taken_and_one_byte_more_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
