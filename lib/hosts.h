/*
 * What processes remember of hosts when no daemon does it for them: how often
 * one has come, how often it failed to log in, until when it is banned. A file
 * of fixed records beside the slots; whoever changes a record holds the lock on
 * its set of records (an open file description lock, so a killed process leaves
 * none behind) and nothing that was half written is more than one host's count.
 *
 * The file is of bounded size: where a set is full, the host that was heard of
 * longest ago goes; one that is banned goes only if all of its set are.
 */
#ifndef GENKAN_HOSTS_H
#define GENKAN_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "netaddr.h"

#define HOSTS_SETS 512
#define HOSTS_WAYS 8
#define HOSTS_MAX  (HOSTS_SETS * HOSTS_WAYS)

/* How many networks can be banned. */
#define HOSTS_NETS 64

/* The most failures that BanAfter can count. */
#define HOSTS_FAILURES 30

/* Banned for good. */
#define HOSTS_FOREVER INT64_MAX

/* n times within so many seconds; n 0: no limit. */
struct hosts_rate {
	unsigned n, seconds;
};

/*
 * Whom an address stands for: an IPv4 address, or an IPv6 network of 64 bits,
 * which is what one household has to itself.
 */
struct hosts_key {
	uint8_t bytes[16];
};

struct host {
	struct hosts_key key;
	int64_t banned_until; /* seconds since the epoch, 0: not banned */
	int64_t heard;        /* when it was heard of last */
	int64_t came_since;   /* the start of the interval in which connections are counted */
	uint32_t came;        /* connections since */
	uint32_t used;        /* 0: the record is free */
	int64_t failed[HOSTS_FAILURES]; /* when logins failed, the last one first */
};

/* A network that is banned; bits are those of IPv6, 96 more for IPv4. 0 bits: the record is free. */
struct hosts_net {
	struct hosts_key key;
	int64_t banned_until, since;
	uint32_t bits;
};

/* The key of an address; all 0 for AF_UNSPEC. */
struct hosts_key hosts_key(const struct netaddr *addr);

/* The first address that has this key. */
void hosts_addr(const struct hosts_key *key, struct netaddr *addr);

/* Opens (creating it) "hosts" in dirfd, as slots_open() does; a descriptor, or -1 with errno. */
int hosts_open(int dirfd);

/* What is remembered of a host: 1, or 0 if nothing is, or -1 with errno. */
int hosts_find(int fd, const struct netaddr *addr, struct host *out);

/* True if the host is banned at the time now. A clock that was set back ends bans but those for good. */
bool hosts_is_banned(const struct host *h, int64_t now);

/*
 * A host has come at the time now: counts it. Returns 0 when it may come in,
 * 1 when it is banned (out->banned_until says until when), 2 when it came more often than
 * rate allows, counted from the first time in an interval; -1 with errno.
 */
int hosts_come(
    int fd, const struct netaddr *addr, int64_t now, struct hosts_rate rate, struct host *out);

/*
 * A login of the host failed. *failures becomes how many did within the
 * interval, this one included. With rate.n of them it is banned for ban seconds
 * (0: for good). Returns 1 if this failure banned it, else 0, or -1 with errno.
 */
int hosts_fail(int fd, const struct netaddr *addr, int64_t now, struct hosts_rate rate,
    unsigned ban, unsigned *failures);

/*
 * Bans a host until then, or lifts its ban and forgets its failures (until 0).
 * Returns 1 if it was banned before, 0 if not, or -1 with errno.
 */
int hosts_ban(int fd, const struct netaddr *addr, int64_t now, int64_t until);

/* The same for a network; ENOSPC when HOSTS_NETS others are, EINVAL for everybody's. */
int hosts_ban_net(int fd, const struct netprefix *prefix, int64_t now, int64_t until);

/* Reads record index (0..HOSTS_MAX-1): 1, or 0 if it is free, or -1 with errno. */
int hosts_read(int fd, int index, struct host *out);

/* Reads network index (0..HOSTS_NETS-1): 1 if it is banned, else 0, or -1 with errno. */
int hosts_read_net(int fd, int index, struct netprefix *prefix, int64_t *until, int64_t now);

#endif
