/*
 * The control connection's input. Telnet and line ends are handled byte by byte
 * on the way in, so it does not matter where the network cuts; the buffer holds
 * plain lines that end with LF.
 */
#include "linebuf.h"

#include <string.h>

enum { IAC = 0xff, DONT = 0xfe, WILL = 0xfb, FIRST_COMMAND = 0xf0 };

/*
 * How much is kept of a line that is too long: enough to know that it is, also
 * after the CR before its LF is dropped. So a line without end never fills the buffer.
 */
#define LINE_KEPT (LINEBUF_LINE + 2)

void
linebuf_init(struct linebuf *lb)
{
	lb->start = lb->end = 0;
	lb->ntelnet = 0;
	lb->cr = false;
	lb->discarding = false;
}

size_t
linebuf_space(const struct linebuf *lb)
{
	/* An unfinished Telnet sequence may yet turn out to be data. */
	size_t used = lb->end - lb->start + lb->ntelnet;

	return used < sizeof(lb->buf) ? sizeof(lb->buf) - used : 0;
}

/* Stores a byte that is free of Telnet; *line is the length of the unfinished line. */
static void
store(struct linebuf *lb, size_t *line, unsigned char c)
{
	bool after_cr = lb->cr;

	lb->cr = c == '\r';
	if (c == '\0' && after_cr)
		return;
	if (c == '\n' && lb->discarding) {
		lb->discarding = false;
		return;
	}
	if (lb->discarding)
		return;
	if (c == '\n' && after_cr && *line > 0 && lb->buf[lb->end - 1] == '\r') {
		lb->end--;
		(*line)--;
	}
	if (c != '\n' && *line >= LINE_KEPT)
		return;
	if (lb->end == sizeof(lb->buf))
		return;
	lb->buf[lb->end++] = (char)c;
	*line = c == '\n' ? 0 : *line + 1;
}

/* Takes one byte from the network through the Telnet states: nothing, IAC, IAC WILL. */
static void
decode(struct linebuf *lb, size_t *line, unsigned char c)
{
	if (lb->ntelnet == 0) {
		if (c == IAC)
			lb->telnet[lb->ntelnet++] = c;
		else
			store(lb, line, c);
		return;
	}
	if (lb->ntelnet == 1) {
		if (c >= WILL && c <= DONT) {
			lb->telnet[lb->ntelnet++] = c;
			return;
		}
		lb->ntelnet = 0;
		if (c == IAC || c < FIRST_COMMAND)
			store(lb, line, IAC);
		if (c < FIRST_COMMAND)
			store(lb, line, c);
		return;
	}
	/* The option of WILL, WONT, DO or DONT. */
	lb->ntelnet = 0;
}

void
linebuf_feed(struct linebuf *lb, const void *bytes, size_t n)
{
	const unsigned char *in = bytes;
	const char *lf;
	size_t line;

	if (lb->start > 0) {
		memmove(lb->buf, lb->buf + lb->start, lb->end - lb->start);
		lb->end -= lb->start;
		lb->start = 0;
	}
	lf = memrchr(lb->buf, '\n', lb->end);
	line = lf == NULL ? lb->end : lb->end - (size_t)(lf + 1 - lb->buf);
	for (size_t i = 0; i < n; i++)
		decode(lb, &line, in[i]);
}

enum linebuf_result
linebuf_next(struct linebuf *lb, char **line)
{
	char *begin = lb->buf + lb->start;
	size_t have = lb->end - lb->start, len;
	char *lf = memchr(begin, '\n', have);

	*line = NULL;
	if (lf == NULL) {
		/* A CR at the end may belong to the line end. */
		len = have > 0 && lb->cr && begin[have - 1] == '\r' ? have - 1 : have;
		if (len <= LINEBUF_LINE)
			return LINEBUF_NONE;
		lb->start = lb->end = 0;
		lb->discarding = true;
		return LINEBUF_TOO_LONG;
	}
	len = (size_t)(lf - begin);
	lb->start += len + 1;
	if (len > LINEBUF_LINE)
		return LINEBUF_TOO_LONG;
	if (memchr(begin, '\0', len) != NULL)
		return LINEBUF_NUL;
	*lf = '\0';
	*line = begin;
	return LINEBUF_LINE_OK;
}

bool
linebuf_peek(const struct linebuf *lb, const char **line, size_t *len)
{
	const char *begin = lb->buf + lb->start;
	const char *lf = memchr(begin, '\n', lb->end - lb->start);

	if (lf == NULL)
		return false;
	*line = begin;
	*len = (size_t)(lf - begin);
	return true;
}
