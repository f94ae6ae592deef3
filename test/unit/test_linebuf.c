/*
 * The control connection's input: lines, Telnet, limits, and that cuts do not matter.
 */
#include "linebuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FEED(lb, bytes) linebuf_feed(lb, bytes, sizeof(bytes) - 1)

static void
assert_line(struct linebuf *lb, const char *want)
{
	char *line;

	assert_int_equal(linebuf_next(lb, &line), LINEBUF_LINE_OK);
	assert_string_equal(line, want);
}

static void
assert_result(struct linebuf *lb, enum linebuf_result want)
{
	char *line;

	assert_int_equal(linebuf_next(lb, &line), want);
}

static void
line_ends_and_telnet_are_removed(void **state)
{
	static const struct {
		const char *name, *in;
		size_t len;
		const char *want;
	} rows[] = {
#define ROW(name, in, want) { name, in, sizeof(in) - 1, want }
		ROW("CRLF", "NOOP\r\n", "NOOP"),
		ROW("bare LF", "NOOP\n", "NOOP"),
		ROW("empty", "\r\n", ""),
		ROW("CR inside", "a\rb\r\n", "a\rb"),
		ROW("CR CR LF", "a\r\r\n", "a\r"),
		ROW("CR NUL is CR", "a\r\0b\r\n", "a\rb"),
		ROW("CR NUL before a bare LF", "a\r\0\n", "a\r"),
		ROW("IAC IAC", "a\377\377b\r\n", "a\377b"),
		ROW("IAC IP, IAC DM", "\377\364\377\362ABOR\r\n", "ABOR"),
		ROW("IAC WILL option", "\xff\xfb\x06NOOP\r\n", "NOOP"),
		ROW("IAC WONT option", "\xff\xfc\x06NOOP\r\n", "NOOP"),
		ROW("IAC DO option", "\xff\xfd\x06NOOP\r\n", "NOOP"),
		ROW("IAC DONT option", "\xff\xfe\x06NOOP\r\n", "NOOP"),
		ROW("an option that looks like LF", "\xff\xfd\nNOOP\r\n", "NOOP"),
		ROW("IAC NOP inside", "NO\xff\xf1OP\r\n", "NOOP"),
		ROW("0xFF that is not doubled", "CWD \xffz\r\n", "CWD \xffz"),
		ROW("0xFF at the end", "CWD a\xff\r\n", "CWD a\xff"),
		ROW("the lone DM of a Synch is data", "\362ABOR\r\n", "\362ABOR"),
		ROW("bytes are kept", "CWD \xe7\x8e\x84\x80\r\n", "CWD \xe7\x8e\x84\x80"),
#undef ROW
	};
	struct linebuf lb;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *line = NULL;

		linebuf_init(&lb);
		linebuf_feed(&lb, rows[i].in, rows[i].len);
		if (linebuf_next(&lb, &line) != LINEBUF_LINE_OK || strcmp(line, rows[i].want) != 0)
			fail_msg("%s: got \"%s\"", rows[i].name, line == NULL ? "no line" : line);
		assert_result(&lb, LINEBUF_NONE);
	}
}

static void
pipelined_lines_come_one_by_one(void **state)
{
	struct linebuf lb;

	(void)state;
	linebuf_init(&lb);
	FEED(&lb, "USER a\r\nPASS b\r\nNO");
	assert_line(&lb, "USER a");
	assert_line(&lb, "PASS b");
	assert_result(&lb, LINEBUF_NONE);
	FEED(&lb, "OP\r\n");
	assert_line(&lb, "NOOP");
}

static void
line_stays_valid_until_the_next_call(void **state)
{
	struct linebuf lb;
	char *line;

	(void)state;
	linebuf_init(&lb);
	FEED(&lb, "USER a\r\nPASS b\r\n");
	assert_int_equal(linebuf_next(&lb, &line), LINEBUF_LINE_OK);
	assert_string_equal(line, "USER a");
	assert_true(linebuf_space(&lb) > 0);
	assert_string_equal(line, "USER a");
}

static void
line_with_nul_is_refused_and_the_next_is_read(void **state)
{
	struct linebuf lb;

	(void)state;
	linebuf_init(&lb);
	FEED(&lb, "DELE a\0b\r\nNOOP\r\n");
	assert_result(&lb, LINEBUF_NUL);
	assert_line(&lb, "NOOP");
}

static void
longest_line_is_taken(void **state)
{
	static char in[LINEBUF_LINE + 2], *line;
	struct linebuf lb;

	(void)state;
	memset(in, 'x', sizeof(in));
	memcpy(in + LINEBUF_LINE, "\r\n", 2);
	linebuf_init(&lb);
	/* Up to its CR, the line must not be called too long yet. */
	linebuf_feed(&lb, in, sizeof(in) - 1);
	assert_result(&lb, LINEBUF_NONE);
	linebuf_feed(&lb, in + sizeof(in) - 1, 1);
	assert_int_equal(linebuf_next(&lb, &line), LINEBUF_LINE_OK);
	assert_int_equal(strlen(line), LINEBUF_LINE);
}

static void
too_long_line_is_told_once_and_skipped(void **state)
{
	static char in[LINEBUF_LINE + 1];
	struct linebuf lb;

	(void)state;
	memset(in, 'x', sizeof(in));
	/* Its end is there or not, it is told once. */
	for (int late = 0; late < 2; late++) {
		linebuf_init(&lb);
		linebuf_feed(&lb, in, sizeof(in));
		if (late) {
			assert_result(&lb, LINEBUF_TOO_LONG);
			assert_result(&lb, LINEBUF_NONE);
			for (int i = 0; i < 100; i++) {
				linebuf_feed(&lb, in, sizeof(in));
				assert_result(&lb, LINEBUF_NONE);
			}
		}
		FEED(&lb, "xxx\r\nNOOP\r\n");
		if (!late)
			assert_result(&lb, LINEBUF_TOO_LONG);
		assert_line(&lb, "NOOP");
		assert_result(&lb, LINEBUF_NONE);
	}
}

static void
line_without_end_leaves_space_also_if_nobody_takes(void **state)
{
	struct linebuf lb;
	const char *line;
	size_t len;

	(void)state;
	linebuf_init(&lb);
	for (int i = 0; i < 3 * LINEBUF_SIZE; i++) {
		assert_true(linebuf_space(&lb) > 0);
		FEED(&lb, "x");
		assert_false(linebuf_peek(&lb, &line, &len));
	}
	FEED(&lb, "\r\nNOOP\r\n");
	assert_result(&lb, LINEBUF_TOO_LONG);
	assert_line(&lb, "NOOP");
}

static void
buffer_full_of_lines_has_no_space_and_loses_nothing(void **state)
{
	struct linebuf lb;
	size_t fed = 0, taken = 0, n;
	char *line;

	(void)state;
	linebuf_init(&lb);
	while ((n = linebuf_space(&lb)) > 0) {
		linebuf_feed(&lb, &"N\n"[fed % 2], 1);
		fed++;
		assert_true(fed <= LINEBUF_SIZE);
	}
	assert_int_equal(fed, LINEBUF_SIZE);
	while (linebuf_next(&lb, &line) == LINEBUF_LINE_OK) {
		assert_string_equal(line, "N");
		taken++;
	}
	assert_int_equal(taken, LINEBUF_SIZE / 2);
	assert_int_equal(linebuf_space(&lb), LINEBUF_SIZE);
}

static void
pending_telnet_bytes_have_their_space(void **state)
{
	static char lines[LINEBUF_SIZE - 2];
	struct linebuf lb;

	(void)state;
	for (size_t i = 0; i < sizeof(lines); i++)
		lines[i] = "N\n"[i % 2];
	linebuf_init(&lb);
	linebuf_feed(&lb, lines, sizeof(lines));
	FEED(&lb, "\xff");
	/* The IAC may become data together with the byte behind it. */
	assert_int_equal(linebuf_space(&lb), 1);
	FEED(&lb, "z");
	assert_int_equal(linebuf_space(&lb), 0);
	assert_int_equal(lb.end - lb.start, LINEBUF_SIZE);
}

static void
peek_shows_the_next_line_and_leaves_it(void **state)
{
	struct linebuf lb;
	const char *line;
	size_t len;

	(void)state;
	linebuf_init(&lb);
	FEED(&lb, "ABOR");
	assert_false(linebuf_peek(&lb, &line, &len));
	FEED(&lb, "\r\nNOOP\r\n");
	for (int i = 0; i < 2; i++) {
		assert_true(linebuf_peek(&lb, &line, &len));
		assert_int_equal(len, 4);
		assert_memory_equal(line, "ABOR", 4);
	}
	assert_line(&lb, "ABOR");
	assert_line(&lb, "NOOP");
	assert_false(linebuf_peek(&lb, &line, &len));
}

/* What came out, written one behind the other, so that two runs can be compared. */
struct outcome {
	char text[65536];
	size_t len;
};

static void
drain(struct linebuf *lb, struct outcome *out)
{
	enum linebuf_result r;
	char *line;

	while ((r = linebuf_next(lb, &line)) != LINEBUF_NONE) {
		size_t n = r == LINEBUF_LINE_OK ? strlen(line) : 0;

		assert_true(out->len + n + 2 < sizeof(out->text));
		out->text[out->len++] = (char)('0' + r);
		if (n > 0)
			memcpy(out->text + out->len, line, n);
		out->len += n;
		out->text[out->len++] = '\n';
	}
}

/* Numbers of our own, so that a failure can be repeated. */
static unsigned
draw(uint32_t *seed, unsigned below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

/* A stream in which what is rare elsewhere is frequent; now and then a line near the limit. */
static size_t
make_stream(uint32_t *seed, char *in, size_t size)
{
	static const char frequent[] = "\xff\xff\xff\r\r\n\n\0\xfb\xfe\xf0\xf4\xef"
				       "az ";
	size_t len = 0;

	while (len < size - LINEBUF_LINE - 8) {
		if (draw(seed, 400) == 0) {
			size_t n = LINEBUF_LINE - 3 + draw(seed, 7);

			memset(in + len, 'L', n);
			len += n;
		} else {
			in[len++] = frequent[draw(seed, sizeof(frequent) - 1)];
		}
	}
	memcpy(in + len, "\r\n", 2);
	return len + 2;
}

static void
any_cut_of_the_stream_gives_the_same_lines(void **state)
{
	static struct outcome whole, cut;
	static char in[20000];
	struct linebuf lb;
	uint32_t seed = 20260101;

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t len = make_stream(&seed, in, sizeof(in));
		unsigned longest = round % 3 == 0 ? 1 : round % 3 == 1 ? 7 : LINEBUF_SIZE;

		/* Once byte by byte, taken at once. */
		linebuf_init(&lb);
		whole.len = cut.len = 0;
		for (size_t i = 0; i < len; i++) {
			linebuf_feed(&lb, in + i, 1);
			drain(&lb, &whole);
		}
		/* Once in other pieces, taken only now and then. */
		linebuf_init(&lb);
		for (size_t i = 0; i < len;) {
			size_t n = 1 + draw(&seed, longest);

			if (linebuf_space(&lb) == 0 || draw(&seed, 3) == 0)
				drain(&lb, &cut);
			n = n < len - i ? n : len - i;
			n = n < linebuf_space(&lb) ? n : linebuf_space(&lb);
			assert_true(n > 0);
			linebuf_feed(&lb, in + i, n);
			i += n;
		}
		drain(&lb, &cut);
		assert_true(whole.len > 0);
		assert_int_equal(cut.len, whole.len);
		assert_memory_equal(cut.text, whole.text, whole.len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_ends_and_telnet_are_removed),
		cmocka_unit_test(pipelined_lines_come_one_by_one),
		cmocka_unit_test(line_stays_valid_until_the_next_call),
		cmocka_unit_test(line_with_nul_is_refused_and_the_next_is_read),
		cmocka_unit_test(longest_line_is_taken),
		cmocka_unit_test(too_long_line_is_told_once_and_skipped),
		cmocka_unit_test(line_without_end_leaves_space_also_if_nobody_takes),
		cmocka_unit_test(buffer_full_of_lines_has_no_space_and_loses_nothing),
		cmocka_unit_test(pending_telnet_bytes_have_their_space),
		cmocka_unit_test(peek_shows_the_next_line_and_leaves_it),
		cmocka_unit_test(any_cut_of_the_stream_gives_the_same_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
