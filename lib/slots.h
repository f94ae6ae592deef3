/*
 * One slot per session, across all processes, without a daemon: a file of
 * fixed records, each owned by whoever holds the lock on its byte. The lock is
 * an open file description lock (F_OFD_SETLK), so the kernel frees the slot when
 * the last process that has the descriptor is gone, SIGKILL included. Therefore
 * only the process that stands for the session keeps the descriptor; forked
 * ones close it.
 *
 * A description never conflicts with itself: claim once per slots_open(), and
 * look at the slots (slots_read(), slots_count()) through a slots_open() of
 * your own, or your own slot seems free.
 */
#ifndef GENKAN_SLOTS_H
#define GENKAN_SLOTS_H

#include <stdint.h>
#include <sys/types.h>

#include "netaddr.h"

#define SLOTS_MAX 1000

/* What a slot tells of its session; the file is readable by its owner alone. */
struct slot {
	int32_t pid; /* the monitor */
	int64_t began; /* seconds since the epoch */
	struct netaddr peer;
	char user[64]; /* NUL-terminated; empty before login */
};

/*
 * Opens (creating it, mode 0600, never through a symlink) the file "slots" in
 * dirfd. Returns a close-on-exec descriptor, or -1 with errno: ELOOP for a
 * symlink, EPERM if it is not a plain file of one name, ours and closed to others.
 */
int slots_open(int dirfd);

/*
 * Claims a free slot of the first max (at most SLOTS_MAX) and writes *mine into it.
 * Returns its index, or -1: EAGAIN when all are taken, else errno.
 */
int slots_claim(int fd, unsigned max, const struct slot *mine);

/* Rewrites the claimed slot (pwrite(2)); 0 or -1. */
int slots_update(int fd, int index, const struct slot *mine);

/*
 * Reads slot index. Returns 1 when a living session holds it (*out is all 0 if
 * it has not written itself down yet), 0 when it is free, or -1 with errno.
 */
int slots_read(int fd, int index, struct slot *out);

/* How many of the first max slots are taken. */
unsigned slots_count(int fd, unsigned max);

#endif
