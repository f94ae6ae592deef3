/*
 * TransferRate: how many bytes a transfer may move now. A bucket that fills at the
 * rate and holds what comes in an eighth of a second, so that what a client
 * was too slow to take is not made up for at full speed.
 */
#ifndef GENKAN_PACE_H
#define GENKAN_PACE_H

#include <stddef.h>
#include <stdint.h>

/* It begins as zeros with a rate. */
struct pace {
	int64_t rate;  /* bytes per second, 0: as many as there are */
	int64_t since; /* clock_ms() … */
	int64_t base;  /* … and of how many moved bytes the bucket was full */
};

/*
 * How many of max bytes may be moved at now (clock_ms()), bytes having been moved
 * so far; 0: none yet, *when is the time to ask again.
 */
size_t pace_room(struct pace *p, int64_t bytes, size_t max, int64_t now, int64_t *when);

/* Another rate, above 0, from now on; what the bucket holds stays in it, as far as it fits. */
void pace_change(struct pace *p, int64_t rate, int64_t bytes, int64_t now);

#endif
