/*
 * Replies, built in memory: text is formatted, made harmless, and added with
 * its line end as a whole or cut, never beyond the buffer.
 */
#include "reply.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What reply_begin() and reply_line() leave for the last line. */
#define END_ROOM 512

/* Doubles each 0xFF of the len bytes at text, as far as they fit into max; the new length. */
static size_t
double_iac(char *text, size_t len, size_t max)
{
	size_t out = 0, kept = 0;

	while (kept < len) {
		size_t need = text[kept] == '\xff' ? 2 : 1;

		if (out + need > max)
			break;
		out += need;
		kept++;
	}
	len = out;
	/* from behind, so that nothing is written over before it was read */
	while (kept-- > 0 && out > kept + 1) {
		text[--out] = text[kept];
		if (text[kept] == '\xff')
			text[--out] = '\xff';
	}
	return len;
}

/* Adds prefix, the formatted text and CRLF below limit; a text that does not fit is cut. */
static void
add(struct reply *r, size_t limit, const char *prefix, const char *fmt, va_list ap)
{
	size_t plen = strlen(prefix), max = limit - r->len - plen - 2, room, len;
	char *text = r->buf + r->len + plen;
	int n;

	memcpy(r->buf + r->len, prefix, plen);
	room = max < REPLY_LINE ? max : REPLY_LINE;
	n = vsnprintf(text, room + 1, fmt, ap);
	len = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room;
	reply_clean(text, len);
	len = double_iac(text, len, max);
	memcpy(text + len, "\r\n", 2);
	r->len += plen + len + 2;
}

static void
code_prefix(char prefix[static 16], int code, char mark)
{
	snprintf(prefix, 16, "%03u%c", (unsigned)code % 1000, mark);
}

void
reply_single(struct reply *r, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	reply_vsingle(r, code, fmt, ap);
	va_end(ap);
}

void
reply_vsingle(struct reply *r, int code, const char *fmt, va_list ap)
{
	char prefix[16];

	r->len = 0;
	code_prefix(prefix, code, ' ');
	add(r, sizeof(r->buf), prefix, fmt, ap);
}

void
reply_begin(struct reply *r, int code, const char *fmt, ...)
{
	char prefix[16];
	va_list ap;

	r->len = 0;
	code_prefix(prefix, code, '-');
	va_start(ap, fmt);
	add(r, sizeof(r->buf) - END_ROOM, prefix, fmt, ap);
	va_end(ap);
}

bool
reply_line(struct reply *r, const char *fmt, ...)
{
	char text[REPLY_LINE + 1];
	size_t need = strlen(" \r\n");
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return false;
	for (const char *p = text; *p != '\0'; p++)
		need += *p == '\xff' ? 2 : 1;
	if (r->len + need > sizeof(r->buf) - END_ROOM)
		return false;
	va_start(ap, fmt);
	add(r, sizeof(r->buf) - END_ROOM, " ", fmt, ap);
	va_end(ap);
	return true;
}

void
reply_end(struct reply *r, int code, const char *fmt, ...)
{
	char prefix[16];
	va_list ap;

	code_prefix(prefix, code, ' ');
	va_start(ap, fmt);
	add(r, sizeof(r->buf), prefix, fmt, ap);
	va_end(ap);
}

const char *
reply_quote(char *dst, size_t size, const char *path)
{
	size_t len = 0;

	for (; *path != '\0'; path++) {
		size_t need = *path == '"' ? 2 : 1;

		if (len + need >= size)
			break;
		memset(dst + len, *path, need);
		len += need;
	}
	if (size > 0)
		dst[len] = '\0';
	return dst;
}

/* True if one of the eight bytes at text is a control byte. */
static bool
has_control(const char *text)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x80 * ones;
	uint64_t bytes, del;

	memcpy(&bytes, text, sizeof(bytes));
	del = bytes ^ 0x7f * ones; /* 0 where there is a DEL */
	return (((bytes - 0x20 * ones) & ~bytes & tops) | ((del - ones) & ~del & tops)) != 0;
}

void
reply_clean(char *text, size_t len)
{
	size_t i = 0;

	while (i < len)
		if (len - i >= sizeof(uint64_t) && !has_control(text + i)) {
			i += sizeof(uint64_t);
		} else {
			if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
				text[i] = '?';
			i++;
		}
}
