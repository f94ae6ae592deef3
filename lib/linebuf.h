/*
 * The control connection's input: bytes in, command lines out.
 *
 * Telnet (RFC 854) is removed while bytes come in: IAC IAC is a byte 0xFF, IAC
 * with a command or an option is swallowed, in whatever pieces it arrives; an
 * 0xFF before a byte below 0xF0 is data (clients that forget to double it).
 * A line ends with LF, a CR before it is dropped, CR NUL is CR.
 *
 * What is read stays until it is taken: pipelined lines are never lost.
 */
#ifndef GENKAN_LINEBUF_H
#define GENKAN_LINEBUF_H

#include <stdbool.h>
#include <stddef.h>

/* The longest line, without its end: a verb and a path of 4,095 bytes. */
#define LINEBUF_LINE 4352
#define LINEBUF_SIZE 8192

enum linebuf_result {
	LINEBUF_NONE, /* no whole line yet */
	LINEBUF_LINE_OK,
	LINEBUF_TOO_LONG, /* told once per line; its bytes are discarded up to the LF */
	LINEBUF_NUL       /* the line holds a NUL byte: it is gone, unread */
};

struct linebuf {
	size_t start, end;
	unsigned char telnet[2]; /* an unfinished Telnet sequence */
	unsigned ntelnet;
	bool cr;         /* the last byte was CR: NUL after it is dropped */
	bool discarding; /* inside a line that was too long */
	char buf[LINEBUF_SIZE]; /* decoded bytes, buf[start..end) not yet taken */
};

void linebuf_init(struct linebuf *lb);

/* How many bytes linebuf_feed() takes now. 0: full of whole lines. */
size_t linebuf_space(const struct linebuf *lb);

/* Takes n <= linebuf_space() bytes as they came from the network. */
void linebuf_feed(struct linebuf *lb, const void *bytes, size_t n);

/*
 * Takes the next line. With LINEBUF_LINE_OK *line is NUL-terminated, without
 * line end, and valid until the next call on lb.
 */
enum linebuf_result linebuf_next(struct linebuf *lb, char **line);

/*
 * Looks at the next line without taking it, for commands that wait in the
 * queue. *line is *len bytes, not NUL-terminated; false if no whole line is
 * there.
 */
bool linebuf_peek(const struct linebuf *lb, const char **line, size_t *len);

#endif
