/*
 * The rows of LIST.
 */
#include "lsline.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 2026-07-01 00:00:00 UTC */
#define JULY 1782864000

static char buf[LSLINE_MAX];
static struct lsline_time last;

static int
in_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	last = (struct lsline_time){ 0 };
	return 0;
}

static void
assert_row(
    const struct stat *st, const char *name, const char *target, time_t now, const char *want)
{
	size_t len = lsline_format(buf, st, name, target, now, &last);

	assert_string_equal(buf, want);
	assert_int_equal(len, strlen(want));
}

static void
file_row_is_as_ls_writes_it(void **state)
{
	struct stat st = { .st_mode = S_IFREG | 0644,
		.st_nlink = 1,
		.st_uid = 1000,
		.st_gid = 1000,
		.st_size = 512,
		.st_mtime = JULY };

	(void)state;
	assert_row(&st, "name", NULL, JULY + 60,
	    "-rw-r--r--   1 1000     1000          512 Jul  1 00:00 name\r\n");
}

static void
big_values_widen_the_row(void **state)
{
	struct stat st = { .st_mode = S_IFREG | 0600,
		.st_nlink = 12345,
		.st_uid = 4294967295,
		.st_gid = 4294967295,
		.st_size = INT64_MAX,
		.st_mtime = JULY };

	(void)state;
	assert_row(&st, "n", NULL, JULY,
	    "-rw------- 12345 4294967295 4294967295 9223372036854775807 Jul  1 00:00 n\r\n");
}

static void
link_shows_its_target(void **state)
{
	struct stat st = {
		.st_mode = S_IFLNK | 0777, .st_nlink = 1, .st_size = 6, .st_mtime = JULY
	};

	(void)state;
	assert_row(&st, "link", "target", JULY,
	    "lrwxrwxrwx   1 0        0               6 Jul  1 00:00 link -> target\r\n");
}

static void
mode_letters_are_those_of_ls(void **state)
{
	static const struct {
		mode_t mode;
		const char *want;
	} rows[] = {
		{ S_IFREG,         "----------" },
		{ S_IFDIR | 0755,  "drwxr-xr-x" },
		{ S_IFIFO | 0600,  "prw-------" },
		{ S_IFSOCK | 0600, "srw-------" },
		{ S_IFCHR | 0660,  "crw-rw----" },
		{ S_IFBLK | 0660,  "brw-rw----" },
		{ S_IFREG | 04755, "-rwsr-xr-x" },
		{ S_IFREG | 04644, "-rwSr--r--" },
		{ S_IFREG | 02755, "-rwxr-sr-x" },
		{ S_IFREG | 02644, "-rw-r-Sr--" },
		{ S_IFDIR | 01777, "drwxrwxrwt" },
		{ S_IFDIR | 01770, "drwxrwx--T" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stat st = { .st_mode = rows[i].mode };

		lsline_format(buf, &st, "n", NULL, 0, &last);
		buf[10] = '\0';
		assert_string_equal(buf, rows[i].want);
	}
}

static void
year_stands_for_old_and_future_files(void **state)
{
	static const struct {
		time_t age;
		const char *want;
	} rows[] = {
		{ 0,		      " Jul  1 00:00 " },
		{ 15778475,              " Jul  1 00:00 " },
		{ 15778476,              " Jul  1  2026 " },
		{ (time_t)10 * 31556952, " Jul  1  2026 " },
		{ -1,                    " Jul  1  2026 " },
	};
	struct stat st = { .st_mode = S_IFREG, .st_mtime = JULY };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		lsline_format(buf, &st, "n", NULL, JULY + rows[i].age, &last);
		assert_non_null(strstr(buf, rows[i].want));
	}
}

/* The text of the last row serves for the same minute only, and only while it is recent. */
static void
rows_of_one_minute_differ_where_they_must(void **state)
{
	static const struct {
		const char *zone;
		time_t t;
		const char *want;
	} rows[] = {
		{ "UTC", JULY - 60, " Jun 30 23:59 " },
		{ "UTC", JULY - 1, " Jun 30 23:59 " },
		{ "UTC", JULY, " Jul  1 00:00 " },
		{ "UTC", JULY + 59, " Jul  1 00:00 " },
		{ "UTC", JULY + 61, " Jul  1 00:01 " },
		{ "UTC", JULY + 119, " Jul  1 00:01 " },
		{ "UTC", JULY + 121, " Jul  1  2026 " }, /* from the future */
		{ "UTC", JULY + 120, " Jul  1 00:02 " },
		{ "UTC", -61, " Dec 31  1969 " },
		/* Amsterdam until 1937: its minutes begin 28 seconds after those of UTC */
		{ "AMT-0:19:32", JULY + 27, " Jul  1 00:19 " },
		{ "AMT-0:19:32", JULY + 28, " Jul  1 00:20 " },
		{ "AMT-0:19:32", JULY + 59, " Jul  1 00:20 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stat st = { .st_mode = S_IFREG, .st_mtime = rows[i].t };

		if (i == 0 || strcmp(rows[i].zone, rows[i - 1].zone) != 0) {
			setenv("TZ", rows[i].zone, 1);
			tzset();
			last = (struct lsline_time){ 0 };
		}
		lsline_format(buf, &st, "n", NULL, JULY + 120, &last);
		assert_non_null(strstr(buf, rows[i].want));
	}
	in_utc(NULL);
}

static void
months_are_english_in_every_locale(void **state)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };

	(void)state;
	setlocale(LC_ALL, "");
	for (int i = 0; i < 12; i++) {
		struct tm tm = { .tm_year = 126, .tm_mon = i, .tm_mday = 15 };
		struct stat st = { .st_mode = S_IFREG, .st_mtime = timegm(&tm) };
		char want[16] = " Mmm 15 00:00 ";

		memcpy(want + 1, months[i], 3);
		lsline_format(buf, &st, "n", NULL, st.st_mtime, &last);
		assert_non_null(strstr(buf, want));
	}
}

static void
time_is_local(void **state)
{
	struct stat st = { .st_mode = S_IFREG, .st_mtime = JULY };

	setenv("TZ", "JST-9", 1);
	tzset();
	last = (struct lsline_time){ 0 };
	lsline_format(buf, &st, "n", NULL, JULY, &last);
	in_utc(state);
	assert_non_null(strstr(buf, " Jul  1 09:00 "));
}

static void
time_that_no_calendar_has_is_the_epoch(void **state)
{
	struct stat st = { .st_mode = S_IFREG, .st_mtime = INT64_MAX };

	(void)state;
	lsline_format(buf, &st, "n", NULL, JULY, &last);
	assert_non_null(strstr(buf, " Jan  1  1970 n\r\n"));
}

static void
control_bytes_in_names_become_question_marks(void **state)
{
	struct stat st = { .st_mode = S_IFLNK | 0777, .st_nlink = 1, .st_mtime = JULY };

	(void)state;
	assert_row(&st, "a\r\nb\x7f", "c\td", JULY,
	    "lrwxrwxrwx   1 0        0               0 Jul  1 00:00 a??b? -> c?d\r\n");
}

static void
names_keep_blanks_utf8_and_0xff(void **state)
{
	struct stat st = { .st_mode = S_IFREG, .st_nlink = 1, .st_mtime = JULY };

	(void)state;
	assert_row(&st, "  \xe7\x8e\x84 \xff ", NULL, JULY,
	    "----------   1 0        0               0 Jul  1 00:00   \xe7\x8e\x84 \xff \r\n");
}

static void
greatest_row_fits_whole(void **state)
{
	static char name[256], target[4096];
	struct stat st = { .st_mode = S_IFLNK | 0777,
		.st_nlink = UINT64_MAX,
		.st_uid = 4294967295,
		.st_gid = 4294967295,
		.st_size = INT64_MIN,
		.st_mtime = 67767976233532799 };
	size_t len;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	memset(target, 't', sizeof(target) - 1);
	len = lsline_format(buf, &st, name, target, JULY, &last);
	assert_string_equal(buf + len - 3, "t\r\n");
	assert_non_null(strstr(buf, name));
	assert_non_null(strstr(buf, target));
}

static void
row_beyond_the_greatest_is_cut_and_keeps_its_end(void **state)
{
	static char name[2 * LSLINE_MAX];
	struct stat st = { .st_mode = S_IFREG };
	size_t len;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	len = lsline_format(buf, &st, name, NULL, JULY, &last);
	assert_true(len < LSLINE_MAX);
	assert_int_equal(len, strlen(buf));
	assert_string_equal(buf + len - 3, "n\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_row_is_as_ls_writes_it),
		cmocka_unit_test(big_values_widen_the_row),
		cmocka_unit_test(link_shows_its_target),
		cmocka_unit_test(mode_letters_are_those_of_ls),
		cmocka_unit_test(year_stands_for_old_and_future_files),
		cmocka_unit_test(rows_of_one_minute_differ_where_they_must),
		cmocka_unit_test(months_are_english_in_every_locale),
		cmocka_unit_test(time_is_local),
		cmocka_unit_test(time_that_no_calendar_has_is_the_epoch),
		cmocka_unit_test(control_bytes_in_names_become_question_marks),
		cmocka_unit_test(names_keep_blanks_utf8_and_0xff),
		cmocka_unit_test(greatest_row_fits_whole),
		cmocka_unit_test(row_beyond_the_greatest_is_cut_and_keeps_its_end),
	};

	return cmocka_run_group_tests(tests, in_utc, NULL);
}
