/*
 * What a login counts for among all processes: failures that ban a host
 * (BanAfter), and how often a user is logged in (MaxClientsPerUser).
 */
#ifndef GENKAN_LIMITS_H
#define GENKAN_LIMITS_H

#include <stdbool.h>

struct monitor;

/* True if the client's host has been banned since it came: by its other connections, or by hand. */
bool limits_banned(const struct monitor *m);

/*
 * A login has failed, the m->attempts-th one here: writes it down for the host and waits, a
 * second more for each failure of this connection or this host, from when the request came.
 * Returns true if the host is banned now.
 */
bool limits_failed(const struct monitor *m);

/* The user of m->account takes its place: 0, or EUSERS when it has as many as it may. */
int limits_enter(struct monitor *m);

/* It could not come in after all. */
void limits_leave(struct monitor *m);

/* It is in: what is remembered of hosts is no longer this process's business. */
void limits_settled(struct monitor *m);

#endif
