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

/* Takes a line; true when it was the answer. */
static bool
take_line(struct monitor *m, char *line)
{
	char *rest = line, *word = strsep(&rest, " ");
	struct netaddr addr;

	if (strcmp(word, "note") == 0) {
		log_notice("MasqueradeAddress %s: %s", m->conf->masquerade.name, rest != NULL ? rest : "");
		return false;
	}
	if (strcmp(word, "failed") == 0 && rest != NULL)
		masquerade_failed(m, rest);
	else if (strcmp(word, "address") == 0 && take_address(&rest, &addr))
		announce(m, &addr);
	else if (strcmp(word, "cached") != 0 || !take_cached(m, rest))
		masquerade_failed(m, "the gateway process gave no answer");
	return true;
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

enum heard { HEARD_LINE, HEARD_NOTHING, HEARD_END };

/* One line of the gateway; half a line could be half an address, and is its end. */
static enum heard
hear(const struct monitor *m, char line[static GATEWAY_LINE])
{
	size_t len = 0;
	ssize_t n;

	while (len < GATEWAY_LINE) {
		if (!await_gateway(m))
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

/* Hears the gateway's answer, once. One that is late is asked again, without waiting, by the next PASV. */
static void
ask_gateway(struct monitor *m)
{
	char line[GATEWAY_LINE];
	enum heard heard = HEARD_END;

	for (int i = 0; i <= GATEWAY_NOTES; i++) {
		heard = hear(m, line);
		if (heard != HEARD_LINE || take_line(m, line))
			break;
	}
	if (heard == HEARD_NOTHING) {
		masquerade_failed(m, "no answer came within MasqueradeTimeout");
		return;
	}
	if (heard == HEARD_END)
		masquerade_failed(m, "the gateway process gave no answer");
	close(m->gateway);
	m->gateway = -1;
}

const struct netaddr *
announce_address(struct monitor *m)
{
	switch (m->client->lan ? MASQUERADE_NONE : m->conf->masquerade.kind) {
	case MASQUERADE_NONE:
		break;
	case MASQUERADE_ADDRESS:
		return &m->conf->masquerade.addr;
	case MASQUERADE_ASK:
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
