/*
 * What is remembered of hosts.
 */
#include "hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "slots.h"

#define SET_SIZE (HOSTS_WAYS * sizeof(struct host))

/* The file: networks, then sets of hosts. Set i is locked by byte i, the networks by the next. */
#define SETS_AT  4096
#define NETS_LOCK HOSTS_SETS

_Static_assert(HOSTS_NETS * sizeof(struct hosts_net) <= SETS_AT, "the networks reach into the sets");

/* A record of this much later is of a clock that went wrong, in seconds. */
#define CLOCK_SLACK 60

/* IPv4 addresses look like ::ffff:a.b.c.d. */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

/* All bits of an address; all 0 for AF_UNSPEC. */
static struct hosts_key
whole_key(const struct netaddr *addr)
{
	struct hosts_key key = { { 0 } };

	if (addr->family == AF_INET) {
		memcpy(key.bytes, mapped, sizeof(mapped));
		memcpy(key.bytes + sizeof(mapped), &addr->v4, sizeof(addr->v4));
	} else if (addr->family == AF_INET6) {
		memcpy(key.bytes, &addr->v6, sizeof(key.bytes));
	}
	return key;
}

struct hosts_key
hosts_key(const struct netaddr *addr)
{
	struct hosts_key key = whole_key(addr);
	enum netaddr_reach reach = netaddr_reach(addr);

	/* fe80::/64 and ::/64 are no household: everybody's link, and ::1 */
	if (addr->family == AF_INET6 && (reach == NETADDR_PUBLIC || reach == NETADDR_PRIVATE))
		memset(key.bytes + 8, 0, 8);
	return key;
}

static bool
has_prefix(const struct hosts_key *key, const struct hosts_key *prefix, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (bits > 128 || memcmp(key->bytes, prefix->bytes, bytes) != 0)
		return false;
	return rest == 0 || (key->bytes[bytes] ^ prefix->bytes[bytes]) >> (8 - rest) == 0;
}

void
hosts_addr(const struct hosts_key *key, struct netaddr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (memcmp(key->bytes, mapped, sizeof(mapped)) == 0) {
		addr->family = AF_INET;
		memcpy(&addr->v4, key->bytes + sizeof(mapped), sizeof(addr->v4));
	} else {
		addr->family = AF_INET6;
		memcpy(&addr->v6, key->bytes, sizeof(addr->v6));
	}
}

int
hosts_open(int dirfd)
{
	return slots_open_file(dirfd, "hosts");
}

/* FNV-1a: hosts that meet in one set crowd out each other's counts, never a ban. */
static unsigned
set_of(const struct hosts_key *key)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < sizeof(key->bytes); i++)
		hash = (hash ^ key->bytes[i]) * 16777619U;
	return (hash ^ hash >> 16) % HOSTS_SETS;
}

static int
lock_set(int fd, unsigned set, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = set, .l_len = 1 };
	int r;

	do
		r = fcntl(fd, F_OFD_SETLKW, &lock);
	while (r == -1 && errno == EINTR);
	return r;
}

/* True if a ban that was written down at the time since holds. */
static bool
holds(int64_t until, int64_t since, int64_t now)
{
	return until == HOSTS_FOREVER || (until > now && since <= now + CLOCK_SLACK);
}

bool
hosts_is_banned(const struct host *h, int64_t now)
{
	return holds(h->banned_until, h->heard, now);
}

/* What lies beyond the end of the file has never been used. */
static int
read_set(int fd, unsigned set, struct host hosts[static HOSTS_WAYS])
{
	memset(hosts, 0, SET_SIZE);
	return pread(fd, hosts, SET_SIZE, SETS_AT + (off_t)set * (off_t)SET_SIZE) == -1 ? -1 : 0;
}

static struct host *
find(struct host hosts[static HOSTS_WAYS], const struct hosts_key *key)
{
	for (int i = 0; i < HOSTS_WAYS; i++)
		if (hosts[i].used != 0 && memcmp(&hosts[i].key, key, sizeof(*key)) == 0)
			return &hosts[i];
	return NULL;
}

/* A record for one more host: a free one, else whoever is missed least. */
static struct host *
make(struct host hosts[static HOSTS_WAYS], const struct hosts_key *key, int64_t now)
{
	struct host *best = &hosts[0];

	for (int i = 0; i < HOSTS_WAYS; i++) {
		struct host *h = &hosts[i];
		bool banned = hosts_is_banned(h, now), best_banned = hosts_is_banned(best, now);

		if (h->used == 0) {
			best = h;
			break;
		}
		if (banned != best_banned ? best_banned
		                          : banned ? h->banned_until < best->banned_until
		                                   : h->heard < best->heard)
			best = h;
	}
	memset(best, 0, sizeof(*best));
	best->key = *key;
	best->used = 1;
	best->came_since = now;
	return best;
}

/* Writes one record of a set back; 0 or -1. */
static int
write_host(int fd, unsigned set, const struct host hosts[static HOSTS_WAYS], const struct host *h)
{
	off_t at = SETS_AT + (off_t)set * (off_t)SET_SIZE + (off_t)((h - hosts) * (off_t)sizeof(*h));
	ssize_t n = pwrite(fd, h, sizeof(*h), at);

	if (n == -1)
		return -1;
	if ((size_t)n == sizeof(*h))
		return 0;
	errno = ENOSPC;
	return -1;
}

/* One change of a host's record, under the lock of its set. */
struct change {
	int64_t now;
	struct hosts_rate rate;
	unsigned ban;   /* seconds, 0 for good */
	int64_t until;  /* hosts_ban() */
	unsigned count; /* out: failures */
};

static int
change(int fd, const struct netaddr *addr, struct change *c,
    int (*apply)(struct host *, struct change *), struct host *out)
{
	struct hosts_key key = hosts_key(addr);
	unsigned set = set_of(&key);
	struct host hosts[HOSTS_WAYS], *h;
	int r = -1, saved;

	if (lock_set(fd, set, F_WRLCK) == -1)
		return -1;
	if (read_set(fd, set, hosts) == 0) {
		if ((h = find(hosts, &key)) == NULL)
			h = make(hosts, &key, c->now);
		/* a clock that was set back must not make a host wait for it */
		if (h->heard > c->now + CLOCK_SLACK) {
			h->came = 0;
			memset(h->failed, 0, sizeof(h->failed));
			if (h->banned_until != HOSTS_FOREVER)
				h->banned_until = 0;
		}
		h->heard = c->now;
		r = apply(h, c);
		if (out != NULL)
			*out = *h;
		if (write_host(fd, set, hosts, h) == -1)
			r = -1;
	}
	saved = errno;
	(void)lock_set(fd, set, F_UNLCK);
	errno = saved;
	return r;
}

int
hosts_find(int fd, const struct netaddr *addr, struct host *out)
{
	struct hosts_key key = hosts_key(addr);
	struct host hosts[HOSTS_WAYS], *h;

	if (read_set(fd, set_of(&key), hosts) == -1)
		return -1;
	if ((h = find(hosts, &key)) == NULL)
		return 0;
	*out = *h;
	return 1;
}

static int
apply_come(struct host *h, struct change *c)
{
	int64_t age = c->now - h->came_since;

	if (hosts_is_banned(h, c->now))
		return 1;
	if (c->rate.n == 0)
		return 0;
	if (age < 0 || age >= (int64_t)c->rate.seconds) {
		h->came_since = c->now;
		h->came = 0;
	}
	if (h->came >= c->rate.n)
		return 2;
	h->came++;
	return 0;
}

/* 1 if a banned network has this host (*out says until when), else 0, or -1 with errno. */
static int
net_come(int fd, const struct hosts_key *key, int64_t now, struct host *out)
{
	struct hosts_net nets[HOSTS_NETS] = { 0 };

	if (pread(fd, nets, sizeof(nets), 0) == -1)
		return -1;
	for (int i = 0; i < HOSTS_NETS; i++)
		if (nets[i].bits != 0 && holds(nets[i].banned_until, nets[i].since, now) &&
		    has_prefix(key, &nets[i].key, nets[i].bits)) {
			*out = (struct host){ .key = *key, .banned_until = nets[i].banned_until };
			return 1;
		}
	return 0;
}

int
hosts_come(
    int fd, const struct netaddr *addr, int64_t now, struct hosts_rate rate, struct host *out)
{
	struct change c = { .now = now, .rate = rate };
	struct hosts_key key = whole_key(addr);
	int r;

	if ((r = net_come(fd, &key, now, out)) != 0)
		return r;
	if (rate.n != 0)
		return change(fd, addr, &c, apply_come, out);
	/* without a rate there is nothing to count: most hosts leave no trace at all */
	if ((r = hosts_find(fd, addr, out)) != 1)
		return r;
	return hosts_is_banned(out, now) ? 1 : 0;
}

static int
apply_fail(struct host *h, struct change *c)
{
	int64_t since = c->now - (int64_t)c->rate.seconds;

	memmove(h->failed + 1, h->failed, sizeof(h->failed) - sizeof(h->failed[0]));
	h->failed[0] = c->now;
	for (c->count = 0; c->count < HOSTS_FAILURES && h->failed[c->count] > since;)
		c->count++;
	if (c->rate.n == 0 || c->count < c->rate.n || hosts_is_banned(h, c->now))
		return 0;
	h->banned_until = c->ban == 0 ? HOSTS_FOREVER : c->now + (int64_t)c->ban;
	memset(h->failed, 0, sizeof(h->failed));
	return 1;
}

int
hosts_fail(int fd, const struct netaddr *addr, int64_t now, struct hosts_rate rate, unsigned ban,
    unsigned *failures)
{
	struct change c = { .now = now, .rate = rate, .ban = ban };
	int r = change(fd, addr, &c, apply_fail, NULL);

	*failures = c.count;
	return r;
}

static int
apply_ban(struct host *h, struct change *c)
{
	int before = hosts_is_banned(h, c->now);

	h->banned_until = c->until;
	memset(h->failed, 0, sizeof(h->failed));
	h->came = 0;
	return before;
}

int
hosts_ban(int fd, const struct netaddr *addr, int64_t now, int64_t until)
{
	struct change c = { .now = now, .until = until };
	struct host known;
	int r;

	/* whoever is not known needs no record to be forgiven */
	if (until == 0 && (r = hosts_find(fd, addr, &known)) != 1)
		return r;
	return change(fd, addr, &c, apply_ban, NULL);
}

/* The place of a network in the table, or of one more; NULL when all are taken. */
static struct hosts_net *
place_net(struct hosts_net nets[static HOSTS_NETS], const struct hosts_net *net, int64_t now)
{
	struct hosts_net *spare = NULL;

	for (int i = 0; i < HOSTS_NETS; i++) {
		if (nets[i].bits == net->bits &&
		    memcmp(&nets[i].key, &net->key, sizeof(net->key)) == 0)
			return &nets[i];
		if (spare == NULL &&
		    (nets[i].bits == 0 || !holds(nets[i].banned_until, nets[i].since, now)))
			spare = &nets[i];
	}
	return spare;
}

/* The part of hosts_ban_net() that needs the lock. */
static int
write_net(int fd, const struct hosts_net *net, int64_t now)
{
	struct hosts_net nets[HOSTS_NETS] = { 0 }, *at;
	int before;

	if (pread(fd, nets, sizeof(nets), 0) == -1)
		return -1;
	if ((at = place_net(nets, net, now)) == NULL) {
		errno = ENOSPC;
		return net->banned_until == 0 ? 0 : -1;
	}
	before = at->bits == net->bits && memcmp(&at->key, &net->key, sizeof(net->key)) == 0 &&
	    holds(at->banned_until, at->since, now);
	*at = *net;
	return pwrite(fd, nets, sizeof(nets), 0) == (ssize_t)sizeof(nets) ? before : -1;
}

int
hosts_ban_net(int fd, const struct netprefix *prefix, int64_t now, int64_t until)
{
	struct hosts_net net = { .key = whole_key(&prefix->addr), .since = now,
		.banned_until = until };
	int r, saved;

	net.bits = prefix->bits + (prefix->addr.family == AF_INET ? 96 : 0);
	if (net.bits == 0) {
		errno = EINVAL; /* it would be everybody */
		return -1;
	}
	if (lock_set(fd, NETS_LOCK, F_WRLCK) == -1)
		return -1;
	r = write_net(fd, &net, now);
	saved = errno;
	(void)lock_set(fd, NETS_LOCK, F_UNLCK);
	errno = saved;
	return r;
}

int
hosts_read_net(int fd, int index, struct netprefix *prefix, int64_t *until, int64_t now)
{
	struct hosts_net net = { 0 };

	if (index < 0 || index >= HOSTS_NETS) {
		errno = EINVAL;
		return -1;
	}
	if (pread(fd, &net, sizeof(net), (off_t)index * (off_t)sizeof(net)) == -1)
		return -1;
	if (net.bits == 0 || net.bits > 128 || !holds(net.banned_until, net.since, now))
		return 0;
	hosts_addr(&net.key, &prefix->addr);
	prefix->bits = prefix->addr.family == AF_INET ? net.bits - 96 : net.bits;
	*until = net.banned_until;
	return 1;
}

int
hosts_read(int fd, int index, struct host *out)
{
	ssize_t n;

	memset(out, 0, sizeof(*out));
	if (index < 0 || index >= HOSTS_MAX) {
		errno = EINVAL;
		return -1;
	}
	n = pread(fd, out, sizeof(*out), SETS_AT + (off_t)index * (off_t)sizeof(*out));
	if (n == -1)
		return -1;
	return n == (ssize_t)sizeof(*out) && out->used != 0;
}
