/*
 * One slot per session: fixed records in a file, owned by locks.
 *
 * Slot i is owned by the lock on byte i of the file, wherever its record lies,
 * so that programs with records of another size still agree on who is alive.
 *
 * In front of the records stands an index, which one read shows: who seems to
 * have which slot. It only says where to look first; the locks decide. Whoever
 * counts and claims holds the lock on the byte behind the slots', so that two
 * who come at once are counted.
 */
#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hosts.h"

/* An entry of the index. */
struct entry {
	struct hosts_key host;
	int32_t pid; /* 0: free */
	int32_t unused;
};

/* So many are looked at together. */
#define PART 125

_Static_assert(SLOTS_MAX % PART == 0, "the index has a last part of another size");

#define RECORDS (SLOTS_MAX * sizeof(struct entry)) /* where the records begin */

_Static_assert(RECORDS + SLOTS_MAX * sizeof(struct slot) < 1 << 20, "leases.c begins there");

int
slots_open_file(int dirfd, const char *name)
{
	struct stat st;
	int fd, saved;

	/* For reading and writing, even a FIFO that somebody put there opens at once. */
	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		goto bad;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1 ||
	    (st.st_mode & 077) != 0) {
		errno = EPERM;
		goto bad;
	}
	return fd;
bad:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
slots_open(int dirfd)
{
	return slots_open_file(dirfd, "slots");
}

int
slots_look(int dirfd, const char *name)
{
	struct stat st;
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd == -1 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

static struct flock
slot_lock(int index, short type)
{
	/* l_pid must be 0 for open file description locks. */
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = index, .l_len = 1 };
}

static bool
valid(int index)
{
	if (index >= 0 && index < SLOTS_MAX)
		return true;
	errno = EINVAL;
	return false;
}

static int
write_at(int fd, const void *what, size_t size, size_t at)
{
	ssize_t n = pwrite(fd, what, size, (off_t)at);

	if (n == -1)
		return -1;
	if ((size_t)n != size) {
		errno = ENOSPC;
		return -1;
	}
	return 0;
}

static int
write_entry(int fd, int index, const struct entry *entry)
{
	return write_at(fd, entry, sizeof(*entry), (size_t)index * sizeof(*entry));
}

/* 1 if another open file description holds the slot, 0 if not, or -1. */
static int
is_held(int fd, int index)
{
	struct flock lock = slot_lock(index, F_WRLCK);

	if (fcntl(fd, F_OFD_GETLK, &lock) == -1)
		return -1;
	return lock.l_type != F_UNLCK;
}

/* What the index shows to whoever wants a slot. */
struct view {
	bool taken[SLOTS_MAX];
	unsigned from_host; /* how many of them are alive and of the host in question */
};

/* One entry of the index; who was killed is forgotten. */
static void
see(int fd, int i, const struct entry *entry, const struct hosts_key *host, struct view *view)
{
	static const struct entry none;

	view->taken[i] = entry->pid != 0;
	if (entry->pid == 0 || host == NULL || memcmp(&entry->host, host, sizeof(*host)) != 0)
		return;
	if (is_held(fd, i) != 0) {
		view->from_host++;
		return;
	}
	view->taken[i] = false;
	(void)write_entry(fd, i, &none);
}

/* Looks at the whole index, by and by: read at once it would cost each connection six pages of stack. */
static int
look(int fd, const struct hosts_key *host, struct view *view)
{
	struct entry part[PART];

	view->from_host = 0;
	for (int i = 0; i < SLOTS_MAX; i += PART) {
		/* what lies beyond the end of the file has never been used */
		memset(part, 0, sizeof(part));
		if (pread(fd, part, sizeof(part), (off_t)i * (off_t)sizeof(*part)) == -1)
			return -1;
		for (int j = 0; j < PART; j++)
			see(fd, i + j, &part[j], host, view);
	}
	return 0;
}

/* Takes the lock of slot i: 1, or 0 if somebody has it, or -1. */
static int
take(int fd, int i)
{
	struct flock lock = slot_lock(i, F_WRLCK);

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 1;
	return errno == EAGAIN || errno == EACCES ? 0 : -1;
}

/* Takes a slot: of those that seem free, then of those whose owners may have been killed. */
static int
take_any(int fd, const struct view *view, unsigned max)
{
	unsigned first = (unsigned)getpid();

	for (int round = 0; round < 2; round++)
		for (unsigned i = 0; i < max; i++) {
			int at = (int)((first + i) % max), got;

			if (view->taken[at] != (round == 1))
				continue;
			if ((got = take(fd, at)) != 0)
				return got == 1 ? at : -1;
		}
	errno = EAGAIN;
	return -1;
}

static int
write_down(int fd, int index, const struct slot *mine)
{
	struct entry entry = { .host = hosts_key(&mine->peer), .pid = mine->pid };

	if (slots_update(fd, index, mine) == -1)
		return -1;
	return write_entry(fd, index, &entry);
}

/* Counts and claims, while nobody else does. */
static int
claim(int fd, struct slots_limits limits, const struct slot *mine)
{
	struct hosts_key host = hosts_key(&mine->peer);
	struct view view;
	int i, saved;

	if (look(fd, limits.per_host != 0 ? &host : NULL, &view) == -1)
		return -1;
	if (limits.per_host != 0 && view.from_host >= limits.per_host) {
		errno = EUSERS;
		return -1;
	}
	if ((i = take_any(fd, &view, limits.total)) == -1 || write_down(fd, i, mine) == 0)
		return i;
	saved = errno;
	slots_release(fd, i);
	errno = saved;
	return -1;
}

/* The lock of whoever counts and claims; waits for it. 0 or -1. */
static int
lock_all(int fd)
{
	struct flock all = slot_lock(SLOTS_MAX, F_WRLCK);
	int r;

	do
		r = fcntl(fd, F_OFD_SETLKW, &all);
	while (r == -1 && errno == EINTR);
	return r;
}

/* Keeps errno. */
static void
unlock_all(int fd)
{
	struct flock all = slot_lock(SLOTS_MAX, F_UNLCK);
	int saved = errno;

	(void)fcntl(fd, F_OFD_SETLK, &all);
	errno = saved;
}

int
slots_claim(int fd, struct slots_limits limits, const struct slot *mine)
{
	int i;

	if (limits.total > SLOTS_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (lock_all(fd) == -1)
		return -1;
	i = claim(fd, limits, mine);
	unlock_all(fd);
	return i;
}

void
slots_release(int fd, int index)
{
	static const struct entry none;
	struct flock lock = slot_lock(index, F_UNLCK);

	if (!valid(index))
		return;
	(void)write_entry(fd, index, &none);
	(void)fcntl(fd, F_OFD_SETLK, &lock);
}

int
slots_update(int fd, int index, const struct slot *mine)
{
	if (!valid(index))
		return -1;
	return write_at(fd, mine, sizeof(*mine), RECORDS + (size_t)index * sizeof(*mine));
}

int
slots_progress(int fd, int index, const struct slot *mine)
{
	const size_t from = offsetof(struct slot, bytes);
	const size_t end = offsetof(struct slot, changed) + sizeof(mine->changed);

	if (!valid(index))
		return -1;
	return write_at(fd, (const char *)mine + from, end - from,
	    RECORDS + (size_t)index * sizeof(*mine) + from);
}

static int
read_record(int fd, int index, struct slot *out)
{
	size_t at = RECORDS + (size_t)index * sizeof(*out);

	/* Short or empty: claimed just now, not yet written. */
	if (pread(fd, out, sizeof(*out), (off_t)at) == -1)
		return -1;
	out->user[sizeof(out->user) - 1] = '\0';
	out->path[sizeof(out->path) - 1] = '\0';
	return 0;
}

int
slots_read(int fd, int index, struct slot *out)
{
	int held;

	memset(out, 0, sizeof(*out));
	if (!valid(index))
		return -1;
	if ((held = is_held(fd, index)) != 1)
		return held;
	return read_record(fd, index, out) == -1 ? -1 : 1;
}

unsigned
slots_count(int fd, unsigned max)
{
	unsigned i, count = 0;

	for (i = 0; i < max && i < SLOTS_MAX; i++)
		if (is_held(fd, (int)i) == 1)
			count++;
	return count;
}

/*
 * Goes on from slot *i to the next one but mine that tells of this user, and reads it; false
 * when there is none. A killed session's slot tells of it still.
 */
static bool
next_of_user(int fd, const struct entry index[static SLOTS_MAX], int mine, const char *user, int *i,
    struct slot *out)
{
	while (++*i < SLOTS_MAX)
		if (*i != mine && index[*i].pid != 0 && read_record(fd, *i, out) == 0 &&
		    strcmp(out->user, user) == 0)
			return true;
	return false;
}

/* How many living sessions but slot mine have this user, at most max. */
static unsigned
count_user(int fd, int mine, const char *user, unsigned max)
{
	struct entry index[SLOTS_MAX] = { 0 };
	struct slot slot = { 0 };
	unsigned count = 0;
	int i = -1;

	if (pread(fd, index, sizeof(index), 0) == -1)
		return 0;
	while (count < max && next_of_user(fd, index, mine, user, &i, &slot))
		count += is_held(fd, i) == 1;
	return count;
}

unsigned
slots_alike(int fd, int mine, const char *user, enum slot_state state, int64_t now)
{
	struct entry index[SLOTS_MAX] = { 0 };
	struct slot slot = { 0 };
	unsigned count = 0;
	int i = -1;

	if (pread(fd, index, sizeof(index), 0) == -1)
		return 0;
	while (next_of_user(fd, index, mine, user, &i, &slot))
		count += slot.state == (uint32_t)state && llabs(now - slot.changed) <= SLOTS_FRESH;
	return count;
}

int
slots_enter(int fd, int index, const struct slot *mine, unsigned per_user)
{
	int r = -1;

	if (per_user == 0)
		return slots_update(fd, index, mine);
	if (!valid(index) || lock_all(fd) == -1)
		return -1;
	if (count_user(fd, index, mine->user, per_user) >= per_user)
		errno = EUSERS;
	else
		r = slots_update(fd, index, mine);
	unlock_all(fd);
	return r;
}
