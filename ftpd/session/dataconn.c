/*
 * The data connection.
 */
#include "dataconn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "activeport.h"
#include "ask.h"
#include "log.h"
#include "session.h"
#include "tls.h"

/* How many data connections one listener serves: then a client has other ports to connect to. */
#define SERVES 64

/* How long, in milliseconds, a listener waits for the next PASV or EPSV. */
#define KEPT 500

void
dataconn_forget(struct session *s)
{
	if (s->port.fd != -1)
		close(s->port.fd);
	s->port.kind = PORT_NONE;
	s->port.fd = -1;
}

/* A port that is kept must not be missed by others, nor forwarded by the router for nobody. */
static bool
may_keep(const struct conf *c)
{
	const unsigned ports = portlist_count(&c->passive_ports);

	return c->port_mapping == PORT_MAPPING_OFF && (ports == 0 || c->max_clients <= ports);
}

/* The listener has served; its next PASV may come soon. */
static void
keep(struct session *s)
{
	struct passive *p = &s->port.passive;

	if (++p->served >= SERVES || !may_keep(s->conf))
		return;
	p->kept = s->port.fd;
	p->until = clock_ms() + KEPT;
	s->port.fd = -1;
}

static void
drop_kept(struct passive *p)
{
	if (p->kept != -1)
		close(p->kept);
	p->kept = -1;
}

void
dataconn_end(struct session *s)
{
	dataconn_forget(s);
	drop_kept(&s->port.passive);
}

int64_t
dataconn_keeps(struct session *s)
{
	struct passive *p = &s->port.passive;

	if (p->kept == -1)
		return NEVER;
	if (clock_ms() < p->until)
		return p->until;
	drop_kept(p);
	return NEVER;
}

/* The kept listener goes on; not if somebody has come to it, since nobody was told of its port. */
static bool
take_kept(struct session *s, bool extended)
{
	struct passive *p = &s->port.passive;

	if (p->kept == -1 || p->extended != extended || session_is_ready(s, p->kept))
		return false;
	s->port.fd = p->kept;
	p->kept = -1;
	return true;
}

bool
dataconn_listen(struct session *s, bool extended)
{
	struct passive *p = &s->port.passive;

	dataconn_forget(s);
	if (!take_kept(s, extended)) {
		drop_kept(p);
		s->port.fd = ask_listen(s, extended, &p->announce, &p->here);
		p->extended = extended;
		p->served = 0;
	}
	if (s->port.fd != -1)
		s->port.kind = PORT_PASSIVE;
	return s->port.fd != -1;
}

/* How long a connection may take to come about. */
static unsigned
patience(const struct session *s)
{
	unsigned stalled = s->conf->timeout_stalled;

	return stalled != 0 && stalled < DATACONN_SECONDS ? stalled : DATACONN_SECONDS;
}

/* A connection that did not come about because of the client or the time, told to the client. */
static void
tell(struct session *s, enum wait_result why)
{
	unsigned seconds = patience(s);

	if (why == WAIT_ABORTED) {
		reply(s, 426, "The transfer was aborted before its data connection was made.");
		reply(s, 226, "ABOR: done.");
	} else if (why == WAIT_TIMED_OUT && s->port.kind == PORT_PASSIVE) {
		const struct passive *p = &s->port.passive;

		reply(s, 425, "No data connection came to port %u within %u seconds. Is it forwarded by "
		              "the server's router?", p->announce.port, seconds);
		log_notice("no data connection came to port %u within %u seconds: forward it on the "
		           "router to port %u here (PassivePorts). If it is, a router's FTP helper "
		           "(ALG) may have changed the reply: switch it off", p->announce.port, seconds,
		    p->here);
	} else if (why == WAIT_TIMED_OUT) {
		reply(s, 425, "Your port %u did not answer within %u seconds. Behind a router or "
		              "firewall, use passive mode.", s->port.port, seconds);
	}
}

/* Accepts the first connection from the control peer's host; strangers are dropped. */
static int
accept_peer(struct session *s, int64_t deadline)
{
	for (;;) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct netaddr from;
		char text[NETADDR_TEXT];
		enum wait_result w;
		/* most clients have connected before they send the command */
		int fd = accept4(s->port.fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd == -1) { /* not yet, or gone again, or a passing shortage: the deadline bounds it */
			if ((w = session_wait(s, s->port.fd, POLLIN, deadline)) == WAIT_READY)
				continue;
			tell(s, w);
			return -1;
		}
		netaddr_from_sockaddr(&from, (struct sockaddr *)&ss);
		if (netaddr_same_host(&from, &s->client->peer))
			return fd;
		log_notice("dropped a stranger's data connection from %s", netaddr_text(&from, text));
		close(fd);
	}
}

/* The monitor begins to connect to the client's port; -1 after the refusal has been sent. */
static int
begin_connect(struct session *s)
{
	int fd = ask_connect(s, s->port.port);

	if (fd == -1 && (errno == EADDRINUSE || errno == EADDRNOTAVAIL || errno == EACCES)) {
		char from[ACTIVEPORT_TEXT];

		reply(s, 425, "No data connection can leave now (ActivePort %s): %s. Try again, or use "
		              "passive mode.", activeport_text(s->conf->active_port, from), strerror(errno));
		return -1;
	}
	if (fd == -1) {
		reply(s, 425, "No connection to your port %u: %s. Use passive mode.", s->port.port,
		    strerror(errno));
		return -1;
	}
	return fd;
}

/* Connects to the client's port; the monitor begins it, we wait for the end. */
static int
connect_peer(struct session *s, int64_t deadline)
{
	int fd = s->port.fd != -1 ? s->port.fd : begin_connect(s);
	int error = 0;
	socklen_t len = sizeof(error);
	enum wait_result w;

	s->port.fd = -1;
	if (fd == -1)
		return -1;
	w = session_wait(s, fd, POLLOUT, deadline);
	if (w != WAIT_READY) {
		tell(s, w);
		close(fd);
		return -1;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		reply(s, 425, "No connection to your port %u: %s. Behind a router or firewall, use "
		              "passive mode.", s->port.port, strerror(error));
		close(fd);
		return -1;
	}
	return fd;
}

bool
dataconn_agreed(struct session *s)
{
	if (s->port.kind != PORT_NONE)
		return true;
	reply(s, 425, "No data connection was agreed on: send PASV, EPSV, PORT or EPRT first.");
	return false;
}

bool
dataconn_begin(struct session *s)
{
	if (s->port.kind != PORT_ACTIVE)
		return true;
	if ((s->port.fd = begin_connect(s)) != -1)
		return true;
	dataconn_forget(s);
	return false;
}

int
dataconn_open(struct session *s)
{
	int64_t deadline = deadline_in(patience(s));
	int fd = -1;

	switch (s->port.kind) {
	case PORT_NONE:
		(void)dataconn_agreed(s);
		break;
	case PORT_PASSIVE:
		fd = accept_peer(s, deadline);
		if (fd != -1)
			keep(s);
		break;
	case PORT_ACTIVE:
		fd = connect_peer(s, deadline);
		break;
	}
	dataconn_forget(s);
	return fd;
}

/* TLSSessionReuse: who resumes the control connection's session has proved to be the same client. */
static bool
is_same_client(struct session *s, const struct tls *t)
{
	const bool required = s->conf->tls_session_reuse == TLS_REUSE_REQUIRED;

	if (s->conf->tls_session_reuse == TLS_REUSE_OFF || tls_resumed(t))
		return true;
	if (required)
		reply(s, 425, "The data connection must resume the control connection's TLS session "
		              "(TLSSessionReuse).");
	if (!s->reuse_told)
		log_info("the client's data connection has not resumed the TLS session%s",
		    required ? ": refused (TLSSessionReuse)" : "");
	s->reuse_told = true;
	return !required;
}

/* The handshake did not come about. */
static void
tell_tls(struct session *s, enum wait_result why)
{
	if (why == WAIT_ABORTED) {
		reply(s, 426, "The transfer was aborted before its data connection was encrypted.");
		reply(s, 226, "ABOR: done.");
	} else if (why == WAIT_TIMED_OUT) {
		reply(s, 425, "The TLS handshake of the data connection did not end within %u seconds.",
		    patience(s));
	} else if (why == WAIT_READY) {
		reply(s, 425, "The TLS handshake of the data connection failed: %s.", tls_reason());
		log_notice("TLS handshake of a data connection failed: %s", tls_reason());
	}
}

struct tls *
dataconn_secure(struct session *s, int fd)
{
	int64_t deadline = deadline_in(patience(s));
	struct tls *t = tls_new(fd, true);
	enum wait_result w = WAIT_READY;

	if (t == NULL) {
		reply(s, 425, "No TLS for the data connection: %s.", strerror(errno));
		return NULL;
	}
	while (tls_handshake(t) == -1) {
		if (errno != EAGAIN || (w = session_wait(s, fd, tls_wants(t), deadline)) != WAIT_READY) {
			tell_tls(s, w);
			tls_free(t);
			return NULL;
		}
	}
	if (is_same_client(s, t))
		return t;
	tls_free(t);
	return NULL;
}
