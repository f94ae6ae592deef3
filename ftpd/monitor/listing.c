/*
 * Listings: what is to be listed.
 */
#include "listing.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "listing_state.h"
#include "log.h"
#include "monitor.h"
#include "pattern.h"
#include "presence.h"

/* The folder at l->path, all of it or what matches the pattern; 0 or errno. */
static int
find_folder(struct listing *l)
{
	const char *path = l->path[0] != '\0' ? l->path : "/";
	int dir, error;

	dir = files_open(l->m, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
	if (dir == -1)
		return errno;
	if ((error = folder_open(&l->folder, dir)) != 0 || l->req.kind == LIST_FACTS)
		return error;
	if ((error = folder_read(l, &l->folder)) != 0)
		return error;
	return l->pattern[0] != '\0' && l->folder.names.n == 0 ? ENOENT : 0;
}

/* No such name: its last component may be a pattern. */
static int
find_pattern(struct listing *l)
{
	if (files_split(l->req.path, l->path, l->pattern) == -1 || !pattern_is_magic(l->pattern))
		return ENOENT;
	l->top = strlen(l->path);
	return find_folder(l);
}

/* Sets l->path and l->name from the request's path, without slashes at the end. */
static void
take_path(struct listing *l)
{
	char dir[REQ_PATH];

	memcpy(l->path, l->req.path, sizeof(l->path));
	l->top = strlen(l->path);
	while (l->top > 0 && l->path[l->top - 1] == '/')
		l->path[--l->top] = '\0';
	if (files_split(l->req.path, dir, l->name) == -1)
		(void)strlcpy(l->name, ".", sizeof(l->name));
}

/* What does the request mean? 0, or an errno for the session. */
static int
find(struct listing *l)
{
	struct stat st;
	int at, error;
	bool folder;

	take_path(l);
	if ((at = files_open(l->m, l->req.path, O_PATH, 0)) == -1) {
		error = errno;
		folder = false;
	} else {
		error = 0;
		folder = fstat(at, &st) == 0 && S_ISDIR(st.st_mode);
		close(at);
	}
	if (folder && (l->req.kind == LIST_FACTS || (l->req.options & LIST_DIRECTORY) == 0))
		return find_folder(l);
	if (l->req.kind == LIST_FACTS)
		return error != 0 ? error : ENOTDIR;
	if (!l->m->conf->show_symlinks && error == 0) {
		l->single = files_open(l->m, l->req.path, O_PATH, 0);
		return l->single == -1 ? errno : 0;
	}
	if (!l->m->conf->show_symlinks)
		return error == ENOENT ? find_pattern(l) : error;
	/* a link that leads nowhere is an entry all the same */
	if ((l->single = files_open(l->m, l->req.path, O_PATH | O_NOFOLLOW, 0)) != -1)
		return 0;
	return errno == ENOENT ? find_pattern(l) : errno;
}

void
listing_discard(struct monitor *m)
{
	struct listing *l = m->listing;

	if (l == NULL)
		return;
	folder_close(&l->folder);
	if (l->single != -1)
		close(l->single);
	if (l->out != -1)
		close(l->out);
	free(l);
	m->listing = NULL;
}

int
listing_request(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	struct listing *l;
	struct timespec now;
	int ends[2], error;

	(void)ans;
	listing_discard(m);
	m->listing_error = 0;
	if (req->list.kind > LIST_FACTS)
		return EINVAL;
	if ((l = malloc(sizeof(*l))) == NULL)
		return ENOMEM;
	memset(l, 0, offsetof(struct listing, buffer));
	m->listing = l;
	l->m = m;
	l->req = req->list;
	l->single = l->out = l->folder.fd = -1;
	clock_gettime(CLOCK_REALTIME, &now);
	l->now = now.tv_sec;
	if ((error = find(l)) == 0 && pipe2(ends, O_CLOEXEC) == -1)
		error = errno;
	if (error != 0) {
		listing_discard(m);
		return error;
	}
	/* more rows on their way, fewer changes between the two processes; it may be refused */
	(void)fcntl(ends[1], F_SETPIPE_SZ, LISTING_PIPE);
	l->out = ends[1];
	*fd = ends[0];
	presence_listing(m, l->req.path);
	return 0;
}

void
listing_write(struct monitor *m)
{
	struct listing *l = m->listing;

	rows_write(l);
	m->listing_error = l->error;
	if (l->error != 0)
		log_warnx("listing of %s: %s", l->req.path, strerror(l->error));
	listing_discard(m);
}
