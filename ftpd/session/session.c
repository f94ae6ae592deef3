/*
 * The session's life: one line after another, and the one wait that everything
 * shares.
 */
#include "session.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "command.h"
#include "dataconn.h"
#include "facts.h"
#include "handover.h"
#include "hash.h"
#include "log.h"
#include "tls.h"
#include "transfer.h"

/* How long a reply may wait for a client that does not read, in seconds. */
#define REPLY_SECONDS 60

int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
deadline_in(unsigned seconds)
{
	return seconds == 0 ? NEVER : clock_ms() + (int64_t)seconds * 1000;
}

/* The moment that lies seconds after since; 0 seconds is NEVER. */
static int64_t
deadline_after(int64_t since, unsigned seconds)
{
	return seconds == 0 ? NEVER : since + (int64_t)seconds * 1000;
}

/*
 * The monitor has been told to end the connection (genkanctl kick), or has come to
 * grief. The client is told, unless that would take waiting for it.
 */
void
session_monitor_gone(struct session *s)
{
	log_debug("the monitor has ended the connection");
	if (!s->speechless) {
		s->speechless = true;
		reply(s, 421, "This server ends the connection. Goodbye.");
	}
	_exit(0);
}

/* When something is due that has been put off, which this does once its time has come. */
static int64_t
put_off(struct session *s)
{
	int64_t kept = dataconn_keeps(s), told = s->ended_due == NEVER ? NEVER : ask_keeps(s);

	return kept < told ? kept : told;
}

/*
 * The only poll(2), for one or two descriptors. Returns how many are ready, 0
 * when the deadline has passed. A monitor that has gone ends the session here.
 */
static int
poll_until(struct session *s, struct pollfd *fds, nfds_t n, int64_t deadline)
{
	struct pollfd p[3] = { { .fd = s->monitor } }; /* no events: its hang-up alone */

	for (nfds_t i = 0; i < n; i++)
		if (fds[i].fd == s->ctl.in && (fds[i].events & POLLIN) && control_pending(&s->ctl)) {
			fds[i].revents = POLLIN;
			return 1;
		}
	memcpy(p + 1, fds, n * sizeof(*fds));
	for (;;) {
		int64_t due = put_off(s), end = due < deadline ? due : deadline;
		int64_t left = end == NEVER ? -1 : end - clock_ms();
		int ready;

		if (end != NEVER && left < 0)
			left = 0;
		ready = poll(p, n + 1, left > INT_MAX ? INT_MAX : (int)left);
		if (ready == -1 && errno != EINTR)
			fatal("poll");
		if (p[0].revents != 0)
			session_monitor_gone(s);
		if (ready > 0)
			memcpy(fds, p + 1, n * sizeof(*fds));
		if (ready > 0 || (ready == 0 && end == deadline && left <= INT_MAX))
			return ready;
	}
}

/* How long a reply may stand still. */
static unsigned
reply_patience(const struct session *s)
{
	unsigned stalled = s->conf->timeout_stalled;

	return stalled != 0 && stalled < REPLY_SECONDS ? stalled : REPLY_SECONDS;
}

bool
session_wait_writable(struct session *s)
{
	struct pollfd p = { .fd = s->ctl.out, .events = POLLOUT };
	int ready;

	s->speechless = true;
	ready = poll_until(s, &p, 1, deadline_in(reply_patience(s)));
	s->speechless = false;
	return ready == 1 && (p.revents & POLLOUT);
}

/* Takes the next line; one that cannot be a command is answered here. */
static enum linebuf_result
next_line(struct session *s, char **line)
{
	enum linebuf_result result = linebuf_next(&s->ctl.lines, line);

	if (result == LINEBUF_TOO_LONG)
		reply(s, 500, "This line is longer than %d bytes and was ignored.", LINEBUF_LINE);
	else if (result == LINEBUF_NUL)
		reply(s, 501, "This line holds a NUL byte and was ignored.");
	return result;
}

/* Answers what may be answered during a transfer, up to the first line that must wait. */
static void
serve_during_transfer(struct session *s)
{
	const char *next;
	size_t len;
	char *line;

	while (!s->ctl.broken && !(s->xfer != NULL && s->xfer->abort) &&
	       linebuf_peek(&s->ctl.lines, &next, &len) && command_in_transfer(next, len)) {
		if (next_line(s, &line) == LINEBUF_LINE_OK)
			command_dispatch(s, line);
	}
}

/* True while lines are queued that have to be served before the end of the connection counts. */
static bool
lines_are_queued(const struct session *s)
{
	const char *line;
	size_t len;

	return linebuf_peek(&s->ctl.lines, &line, &len);
}

bool
session_client_gone(struct session *s)
{
	struct pollfd p = { .fd = s->ctl.in, .events = POLLIN };

	if (!s->ctl.eof && !s->ctl.broken && linebuf_space(&s->ctl.lines) > 0 &&
	    poll_until(s, &p, 1, clock_ms()) == 1)
		control_read(&s->ctl);
	return s->ctl.broken || (s->ctl.eof && !lines_are_queued(s));
}

bool
session_is_ready(struct session *s, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll_until(s, &p, 1, clock_ms()) == 1;
}

enum wait_result
session_wait(struct session *s, int fd, short events, int64_t deadline)
{
	int64_t end = deadline_after(s->began, s->conf->timeout_session);

	for (;;) {
		struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = -1 } };

		/* also what came together with the transfer's own command */
		serve_during_transfer(s);
		if (s->xfer != NULL && s->xfer->abort)
			return WAIT_ABORTED;
		/* RFC 959 4.1.1: a lost control connection aborts, but QUIT waits its turn */
		if (s->ctl.broken || (s->ctl.eof && !lines_are_queued(s)))
			return WAIT_CLOSED;
		if (!s->ctl.eof && linebuf_space(&s->ctl.lines) > 0)
			p[1] = (struct pollfd){ .fd = s->ctl.in, .events = POLLIN };
		poll_until(s, p, 2, deadline < end ? deadline : end);
		if (p[1].revents != 0)
			control_read(&s->ctl);
		if (clock_ms() >= end) {
			reply(s, 421, "This session has lasted %u seconds, its limit. Goodbye.",
			    s->conf->timeout_session);
			s->quit = true;
			return WAIT_CLOSED;
		}
		if (p[0].revents != 0)
			return WAIT_READY;
		/* the clock counts, not poll's answer: a flood of NOOP must not extend the wait */
		if (clock_ms() >= deadline)
			return WAIT_TIMED_OUT;
	}
}

struct time_limit {
	int64_t deadline;
	const char *words; /* with %u for the seconds */
	unsigned seconds;
};

/* Of the limits that run while a command is awaited, the one that ends first. */
static struct time_limit
nearest_limit(const struct session *s)
{
	const struct conf *c = s->conf;
	const struct time_limit limits[] = {
		{ deadline_in(s->idle), "No command for %u seconds", s->idle },
		{ deadline_after(s->began, c->timeout_session),
		    "This session has lasted %u seconds, its limit", c->timeout_session },
		{ s->login == LOGIN_DONE ? NEVER : deadline_after(s->began, c->timeout_login),
		    "No login within %u seconds", c->timeout_login },
		{ s->login != LOGIN_DONE
		        ? NEVER
		        : deadline_after(s->last_transfer, c->timeout_no_transfer),
		    "No transfer for %u seconds", c->timeout_no_transfer },
	};
	struct time_limit nearest = limits[0];

	for (size_t i = 1; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].deadline < nearest.deadline)
			nearest = limits[i];
	return nearest;
}

static void
say_time_is_up(struct session *s, const struct time_limit *limit)
{
	char words[128];

	snprintf(words, sizeof(words), limit->words, limit->seconds);
	reply(s, 421, "%s. Goodbye.", words);
	log_info("%s: closed", words);
}

char *
session_line(struct session *s)
{
	struct time_limit limit = nearest_limit(s);
	char *line;

	while (!s->quit && !s->ctl.broken) {
		struct pollfd p = { .fd = s->ctl.in, .events = POLLIN };

		switch (next_line(s, &line)) {
		case LINEBUF_LINE_OK:
			return line;
		case LINEBUF_TOO_LONG:
		case LINEBUF_NUL:
			continue;
		case LINEBUF_NONE:
			break;
		}
		if (s->ctl.eof)
			return NULL;
		if (poll_until(s, &p, 1, limit.deadline) == 0) {
			say_time_is_up(s, &limit);
			return NULL;
		}
		control_read(&s->ctl);
	}
	return NULL;
}

/* The handshake of the control connection; within TimeoutLogin, which no byte extends. */
static bool
handshake(struct session *s)
{
	int64_t deadline = deadline_after(s->began, s->conf->timeout_login);
	char peer[NETADDR_TEXT];

	netaddr_text(&s->client->peer, peer);
	if ((s->ctl.tls = tls_new(s->ctl.in, false)) == NULL)
		return false;
	while (tls_handshake(s->ctl.tls) == -1) {
		struct pollfd p = { .fd = s->ctl.in, .events = tls_wants(s->ctl.tls) };

		if (errno != EAGAIN) {
			log_notice("TLS handshake with %s failed: %s", peer, tls_reason());
			return false;
		}
		if (poll_until(s, &p, 1, deadline) == 0) {
			log_notice("TLS handshake with %s did not end within %u s", peer,
			    s->conf->timeout_login);
			return false;
		}
	}
	log_info("%s with %s%s%s", tls_text(s->ctl.tls), peer,
	    tls_client_name(s->ctl.tls) != NULL ? ", whose certificate is for " : "",
	    tls_client_name(s->ctl.tls) != NULL ? tls_client_name(s->ctl.tls) : "");
	return true;
}

/* AUTH TLS, or implicit TLS: what the handover says, and then TLS. */
static bool
go_on(struct session *s, const struct handover *from)
{
	s->began = from->began;
	s->params.type = from->said.type == TYPE_IMAGE ? TYPE_IMAGE : TYPE_ASCII;
	s->params.private = from->said.private;
	s->names.told = from->said.names_told;
	s->names.legacy = s->names.legacy && from->said.names_legacy;
	strlcpy(s->host, from->said.host, sizeof(s->host));
	if (!from->implicit)
		reply(s, 234, "TLS begins now.");
	if (!handshake(s))
		return false;
	if (from->implicit)
		reply(s, 220, "%s", s->conf->server_ident);
	return true;
}

void
session_run(const struct conf *conf, const struct client *client, int monitor,
    const struct handover *from)
{
	static struct session s; /* its buffers are too large for a stack frame */
	char *line;

	/* up to the buffers: they are zeros already, and each page that is written costs */
	memset(&s, 0, offsetof(struct session, ctl));
	s.conf = conf;
	s.client = client;
	s.port.fd = s.port.passive.kept = -1;
	s.ended_due = NEVER;
	s.monitor = monitor;
	s.params.length = -1;
	s.params.facts = FACT_DEFAULT;
	s.params.hash = HASH_SHA256;
	s.params.umask_file = conf->umask_file;
	s.params.umask_dir = conf->umask_dir;
	s.idle = conf->timeout_idle;
	s.began = clock_ms();
	strlcpy(s.directory, "/", sizeof(s.directory));
	names_begin(&s);
	control_init(&s.ctl, client->in, client->out, client->socket);
	if (from == NULL || go_on(&s, from))
		while ((line = session_line(&s)) != NULL)
			command_dispatch(&s, line);
	if (s.ended_due != NEVER)
		ask_flush(&s);
	dataconn_end(&s);
	control_end(&s.ctl);
}
