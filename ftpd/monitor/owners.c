/*
 * Who is who.
 */
#include "owners.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "idnames.h"
#include "log.h"
#include "monitor.h"

/* One file: open, then read, then closed. */
struct owners_file {
	int fd;
	struct idnames *names;
};

struct owners {
	struct owners_file users, groups;
};

static void
open_file(struct owners_file *f, const char *path)
{
	f->names = NULL;
	if ((f->fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		log_debug("%s cannot be read: owners have numbers alone", path);
}

static void
close_file(struct owners_file *f)
{
	if (f->fd != -1)
		close(f->fd);
	idnames_free(f->names);
}

void
owners_open(struct monitor *m)
{
	owners_close(m);
	if ((m->owners = malloc(sizeof(*m->owners))) == NULL)
		return;
	open_file(&m->owners->users, "/etc/passwd");
	open_file(&m->owners->groups, "/etc/group");
}

void
owners_close(struct monitor *m)
{
	if (m->owners == NULL)
		return;
	close_file(&m->owners->users);
	close_file(&m->owners->groups);
	free(m->owners);
	m->owners = NULL;
}

static const char *
find(struct owners_file *f, unsigned id)
{
	if (f->fd != -1) {
		if ((f->names = idnames_read(f->fd)) == NULL)
			log_warn("the names of owners");
		close(f->fd);
		f->fd = -1;
	}
	return f->names != NULL ? idnames_find(f->names, id) : NULL;
}

const char *
owners_user(const struct monitor *m, const struct stat *st)
{
	const char *name;

	if (m->owners == NULL)
		return NULL;
	name = find(&m->owners->users, st->st_uid);
	if (name == NULL && st->st_uid == m->account.uid && strlen(m->account.name) < IDNAMES_NAME)
		name = m->account.name;
	return name;
}

const char *
owners_group(const struct monitor *m, const struct stat *st)
{
	return m->owners != NULL ? find(&m->owners->groups, st->st_gid) : NULL;
}
