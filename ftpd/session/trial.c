/*
 * Which way is faster?
 */
#include "trial.h"

/* The first one, by sendfile, warms up: the connection, the caches. Then each way has one. */
#define LEGS 3

/* Copying has to be faster by more than this, in percent: with a network in between both wait for it. */
#define MARGIN 10

enum way
trial_way(const struct trial *t)
{
	if (t->settled)
		return t->way;
	return t->legs % 2 == 0 ? WAY_SENDFILE : WAY_COPY;
}

int64_t
trial_until(const struct trial *t, int64_t from)
{
	return t->settled ? INT64_MAX : from + TRIAL_LEG;
}

static enum way
faster(const struct trial *t)
{
	return t->time[WAY_COPY] * (100 + MARGIN) < t->time[WAY_SENDFILE] * 100 ? WAY_COPY : WAY_SENDFILE;
}

void
trial_note(struct trial *t, int64_t bytes, int64_t nanoseconds)
{
	if (t->settled || bytes < TRIAL_LEG) /* the end of a file: too little to tell */
		return;
	t->time[trial_way(t)] = nanoseconds / (bytes >> 20); /* the later leg of a way counts */
	if (++t->legs == LEGS)
		trial_settle(t, faster(t));
}

void
trial_settle(struct trial *t, enum way way)
{
	t->settled = true;
	t->way = way;
}
