/*
 * Logins counted among all processes.
 */
#include "limits.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hosts.h"
#include "log.h"
#include "monitor.h"
#include "presence.h"
#include "slots.h"
#include "start.h"

/* The longest that a failure costs, in seconds. */
#define DELAY_MAX 10

/* Many may hide behind this address, so nobody's failures ban it. */
static bool
counts(const struct monitor *m)
{
	return m->hosts != -1 && m->conf->ban_after.rate.n > 0 &&
	    !start_is_shared(&m->client->peer);
}

bool
limits_banned(const struct monitor *m)
{
	static const struct hosts_rate none;
	struct host host;

	return m->hosts != -1 &&
	    hosts_come(m->hosts, &m->client->peer, time(NULL), none, &host) == 1;
}

/* Writes the failure down; *failures is how many the host has had. True if it is banned now. */
static bool
write_down(const struct monitor *m, unsigned *failures)
{
	const struct ban_rule *rule = &m->conf->ban_after;
	char peer[NETADDR_TEXT];
	int r;

	if (!counts(m))
		return false;
	r = hosts_fail(m->hosts, &m->client->peer, time(NULL), rule->rate, rule->seconds, failures);
	if (r == -1)
		log_warn("RunDirectory: writing down a failed login");
	netaddr_text(&m->client->peer, peer);
	if (r == 1 && rule->seconds == 0)
		log_notice("banned rhost=%s until genkanctl unban", peer);
	else if (r == 1)
		log_notice("banned rhost=%s for %u seconds", peer, rule->seconds);
	return r == 1 || limits_banned(m);
}

bool
limits_failed(const struct monitor *m)
{
	unsigned failures = 0;
	bool banned = write_down(m, &failures);
	int64_t seconds, left;

	seconds = failures > m->attempts ? failures : m->attempts;
	if (seconds > DELAY_MAX)
		seconds = DELAY_MAX;
	/* what the check has cost is no part of what the client sees */
	left = m->asked + seconds * 1000 - monitor_clock();
	monitor_delay(m, left > 0 ? (int)left : 0);
	return banned;
}

int
limits_enter(struct monitor *m)
{
	/* guests are many by nature: MaxClientsPerHost is for them */
	unsigned max = m->account.anonymous ? 0 : m->conf->max_clients_per_user;
	int r = 0;

	if (m->slots == -1 || m->slot == -1)
		return 0;
	(void)strlcpy(m->self.user, m->account.name, sizeof(m->self.user));
	if (slots_enter(m->slots, m->slot, &m->self, max) == -1)
		r = errno;
	if (r != 0)
		memset(m->self.user, 0, sizeof(m->self.user));
	if (r != 0 && r != EUSERS)
		log_warn("slots");
	if (r == EUSERS)
		log_notice("refused a login of %s: MaxClientsPerUser %u reached", m->account.name, max);
	return r == EUSERS ? EUSERS : 0;
}

void
limits_leave(struct monitor *m)
{
	if (m->slots == -1 || m->slot == -1)
		return;
	memset(m->self.user, 0, sizeof(m->self.user));
	(void)slots_update(m->slots, m->slot, &m->self);
}

void
limits_settled(struct monitor *m)
{
	if (m->hosts != -1)
		close(m->hosts);
	m->hosts = -1;
	presence_login(m);
}
