/*
 * The connections as the slots file tells of them, and how genkanctl shows them.
 * The processes that write there are not those of who reads: all text is made
 * harmless for a terminal.
 */
#ifndef GENKAN_CTL_SESSIONS_H
#define GENKAN_CTL_SESSIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slots.h"

/* The files of a RunDirectory. */
struct ctl_place {
	char path[PATH_MAX];
	int dir, slots; /* slots: -1 as long as nobody has connected */
};

struct ctl_sessions {
	unsigned n;
	struct ctl_session {
		int index;
		struct slot slot;
	} session[SLOTS_MAX]; /* the oldest first */
};

/*
 * Opens the RunDirectory, given by an option or (NULL) by the configuration, and the
 * slots in it. Returns 0, or an exit status after saying what is wrong.
 */
int ctl_place_open(struct ctl_place *place, const char *directory);

void ctl_place_close(struct ctl_place *place);

/* Reads all living sessions; 0 or -1 with errno. Opens the slots if that was too early before. */
int ctl_sessions_read(struct ctl_place *place, struct ctl_sessions *all);

/* The word for what a session does: "login", "idle", "reads", "writes", "lists". */
const char *ctl_state(const struct slot *slot);

/* True if bytes flow, or could. */
bool ctl_is_moving(const struct slot *slot);

/* Milliseconds since the epoch. */
int64_t ctl_now(void);

/* Bytes per second since the transfer began, 0 if that is too early to say. */
int64_t ctl_rate(const struct slot *slot);

#define CTL_SHORT 32 /* room for each of these, which return buf */

const char *ctl_duration(int64_t seconds, char buf[static CTL_SHORT]); /* 0:07 59:59 2:00:00 3d 4h */
const char *ctl_bytes(int64_t bytes, char buf[static CTL_SHORT]);      /* 999 B 1.2 kB 30 MB */

/*
 * Copies text for a terminal: control characters and what is no UTF-8 become '?', and
 * of more than max characters the first ones are left out. Returns buf.
 */
const char *ctl_shown(const char *text, size_t max, char *buf, size_t size);

#endif
