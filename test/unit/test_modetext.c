/*
 * Modes as people write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>

#include "modetext.h"

static void
octal_and_symbolic_modes_are_read(void **state)
{
	static const struct {
		const char *text;
		mode_t old, want;
	} rows[] = {
		{ "644", 0, 0644 },
		{ "0", 0777, 0 },
		{ "4755", 0, 04755 },
		{ "u+x", 0644, 0744 },
		{ "go-w", 0666, 0644 },
		{ "a=r", 0777, 0444 },
		{ "=rw", 0, 0666 },
		{ "u=rwx,g=rx,o=", 0, 0750 },
		{ "+x", 0644, 0755 },
		{ "ug+rw-x", 0711, 0661 },
		{ "a+X", S_IFREG | 0644, 0644 },
		{ "a+X", S_IFREG | 0744, 0755 },
		{ "a+X", S_IFDIR | 0644, 0755 },
		{ "u+s", 0755, 04755 },
		{ "+t", 0755, 01755 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mode_t mode = 0;

		assert_int_equal(modetext_parse(rows[i].text, rows[i].old, &mode), 0);
		assert_int_equal(mode, rows[i].want);
	}
}

static void
what_is_no_mode_is_refused(void **state)
{
	static const char *const rows[] = { "", "8", "64x", "77777", "u", "u+q", "x+r", "u+r,", ",u+r",
		"-1", "u r", "644 " };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mode_t mode;

		errno = 0;
		assert_int_equal(modetext_parse(rows[i], 0644, &mode), -1);
		assert_int_equal(errno, EINVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octal_and_symbolic_modes_are_read),
		cmocka_unit_test(what_is_no_mode_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
