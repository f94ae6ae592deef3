/*
 * linebuf: however the network cuts, the lines are those that a plain reading
 * of RFC 854 and RFC 959 over the whole input gives.
 *
 * Input: a byte that decides how it is cut, then what the client sends; in it
 * byte 2 stands for a thousand letters, so that long lines make short seeds.
 */
#include "fuzz.h"
#include "linebuf.h"

const char fuzz_name[] = "line";

#define RUN 1000
#define MAX ((size_t)24 << 10)

/* What came out, one after another: the result, and for a line its text and NUL. */
struct events {
	char *text;
	size_t len;
};

static void
event(struct events *e, enum linebuf_result result, const char *line, size_t len)
{
	e->text[e->len++] = (char)('0' + result);
	if (result != LINEBUF_LINE_OK)
		return;
	memcpy(e->text + e->len, line, len);
	e->len += len;
	e->text[e->len++] = '\0';
}

static void
take_lines(struct linebuf *lb, struct events *e)
{
	enum linebuf_result result;
	const char *seen;
	char *line;
	size_t len;

	for (;;) {
		bool peeked = linebuf_peek(lb, &seen, &len);

		result = linebuf_next(lb, &line);
		CHECK(!peeked || result != LINEBUF_NONE);
		if (result == LINEBUF_NONE)
			return;
		if (result == LINEBUF_LINE_OK) {
			CHECK(peeked && strlen(line) == len && len <= LINEBUF_LINE);
			CHECK(strchr(line, '\n') == NULL);
		}
		event(e, result, line, len);
	}
}

/* Feeds pieces whose lengths follow from cut; lazily: lines are taken when it is full. */
static void
feed(const uint8_t *in, size_t n, unsigned cut, bool lazily, struct events *e)
{
	static struct linebuf lb;

	linebuf_init(&lb);
	while (n > 0) {
		size_t space = linebuf_space(&lb), piece = cut == 0 ? n : 1 + cut % 7 * (cut % 97);

		if (space == 0) {
			take_lines(&lb, e);
			space = linebuf_space(&lb);
			CHECK(space > 0);
		}
		if (piece > n)
			piece = n;
		if (piece > space)
			piece = space;
		linebuf_feed(&lb, in, piece);
		in += piece;
		n -= piece;
		if (cut != 0)
			cut = cut * 1103515245 % 65521 + 1;
		if (!lazily)
			take_lines(&lb, e);
	}
	take_lines(&lb, e);
}

/* Telnet out: IAC IAC and IAC before a byte below 240 are data. Returns the new length. */
static size_t
without_telnet(const uint8_t *in, size_t n, uint8_t *out)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (in[i] != 255) {
			out[len++] = in[i];
		} else if (i + 1 < n && in[i + 1] == 255) {
			out[len++] = in[++i];
		} else if (i + 1 < n && in[i + 1] < 240) {
			out[len++] = in[i];
			out[len++] = in[++i];
		} else {
			i += i + 1 < n && in[i + 1] >= 251 ? 2 : 1;
		}
	}
	return len;
}

static void
reference(const uint8_t *in, size_t n, struct events *e)
{
	char *line = fuzz_room(n);
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		bool end = in[i] == '\r' && i + 1 < n && in[i + 1] == '\n';

		if (in[i] == '\n' || end) {
			enum linebuf_result result = LINEBUF_LINE_OK;

			if (len > LINEBUF_LINE)
				result = LINEBUF_TOO_LONG;
			else if (memchr(line, '\0', len) != NULL)
				result = LINEBUF_NUL;
			event(e, result, line, len);
			i += end;
			len = 0;
			continue;
		}
		line[len++] = (char)in[i];
		if (in[i] == '\r' && i + 1 < n && in[i + 1] == '\0')
			i++;
	}
	/* an end that is missing is not awaited when the line is too long already */
	if (len > 0 && n > 0 && in[n - 1] == '\r')
		len--;
	if (len > LINEBUF_LINE)
		event(e, LINEBUF_TOO_LONG, line, len);
	free(line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct events whole, pieces, lazy, plain, *all[] = { &whole, &pieces, &lazy, &plain };
	unsigned cut = fuzz_byte(&data, &size) + 1u;
	uint8_t *in = fuzz_room(MAX), *decoded;
	size_t n = 0;

	for (size_t i = 0; i < size && n + RUN <= MAX; i++) {
		if (data[i] == 2) {
			memset(in + n, 'a', RUN);
			n += RUN;
		} else {
			in[n++] = data[i];
		}
	}
	for (size_t i = 0; i < 4; i++)
		*all[i] = (struct events){ .text = fuzz_room(2 * n + 1) };
	feed(in, n, 0, false, &whole);
	feed(in, n, cut, false, &pieces);
	feed(in, n, cut, true, &lazy);
	decoded = fuzz_room(n);
	reference(decoded, without_telnet(in, n, decoded), &plain);
	for (size_t i = 0; i < 3; i++) {
		CHECK(all[i]->len == plain.len);
		CHECK(memcmp(all[i]->text, plain.text, plain.len) == 0);
		free(all[i]->text);
	}
	free(plain.text);
	free(decoded);
	free(in);
	return 0;
}
