/*
 * TransferRate.
 */
#include "pace.h"

/* Less than this is not worth a system call; more than this starves the other side. In bytes. */
#define STEP_MIN 256
#define STEP_MAX (256 << 10)

size_t
pace_room(struct pace *p, int64_t bytes, size_t max, int64_t now, int64_t *when)
{
	int64_t step = p->rate / 16, full = p->rate / 8, need, room, seconds;

	if (p->rate == 0 || max == 0)
		return max;
	step = step < STEP_MIN ? STEP_MIN : step > STEP_MAX ? STEP_MAX : step;
	full = full < 2 * STEP_MIN ? 2 * STEP_MIN : full;
	if (p->since == 0)
		p->since = now;
	/* whole seconds at once: exact, and the product below stays small */
	seconds = (now - p->since) / 1000;
	p->since += seconds * 1000;
	p->base += seconds * p->rate;
	room = full + (now - p->since) * p->rate / 1000 - (bytes - p->base);
	if (room >= full) {
		room = full;
		p->since = now;
		p->base = bytes;
	}
	need = max < (size_t)step ? (int64_t)max : step;
	if (room >= need)
		return (uint64_t)room < max ? (size_t)room : max;
	*when = now + ((need - room) * 1000 + p->rate - 1) / p->rate;
	return 0;
}
