/*
 * Listings.
 */
#include "listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "facts.h"
#include "files.h"
#include "log.h"
#include "lsline.h"
#include "monitor.h"
#include "pattern.h"
#include "reply.h"

/* What goes into the pipe at once. */
#define BUFFER (64 * 1024)

/* The longest name in a row: what stands before it, folders of a recursion, a mark. */
#define SHOWN_MAX (2 * REQ_PATH + NAME_MAX + 4)

/* A name that is sorted. */
struct entry {
	const char *name;
	size_t at; /* where name is in names.text, which moves while it grows */
	struct timespec time;
	off_t size;
	bool folder; /* known after its row was written, in recursion */
};

/* Names of a directory, at most LISTING_SORTED; their texts lie behind each other. */
struct names {
	struct entry *entry;
	size_t n, room;
	char *text;
	size_t len, text_room;
};

/* A directory that is being listed. */
struct folder {
	DIR *stream;
	struct stat st;
	struct names names;
	bool more; /* it may have more names than these */
};

struct listing {
	const struct monitor *m;
	struct req_list req;
	int single;                 /* the one entry that is listed (O_PATH), or -1: a folder */
	struct folder folder;       /* the folder, its first names read already */
	char name[NAME_MAX + 1];    /* of the single entry */
	char pattern[NAME_MAX + 1]; /* what names must match; empty: all */
	char path[REQ_PATH];        /* of the folder; it grows and shrinks in recursion */
	size_t top;                 /* how much of path is not recursion */

	int out; /* the pipe */
	time_t now;
	char buffer[BUFFER];
	size_t len;
	char row[LSLINE_MAX + SHOWN_MAX], shown[SHOWN_MAX], target[PATH_MAX];
	unsigned rows;
	bool cut;  /* the recursion met its bounds */
	bool gone; /* the session does not want more */
	int error;
};

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

static void
put(struct listing *l, const char *text, size_t len)
{
	if (len > sizeof(l->buffer) - l->len)
		flush(l);
	memcpy(l->buffer + l->len, text, len);
	l->len += len;
}

/* Puts a row that is text alone. */
static void
put_text(struct listing *l, const char *text)
{
	int n = snprintf(l->row, sizeof(l->row), "%s", text);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(l->row) ? (size_t)n : sizeof(l->row) - 1;

	reply_clean(l->row, len);
	put(l, l->row, len);
	put(l, "\r\n", 2);
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

/*
 * The row of one entry of LIST or NLST. link is where in dir the entry's own
 * link can be read. In a recursion NLST shows the way to each name, because its
 * rows are for use in RETR; LIST has headings for that.
 */
static void
put_entry(struct listing *l, const char *name, const struct stat *st, int dir, const char *link)
{
	const char *way = "";
	ssize_t n = -1;

	if (l->req.kind == LIST_NAMES && l->path[l->top] == '/')
		way = l->path + l->top + 1;
	(void)snprintf(l->shown, sizeof(l->shown), "%s%s%s%s%s", l->req.shown, way,
	    way[0] != '\0' ? "/" : "", name, mark(l, st->st_mode));
	if (l->req.kind == LIST_NAMES) {
		put_text(l, l->shown);
		return;
	}
	if (S_ISLNK(st->st_mode))
		n = readlinkat(dir, link, l->target, sizeof(l->target) - 1);
	l->target[n < 0 ? 0 : n] = '\0';
	put(l, l->row, lsline_format(l->row, st, l->shown, n >= 0 ? l->target : NULL, l->now));
}

/* The directory above the folder, which at the root is the root: never by the kernel's "..". */
static void
stat_above(const struct listing *l, const struct folder *f, struct stat *st)
{
	char above[REQ_PATH + 4];
	int fd;

	*st = f->st;
	(void)snprintf(above, sizeof(above), "%s/..", l->path);
	if ((fd = files_open(l->m, above, O_PATH | O_DIRECTORY, 0)) == -1)
		return;
	if (fstat(fd, st) == -1)
		*st = f->st;
	close(fd);
}

/* False when the name is gone. */
static bool
stat_name(const struct listing *l, const struct folder *f, const char *name, struct stat *st)
{
	if (strcmp(name, "..") != 0)
		return fstatat(dirfd(f->stream), name, st, AT_SYMLINK_NOFOLLOW) == 0;
	stat_above(l, f, st);
	return true;
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool
is_wanted(const struct listing *l, const char *name)
{
	if (is_dots(name))
		return l->pattern[0] == '\0' && (l->req.options & LIST_ALL) != 0;
	if (l->pattern[0] != '\0')
		return pattern_match(l->pattern, name);
	return name[0] != '.' || (l->req.options & (LIST_ALL | LIST_ALMOST_ALL)) != 0;
}

/* Makes room for one more name of this length; 0 or ENOMEM. */
static int
grow(struct names *names, size_t len)
{
	struct entry *entry;
	size_t room;
	char *text;

	if (names->n == names->room) {
		room = names->room == 0 ? 64 : 2 * names->room;
		if ((entry = reallocarray(names->entry, room, sizeof(*entry))) == NULL)
			return ENOMEM;
		names->entry = entry;
		names->room = room;
	}
	if (len > names->text_room - names->len) {
		room = 2 * names->text_room + 1024 + len;
		if ((text = realloc(names->text, room)) == NULL)
			return ENOMEM;
		names->text = text;
		names->text_room = room;
	}
	return 0;
}

static int
add_name(const struct listing *l, struct folder *f, const char *name)
{
	struct names *names = &f->names;
	size_t len = strlen(name) + 1;
	struct entry *e;
	struct stat st;

	if (grow(names, len) != 0)
		return ENOMEM;
	e = &names->entry[names->n];
	memset(e, 0, sizeof(*e));
	if ((l->req.options & (LIST_BY_TIME | LIST_BY_SIZE)) != 0) {
		if (!stat_name(l, f, name, &st))
			return 0;
		e->time = st.st_mtim;
		e->size = st.st_size;
	}
	e->at = names->len;
	memcpy(names->text + names->len, name, len);
	names->len += len;
	names->n++;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int
by_time(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->time.tv_sec != y->time.tv_sec)
		return x->time.tv_sec < y->time.tv_sec ? 1 : -1;
	if (x->time.tv_nsec != y->time.tv_nsec)
		return x->time.tv_nsec < y->time.tv_nsec ? 1 : -1;
	return by_name(a, b);
}

static int
by_size(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return by_name(a, b);
}

/* mergesort(3), because glibc's qsort(3) asks the system for its memory's size. */
static void
sort_names(const struct listing *l, struct names *names)
{
	struct entry swap;
	size_t i;

	for (i = 0; i < names->n; i++)
		names->entry[i].name = names->text + names->entry[i].at;
	if (names->n > 1)
		mergesort(names->entry, names->n, sizeof(*names->entry),
		    (l->req.options & LIST_BY_TIME) != 0       ? by_time
			: (l->req.options & LIST_BY_SIZE) != 0 ? by_size
							       : by_name);
	if ((l->req.options & LIST_REVERSE) == 0)
		return;
	for (i = 0; i < names->n / 2; i++) {
		swap = names->entry[i];
		names->entry[i] = names->entry[names->n - 1 - i];
		names->entry[names->n - 1 - i] = swap;
	}
}

/* Reads and sorts the next names of the folder; 0 or errno. */
static int
folder_read(const struct listing *l, struct folder *f)
{
	struct dirent *d;
	int error;

	f->names.n = f->names.len = 0;
	f->more = true;
	while (f->names.n < LISTING_SORTED) {
		errno = 0;
		if ((d = readdir(f->stream)) == NULL) {
			f->more = false;
			if (errno != 0)
				return errno;
			break;
		}
		if (is_wanted(l, d->d_name) && (error = add_name(l, f, d->d_name)) != 0)
			return error;
	}
	sort_names(l, &f->names);
	return 0;
}

/* Takes dir, a directory that was opened for reading; 0 or errno. */
static int
folder_open(struct folder *f, int dir)
{
	int error = 0;

	memset(f, 0, sizeof(*f));
	if (fstat(dir, &f->st) == -1 || (f->stream = fdopendir(dir)) == NULL) {
		error = errno;
		close(dir);
	}
	return error;
}

static void
folder_close(struct folder *f)
{
	if (f->stream != NULL)
		closedir(f->stream);
	free(f->names.entry);
	free(f->names.text);
	memset(f, 0, sizeof(*f));
}

static void write_folder(struct listing *, struct folder *, unsigned depth);

/* Goes down into name, a folder of the one at l->path. */
static void
write_subfolder(struct listing *l, const char *name, unsigned depth)
{
	size_t len = strlen(l->path);
	struct folder f;
	int dir;

	if (depth > LISTING_DEPTH || len + 1 + strlen(name) >= sizeof(l->path)) {
		l->cut = true;
		return;
	}
	l->path[len] = '/';
	(void)strlcpy(l->path + len + 1, name, sizeof(l->path) - len - 1);
	dir = files_open(l->m, l->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (dir != -1 && folder_open(&f, dir) == 0) {
		if (l->req.kind == LIST_LONG) {
			(void)snprintf(l->shown, sizeof(l->shown), "%s:", l->path + l->top + 1);
			put(l, "\r\n", 2);
			put_text(l, l->shown);
		}
		if ((l->error = folder_read(l, &f)) == 0)
			write_folder(l, &f, depth);
		folder_close(&f);
	}
	l->path[len] = '\0';
}

/* The rows of the names at hand; false when there shall be no more. */
static bool
write_names(struct listing *l, struct folder *f)
{
	bool recursive = (l->req.options & LIST_RECURSIVE) != 0;
	bool plain = l->req.kind == LIST_NAMES && !recursive && !(l->req.options & LIST_CLASSIFY);
	struct stat st = { 0 };
	size_t i;

	for (i = 0; i < f->names.n && !l->gone; i++) {
		struct entry *e = &f->names.entry[i];

		if (recursive && l->rows == LISTING_ROWS) {
			l->cut = true;
			return false;
		}
		/* plain names are worth no look at each file */
		if (!plain && !stat_name(l, f, e->name, &st))
			continue;
		e->folder = S_ISDIR(st.st_mode) && !is_dots(e->name);
		put_entry(l, e->name, &st, dirfd(f->stream), e->name);
		l->rows++;
	}
	return !l->gone;
}

static void
write_folder(struct listing *l, struct folder *f, unsigned depth)
{
	while (write_names(l, f) && f->more)
		if ((l->error = folder_read(l, f)) != 0)
			return;
	if ((l->req.options & LIST_RECURSIVE) == 0 || l->pattern[0] != '\0')
		return;
	/* descriptors do not add up with the depth */
	closedir(f->stream);
	f->stream = NULL;
	for (size_t i = 0; i < f->names.n && !l->cut && !l->gone && l->error == 0; i++)
		if (f->names.entry[i].folder)
			write_subfolder(l, f->names.entry[i].name, depth + 1);
}

static void
put_facts(struct listing *l, const char *name, const struct stat *st, enum facts_dir dir,
    const struct stat *parent)
{
	unsigned may = files_may(&l->m->account, st, parent);
	size_t len = facts_format(l->row, st, dir, may, l->req.facts);

	put(l, l->row, len);
	put(l, " ", 1);
	put_text(l, name);
}

/* MLSD: every name as it comes, the folder itself and the one above first. */
static void
write_facts(struct listing *l)
{
	struct folder *f = &l->folder;
	struct dirent *d;
	struct stat st;

	put_facts(l, ".", &f->st, FACTS_CDIR, NULL);
	stat_above(l, f, &st);
	put_facts(l, "..", &st, FACTS_PDIR, NULL);
	for (errno = 0; !l->gone && (d = readdir(f->stream)) != NULL; errno = 0)
		if (!is_dots(d->d_name) && stat_name(l, f, d->d_name, &st))
			put_facts(l, d->d_name, &st, FACTS_DIR, &f->st);
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
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return ENOMEM;
	m->listing = l;
	l->m = m;
	l->req = req->list;
	l->single = l->out = -1;
	clock_gettime(CLOCK_REALTIME, &now);
	l->now = now.tv_sec;
	if ((error = find(l)) == 0 && pipe2(ends, O_CLOEXEC) == -1)
		error = errno;
	if (error != 0) {
		listing_discard(m);
		return error;
	}
	l->out = ends[1];
	*fd = ends[0];
	return 0;
}

void
listing_write(struct monitor *m)
{
	struct listing *l = m->listing;

	if (l->req.kind == LIST_FACTS)
		write_facts(l);
	else if (l->single != -1)
		write_single(l);
	else
		write_folder(l, &l->folder, 1);
	if (l->cut) {
		(void)snprintf(l->shown, sizeof(l->shown),
		    "[the listing ends here: no more than %d names and %d levels are shown]",
		    LISTING_ROWS, LISTING_DEPTH);
		put_text(l, l->shown);
	}
	flush(l);
	m->listing_error = l->error;
	if (l->error != 0)
		log_warnx("listing of %s: %s", l->req.path, strerror(l->error));
	listing_discard(m);
}
