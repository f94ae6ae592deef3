/*
 * Sockets for data connections.
 */
#include "dataport.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "activeport.h"
#include "caps.h"
#include "log.h"
#include "monitor.h"
#include "upload.h"
#include "portrange.h"
#include "request.h"

/* More than one: a stranger may come first and must not take the client's place. */
#define BACKLOG 8

/* The first port that needs no privilege. */
#define UNPRIVILEGED 1024

/* How often the active port is tried again, and the milliseconds in between. */
#define ACTIVE_TRIES 3
#define ACTIVE_PAUSE 50

/* The longest line of the gateway. */
#define GATEWAY_LINE 256

static void
close_quietly(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

/* A socket on the control connection's local address and this port; -1 with errno. */
static int
local_socket(const struct monitor *m, uint16_t port)
{
	struct netaddr local = m->client->local;
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, on = 1;

	local.port = port;
	if ((len = netaddr_to_sockaddr(&local, &ss)) == 0) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	fd = socket(local.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* never SO_REUSEPORT: another process could take connections that are ours */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&ss, len) == -1) {
		close_quietly(fd);
		return -1;
	}
	return fd;
}

/*
 * bind and listen are one attempt: with SO_REUSEADDR two sockets may be bound to
 * a port and only listen(2) tells which of them has it.
 */
static int
listen_on(const struct monitor *m, uint16_t port)
{
	int fd = local_socket(m, port);

	if (fd == -1 || listen(fd, BACKLOG) == 0)
		return fd;
	close_quietly(fd);
	return -1;
}

/* A listening socket on some port of PassivePorts; -1 with errno. */
static int
listen_somewhere(const struct monitor *m)
{
	struct portwalk walk;
	uint16_t port;
	int fd = -1;

	if (m->conf->passive_ports.n == 0)
		return listen_on(m, 0);
	if (portwalk_begin(&walk, &m->conf->passive_ports) == -1)
		return -1;
	errno = EADDRINUSE;
	while (fd == -1 && (port = portwalk_next(&walk)) != 0) {
		fd = listen_on(m, port);
		/* EACCES: SELinux has given this port to another service */
		if (fd == -1 && errno != EADDRINUSE && errno != EACCES)
			break;
	}
	if (fd == -1 && errno == EACCES)
		errno = EADDRINUSE;
	portwalk_end(&walk);
	return fd;
}

static void
masquerade_failed(struct monitor *m, const char *why)
{
	char local[NETADDR_TEXT];

	if (m->masquerade_told)
		return;
	m->masquerade_told = true;
	log_warnx("MasqueradeAddress %s: %s. The local address %s is announced instead, which "
		  "passive clients outside cannot reach: check the name and the name server, or "
		  "let them use EPSV or PORT",
	    m->conf->masquerade.name, why, netaddr_text(&m->client->local, local));
}

/*
 * An address to tell everybody is public. A private one is for private peers (a
 * VPN that is not in LocalNetworks) and useless to all others.
 */
static bool
may_announce(const struct monitor *m, const struct netaddr *addr)
{
	enum netaddr_reach reach = netaddr_reach(addr);

	if (reach == NETADDR_PUBLIC)
		return true;
	if (reach == NETADDR_UNSPECIFIED || reach == NETADDR_MULTICAST)
		return false;
	return netaddr_reach(&m->client->peer) != NETADDR_PUBLIC;
}

/* "address A.B.C.D" or "failed WORDS" */
static void
take_answer(struct monitor *m, const char *line)
{
	static const char good[] = "address ", bad[] = "failed ";
	struct netaddr addr;
	char why[128];

	if (strncmp(line, bad, strlen(bad)) == 0) {
		masquerade_failed(m, line + strlen(bad));
	} else if (strncmp(line, good, strlen(good)) != 0 ||
	    netaddr_parse(line + strlen(good), &addr) == -1 || addr.family != AF_INET) {
		masquerade_failed(m, "the gateway process gave no answer");
	} else if (!may_announce(m, &addr)) {
		snprintf(why, sizeof(why), "it is %s", netaddr_reach_text(netaddr_reach(&addr)));
		masquerade_failed(m, why);
	} else {
		m->announce = addr;
	}
}

/* Waits until the gateway has something to say; false when the time has passed. */
static bool
await_gateway(const struct monitor *m)
{
	struct pollfd p = { .fd = m->gateway, .events = POLLIN };
	int64_t until = m->began + (int64_t)m->conf->masquerade_timeout * 1000, left;
	int n;

	do {
		left = until - monitor_clock();
		n = poll(&p, 1, left < 0 ? 0 : (int)left);
	} while (n == -1 && errno == EINTR);
	return n > 0;
}

/*
 * Reads the gateway's line, once. A gateway that is late is asked again, without
 * waiting, by the next PASV.
 */
static void
ask_gateway(struct monitor *m)
{
	char line[GATEWAY_LINE];
	char *end = NULL;
	size_t len = 0;
	ssize_t n;

	do {
		if (!await_gateway(m)) {
			masquerade_failed(m, "no answer came within MasqueradeTimeout");
			if (len == 0)
				return;
			break;
		}
		if ((n = read(m->gateway, line + len, sizeof(line) - len)) > 0) {
			end = memchr(line + len, '\n', (size_t)n);
			len += (size_t)n;
		}
	} while (n > 0 && end == NULL && len < sizeof(line));
	close(m->gateway);
	m->gateway = -1;

	/* half a line could be half an address */
	if (end == NULL)
		end = line;
	*end = '\0';
	take_answer(m, line);
}

static const struct netaddr *
address_to_announce(struct monitor *m)
{
	switch (m->client->lan ? MASQUERADE_NONE : m->conf->masquerade.kind) {
	case MASQUERADE_NONE:
		break;
	case MASQUERADE_ADDRESS:
		return &m->conf->masquerade.addr;
	case MASQUERADE_HOST:
		if (m->gateway != -1)
			ask_gateway(m);
		else if (m->announce.family == AF_UNSPEC)
			masquerade_failed(m, "there is no gateway process to look it up");
		if (m->announce.family != AF_UNSPEC)
			return &m->announce;
		break;
	}
	return &m->client->local;
}

/* The port a socket has got; 0 with errno. */
static uint16_t
port_of(int fd)
{
	struct sockaddr_storage ss;
	struct netaddr addr;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return 0;
	netaddr_from_sockaddr(&addr, (struct sockaddr *)&ss);
	return addr.port;
}

int
dataport_listen(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	struct netaddr *announce = &ans->listen.announce;
	uint16_t port;
	int sock, error;

	if (!req->listen.extended && m->client->local.family != AF_INET)
		return EAFNOSUPPORT;
	if ((sock = listen_somewhere(m)) == -1) {
		error = errno;
		if (error == EADDRINUSE)
			log_warnx("all of PassivePorts are in use: give more of them, and forward "
				  "them on the router");
		return error;
	}
	if ((port = port_of(sock)) == 0) {
		error = errno;
		close(sock);
		return error;
	}
	*announce = req->listen.extended ? m->client->local : *address_to_announce(m);
	announce->port = port;
	*fd = sock;
	return 0;
}

/* A socket bound to the source port, by the one capability that is left to us. */
static int
active_socket(const struct monitor *m, uint16_t port)
{
	int fd, saved;

	if (!m->root || port == 0 || port >= UNPRIVILEGED)
		return local_socket(m, port);
	upload_name(m);
	if (caps_raise(CAPS_NET_BIND_SERVICE) == -1) {
		errno = EACCES;
		return -1;
	}
	fd = local_socket(m, port);
	saved = errno;
	if (caps_raise(0) == -1)
		log_warn("lowering a capability");
	errno = saved;
	return fd;
}

/* A socket that is connecting from this source port (0: any); -1 with errno. */
static int
connect_from(const struct monitor *m, uint16_t source, const struct netaddr *to)
{
	struct sockaddr_storage ss;
	socklen_t len = netaddr_to_sockaddr(to, &ss);
	int fd = active_socket(m, source);

	if (fd == -1 || connect(fd, (struct sockaddr *)&ss, len) == 0 || errno == EINPROGRESS)
		return fd;
	close_quietly(fd);
	return -1;
}

/* True for what another source port can cure. */
static bool
is_about_the_source(int error)
{
	return error == EADDRNOTAVAIL || error == EADDRINUSE;
}

static void
active_port_failed(struct monitor *m, uint16_t port, int error)
{
	if (m->port_told)
		return;
	m->port_told = true;
	log_notice("ActivePort %u cannot be had (%s): data connections leave from another port, "
		   "which some client firewalls refuse",
	    port, strerror(error));
}

int
dataport_connect(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	uint16_t source = activeport_for(m->conf->active_port, m->client->local.port);
	struct netaddr to = m->client->peer;
	int sock, i;

	(void)ans;
	if (req->connect.port < UNPRIVILEGED)
		return EINVAL;
	to.port = req->connect.port;
	sock = connect_from(m, source, &to);
	/* the last connection between these two ports may be closing just now */
	for (i = 0; sock == -1 && is_about_the_source(errno) && source != 0 && i < ACTIVE_TRIES;
	     i++) {
		monitor_delay(m, ACTIVE_PAUSE);
		sock = connect_from(m, source, &to);
	}
	if (sock == -1 && source != 0 && (is_about_the_source(errno) || errno == EACCES)) {
		active_port_failed(m, source, errno);
		sock = connect_from(m, 0, &to);
	}
	if (sock == -1)
		return errno;
	*fd = sock;
	return 0;
}
