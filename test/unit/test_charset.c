/*
 * Names in legacy charsets, and letters with marks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "charset.h"
#include "nfc.h"

static struct charset cp932;

static void
goes_out_as(const struct charset *c, const char *utf8, const char *wire)
{
	char out[1024], back[1024];
	size_t n = charset_encode(c, utf8, strlen(utf8), out, sizeof(out) - 1);

	out[n] = '\0';
	assert_string_equal(out, wire);
	n = charset_decode(c, out, n, back, sizeof(back) - 1);
	back[n] = '\0';
	/* marks come back as whole letters; names.c's callers look for both */
	if (!nfc_has_marks(utf8, strlen(utf8)))
		assert_string_equal(back, utf8);
}

static void
japanese_names_are_cp932(void **state)
{
	(void)state;
	goes_out_as(&cp932, "plain name.txt", "plain name.txt");
	/* trail bytes 0x5c and 0x7c */
	goes_out_as(&cp932, "\u8868\u30dd", "\x95\x5c\x83\x7c");
	goes_out_as(&cp932, "\u2460\uff5e\uff76", "\x87\x40\x81\x60\xb6");
}

static void
what_the_charset_lacks_is_escaped_and_found_again(void **state)
{
	(void)state;
	/* the other wave dash would come back as U+FF5E */
	goes_out_as(&cp932, "\u301c", "%E3%80%9C");
	goes_out_as(&cp932, "\U0001f363", "%F0%9F%8D%A3");
	goes_out_as(&cp932, "\xff\x80", "%FF%80");
	goes_out_as(&cp932, "100%", "100%");
	goes_out_as(&cp932, "%41 %e3 %2", "%41 %e3 %2");
	goes_out_as(&cp932, "%E3%80%9C", "%25E3%2580%259C");
	goes_out_as(&cp932, "%25 %2541", "%2525 %252541");
	goes_out_as(&cp932, "%\xff" "25", "%%FF25");
}

static void
bytes_that_mean_nothing_come_through(void **state)
{
	static const char in[] = "a\xfd\x81/b\xff";
	char out[64];

	(void)state;
	/* no '/' is ever eaten by a lead byte */
	assert_int_equal(charset_decode(&cp932, in, sizeof(in) - 1, out, sizeof(out)), 6);
	assert_memory_equal(out, in, 6);
}

static void
escapes_make_no_slash_and_no_line_end(void **state)
{
	char out[64];
	size_t n;

	(void)state;
	n = charset_decode(&cp932, "%2F%0A%0D%00%41", 15, out, sizeof(out));
	assert_int_equal(n, 15);
	assert_memory_equal(out, "%2F%0A%0D%00%41", 15);
}

static void
letters_that_macos_took_apart_are_joined(void **state)
{
	(void)state;
	goes_out_as(&cp932, "\u304b\u3099", "\x82\xaa");
	/* whole and apart in one name: joining could not be undone */
	goes_out_as(&cp932, "\u304c\u304b\u3099", "\x82\xaa\x82\xa9%E3%82%99");
}

static void
marks_are_joined_and_taken_apart(void **state)
{
	static const char *const rows[][2] = {
		{ "e\u0301",             "\u00e9" },
		{ "e\u0302\u0301",      "\u1ebf" },
		{ "\u30cf\u309a",       "\u30d1" },
		{ "\u0438\u0306",       "\u0439" },
		{ "x\u0301",             "x\u0301" },
		{ "\u3099",              "\u3099" },
		{ "a\xff\u0301",        "a\xff\u0301" },
	};
	char out[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = nfc_compose(rows[i][0], strlen(rows[i][0]), out, sizeof(out));
		assert_int_equal(n, strlen(rows[i][1]));
		assert_memory_equal(out, rows[i][1], n);
		n = nfc_decompose(rows[i][1], strlen(rows[i][1]), out, sizeof(out));
		assert_int_equal(n, strlen(rows[i][0]));
		assert_memory_equal(out, rows[i][0], n);
	}
	assert_int_equal(nfc_compose("abc", 3, out, 2), 0);
	assert_int_equal(nfc_decompose("\u00e9", 2, out, 2), 0);
}

static void
utf8_is_told_from_other_bytes(void **state)
{
	static const char *const bad[] = { "\x80", "\xc0\xaf", "\xe3\x81", "\xed\xa0\x80",
		"\xf4\x90\x80\x80", "\xff", "\x95\x5c" };

	(void)state;
	assert_true(utf8_is_valid("\u8868\u00e9\U0001f363x", 10));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
}

static void
charsets_without_ascii_are_refused(void **state)
{
	static const char *const bad[] = { "UTF-16", "ISO-2022-JP", "UTF-7", "EBCDIC-JP-E" };
	struct charset c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(charset_open(&c, bad[i]), -1);
		assert_int_equal(errno, EILSEQ);
	}
	assert_int_equal(charset_open(&c, "nothing"), -1);
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(charset_why(EINVAL), "iconv -l"));
	assert_non_null(strstr(charset_why(EILSEQ), "ASCII"));
	assert_non_null(strstr(charset_why(ENOSYS), "--disable-static-link"));
	assert_int_equal(charset_open(&c, "EUC-JP-MS"), 0);
	goes_out_as(&c, "\u8868", "\xc9\xbd");
	charset_close(&c);
	assert_int_equal(charset_open(&c, "ISO-8859-1"), 0);
	goes_out_as(&c, "\u00ff\u8868", "\xff%E8%A1%A8");
	charset_close(&c);
}

static int
begin(void **state)
{
	(void)state;
	return charset_open(&cp932, "CP932");
}

static int
end(void **state)
{
	(void)state;
	charset_close(&cp932);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(japanese_names_are_cp932),
		cmocka_unit_test(what_the_charset_lacks_is_escaped_and_found_again),
		cmocka_unit_test(bytes_that_mean_nothing_come_through),
		cmocka_unit_test(escapes_make_no_slash_and_no_line_end),
		cmocka_unit_test(letters_that_macos_took_apart_are_joined),
		cmocka_unit_test(marks_are_joined_and_taken_apart),
		cmocka_unit_test(utf8_is_told_from_other_bytes),
		cmocka_unit_test(charsets_without_ascii_are_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
