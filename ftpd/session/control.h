/*
 * The control connection: command lines in, replies out. Nothing else writes to
 * it. Each reply is one write, so that it stands alone in its segment: routers'
 * FTP helpers look for 227 and 229 there.
 */
#ifndef GENKAN_CONTROL_H
#define GENKAN_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "linebuf.h"
#include "reply.h"

struct session;
struct tls;

struct control {
	int in, out;
	struct tls *tls; /* NULL: in the clear */
	bool socket; /* recv(2) and send(2) without waiting; else read(2) after poll(2) */
	bool eof;    /* the client sends no more */
	bool broken; /* the client takes no more: replies are dropped */
	struct linebuf lines;
	struct reply reply; /* under construction */
};

void control_init(struct control *c, int in, int out, bool socket);

/*
 * Reads what is there, without waiting. Returns false when the client has
 * closed or reset the connection.
 */
bool control_read(struct control *c);

/* True if bytes are here already that poll(2) cannot see. */
bool control_pending(const struct control *c);

/* Says goodbye in TLS's own way, if it can be done without waiting. */
void control_end(struct control *c);

/*
 * TLS 1.3: the client gets a ticket for the data connection that is agreed on now, in front of the
 * reply: it may use each only once.
 */
void control_ticket(struct session *s);

/* One line, one write: "ccc text". */
void reply(struct session *s, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A reply that ends with the reason in errno, for people: "path: No such file". */
void reply_errno(struct session *s, int code, const char *what);

/* What errno means to somebody who uses FTP. */
const char *control_reason(int error);

/* A reply of several lines, built by reply_begin() … reply_end() in s->ctl.reply. */
void control_send_reply(struct session *s);

/* Bytes of a long reply that does not fit into struct reply (STAT of a directory). */
void control_send(struct session *s, const char *bytes, size_t len);

#endif
