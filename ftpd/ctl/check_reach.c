/*
 * The forward, tried from inside through the router's hairpin: connect to the address outside and
 * see whether it is this very process that answers. A router that does not loop back leaves the
 * question open: then a phone outside is the judge (check --wait).
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "asking.h"

#define TRIED_MAX 64
#define TRY_MS    3000
#define NONCE     17 /* hexadecimal digits and NUL */

enum fate { WAITING, REACHED, ELSEWHERE, UNREACHED };

/* One port: a listener of ours, and a connection to it from outside. */
struct attempt {
	uint16_t port, external;
	int listener, client, server;
	bool sent;
	char got[NONCE];
	size_t n;
	enum fate fate;
};

struct tries {
	struct attempt at[TRIED_MAX];
	unsigned n;
	char nonce[NONCE];
};

static int
listen_on(uint16_t port)
{
	struct sockaddr_storage ss;
	struct netaddr any;
	socklen_t len;
	int on = 1, fd;

	(void)netaddr_parse("0.0.0.0", &any);
	any.port = port;
	len = netaddr_to_sockaddr(&any, &ss);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&ss, len) == -1 || listen(fd, 4) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
connect_to(const struct netaddr *host, uint16_t port)
{
	struct sockaddr_storage ss;
	struct netaddr to = *host;
	socklen_t len;
	int fd;

	to.port = port;
	len = netaddr_to_sockaddr(&to, &ss);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&ss, len) == -1 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
add(struct check *c, struct tries *t, uint16_t port, uint16_t external)
{
	struct attempt *a = &t->at[t->n];

	if (t->n == TRIED_MAX)
		return;
	*a = (struct attempt){ .port = port, .external = external, .client = -1, .server = -1 };
	/* in use: by a session, or by another program, which was told already */
	if ((a->listener = listen_on(port)) == -1)
		return;
	a->client = connect_to(&c->outside, external);
	a->fate = a->client == -1 ? UNREACHED : WAITING;
	t->n++;
}

/* What has happened to the connection of the client. */
static void
step_client(struct tries *t, struct attempt *a, short events)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (events == 0 || a->sent)
		return;
	if (getsockopt(a->client, SOL_SOCKET, SO_ERROR, &error, &len) == -1 || error != 0) {
		a->fate = UNREACHED;
		return;
	}
	a->sent = send(a->client, t->nonce, NONCE - 1, MSG_NOSIGNAL) == NONCE - 1;
	if (!a->sent)
		a->fate = UNREACHED;
}

/* Somebody has come to our listener: is it us? Who sends another word is dropped. */
static void
step_server(struct tries *t, struct attempt *a)
{
	ssize_t n;

	if (a->server == -1) {
		a->server = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		a->n = 0;
	}
	if (a->server == -1)
		return;
	n = recv(a->server, a->got + a->n, NONCE - 1 - a->n, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	a->n += n > 0 ? (size_t)n : 0;
	if (a->n == NONCE - 1 && memcmp(a->got, t->nonce, NONCE - 1) == 0) {
		a->fate = REACHED;
	} else if (n <= 0 || a->n == NONCE - 1) {
		close(a->server);
		a->server = -1;
	}
}

static void
run(struct tries *t)
{
	const int64_t until = asking_clock() + TRY_MS;
	struct pollfd fds[2 * TRIED_MAX];
	unsigned waiting = 1;

	while (waiting > 0 && asking_clock() < until) {
		waiting = 0;
		for (unsigned i = 0; i < t->n; i++) {
			struct attempt *a = &t->at[i];
			const bool on = a->fate == WAITING;

			fds[2 * i] = (struct pollfd){ .fd = on && !a->sent ? a->client : -1,
				.events = POLLOUT };
			fds[2 * i + 1] = (struct pollfd){ .fd = !on ? -1
				    : a->server != -1               ? a->server
								    : a->listener,
				.events = POLLIN };
			waiting += on;
		}
		if (waiting == 0 || poll(fds, 2 * t->n, (int)(until - asking_clock())) <= 0)
			break;
		for (unsigned i = 0; i < t->n; i++) {
			step_client(t, &t->at[i], fds[2 * i].revents);
			if (fds[2 * i + 1].revents != 0 && t->at[i].fate == WAITING)
				step_server(t, &t->at[i]);
		}
	}
	for (unsigned i = 0; i < t->n; i++)
		if (t->at[i].fate == WAITING)
			/* connected, but not to us */
			t->at[i].fate = t->at[i].sent ? ELSEWHERE : UNREACHED;
}

static void
close_all(struct tries *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		close(t->at[i].listener);
		if (t->at[i].client != -1)
			close(t->at[i].client);
		if (t->at[i].server != -1)
			close(t->at[i].server);
	}
}

/* The ports with this fate, as text. */
static unsigned
list(const struct tries *t, enum fate fate, char text[static PORTLIST_TEXT])
{
	struct portlist ports = { 0 };

	for (unsigned i = 0; i < t->n; i++)
		if (t->at[i].fate == fate)
			(void)portlist_add(&ports, t->at[i].external);
	portlist_text(&ports, text);
	return portlist_count(&ports);
}

/* control: of the port that the service listens on; WAITING if nobody does. */
static void
say(struct check *c, const struct tries *t, enum fate control)
{
	char outside[NETADDR_TEXT], reached[PORTLIST_TEXT], not [PORTLIST_TEXT],
	    other[PORTLIST_TEXT];
	const unsigned good = list(t, REACHED, reached), bad = list(t, UNREACHED, not );

	netaddr_text(&c->outside, outside);
	if (list(t, ELSEWHERE, other) > 0)
		check_say(c, "forward-elsewhere", outside, other, NULL);
	if (control == ELSEWHERE)
		check_say(c, "forward-control-elsewhere", outside,
		    check_number(c->control.range[0].min), NULL);
	if (control == REACHED)
		check_say(
		    c, "forward-control", outside, check_number(c->control.range[0].min), NULL);
	if (good > 0)
		check_say(c, "forward-ok", outside, reached, NULL);
	/* where one port comes back, the router does loop back, and the others are not forwarded */
	if (bad > 0 && (good > 0 || control == REACHED))
		check_say(c, "forward-missing", outside, not, NULL);
	if (good > 0 && control == UNREACHED)
		check_say(
		    c, "forward-missing", outside, check_number(c->control.range[0].min), NULL);
	if (good == 0 && (bad > 0 || control == UNREACHED) && control != REACHED)
		check_say(c, "forward-unknown", outside, NULL);
}

/* Established connections to the port here. */
static unsigned
count_connections(struct check *c, uint16_t port)
{
	static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char *text = host_read(c, tables[i]), *line, *rest = text;
		unsigned local, state;

		while ((line = strsep(&rest, "\n")) != NULL)
			n += sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &local,
				 &state) == 2 &&
			    state == 1 && local == port;
		free(text);
	}
	return n;
}

struct search {
	uint16_t port;
	bool found;
};

static void
take_listener(void *arg, const struct listener *l)
{
	struct search *s = arg;

	s->found |= l->port == s->port;
}

static bool
is_listened_on(struct check *c, uint16_t port)
{
	struct search s = { port, false };

	host_listeners(c, take_listener, &s);
	return s.found;
}

/* The port on which the service listens already: does a connection from outside come to it? */
static enum fate
try_service(struct check *c, uint16_t port)
{
	const unsigned before = count_connections(c, port);
	struct pollfd p = { .fd = connect_to(&c->outside, port), .events = POLLIN };
	enum fate fate = UNREACHED;
	char greeting[4] = "";

	if (p.fd == -1)
		return UNREACHED;
	if (poll(&p, 1, TRY_MS) == 1 && recv(p.fd, greeting, 3, 0) == 3)
		fate = count_connections(c, port) > before ? REACHED : ELSEWHERE;
	close(p.fd);
	return fate;
}

/* The ports to try: all, or of many some, evenly. */
static void
add_passive(struct check *c, struct tries *t)
{
	const struct portlist *ports = &c->conf.passive_ports, *outer = &c->conf.passive_announced;
	const unsigned count = portlist_count(ports), step = count / (TRIED_MAX - 1) + 1;

	for (unsigned i = 0; i < count; i += step)
		add(c, t, portlist_at(ports, i), portlist_at(outer->n > 0 ? outer : ports, i));
}

void
check_reach(struct check *c)
{
	static struct tries t;
	const bool known = c->wan.family == AF_INET && netaddr_reach(&c->wan) == NETADDR_PUBLIC;
	enum fate control = WAITING;

	if (c->root[0] != '\0' || !c->conf_good)
		return;
	c->outside = known ? c->wan : c->announced;
	/* without NAT there is no forward; and what nobody announces nobody can try */
	if (c->outside.family != AF_INET || netaddr_same_host(&c->outside, &c->local))
		return;
	snprintf(t.nonce, sizeof(t.nonce), "%08x%08x", arc4random(), arc4random());
	if (c->control.n > 0 && is_listened_on(c, c->control.range[0].min))
		control = try_service(c, c->control.range[0].min);
	else if (c->control.n > 0)
		add(c, &t, c->control.range[0].min, c->control.range[0].min);
	if (c->conf.port_mapping == PORT_MAPPING_OFF)
		add_passive(c, &t);
	run(&t);
	close_all(&t);
	say(c, &t, control);
	c->service_reached = control == REACHED;
}
