/*
 * Sockets for data connections.
 */
#include "dataport.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "activeport.h"
#include "announce.h"
#include "caps.h"
#include "leases.h"
#include "log.h"
#include "monitor.h"
#include "portrange.h"
#include "request.h"
#include "upload.h"

/* More than one: a stranger may come first and must not take the client's place. */
#define BACKLOG 8

/* The first port that needs no privilege. */
#define UNPRIVILEGED 1024

/* How often a full range is tried, and the milliseconds in between. */
#define RANGE_TRIES 11
#define RANGE_PAUSE 100

/* How often the active port is tried again, and the milliseconds in between. */
#define ACTIVE_TRIES 3
#define ACTIVE_PAUSE 50

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

/* Seconds since the machine was started, the clock of all leases. */
static int64_t
lease_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

static void
range_is_short(struct monitor *m, unsigned held)
{
	const unsigned all = portlist_count(&m->conf->passive_ports);

	if (held * 10 < all * 9)
		return;
	m->range_told = true;
	log_warnx("%u of %u PassivePorts are in use: give more of them, and forward them on the router",
	    held, all);
}

/* Leases a port if there is a list of leases and it has at least this rank; false: the next one. */
static bool
lease(struct monitor *m, uint16_t port, enum lease_rank worst)
{
	const int64_t now = lease_clock();
	enum lease_rank rank;

	if (m->slots == -1)
		return worst == LEASE_HELD;
	rank = leases_rank(m->slots, port, &m->client->peer, now);
	if (rank != worst)
		return false;
	if (rank == LEASE_HELD)
		return true; /* its listener may be closed: listen(2) will tell */
	if (leases_take(m->slots, port, &m->client->peer, now) == -1)
		return false;
	m->lease = port;
	return true;
}

static void
end_lease(struct monitor *m)
{
	if (m->lease != 0)
		leases_release(m->slots, m->lease);
	m->lease = 0;
}

/* One walk through PassivePorts, over the ports of this rank; -1 with errno. */
static int
walk_range(struct monitor *m, enum lease_rank rank)
{
	struct portwalk walk;
	uint16_t port;
	int fd = -1;

	if (portwalk_begin(&walk, &m->conf->passive_ports) == -1)
		return -1;
	errno = EADDRINUSE;
	while (fd == -1 && (port = portwalk_next(&walk)) != 0) {
		if (!lease(m, port, rank)) {
			errno = EADDRINUSE;
			continue;
		}
		fd = listen_on(m, port);
		if (fd == -1) {
			int saved = errno;

			end_lease(m);
			/* EACCES: SELinux has given this port to another service */
			if (saved != EADDRINUSE && saved != EACCES) {
				errno = saved;
				break;
			}
			errno = EADDRINUSE;
		}
	}
	portwalk_end(&walk);
	return fd;
}

/* A listening socket on the best port of PassivePorts; a full range is waited for. -1 with errno. */
static int
listen_somewhere(struct monitor *m)
{
	static const enum lease_rank ranks[] = { LEASE_FREE, LEASE_RECENT, LEASE_HELD };
	int fd = -1;

	if (m->conf->passive_ports.n == 0)
		return listen_on(m, 0);
	for (int i = 0; i < RANGE_TRIES && fd == -1; i++) {
		if (i > 0)
			monitor_delay(m, RANGE_PAUSE);
		for (size_t r = 0; r < sizeof(ranks) / sizeof(ranks[0]) && fd == -1; r++) {
			fd = walk_range(m, ranks[r]);
			if (fd == -1 && errno != EADDRINUSE)
				return -1;
		}
	}
	if (m->slots != -1 && !m->range_told)
		range_is_short(m, leases_count(m->slots, &m->conf->passive_ports) + (m->lease != 0));
	if (fd == -1)
		errno = EADDRINUSE;
	return fd;
}

void
dataport_forget(struct monitor *m)
{
	announce_forget(m);
	end_lease(m);
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
	dataport_forget(m);
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
	announce_passive(m, req->listen.extended, port, announce);
	ans->listen.port = port;
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

/* ActivePort names one port and no other. */
static bool
is_strict(const struct monitor *m)
{
	return m->conf->active_port > 0;
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
	dataport_forget(m);
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
	if (sock == -1 && source != 0 && !is_strict(m) && (is_about_the_source(errno) || errno == EACCES)) {
		active_port_failed(m, source, errno);
		sock = connect_from(m, 0, &to);
	}
	if (sock == -1)
		return errno;
	*fd = sock;
	return 0;
}
