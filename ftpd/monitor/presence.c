/*
 * What our slot tells.
 */
#include "presence.h"

#include <fcntl.h>
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

static void
tell(struct monitor *m, enum slot_state state)
{
	m->self.state = state;
	m->self.changed = wall_clock();
	if (slots_update(m->slots, m->slot, &m->self) == -1)
		log_warn("slots");
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
	if (has_slot(m))
		tell(m, SLOT_IDLE);
}

void
presence_file(struct monitor *m, const struct req_open *r, const struct stat *st, int fd)
{
	bool reads = r->mode == OPEN_READ;

	stop_watching(m);
	if (!has_slot(m) || (m->watched.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return;
	m->watched.on = true;
	m->watched.from = lseek(fd, 0, SEEK_CUR);
	m->watched.due = monitor_clock() + TICK;
	begin(m, r->path, reads ? st->st_size - r->restart : -1);
	tell(m, reads ? SLOT_READS : SLOT_WRITES);
}

void
presence_listing(struct monitor *m, const char *path)
{
	if (!has_slot(m))
		return;
	stop_watching(m);
	begin(m, path, -1);
	tell(m, SLOT_LISTS);
}

void
presence_done(struct monitor *m)
{
	if (!has_slot(m))
		return;
	stop_watching(m);
	tell(m, SLOT_IDLE);
}

int
presence_due(const struct monitor *m)
{
	int64_t left;

	if (!m->watched.on)
		return -1;
	left = m->watched.due - monitor_clock();
	return left < 0 ? 0 : (int)left;
}

void
presence_tick(struct monitor *m)
{
	int64_t bytes;

	if (presence_due(m) != 0)
		return;
	m->watched.due = monitor_clock() + TICK;
	bytes = lseek(m->watched.fd, 0, SEEK_CUR) - m->watched.from;
	if (bytes < 0)
		bytes = 0;
	m->self.bytes = bytes;
	m->self.changed = wall_clock();
	if (slots_progress(m->slots, m->slot, &m->self) == -1)
		log_warn("slots");
}
