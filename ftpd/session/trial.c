/*
 * Which way is the fastest?
 */
#include "trial.h"

/* The first leg warms up: the connection, the caches. Behind its look each other way has one, then sendfile again. */
static const struct {
	enum way way;
	int64_t bytes;
} legs[] = {
	{ WAY_SENDFILE, TRIAL_LEG   },
	{ WAY_STEPS,    TRIAL_STEPS },
	{ WAY_STEPS,    TRIAL_LEG   },
	{ WAY_COPY,     TRIAL_LOOK  },
	{ WAY_COPY,     TRIAL_LEG   },
	{ WAY_SENDFILE, TRIAL_LEG   },
};

#define FIRST 0
#define LAST  (sizeof(legs) / sizeof(legs[0]) - 1)

/* Another way has to be faster by more than this, in percent: legs of the same way differ as much. */
#define MARGIN 4

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

/* The fastest of the ways that have been tried but for one; that one if there is no other. */
static enum way
fastest_but(const struct trial *t, enum way one)
{
	enum way best = one;

	for (enum way w = 0; w < WAYS; w++)
		if (w != one && t->time[w] > 0 && (best == one || t->time[w] < t->time[best]))
			best = w;
	return best;
}

/* What has been sent is a look, and it has seen a way that is far behind. */
static bool
was_in_vain(const struct trial *t, enum way way)
{
	return legs[t->legs].bytes < TRIAL_LEG &&
	       takes_longer(t->time[way], t->time[fastest_but(t, way)], DOUBT);
}

void
trial_note(struct trial *t, int64_t bytes, int64_t nanoseconds, int64_t busy)
{
	const enum way way = trial_way(t);
	enum way rival;

	if (t->settled || bytes < legs[t->legs].bytes) /* the end of a file: too little to tell */
		return;
	t->time[way] = nanoseconds / (bytes >> 20); /* the latest leg of a way counts */
	if (t->legs == FIRST && busy < nanoseconds / 2) {
		trial_settle(t, WAY_SENDFILE); /* it is not us who is slow: the way of least work */
		return;
	}
	if (was_in_vain(t, way)) {
		t->time[way] = 0;
		t->legs++; /* its leg is left out */
	}
	t->legs++;
	rival = fastest_but(t, WAY_SENDFILE);
	if (t->legs > LAST && takes_longer(t->time[WAY_SENDFILE], t->time[rival], MARGIN))
		trial_settle(t, rival);
	else if (t->legs > LAST || (t->legs == LAST && rival == WAY_SENDFILE))
		trial_settle(t, WAY_SENDFILE);
}

void
trial_settle(struct trial *t, enum way way)
{
	t->settled = true;
	t->way = way;
}
