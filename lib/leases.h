/*
 * Passive ports among all sessions: who listens where, and who used which port
 * last. The leases live in the slots file (slots.h), behind the slots: a lock of an
 * open file description on a byte per port, so a lease ends with its process, SIGKILL
 * included; and a record per port of the last peer and the time.
 *
 * A lease is advice, the listening socket is the proof: so a range that is smaller than
 * the number of idle sessions is still served.
 */
#ifndef GENKAN_LEASES_H
#define GENKAN_LEASES_H

#include <stdint.h>

#include "netaddr.h"
#include "portrange.h"

/*
 * For this long, in seconds, a port that a peer has used is not given to it again if there is
 * another: the old connection may be in TIME_WAIT, and a late one could take the new one's place.
 */
#define LEASES_QUIET 240

enum lease_rank {
	LEASE_FREE,  /* best */
	LEASE_RECENT, /* this peer has used it within LEASES_QUIET */
	LEASE_HELD   /* by another session; it may have closed its listener */
};

/* What to think of a port for this peer, now (seconds of CLOCK_BOOTTIME). */
enum lease_rank leases_rank(int slots, uint16_t port, const struct netaddr *peer, int64_t now);

/*
 * Takes the lease of a port and writes peer and time down. Returns 0, or -1 with errno:
 * EAGAIN when another session has it.
 */
int leases_take(int slots, uint16_t port, const struct netaddr *peer, int64_t now);

void leases_release(int slots, uint16_t port);

/* How many ports of the list other sessions have. */
unsigned leases_count(int slots, const struct portlist *list);

#endif
