/*
 * Which way is faster?
 */
#include "trial.h"

/* The first leg warms up: the connection, the caches. Behind the look each way has one. */
static const struct {
	enum way way;
	int64_t bytes;
} legs[] = {
	{ WAY_SENDFILE, TRIAL_LEG  },
	{ WAY_COPY,     TRIAL_LOOK },
	{ WAY_COPY,     TRIAL_LEG  },
	{ WAY_SENDFILE, TRIAL_LEG  },
};

#define FIRST 0
#define LOOK  1
#define LAST  (sizeof(legs) / sizeof(legs[0]) - 1)

/* Copying has to be faster by more than this, in percent: with a network in between both wait for it. */
#define MARGIN 10

/* At the look it may be slower by this, in percent: so few bytes tell no more than that. */
#define DOUBT 10

enum way
trial_way(const struct trial *t)
{
	if (t->settled)
		return t->way;
	return legs[t->legs].way;
}

int64_t
trial_until(const struct trial *t, int64_t from)
{
	return t->settled ? INT64_MAX : from + legs[t->legs].bytes;
}

/* By more than so many percent. */
static bool
takes_longer(int64_t a, int64_t b, int percent)
{
	return a * 100 > b * (100 + percent);
}

void
trial_note(struct trial *t, int64_t bytes, int64_t nanoseconds, int64_t busy)
{
	const int64_t *time = t->time;

	if (t->settled || bytes < legs[t->legs].bytes) /* the end of a file: too little to tell */
		return;
	t->time[trial_way(t)] = nanoseconds / (bytes >> 20); /* the latest leg of a way counts */
	if (t->legs == FIRST && busy < nanoseconds / 2)
		trial_settle(t, WAY_SENDFILE); /* it is not us who is slow: the way of least work */
	else if (t->legs == LOOK && takes_longer(time[WAY_COPY], time[WAY_SENDFILE], DOUBT))
		trial_settle(t, WAY_SENDFILE);
	else if (t->legs == LAST)
		trial_settle(t, takes_longer(time[WAY_SENDFILE], time[WAY_COPY], MARGIN) ? WAY_COPY
		                                                                         : WAY_SENDFILE);
	else
		t->legs++;
}

void
trial_settle(struct trial *t, enum way way)
{
	t->settled = true;
	t->way = way;
}
