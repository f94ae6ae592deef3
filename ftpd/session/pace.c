/*
 * TransferRate.
 */
#include "pace.h"

/* Less than this is not worth a system call; more than this starves the other side. In bytes. */
#define STEP_MIN 256
#define STEP_MAX (256 << 10)

/* How much the bucket can hold. */
static int64_t
size_of(const struct pace *p)
{
	return p->rate / 8 < 2 * STEP_MIN ? 2 * STEP_MIN : p->rate / 8;
}

/* What is in the bucket now. */
static int64_t
fill(struct pace *p, int64_t bytes, int64_t now)
{
	int64_t full = size_of(p), room, seconds;

	if (p->since == 0)
		p->since = now;
	/* whole seconds at once: exact, and the product below stays small */
	seconds = (now - p->since) / 1000;
	p->since += seconds * 1000;
	p->base += seconds * p->rate;
	room = full + (now - p->since) * p->rate / 1000 - (bytes - p->base);
	if (room < full)
		return room;
	p->since = now;
	p->base = bytes;
	return full;
}

void
pace_change(struct pace *p, int64_t rate, int64_t bytes, int64_t now)
{
	int64_t room = fill(p, bytes, now);

	p->rate = rate;
	p->since = now;
	p->base = bytes - size_of(p) + (room < size_of(p) ? room : size_of(p));
}

size_t
pace_room(struct pace *p, int64_t bytes, size_t max, int64_t now, int64_t *when)
{
	int64_t step = p->rate / 16, need, room;

	if (p->rate == 0 || max == 0)
		return max;
	step = step < STEP_MIN ? STEP_MIN : step > STEP_MAX ? STEP_MAX : step;
	room = fill(p, bytes, now);
	need = max < (size_t)step ? (int64_t)max : step;
	if (room >= need)
		return (uint64_t)room < max ? (size_t)room : max;
	*when = now + ((need - room) * 1000 + p->rate - 1) / p->rate;
	return 0;
}
