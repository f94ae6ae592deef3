/*
 * Numbers as text: what printf(3) would write.
 */
#include "digits.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const uintmax_t numbers[] = { 0, 1, 9, 10, 99, 100, 511, 512, 65535, 65536, 99999999,
	100000000, UINT32_MAX, INT64_MAX, UINT64_MAX };

#define N (sizeof(numbers) / sizeof(numbers[0]))

static char got[64], want[64];

/* What lies between got and end is want, and nothing was written behind it. */
static void
assert_text(char *end)
{
	assert_int_equal(*end, '#');
	*end = '\0';
	assert_string_equal(got, want);
}

static void
numbers_are_as_printf_writes_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		for (int width = 0; width <= 24; width++) {
			memset(got, '#', sizeof(got));
			snprintf(want, sizeof(want), "%*ju", width, numbers[i]);
			assert_text(digits_right(got, numbers[i], width));
			memset(got, '#', sizeof(got));
			snprintf(want, sizeof(want), "%-*ju", width, numbers[i]);
			assert_text(digits_left(got, numbers[i], width));
			memset(got, '#', sizeof(got));
			snprintf(want, sizeof(want), "%jx", numbers[i]);
			assert_text(digits_hex(got, numbers[i]));
		}
}

static void
fixed_numbers_have_the_last_digits(void **state)
{
	(void)state;
	memset(got, '#', sizeof(got));
	snprintf(want, sizeof(want), "07");
	assert_text(digits_fixed(got, 7, 2));
	memset(got, '#', sizeof(got));
	snprintf(want, sizeof(want), "45");
	assert_text(digits_fixed(got, 12345, 2));
}

static void
text_goes_without_its_nul(void **state)
{
	(void)state;
	memset(got, '#', sizeof(got));
	snprintf(want, sizeof(want), "name=");
	assert_text(digits_text(digits_text(got, "name"), "="));
	memset(got, '#', sizeof(got));
	want[0] = '\0';
	assert_text(digits_text(got, ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_as_printf_writes_them),
		cmocka_unit_test(fixed_numbers_have_the_last_digits),
		cmocka_unit_test(text_goes_without_its_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
