/*
 * The rows of a listing.
 */
#include "listing_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "facts.h"
#include "files.h"
#include "listing.h"
#include "monitor.h"
#include "owners.h"
#include "reply.h"

static void
flush(struct listing *l)
{
	size_t done = 0;
	ssize_t n;

	while (done < l->len && !l->gone) {
		n = write(l->out, l->buffer + done, l->len - done);
		if (n >= 0) {
			done += (size_t)n;
		} else if (errno != EINTR) {
			l->gone = true;
			if (errno != EPIPE)
				l->error = errno;
		}
	}
	l->len = 0;
}

/* Where the next row is to be written: there is room for the longest. */
static char *
next_row(struct listing *l)
{
	return l->buffer + l->len;
}

/* The row ends at end. */
static void
end_row(struct listing *l, char *end)
{
	*end++ = '\r';
	*end++ = '\n';
	l->len = (size_t)(end - l->buffer);
	if (l->len >= LISTING_BUFFER)
		flush(l);
}

/* Writes text made harmless; returns what lies behind it. */
static char *
put_clean(char *to, const char *text)
{
	size_t len;

	if (*text == '\0') /* often */
		return to;
	len = strlen(text);
	memcpy(to, text, len);
	reply_clean(to, len);
	return to + len;
}

/* A row that is text alone. */
static void
put_text(struct listing *l, const char *text)
{
	end_row(l, put_clean(next_row(l), text));
}

/* The mark of -F; "ls" marks links by their target where that is shown. */
static const char *
mark(const struct listing *l, mode_t mode)
{
	if ((l->req.options & LIST_CLASSIFY) == 0)
		return "";
	if (S_ISDIR(mode))
		return "/";
	if (S_ISLNK(mode))
		return l->req.kind == LIST_LONG ? "" : "@";
	if (S_ISFIFO(mode))
		return "|";
	if (S_ISSOCK(mode))
		return "=";
	return S_ISREG(mode) && (mode & 0111) != 0 ? "*" : "";
}

/* In a recursion NLST shows the way to each name, because its rows are for use in RETR. */
static void
put_name(struct listing *l, const char *name, const char *sign)
{
	char *to = put_clean(next_row(l), l->req.shown);

	if (l->path[l->top] == '/') {
		to = put_clean(to, l->path + l->top + 1);
		*to++ = '/';
	}
	end_row(l, put_clean(put_clean(to, name), sign));
}

/* The row of one entry of LIST or NLST. link is where in dir the entry's own link can be read. */
static void
put_entry(struct listing *l, const char *name, const struct stat *st, int dir, const char *link)
{
	const char *sign = mark(l, st->st_mode);
	ssize_t n = -1;

	if (l->req.kind == LIST_NAMES) {
		put_name(l, name, sign);
		return;
	}
	if (S_ISLNK(st->st_mode))
		n = readlinkat(dir, link, l->target, sizeof(l->target) - 1);
	l->target[n < 0 ? 0 : n] = '\0';
	if (l->req.shown[0] != '\0' || sign[0] != '\0') {
		(void)snprintf(l->shown, sizeof(l->shown), "%s%s%s", l->req.shown, name, sign);
		name = l->shown;
	}
	l->len += lsline_format(
	    next_row(l), st, name, n >= 0 ? l->target : NULL, l->now, &l->last);
	if (l->len >= LISTING_BUFFER)
		flush(l);
}

/* How many rows there may be; 0: as many as there are. */
static unsigned
rows_max(const struct listing *l)
{
	unsigned ours = (l->req.options & LIST_RECURSIVE) != 0 ? LISTING_ROWS : 0;
	unsigned wanted = l->m->conf->list_options.max_files;

	return wanted == 0 || (ours != 0 && ours < wanted) ? ours : wanted;
}

/* How deep a recursion may go; the folder itself is level 1. */
static unsigned
depth_max(const struct listing *l)
{
	unsigned wanted = l->m->conf->list_options.max_depth;

	return wanted == 0 || wanted > LISTING_DEPTH ? LISTING_DEPTH : wanted;
}

static void write_folder(struct listing *, struct folder *, unsigned depth);

/* Goes down into name, a folder of the one at l->path. */
static void
write_subfolder(struct listing *l, const char *name, unsigned depth)
{
	size_t len = strlen(l->path);
	struct folder f;
	int dir;

	if (depth > depth_max(l) || len + 1 + strlen(name) >= sizeof(l->path)) {
		l->cut = true;
		return;
	}
	l->path[len] = '/';
	(void)strlcpy(l->path + len + 1, name, sizeof(l->path) - len - 1);
	dir = files_open(l->m, l->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (dir != -1 && folder_open(&f, dir) == 0) {
		if (l->req.kind == LIST_LONG) {
			(void)snprintf(l->shown, sizeof(l->shown), "%s:", l->path + l->top + 1);
			put_text(l, "");
			put_text(l, l->shown);
		}
		if ((l->error = folder_read(l, &f)) == 0)
			write_folder(l, &f, depth);
		folder_close(&f);
	}
	l->path[len] = '\0';
}

/* The row of a name whose entry has to be looked at; true if it is a folder. Not inline, like weigh(). */
static bool __attribute__((noinline))
write_entry(struct listing *l, struct folder *f, const char *name)
{
	struct stat st;

	if (!folder_stat(l, f, name, &st))
		return false;
	put_entry(l, name, &st, f->fd, name);
	l->rows++;
	return S_ISDIR(st.st_mode);
}

/* The row of a name of the folder; false when there shall be no more. */
static bool
write_name(struct listing *l, struct folder *f, const char *name, bool *folder)
{
	*folder = false;
	if (l->max != 0 && l->rows == l->max) {
		l->cut = true;
		return false;
	}
	if (l->plain) {
		put_name(l, name, "");
		l->rows++;
	} else {
		*folder = write_entry(l, f, name);
	}
	return !l->gone;
}

/* The rows of the names at hand, which learn whether they are folders; false likewise. */
static bool
write_names(struct listing *l, struct folder *f)
{
	bool folder;

	for (size_t i = 0; i < f->names.n; i++) {
		char *name = (char *)f->names.name[i];

		if (!write_name(l, f, name, &folder))
			return false;
		if (folder && !folder_is_dots(name))
			name[-1] = NAME_FOLDER;
	}
	return true;
}

/* The rows of what the folder has beyond the names at hand. */
static void
write_more(struct listing *l, struct folder *f)
{
	const char *name;
	bool folder;

	while ((name = folder_next(f)) != NULL)
		if (folder_wants(l, name) && !write_name(l, f, name, &folder))
			return;
	l->error = errno;
}

static void
write_folder(struct listing *l, struct folder *f, unsigned depth)
{
	if (write_names(l, f) && f->more)
		write_more(l, f);
	if ((l->req.options & LIST_RECURSIVE) == 0 || l->pattern[0] != '\0')
		return;
	/* descriptors do not add up with the depth */
	folder_shut(f);
	for (size_t i = 0; i < f->names.n && !l->cut && !l->gone && l->error == 0; i++)
		if (f->names.name[i][-1] == NAME_FOLDER)
			write_subfolder(l, (const char *)f->names.name[i], depth + 1);
}

static void
put_facts(struct listing *l, const char *name, const struct stat *st, enum facts_dir dir,
    const struct stat *parent)
{
	unsigned may = files_may(&l->m->account, st, parent);
	struct facts_more more = { 0 };
	char *to = next_row(l);

	if ((l->req.facts & FACT_UNIX_OWNERNAME) != 0)
		more.user = owners_user(l->m, st);
	if ((l->req.facts & FACT_UNIX_GROUPNAME) != 0)
		more.group = owners_group(l->m, st);
	if ((l->req.facts & FACT_CREATE) != 0)
		more.created = files_created(l->folder.fd, name);
	to += facts_format(to, st, dir, may, l->req.facts, &more);
	*to++ = ' ';
	end_row(l, put_clean(to, name));
}

/* MLSD: every name as it comes, the folder itself and the one above first. */
static void
write_facts(struct listing *l)
{
	struct folder *f = &l->folder;
	const char *name;
	struct stat st;

	put_facts(l, ".", &f->st, FACTS_CDIR, NULL);
	(void)folder_stat(l, f, "..", &st);
	put_facts(l, "..", &st, FACTS_PDIR, NULL);
	while (!l->gone && (name = folder_next(f)) != NULL)
		if (!folder_is_dots(name) && !folder_hides(l, name) && folder_stat(l, f, name, &st))
			put_facts(l, name, &st, FACTS_DIR, &f->st);
	if (!l->gone)
		l->error = errno;
}

static void
write_single(struct listing *l)
{
	struct stat st;

	if (fstat(l->single, &st) == -1)
		l->error = errno;
	else
		put_entry(l, l->name, &st, l->single, "");
}

/* The last row of a listing that met its bounds. */
static void
put_cut(struct listing *l)
{
	(void)snprintf(l->shown, sizeof(l->shown),
	    "[the listing ends here: no more than %u names and %u levels are shown]",
	    l->max == 0 ? LISTING_ROWS : l->max, depth_max(l));
	put_text(l, l->shown);
}

void
rows_write(struct listing *l)
{
	l->max = rows_max(l);
	l->plain = l->req.kind == LIST_NAMES && l->m->conf->show_symlinks &&
	    !(l->req.options & (LIST_RECURSIVE | LIST_CLASSIFY));
	if (l->req.kind == LIST_FACTS)
		write_facts(l);
	else if (l->single != -1)
		write_single(l);
	else
		write_folder(l, &l->folder, 1);
	if (l->cut)
		put_cut(l);
	flush(l);
}
