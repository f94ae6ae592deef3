/*
 * What our slot tells.
 */
#include "presence.h"

#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "monitor.h"
#include "request.h"
#include "slots.h"

/* How often progress is written down, in milliseconds. */
#define TICK 1000

/* How late a change is, in milliseconds: many small transfers are written down together. */
#define DELAY 200

static int64_t
wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
has_slot(const struct monitor *m)
{
	return m->slots != -1 && m->slot != -1;
}

/* The state is another one from now on; presence_tick() writes it down. */
static void
change(struct monitor *m, enum slot_state state)
{
	int64_t due = monitor_clock() + DELAY;

	m->self.state = state;
	m->self.changed = wall_clock();
	if (!m->watched.news || m->watched.due > due)
		m->watched.due = due;
	m->watched.news = true;
}

/* The name's end is what tells most. */
static void
set_path(struct slot *slot, const char *path)
{
	size_t len = strlen(path), room = sizeof(slot->path) - 1;

	memset(slot->path, 0, sizeof(slot->path));
	memcpy(slot->path, len > room ? path + len - room : path, len > room ? room : len);
}

static void
begin(struct monitor *m, const char *path, int64_t size)
{
	set_path(&m->self, path);
	m->self.bytes = 0;
	m->self.size = size;
	m->self.started = wall_clock();
}

static void
stop_watching(struct monitor *m)
{
	if (m->watched.on)
		close(m->watched.fd);
	m->watched.on = false;
}

void
presence_login(struct monitor *m)
{
	if (!has_slot(m))
		return;
	m->self.state = SLOT_IDLE;
	m->self.changed = wall_clock();
	/* at once: other logins of the user are counted by it */
	if (slots_update(m->slots, m->slot, &m->self) == -1)
		log_warn("slots");
}

void
presence_file(struct monitor *m, const struct req_open *r, const struct stat *st, int fd)
{
	bool reads = r->mode == OPEN_READ;

	stop_watching(m);
	if (!has_slot(m))
		return;
	m->watched.on = true;
	m->watched.fd = fd;
	m->watched.from = r->mode == OPEN_APPEND ? st->st_size : r->restart;
	begin(m, r->path, reads ? st->st_size - r->restart : -1);
	change(m, reads ? SLOT_READS : SLOT_WRITES);
}

bool
presence_keeps(const struct monitor *m, int fd)
{
	return m->watched.on && m->watched.fd == fd;
}

unsigned
presence_alike(const struct monitor *m, enum slot_state state)
{
	return has_slot(m) ? slots_alike(m->slots, m->slot, m->self.user, state, wall_clock()) : 0;
}

void
presence_listing(struct monitor *m, const char *path)
{
	if (!has_slot(m))
		return;
	stop_watching(m);
	begin(m, path, -1);
	change(m, SLOT_LISTS);
	/* at once: while rows are written into a full pipe nothing else is */
	m->watched.due = monitor_clock();
	presence_tick(m);
}

void
presence_done(struct monitor *m)
{
	if (!has_slot(m))
		return;
	stop_watching(m);
	change(m, SLOT_IDLE);
}

int
presence_due(const struct monitor *m)
{
	int64_t left;

	if (!m->watched.on && !m->watched.news)
		return -1;
	left = m->watched.due - monitor_clock();
	return left < 0 ? 0 : (int)left;
}

/* How far the transfer is. */
static void
measure(struct monitor *m)
{
	int64_t bytes = lseek(m->watched.fd, 0, SEEK_CUR) - m->watched.from;

	m->self.bytes = bytes < 0 ? 0 : bytes;
	m->self.changed = wall_clock();
}

void
presence_tick(struct monitor *m)
{
	int written;

	if (presence_due(m) != 0)
		return;
	m->watched.due = monitor_clock() + TICK;
	if (m->watched.on)
		measure(m);
	written = m->watched.news ? slots_update(m->slots, m->slot, &m->self)
	                          : slots_progress(m->slots, m->slot, &m->self);
	m->watched.news = false;
	if (written == -1)
		log_warn("slots");
}
