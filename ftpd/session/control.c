/*
 * The control connection.
 */
#include "control.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "session.h"
#include "tls.h"

void
control_init(struct control *c, int in, int out, bool socket)
{
	c->in = in;
	c->out = out;
	c->socket = socket;
	c->tls = NULL;
	c->eof = c->broken = false;
	linebuf_init(&c->lines);
}

bool
control_read(struct control *c)
{
	char bytes[2048];
	size_t space = linebuf_space(&c->lines);
	ssize_t n;

	if (space == 0)
		return true;
	if (space > sizeof(bytes))
		space = sizeof(bytes);
	/* O_NONBLOCK would be shared with whoever started us; MSG_DONTWAIT is ours alone */
	n = c->tls != NULL ? tls_read(c->tls, bytes, space)
	    : c->socket ? recv(c->in, bytes, space, MSG_DONTWAIT) : read(c->in, bytes, space);
	if (n > 0) {
		linebuf_feed(&c->lines, bytes, (size_t)n);
		return true;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	c->eof = true;
	if (n == -1)
		c->broken = true;
	return false;
}

void
control_send(struct session *s, const char *bytes, size_t len)
{
	struct control *c = &s->ctl;

	while (len > 0 && !c->broken) {
		ssize_t n = c->tls != NULL ? tls_write(c->tls, bytes, len)
		    : c->socket ? send(c->out, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL)
		                      : write(c->out, bytes, len);

		if (n >= 0) {
			bytes += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (!session_wait_writable(s))
				c->broken = true;
		} else if (errno != EINTR) {
			c->broken = true;
		}
	}
	while (c->tls != NULL && !c->broken && tls_flush(c->tls) == -1)
		c->broken = errno != EAGAIN || !session_wait_writable(s);
}

bool
control_pending(const struct control *c)
{
	return c->tls != NULL && tls_pending(c->tls);
}

void
control_end(struct control *c)
{
	/* and no tls_free(): the process ends, and code that has not run before takes a while */
	if (c->tls != NULL)
		(void)(c->broken ? tls_flush(c->tls) : tls_close(c->tls));
}

void
control_ticket(struct session *s)
{
	if (s->ctl.tls != NULL && s->params.private && s->conf->tls_session_reuse != TLS_REUSE_OFF)
		tls_ticket(s->ctl.tls);
}

void
control_send_reply(struct session *s)
{
	struct reply *r = &s->ctl.reply;

	size_t len = r->len;
	const char *wire = names_reply(s, r->buf, &len);

	log_debug("> %.*s", (int)r->len - 2, r->buf);
	control_send(s, wire, len);
}

void
reply(struct session *s, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	reply_vsingle(&s->ctl.reply, code, fmt, ap);
	va_end(ap);
	control_send_reply(s);
}

const char *
control_reason(int error)
{
	switch (error) {
	case ENOENT:
		return "No such file or directory";
	case EACCES:
	case EPERM:
		return "Permission denied";
	case EKEYREJECTED:
		return "Such a name is not allowed here (PathDeny)";
	case EROFS:
		return "This server is read-only";
	case EEXIST:
		return "It exists already and may not be overwritten";
	case ENOTEMPTY:
		return "The directory is not empty";
	case ENOTDIR:
		return "Not a directory";
	case EISDIR:
		return "It is a directory";
	case EINVAL:
		return "Not a regular file";
	case ELOOP:
		return "Too many symbolic links, or one that leads outside";
	case EXDEV:
		return "It leads outside or to another file system";
	case ENAMETOOLONG:
		return "The name is too long: 255 bytes of UTF-8 are the limit";
	case ENOSPC:
		return "The disk is full";
	case EDQUOT:
		return "The disk quota is used up";
	case EFBIG:
		return "The file would become too large";
	case EMFILE:
	case ENFILE:
		return "The server has too many files open, try again later";
	case ETXTBSY:
	case EBUSY:
		return "It is in use, try again later";
	default:
		return strerror(error);
	}
}

void
reply_errno(struct session *s, int code, const char *what)
{
	reply(s, code, "%s: %s.", what, control_reason(errno));
}
