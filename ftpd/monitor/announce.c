/*
 * The address that PASV announces. What the gateway says is in
 * genkan-ftpd-gateway(8): notes, and one answer.
 */
#include "announce.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* The longest line of the gateway, and how many it may say before its answer. */
#define GATEWAY_LINE  512
#define GATEWAY_NOTES 16

/* How long the router forwards a port if nobody takes it back: we are killed, the power fails. */
#define MAPPING_SECONDS 120

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

/* The word at *rest as an IPv4 address; *rest goes on behind it. */
static bool
take_address(char **rest, struct netaddr *addr)
{
	const char *word = strsep(rest, " ");

	return word != NULL && netaddr_parse(word, addr) == 0 && addr->family == AF_INET;
}

static void
announce(struct monitor *m, const struct netaddr *addr)
{
	char why[128];

	if (may_announce(m, addr)) {
		m->announce = *addr;
		return;
	}
	snprintf(why, sizeof(why), "it is %s", netaddr_reach_text(netaddr_reach(addr)));
	masquerade_failed(m, why);
}

/* "cached A.B.C.D AGE WORDS": all sources have failed, this is what was right AGE seconds ago. */
static bool
take_cached(struct monitor *m, char *rest)
{
	char text[NETADDR_TEXT];
	const char *age, *error = NULL;
	struct netaddr addr;
	long long seconds;

	if (!take_address(&rest, &addr) || (age = strsep(&rest, " ")) == NULL)
		return false;
	seconds = strtonum(age, 0, INT32_MAX, &error);
	if (error != NULL)
		return false;
	log_warnx("MasqueradeAddress %s: %s. The last known address %s is announced, which was right "
		  "%lld h %lld min ago",
	    m->conf->masquerade.name, rest != NULL ? rest : "no source has answered",
	    netaddr_text(&addr, text), seconds / 3600, seconds / 60 % 60);
	announce(m, &addr);
	return true;
}

/* Takes a line; true when it was the answer. "ready": nothing was asked. */
static bool
take_line(struct monitor *m, char *line)
{
	char *rest = line, *word = strsep(&rest, " ");
	struct netaddr addr;

	if (strcmp(word, "note") == 0) {
		log_notice("MasqueradeAddress %s: %s", m->conf->masquerade.name, rest != NULL ? rest : "");
		return false;
	}
	if (strcmp(word, "ready") == 0)
		return true;
	if (strcmp(word, "failed") == 0 && rest != NULL)
		masquerade_failed(m, rest);
	else if (strcmp(word, "address") == 0 && take_address(&rest, &addr))
		announce(m, &addr);
	else if (strcmp(word, "cached") != 0 || !take_cached(m, rest))
		masquerade_failed(m, "the gateway process gave no answer");
	return true;
}

/* Waits until the gateway has something to say; false when the time has passed, or nobody asks. */
static bool
await_gateway(const struct monitor *m, int64_t until)
{
	struct pollfd p[2] = { { .fd = m->gateway, .events = POLLIN }, { .fd = m->sock } };
	int64_t left;
	int n;

	do {
		left = until - monitor_clock();
		n = poll(p, 2, left < 0 ? 0 : (int)left);
	} while (n == -1 && errno == EINTR);
	return n > 0 && p[0].revents != 0;
}

enum heard { HEARD_LINE, HEARD_NOTHING, HEARD_END };

/* One line of the gateway; half a line could be half an address, and is its end. */
static enum heard
hear(const struct monitor *m, int64_t until, char line[static GATEWAY_LINE])
{
	size_t len = 0;
	ssize_t n;

	while (len < GATEWAY_LINE) {
		if (!await_gateway(m, until))
			return len == 0 ? HEARD_NOTHING : HEARD_END;
		/* byte by byte: what follows the line is not ours yet */
		if ((n = read(m->gateway, line + len, 1)) != 1)
			return HEARD_END;
		if (line[len++] == '\n') {
			line[len - 1] = '\0';
			return HEARD_LINE;
		}
	}
	return HEARD_END;
}

static int64_t
timeout(const struct monitor *m)
{
	return (int64_t)m->conf->masquerade_timeout * 1000;
}

static void
close_gateway(struct monitor *m)
{
	close(m->gateway);
	m->gateway = -1;
}

/* Hears the gateway's answer, once. One that is late is asked again, without waiting, by the next PASV. */
static void
ask_gateway(struct monitor *m)
{
	char line[GATEWAY_LINE];
	enum heard heard = HEARD_END;

	for (int i = 0; i <= GATEWAY_NOTES; i++) {
		heard = hear(m, m->began + timeout(m), line);
		if (heard != HEARD_LINE || (m->answered = take_line(m, line)))
			break;
	}
	if (heard == HEARD_NOTHING) {
		masquerade_failed(m, "no answer came within MasqueradeTimeout");
		return;
	}
	if (heard == HEARD_END)
		masquerade_failed(m, "the gateway process gave no answer");
	if (!m->answered || m->conf->port_mapping == PORT_MAPPING_OFF)
		close_gateway(m);
	m->answered = true;
}

static const struct netaddr *
address(struct monitor *m)
{
	if (m->client->lan)
		return &m->client->local;
	if (m->gateway != -1 && !m->answered)
		ask_gateway(m);
	else if (m->conf->masquerade.kind == MASQUERADE_ASK && !m->answered)
		masquerade_failed(m, "there is no gateway process to look it up");
	if (m->conf->masquerade.kind == MASQUERADE_ADDRESS)
		return &m->conf->masquerade.addr;
	return m->announce.family != AF_UNSPEC ? &m->announce : &m->client->local;
}

/* One request to the gateway. */
static bool
tell_gateway(struct monitor *m, const char *verb, uint16_t port, unsigned seconds)
{
	char line[64];
	int len = seconds == 0 ? snprintf(line, sizeof(line), "%s %u\n", verb, port)
	                       : snprintf(line, sizeof(line), "%s %u %u\n", verb, port, seconds);

	if (write(m->gateway, line, (size_t)len) == len)
		return true;
	log_warn("the gateway process has gone: ports are not forwarded by PortMapping any more");
	close_gateway(m);
	return false;
}

static void
mapping_failed(struct monitor *m, uint16_t port, const char *why)
{
	log_warnx("PortMapping %s: the router does not forward port %u: %s. Clients outside reach it "
	          "only if it is forwarded by hand",
	    conf_port_mapping(m->conf->port_mapping), port, why);
}

/*
 * "mapped PORT EXTERNAL ADDRESS …" or "unmapped PORT WORDS" for this port; false for any other line
 * (what is said of the port before comes late).
 */
static bool
take_mapping(struct monitor *m, char *line, uint16_t port, uint16_t *external)
{
	char *rest = line, *word = strsep(&rest, " "), *number = strsep(&rest, " "), text[8];
	const char *given, *error = NULL;
	struct netaddr outside;
	uint16_t got;

	if (strcmp(word, "note") == 0)
		log_notice("PortMapping: %s %s", number != NULL ? number : "", rest != NULL ? rest : "");
	snprintf(text, sizeof(text), "%u", port);
	if (number == NULL || strcmp(number, text) != 0)
		return false;
	if (strcmp(word, "unmapped") == 0) {
		mapping_failed(m, port, rest != NULL ? rest : "it does not say why");
		return true;
	}
	if (strcmp(word, "mapped") != 0 || (given = strsep(&rest, " ")) == NULL)
		return false;
	got = (uint16_t)strtonum(given, 1, UINT16_MAX, &error);
	if (error != NULL)
		return false;
	m->mapped = port;
	*external = got;
	/* where nobody else knows our address, the router does */
	if (m->announce.family == AF_UNSPEC && take_address(&rest, &outside) && may_announce(m, &outside))
		m->announce = outside;
	return true;
}

/* Asks the router to forward to this port, and waits for its word. */
static void
map(struct monitor *m, uint16_t port, int64_t until, uint16_t *external)
{
	char line[GATEWAY_LINE];

	if (!tell_gateway(m, "map", port, MAPPING_SECONDS))
		return;
	for (int i = 0; i <= GATEWAY_NOTES; i++)
		switch (hear(m, until, line)) {
		case HEARD_LINE:
			if (!m->answered && strstr(line, "mapped ") == NULL)
				m->answered = take_line(m, line); /* late, but here it is */
			else if (take_mapping(m, line, port, external))
				return;
			break;
		case HEARD_NOTHING:
			mapping_failed(m, port, "it did not answer within MasqueradeTimeout");
			return;
		case HEARD_END:
			mapping_failed(m, port, "the gateway process has ended");
			close_gateway(m);
			return;
		}
}

void
announce_forget(struct monitor *m)
{
	if (m->mapped != 0 && m->gateway != -1)
		(void)tell_gateway(m, "unmap", m->mapped, 0);
	m->mapped = 0;
}

void
announce_passive(struct monitor *m, bool extended, uint16_t port, struct netaddr *announce)
{
	const struct portlist *ours = &m->conf->passive_ports;
	const bool outside = !m->client->lan && m->client->peer.family == AF_INET;
	const bool mapping = outside && m->conf->port_mapping != PORT_MAPPING_OFF;
	uint16_t external = port;

	if (mapping) {
		const int64_t until = monitor_clock() + timeout(m); /* for both */

		(void)address(m); /* the gateway's first answer comes first */
		if (m->gateway != -1)
			map(m, port, until, &external);
	} else if (outside && m->conf->passive_announced.n > 0) {
		external = portlist_at(&m->conf->passive_announced, (unsigned)portlist_place(ours, port));
	}
	*announce = extended ? m->client->local : *address(m);
	announce->port = external;
}
