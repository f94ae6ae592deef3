/*
 * Leases of passive ports.
 */
#include "leases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Far behind the slots' bytes and records; the file is sparse in between. */
#define LOCKS_AT   (1 << 20)
#define RECORDS_AT (2 << 20)

struct record {
	unsigned char host[16]; /* IPv4 as ::ffff:a.b.c.d */
	int64_t when;
};

static struct flock
lock_of(uint16_t port, short type)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = LOCKS_AT + port, .l_len = 1
	};
}

static off_t
place_of(uint16_t port)
{
	return RECORDS_AT + (off_t)port * (off_t)sizeof(struct record);
}

static void
host_of(const struct netaddr *addr, unsigned char host[static 16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (addr->family == AF_INET6) {
		memcpy(host, &addr->v6, 16);
	} else {
		memcpy(host, mapped, sizeof(mapped));
		memcpy(host + sizeof(mapped), &addr->v4, 4);
	}
}

static bool
is_held(int slots, uint16_t port)
{
	struct flock lock = lock_of(port, F_WRLCK);

	return fcntl(slots, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

enum lease_rank
leases_rank(int slots, uint16_t port, const struct netaddr *peer, int64_t now)
{
	unsigned char host[16];
	struct record r;

	if (is_held(slots, port))
		return LEASE_HELD;
	if (pread(slots, &r, sizeof(r), place_of(port)) != sizeof(r))
		return LEASE_FREE; /* never used */
	host_of(peer, host);
	/* a record of the future is of another boot */
	return memcmp(r.host, host, sizeof(host)) == 0 && r.when <= now &&
	        now - r.when < LEASES_QUIET && r.when > 0
	    ? LEASE_RECENT
	    : LEASE_FREE;
}

int
leases_take(int slots, uint16_t port, const struct netaddr *peer, int64_t now)
{
	struct flock lock = lock_of(port, F_WRLCK);
	struct record r = { .when = now };

	if (fcntl(slots, F_OFD_SETLK, &lock) == -1) {
		if (errno == EACCES)
			errno = EAGAIN;
		return -1;
	}
	host_of(peer, r.host);
	return pwrite(slots, &r, sizeof(r), place_of(port)) == sizeof(r) ? 0 : -1;
}

void
leases_release(int slots, uint16_t port)
{
	struct flock lock = lock_of(port, F_UNLCK);

	(void)fcntl(slots, F_OFD_SETLK, &lock);
}

/* How many ports of first..last others hold: as many questions as there are locks. */
static unsigned
count_range(int slots, unsigned first, unsigned last)
{
	unsigned held = 0;

	while (first <= last) {
		struct flock lock = lock_of((uint16_t)first, F_WRLCK);
		unsigned from, to;

		lock.l_len = last - first + 1;
		if (fcntl(slots, F_OFD_GETLK, &lock) == -1 || lock.l_type == F_UNLCK)
			break;
		/* some lock of these, not the lowest: others may lie before it */
		from = lock.l_start <= LOCKS_AT + (off_t)first ? first
		                                                : (unsigned)(lock.l_start - LOCKS_AT);
		to = lock.l_len == 0 || lock.l_start + lock.l_len - 1 >= LOCKS_AT + (off_t)last
		    ? last
		    : (unsigned)(lock.l_start + lock.l_len - 1 - LOCKS_AT);
		if (from > first)
			held += count_range(slots, first, from - 1);
		held += to - from + 1;
		first = to + 1;
	}
	return held;
}

unsigned
leases_count(int slots, const struct portlist *list)
{
	unsigned held = 0;

	for (unsigned i = 0; i < list->n; i++)
		held += count_range(slots, list->range[i].min, list->range[i].max);
	return held;
}
