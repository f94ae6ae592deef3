/*
 * Three ways to send a file: through a buffer of ours, by sendfile(2), or by sendfile(2) in small steps.
 * Which one is the fastest is for the machine and the network to say: copying costs what its memory costs,
 * sendfile what its kernel takes for each page, and the steps make TCP send otherwise than it does with
 * megabytes at hand; each of them can take twice as long as another. So each is tried in turn, on legs of the
 * first large downloads, and the fastest one is kept; sendfile where the first leg was spent on waiting for
 * the client, the network or a disk, where a short look at the others shows that they are far behind, and
 * for what is shorter than a leg: a new connection is sooner filled by it.
 */
#ifndef GENKAN_TRIAL_H
#define GENKAN_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The bytes of a leg, and of a look: more than the 10 MiB that both sockets hold, which are filled in no time.
 * Steps get a longer look, since it is TCP that has to find out what they are good for.
 */
#define TRIAL_LEG   (256 << 20)
#define TRIAL_LOOK  (16 << 20)
#define TRIAL_STEPS (64 << 20)

enum way { WAY_SENDFILE, WAY_STEPS, WAY_COPY };
#define WAYS 3

/* All zeros: nothing has been tried. */
struct trial {
	unsigned legs;      /* that have been sent or left out, the looks among them */
	int64_t time[WAYS]; /* nanoseconds per MiB, of each way; 0: not tried, or too slow at the look */
	bool settled;
	enum way way; /* once it is settled */
};

/* The way that is due. */
enum way trial_way(const struct trial *t);

/* Up to where bytes are to be sent in this way, from here on; INT64_MAX: all that there are. */
int64_t trial_until(const struct trial *t, int64_t from);

/* So many bytes were sent in the way that was due, within so many nanoseconds, busy ones among them. */
void trial_note(struct trial *t, int64_t bytes, int64_t nanoseconds, int64_t busy);

/* The other ways do not work here: this one is taken from now on. */
void trial_settle(struct trial *t, enum way way);

#endif
