/*
 * The source "DNS", by c-ares: in the process itself, without the resolver of
 * libc, which blocks, searches domains and asks for IPv6 addresses too.
 */
#include "gateway.h"

#include <ares.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define SOCKETS_MAX 24
#define TRIES       4 /* with the wait doubled each time: far beyond the deadline */
#define TURN        5 /* the first wait for a server is this part of all the time there is */
#define TURN_MIN_MS 50

struct source_dns {
	ares_channel channel;
	int timeout_ms;
	bool servers_given;
	size_t n;
	struct pollfd sockets[SOCKETS_MAX]; /* those the library wants to hear of */
	const char *name;
	struct finding *found;
};

static bool
is_lower(const struct netaddr *a, const struct netaddr *b)
{
	return ntohl(a->v4.s_addr) < ntohl(b->v4.s_addr);
}

/* Keeps the lowest ADDRESSES_MAX, in order, each once. */
static void
insert(struct finding *found, const struct netaddr *addr)
{
	size_t i = 0;

	while (i < found->n && is_lower(&found->addrs[i], addr))
		i++;
	if (i == ADDRESSES_MAX || (i < found->n && netaddr_same_host(&found->addrs[i], addr)))
		return;
	if (found->n < ADDRESSES_MAX)
		found->n++;
	memmove(found->addrs + i + 1, found->addrs + i,
	    (found->n - 1 - i) * sizeof(found->addrs[0]));
	found->addrs[i] = *addr;
}

/* The addresses that can be announced, the lowest first; failing that, why the lowest cannot. */
static void
choose(struct source_dns *dns, const struct ares_addrinfo *result)
{
	const struct ares_addrinfo_node *node;
	struct finding *found = dns->found;
	struct netaddr addr, lowest = { .family = AF_UNSPEC };

	for (node = result->nodes; node != NULL; node = node->ai_next) {
		netaddr_from_sockaddr(&addr, node->ai_addr);
		if (addr.family != AF_INET)
			continue;
		addr.port = 0;
		if (netaddr_reach(&addr) == NETADDR_PUBLIC)
			insert(found, &addr);
		else if (lowest.family == AF_UNSPEC || is_lower(&addr, &lowest))
			lowest = addr;
	}
	if (found->n > 0)
		return;
	if (lowest.family != AF_UNSPEC)
		finding_take(found, dns->name, &lowest);
	else
		snprintf(found->words, sizeof(found->words),
		    "%s has no IPv4 address (A record) in DNS", dns->name);
}

static void
say_failure(struct source_dns *dns, int status)
{
	char *words = dns->found->words;
	const size_t size = sizeof(dns->found->words);
	const char *check = dns->servers_given ? "" : ": check the servers in resolv.conf(5)";

	switch (status) {
	case ARES_ENOTFOUND:
		snprintf(words, size,
		    "%s does not exist in DNS: check the name, and whether the entry at the DDNS "
		    "provider has expired",
		    dns->name);
		break;
	case ARES_ENODATA:
		snprintf(words, size,
		    "%s has no IPv4 address (A record) in DNS: check the entry at the DDNS "
		    "provider",
		    dns->name);
		break;
	case ARES_EBADNAME:
		snprintf(words, size, "%s is not a host name", dns->name);
		break;
	case ARES_ETIMEOUT:
	case ARES_ECANCELLED:
		snprintf(words, size, "no DNS server told the address of %s within %d ms%s",
		    dns->name, dns->timeout_ms, check);
		break;
	case ARES_ECONNREFUSED:
		snprintf(words, size, "no DNS server could be reached to ask for %s%s", dns->name,
		    check);
		break;
	case ARES_ESERVFAIL:
	case ARES_EREFUSED:
	case ARES_ENOTIMP:
		snprintf(words, size, "the DNS server could not tell the address of %s: %s",
		    dns->name, ares_strerror(status));
		break;
	default:
		snprintf(words, size, "the DNS answer for %s makes no sense: %s", dns->name,
		    ares_strerror(status));
		break;
	}
}

static void
answered(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
	struct source_dns *dns = arg;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		choose(dns, result);
	else if (status != ARES_EDESTRUCTION)
		say_failure(dns, status);
	if (result != NULL)
		ares_freeaddrinfo(result);
	dns->found->done = true;
}

/* The library tells which of its sockets it waits for. */
static void
socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct source_dns *dns = arg;
	const short events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
	size_t i;

	for (i = 0; i < dns->n && dns->sockets[i].fd != fd; i++)
		continue;
	if (events == 0) {
		if (i < dns->n)
			dns->sockets[i] = dns->sockets[--dns->n];
	} else if (i < SOCKETS_MAX) {
		dns->sockets[i] = (struct pollfd){ .fd = fd, .events = events };
		if (i == dns->n)
			dns->n++;
	}
}

struct source_dns *
source_dns_open(const char *servers, int timeout_ms, const char **why)
{
	const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
	    ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE;
	struct ares_options options = { 0 };
	struct source_dns *dns;
	char dns_only[] = "b";
	int status;

	if ((dns = calloc(1, sizeof(*dns))) == NULL) {
		*why = "out of memory";
		return NULL;
	}
	dns->timeout_ms = timeout_ms;
	dns->servers_given = servers != NULL;
	options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
	options.timeout = timeout_ms / TURN > TURN_MIN_MS ? timeout_ms / TURN : TURN_MIN_MS;
	options.tries = TRIES;
	options.lookups = dns_only;
	options.sock_state_cb = socket_state;
	options.sock_state_cb_data = dns;
	if ((status = ares_library_init(ARES_LIB_INIT_ALL)) != ARES_SUCCESS ||
	    (status = ares_init_options(&dns->channel, &options, mask)) != ARES_SUCCESS) {
		*why = ares_strerror(status);
		free(dns);
		return NULL;
	}
	if (servers != NULL && ares_set_servers_ports_csv(dns->channel, servers) != ARES_SUCCESS) {
		*why = "a server must be given as ADDR or ADDR:PORT";
		ares_destroy(dns->channel);
		free(dns);
		return NULL;
	}
	return dns;
}

void
source_dns_ask(struct source_dns *dns, const char *name, struct finding *found)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = AF_INET,
		/* Sorting would connect a socket to each address, to see by which way it leaves. */
		.ai_flags = ARES_AI_NOSORT,
	};

	*found = (struct finding){ .done = false };
	dns->name = name;
	dns->found = found;
	ares_getaddrinfo(dns->channel, name, NULL, &hints, answered, dns);
}

size_t
source_dns_poll(const struct source_dns *dns, struct pollfd *fds, size_t n)
{
	if (n > dns->n)
		n = dns->n;
	memcpy(fds, dns->sockets, n * sizeof(*fds));
	return n;
}

int
source_dns_wait(struct source_dns *dns, int limit)
{
	struct timeval most = { .tv_sec = limit / 1000, .tv_usec = limit % 1000 * 1000 }, tv;
	const struct timeval *wait = ares_timeout(dns->channel, &most, &tv);

	/* Rounded up: a wait of 0 ms for the last 0.9 ms would spin. */
	return (int)(wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000);
}

void
source_dns_step(struct source_dns *dns, const struct pollfd *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i].revents != 0)
			ares_process_fd(dns->channel,
			    fds[i].revents & (POLLIN | POLLERR | POLLHUP) ? fds[i].fd
									  : ARES_SOCKET_BAD,
			    fds[i].revents & (POLLOUT | POLLERR | POLLHUP) ? fds[i].fd
									   : ARES_SOCKET_BAD);
	/* And time-outs, in any case. */
	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void
source_dns_give_up(struct source_dns *dns)
{
	if (!dns->found->done)
		ares_cancel(dns->channel);
}

void
source_dns_close(struct source_dns *dns)
{
	ares_destroy(dns->channel);
	ares_library_cleanup();
	free(dns);
}
