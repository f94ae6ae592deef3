/*
 * The connections, read from the slots.
 */
#include "sessions.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "nfc.h"

int
ctl_place_open(struct ctl_place *place, const char *directory)
{
	int r;

	place->dir = place->slots = -1;
	if (directory == NULL && (r = ctl_run_directory(place->path)) != 0)
		return r;
	if (directory != NULL && strlcpy(place->path, directory, PATH_MAX) >= PATH_MAX) {
		warnx("%s: the name is too long", directory);
		return EX_USAGE;
	}
	place->dir = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->dir == -1 && errno == ENOENT && directory == NULL)
		return 0; /* nobody has connected since the machine was started */
	if (place->dir == -1) {
		warn("RunDirectory %s", place->path);
		return EX_NOINPUT;
	}
	place->slots = slots_look(place->dir, "slots");
	if (place->slots != -1 || errno == ENOENT)
		return 0;
	warn("%s/slots%s", place->path,
	    errno == EACCES ? ": only root and the user that serves may read it" : "");
	return EX_NOPERM;
}

void
ctl_place_close(struct ctl_place *place)
{
	if (place->slots != -1)
		close(place->slots);
	if (place->dir != -1)
		close(place->dir);
}

static int
by_age(const void *a, const void *b)
{
	const struct ctl_session *x = a, *y = b;

	if (x->slot.began != y->slot.began)
		return x->slot.began < y->slot.began ? -1 : 1;
	return x->slot.pid < y->slot.pid ? -1 : x->slot.pid > y->slot.pid;
}

int
ctl_sessions_read(struct ctl_place *place, struct ctl_sessions *all)
{
	all->n = 0;
	if (place->slots == -1 && place->dir != -1)
		place->slots = slots_look(place->dir, "slots");
	if (place->slots == -1)
		return place->dir == -1 || errno == ENOENT ? 0 : -1;
	for (int i = 0; i < SLOTS_MAX; i++) {
		struct ctl_session *s = &all->session[all->n];
		int r = slots_read(place->slots, i, &s->slot);

		if (r == -1)
			return -1;
		s->index = i;
		/* one that has just come has not written itself down yet */
		if (r == 1 && s->slot.pid > 0)
			all->n++;
	}
	qsort(all->session, all->n, sizeof(all->session[0]), by_age);
	return 0;
}

const char *
ctl_state(const struct slot *slot)
{
	static const char *const words[] = { [SLOT_LOGIN] = "login", [SLOT_IDLE] = "idle",
		[SLOT_READS] = "reads", [SLOT_WRITES] = "writes", [SLOT_LISTS] = "lists" };

	return slot->state <= SLOT_LISTS ? words[slot->state] : "?";
}

bool
ctl_is_moving(const struct slot *slot)
{
	return slot->state == SLOT_READS || slot->state == SLOT_WRITES;
}

int64_t
ctl_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
ctl_rate(const struct slot *slot)
{
	int64_t ms = slot->changed - slot->started;

	if (!ctl_is_moving(slot) || ms <= 0 || slot->bytes <= 0)
		return 0;
	return (int64_t)((double)slot->bytes * 1000 / (double)ms);
}

const char *
ctl_duration(int64_t s, char buf[static CTL_SHORT])
{
	if (s < 0)
		s = 0; /* the clock was set */
	if (s < 3600)
		snprintf(buf, CTL_SHORT, "%jd:%02jd", (intmax_t)s / 60, (intmax_t)s % 60);
	else if (s < 86400)
		snprintf(buf, CTL_SHORT, "%jd:%02jd:%02jd", (intmax_t)s / 3600,
		    (intmax_t)s / 60 % 60, (intmax_t)s % 60);
	else
		snprintf(buf, CTL_SHORT, "%jdd %jdh", (intmax_t)s / 86400, (intmax_t)s / 3600 % 24);
	return buf;
}

const char *
ctl_bytes(int64_t bytes, char buf[static CTL_SHORT])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double n = (double)(bytes < 0 ? 0 : bytes);
	size_t i = 0;

	while (n >= 999.5 && i + 1 < sizeof(units) / sizeof(units[0])) {
		n /= 1000;
		i++;
	}
	snprintf(buf, CTL_SHORT, i > 0 && n < 9.95 ? "%.1f %s" : "%.0f %s", n, units[i]);
	return buf;
}

/* Where the last max characters of text begin. */
static const char *
last_ones(const char *text, size_t max)
{
	const char *p, *end = text + strlen(text);
	size_t n = 0;

	for (p = text; p < end; n++)
		(void)utf8_take(&p, end);
	for (; n > max; n--)
		(void)utf8_take(&text, end);
	return text;
}

const char *
ctl_shown(const char *text, size_t max, char *buf, size_t size)
{
	const char *p = last_ones(text, max), *end = text + strlen(text);
	size_t n = 0;

	while (p < end) {
		const char *from = p;
		int32_t code = utf8_take(&p, end);
		bool harmless = code >= 0x20 && (code < 0x7f || code >= 0xa0) &&
		    /* marks that turn the direction of writing */
		    !(code >= 0x200e && code <= 0x200f) && !(code >= 0x2028 && code <= 0x202e) &&
		    !(code >= 0x2066 && code <= 0x2069);

		if (n + (size_t)(p - from) >= size)
			break;
		if (harmless)
			memcpy(buf + n, from, (size_t)(p - from));
		else
			buf[n] = '?';
		n += harmless ? (size_t)(p - from) : 1;
	}
	buf[n] = '\0';
	return buf;
}
