/*
 * Two ways to send a file: through a buffer of ours, or by sendfile(2). Which one is faster is for
 * the machine to say: copying costs what its memory costs, sendfile what its kernel takes for each
 * page, and either can take twice as long as the other. So each is tried in turn, on legs of the first
 * large downloads, and the faster one is kept; sendfile where the first leg was spent on waiting for the
 * client, the network or a disk, where a short look at copying shows that it is far behind, and for what is
 * shorter than a leg: a new connection is sooner filled by it.
 */
#ifndef GENKAN_TRIAL_H
#define GENKAN_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

/* The bytes of a leg, and of a look: more than the 10 MiB that both sockets hold, which are filled in no time. */
#define TRIAL_LEG  (256 << 20)
#define TRIAL_LOOK (16 << 20)

enum way { WAY_COPY, WAY_SENDFILE };

/* All zeros: nothing has been tried. */
struct trial {
	unsigned legs;   /* that have been sent, the look among them */
	int64_t time[2]; /* nanoseconds per MiB, of each way */
	bool settled;
	enum way way; /* once it is settled */
};

/* The way that is due. */
enum way trial_way(const struct trial *t);

/* Up to where bytes are to be sent in this way, from here on; INT64_MAX: all that there are. */
int64_t trial_until(const struct trial *t, int64_t from);

/* So many bytes were sent in the way that was due, within so many nanoseconds, busy ones among them. */
void trial_note(struct trial *t, int64_t bytes, int64_t nanoseconds, int64_t busy);

/* The other way does not work here: this one is taken from now on. */
void trial_settle(struct trial *t, enum way way);

#endif
