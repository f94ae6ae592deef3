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

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "netaddr.h"

#define SLOTS_MAX 1000

enum slot_state {
	SLOT_LOGIN, /* nobody has logged in yet */
	SLOT_IDLE,
	SLOT_READS,  /* a file: RETR, HASH */
	SLOT_WRITES, /* a file: STOR, APPE, STOU */
	SLOT_LISTS
};

/* What a slot tells of its session; the file is readable by its owner alone. */
struct slot {
	int32_t pid; /* the monitor */
	uint32_t state;
	int64_t began; /* seconds since the epoch */
	struct netaddr peer;
	char user[64]; /* NUL-terminated, cut off if it is longer; empty before login */
	/* Of what is read, written or listed now. Times are milliseconds since the epoch. */
	char path[256]; /* its end, if it is longer */
	int64_t bytes;   /* moved so far */
	int64_t changed; /* when that was true; while idle, since when */
	int64_t size;    /* to be moved in all, -1: not known */
	int64_t started;
};

/* Limits of a claim. */
struct slots_limits {
	unsigned total;    /* at most SLOTS_MAX */
	unsigned per_host; /* a host as hosts_key() has it; 0: no limit */
};

/*
 * Opens (creating it, mode 0600, never through a symlink) the file "slots" in
 * dirfd. Returns a close-on-exec descriptor, or -1 with errno: ELOOP for a
 * symlink, EPERM if it is not a plain file of one name, ours and closed to others.
 */
int slots_open(int dirfd);

/* The same for a file of another name beside it. */
int slots_open_file(int dirfd, const char *name);

/*
 * Opens a file that slots_open() has made, for reading and whoever's it is; -1 with
 * errno, ENOENT if nobody has connected yet.
 */
int slots_look(int dirfd, const char *name);

/*
 * Claims a free slot and writes *mine into it. Returns its index, or -1: EAGAIN
 * when all are taken, EUSERS when the host has as many as it may, else errno.
 */
int slots_claim(int fd, struct slots_limits limits, const struct slot *mine);

/* Gives a claimed slot back; the end of the process does as well, and more slowly for others. */
void slots_release(int fd, int index);

/* Rewrites the claimed slot (pwrite(2)); 0 or -1. */
int slots_update(int fd, int index, const struct slot *mine);

/* Rewrites bytes and changed of it alone. */
int slots_progress(int fd, int index, const struct slot *mine);

/*
 * Reads slot index. Returns 1 when a living session holds it (*out is all 0 if
 * it has not written itself down yet), 0 when it is free, or -1 with errno.
 */
int slots_read(int fd, int index, struct slot *out);

/*
 * How many slots but index tell of this user, this state, and of progress within the last
 * SLOTS_FRESH milliseconds before now (since the epoch): a killed session is soon forgotten.
 */
#define SLOTS_FRESH 5000
unsigned slots_alike(int fd, int index, const char *user, enum slot_state state, int64_t now);

/* How many of the first max slots are taken. */
unsigned slots_count(int fd, unsigned max);

/*
 * Rewrites the claimed slot of a session that becomes mine->user, unless per_user
 * others (0: no limit) are that user's: then -1 with EUSERS. Needs fcntl(2)'s
 * F_OFD_SETLKW, so it comes before a system call filter.
 */
int slots_enter(int fd, int index, const struct slot *mine, unsigned per_user);

#endif
