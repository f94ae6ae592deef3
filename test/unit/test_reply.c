/*
 * Replies: their form, that they are harmless whatever is put into them, and that they fit.
 */
#include "reply.h"

#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct reply r;

static void
assert_reply(const char *want)
{
	assert_int_equal(r.len, strlen(want));
	assert_memory_equal(r.buf, want, r.len);
}

static void
single_line_has_code_text_and_crlf(void **state)
{
	(void)state;
	reply_single(&r, 227, "Entering Passive Mode (%s)", "192,0,2,1,15,160");
	assert_reply("227 Entering Passive Mode (192,0,2,1,15,160)\r\n");
	reply_single(&r, 200, "%s", "");
	assert_reply("200 \r\n");
}

static void
many_lines_have_dash_blank_and_end(void **state)
{
	(void)state;
	reply_begin(&r, 211, "Features:");
	assert_true(reply_line(&r, "%s", "EPSV"));
	assert_true(reply_line(&r, "REST %s", "STREAM"));
	reply_end(&r, 211, "End");
	assert_reply("211-Features:\r\n EPSV\r\n REST STREAM\r\n211 End\r\n");
}

static void
inner_line_never_looks_like_the_last_one(void **state)
{
	(void)state;
	reply_begin(&r, 230, "Hello");
	assert_true(reply_line(&r, "230 done"));
	reply_end(&r, 230, "Logged in");
	assert_reply("230-Hello\r\n 230 done\r\n230 Logged in\r\n");
}

static void
control_bytes_become_question_marks(void **state)
{
	(void)state;
	reply_single(&r, 550, "%s: no such file", "a\r\n226 b\t\x1b[1m\x7f");
	assert_reply("550 a??226 b??[1m?: no such file\r\n");
	reply_begin(&r, 211, "a\nb");
	reply_line(&r, "c\rd");
	reply_end(&r, 211, "e\nf");
	assert_reply("211-a?b\r\n c?d\r\n211 e?f\r\n");
}

static void
iac_is_doubled_and_other_bytes_are_kept(void **state)
{
	(void)state;
	reply_single(&r, 257, "\"%s\" created", "\xff\xe7\x8e\x84\x80\xff");
	assert_reply("257 \"\xff\xff\xe7\x8e\x84\x80\xff\xff\" created\r\n");
}

static void
long_text_is_cut_and_keeps_its_line_end(void **state)
{
	static char text[2 * REPLY_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	reply_single(&r, 550, "%s", text);
	assert_int_equal(r.len, strlen("550 ") + REPLY_LINE + strlen("\r\n"));
	assert_memory_equal(r.buf + r.len - 2, "\r\n", 2);

	/* Doubled, it would not fit into the buffer; an IAC is never cut in two. */
	memset(text, 0xff, sizeof(text) - 1);
	for (size_t odd = 0; odd < 2; odd++) {
		reply_single(&r, 550, "%s%s", odd ? "x" : "", text);
		assert_int_equal(r.len, REPLY_SIZE - odd);
		assert_memory_equal(r.buf + r.len - 3, "\xff\r\n", 3);
	}
}

static void
a_quoted_path_of_greatest_length_fits(void **state)
{
	static char path[4096], quoted[2 * sizeof(path)];

	(void)state;
	memset(path, '"', sizeof(path) - 1);
	reply_quote(quoted, sizeof(quoted), path);
	reply_single(&r, 257, "\"%s\" is the current directory", quoted);
	assert_int_equal(r.len, 5 + 2 * 4095 + strlen("\" is the current directory\r\n"));
}

static void
full_reply_refuses_lines_and_still_ends(void **state)
{
	size_t len, lines = 0;

	(void)state;
	reply_begin(&r, 214, "Commands:");
	do {
		len = r.len;
		lines++;
		assert_true(lines < REPLY_SIZE);
	} while (reply_line(&r, "line\xff %zu", lines));
	assert_int_equal(r.len, len);
	assert_memory_equal(r.buf + r.len - 2, "\r\n", 2);
	reply_end(&r, 214, "This is the end of the list of commands");
	assert_memory_equal(
	    r.buf + len, "214 This is the end of the list of commands\r\n", r.len - len);
	assert_true(r.len <= REPLY_SIZE);
}

static void
a_line_that_would_be_cut_is_refused_whole(void **state)
{
	static char text[2 * REPLY_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	reply_begin(&r, 211, "x");
	assert_true(reply_line(&r, "%.8000s", text));
	assert_false(reply_line(&r, "%.8000s", text));
	assert_true(reply_line(&r, "small"));

	/* What counts is the length with each IAC doubled. */
	memset(text, 0xff, sizeof(text) - 1);
	reply_begin(&r, 211, "x");
	assert_false(reply_line(&r, "%.6000s", text));
	assert_true(reply_line(&r, "%.5000s", text));
}

static void
end_fits_behind_a_first_line_of_any_length(void **state)
{
	static char text[2 * REPLY_SIZE];

	(void)state;
	memset(text, 0xff, sizeof(text) - 1);
	reply_begin(&r, 211, "%s", text);
	reply_end(&r, 211, "%s", text);
	assert_true(r.len <= REPLY_SIZE);
	assert_memory_equal(r.buf + r.len - 2, "\r\n", 2);
	assert_non_null(memmem(r.buf, r.len, "\r\n211 \xff\xff", 8));
}

static void
quotes_are_doubled_and_never_cut_in_two(void **state)
{
	char dst[8];

	(void)state;
	assert_string_equal(reply_quote(dst, sizeof(dst), "a\"b"), "a\"\"b");
	assert_string_equal(reply_quote(dst, sizeof(dst), "/1234567890"), "/123456");
	assert_string_equal(reply_quote(dst, sizeof(dst), "123456\""), "123456");
	assert_string_equal(reply_quote(dst, sizeof(dst), ""), "");
	dst[0] = '!';
	reply_quote(dst, 0, "x");
	assert_int_equal(dst[0], '!');
}

static void
clean_changes_control_bytes_alone(void **state)
{
	char text[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		text[i] = (char)i;
	reply_clean(text, sizeof(text));
	for (int i = 0; i < 256; i++)
		assert_int_equal((unsigned char)text[i], i < 0x20 || i == 0x7f ? '?' : i);
}

/* Every byte at every place of texts of every length; before it a neighbour that looks like one. */
static void
clean_finds_each_byte_wherever_it_stands(void **state)
{
	static const char others[] = { 'a', ' ', '\x21', '\x80', '\xff', '~' };
	char text[40], want;

	(void)state;
	for (size_t len = 1; len <= 24; len++)
		for (size_t at = 0; at < len; at++)
			for (int c = 0; c < 256; c++) {
				char other = others[(size_t)c % sizeof(others)];

				memset(text, other, sizeof(text));
				text[at] = (char)c;
				text[len] = '\n';
				want = c < 0x20 || c == 0x7f ? '?' : (char)c;
				reply_clean(text, len);
				assert_int_equal(text[at], want);
				assert_int_equal(text[len], '\n');
				for (size_t i = 0; i < len; i++)
					assert_true(i == at || text[i] == other);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_line_has_code_text_and_crlf),
		cmocka_unit_test(many_lines_have_dash_blank_and_end),
		cmocka_unit_test(inner_line_never_looks_like_the_last_one),
		cmocka_unit_test(control_bytes_become_question_marks),
		cmocka_unit_test(iac_is_doubled_and_other_bytes_are_kept),
		cmocka_unit_test(long_text_is_cut_and_keeps_its_line_end),
		cmocka_unit_test(a_quoted_path_of_greatest_length_fits),
		cmocka_unit_test(full_reply_refuses_lines_and_still_ends),
		cmocka_unit_test(a_line_that_would_be_cut_is_refused_whole),
		cmocka_unit_test(end_fits_behind_a_first_line_of_any_length),
		cmocka_unit_test(quotes_are_doubled_and_never_cut_in_two),
		cmocka_unit_test(clean_changes_control_bytes_alone),
		cmocka_unit_test(clean_finds_each_byte_wherever_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
