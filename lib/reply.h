/*
 * Replies (RFC 959 section 4.2): built whole in memory, so that each leaves in
 * one write and a router's ALG finds it at the start of a segment.
 *
 * Every line is made harmless on the way in: control bytes become '?', 0xFF is
 * doubled (RFC 854), an inner line never looks like the last one.
 */
#ifndef GENKAN_REPLY_H
#define GENKAN_REPLY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* The longest line's text; a reply may have as many lines as fit in REPLY_SIZE. */
#define REPLY_LINE 8400
#define REPLY_SIZE 12288

struct reply {
	size_t len;
	char buf[REPLY_SIZE];
};

/* Sets *r to "ccc text CRLF". */
void reply_single(struct reply *r, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void reply_vsingle(struct reply *r, int code, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* Sets *r to the first line of many: "ccc-text CRLF". */
void reply_begin(struct reply *r, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Adds " text CRLF": the leading blank keeps the line from looking like an end
 * and is what FEAT and STAT want (RFC 2389 section 3.2). Returns false, adding
 * nothing, if the reply is full.
 */
bool reply_line(struct reply *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Adds the last line, "ccc text CRLF"; there is always room for it. */
void reply_end(struct reply *r, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Copies path with each '"' doubled (RFC 959 appendix II) into dst, cut if need
 * be; returns dst.
 */
const char *reply_quote(char *dst, size_t size, const char *path);

/* Makes len bytes harmless in place: control bytes (C0, DEL) become '?'. */
void reply_clean(char *text, size_t len);

#endif
