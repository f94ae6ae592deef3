/*
 * One slot per session: fixed records in a file, owned by locks.
 *
 * Slot i is owned by the lock on byte i of the file, wherever its record lies,
 * so that programs with records of another size still agree on who is alive.
 */
#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
slots_open(int dirfd)
{
	struct stat st;
	int fd, saved;

	/* For reading and writing, even a FIFO that somebody put there opens at once. */
	fd = openat(dirfd, "slots", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
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

int
slots_claim(int fd, unsigned max, const struct slot *mine)
{
	struct flock lock;
	unsigned i;
	int index, saved;

	if (max > SLOTS_MAX) {
		errno = EINVAL;
		return -1;
	}
	/* Begin where no other is likely to be: neighbours have other pids. */
	for (i = 0; i < max; i++) {
		index = (int)(((unsigned)getpid() + i) % max);
		lock = slot_lock(index, F_WRLCK);
		if (fcntl(fd, F_OFD_SETLK, &lock) == -1) {
			if (errno == EAGAIN || errno == EACCES)
				continue;
			return -1;
		}
		if (slots_update(fd, index, mine) == 0)
			return index;
		saved = errno;
		lock = slot_lock(index, F_UNLCK);
		(void)fcntl(fd, F_OFD_SETLK, &lock);
		errno = saved;
		return -1;
	}
	errno = EAGAIN;
	return -1;
}

int
slots_update(int fd, int index, const struct slot *mine)
{
	ssize_t n;

	if (!valid(index))
		return -1;
	n = pwrite(fd, mine, sizeof(*mine), (off_t)index * (off_t)sizeof(*mine));
	if (n == -1)
		return -1;
	if ((size_t)n != sizeof(*mine)) {
		errno = ENOSPC;
		return -1;
	}
	return 0;
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

int
slots_read(int fd, int index, struct slot *out)
{
	int held;

	memset(out, 0, sizeof(*out));
	if (!valid(index))
		return -1;
	if ((held = is_held(fd, index)) != 1)
		return held;
	/* Short or empty: claimed just now, not yet written. */
	if (pread(fd, out, sizeof(*out), (off_t)index * (off_t)sizeof(*out)) == -1)
		return -1;
	out->user[sizeof(out->user) - 1] = '\0';
	return 1;
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
