/*
 * The names of a directory: which are wanted, and in which order.
 */
#include "listing_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "listing.h"
#include "monitor.h"
#include "pages.h"
#include "pattern.h"

/* The room for names, in bytes, and what is asked for of it at a time. */
#define NAME_ROOM (LISTING_ROWS * sizeof(unsigned char *))
#define TEXT_ROOM ((size_t)LISTING_ROWS * (NAME_MAX + 2))
#define STEP      (64 * 1024)
_Static_assert(LISTING_SORTED <= LISTING_ROWS, "no room for the names that are sorted");

/* The room for entries of getdents64(2), in bytes. */
#define ENTRIES (64 * 1024)

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

/* ShowSymlinks off: what the link leads to inside the root; false when that is nothing. */
static bool
stat_target(const struct listing *l, const char *name, struct stat *st)
{
	char path[REQ_PATH + NAME_MAX + 2];
	int fd;
	bool found;

	(void)snprintf(path, sizeof(path), "%s/%s", l->path, name);
	if (strlen(path) >= REQ_PATH || (fd = files_open(l->m, path, O_PATH, 0)) == -1)
		return false;
	found = fstat(fd, st) == 0;
	close(fd);
	return found;
}

bool
folder_stat(const struct listing *l, const struct folder *f, const char *name, struct stat *st)
{
	if (strcmp(name, "..") == 0) {
		stat_above(l, f, st);
		return true;
	}
	if (fstatat(f->fd, name, st, AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	return !S_ISLNK(st->st_mode) || l->m->conf->show_symlinks || stat_target(l, name, st);
}

bool
folder_is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

bool
folder_hides(const struct listing *l, const char *name)
{
	const char *list = l->m->conf->path_deny;

	return *list != '\0' && pattern_denies(list, name);
}

bool
folder_wants(const struct listing *l, const char *name)
{
	if (folder_is_dots(name))
		return l->pattern[0] == '\0' && (l->req.options & LIST_ALL) != 0;
	if (folder_hides(l, name))
		return false;
	if (l->pattern[0] != '\0')
		return pattern_match(l->pattern, name);
	return name[0] != '.' || (l->req.options & (LIST_ALL | LIST_ALMOST_ALL)) != 0;
}

/* Room for the names of one directory; 0 or ENOMEM. */
static int
make_room(const struct listing *l, struct names *names)
{
	bool weighed = (l->req.options & (LIST_BY_TIME | LIST_BY_SIZE)) != 0;

	names->name = malloc(NAME_ROOM);
	names->text = malloc(TEXT_ROOM);
	if (weighed)
		names->weighed = calloc(LISTING_ROWS, sizeof(*names->weighed));
	return names->name == NULL || names->text == NULL || (weighed && names->weighed == NULL) ? ENOMEM
	                                                                                         : 0;
}

/* Before anything up to end is written into the room of size bytes, it is asked for. */
static void
reach(void *room, size_t size, size_t *ready, size_t end)
{
	size_t step = size - *ready < STEP ? size - *ready : STEP;

	if (end <= *ready)
		return;
	pages_written((char *)room + *ready, step);
	*ready += step;
}

/* Nanoseconds since the epoch, which end with the year 2262. */
static int64_t
nanoseconds(const struct timespec *t)
{
	const int64_t most = INT64_MAX / 1000000000 - 1;

	if (t->tv_sec > most || t->tv_sec < -most)
		return t->tv_sec > 0 ? INT64_MAX : INT64_MIN;
	return t->tv_sec * 1000000000 + t->tv_nsec;
}

/*
 * What a name is sorted by; false when it is gone. Not inline: the compiler would fill
 * its struct stat with zeros for names that are sorted as they are, too.
 */
static bool __attribute__((noinline))
weigh(const struct listing *l, const struct folder *f, struct weighed *w)
{
	struct stat st;

	if (!folder_stat(l, f, (const char *)w->name, &st))
		return false;
	w->weight = (l->req.options & LIST_BY_TIME) != 0 ? nanoseconds(&st.st_mtim) : st.st_size;
	return true;
}

static void
add_name(const struct listing *l, struct folder *f, const char *name)
{
	struct names *names = &f->names;
	size_t len = strnlen(name, NAME_MAX);
	char *text = names->text + names->len;

	reach(names->text, TEXT_ROOM, &names->text_ready, names->len + len + 2);
	reach(names->name, NAME_ROOM, &names->name_ready, (names->n + 1) * sizeof(*names->name));
	text[0] = NAME_OTHER;
	memcpy(text + 1, name, len);
	text[1 + len] = '\0';
	if (names->weighed != NULL) {
		names->weighed[names->n].name = (unsigned char *)text + 1;
		if (!weigh(l, f, &names->weighed[names->n]))
			return;
	}
	names->name[names->n++] = (unsigned char *)text + 1;
	names->len += len + 2;
}

static int
by_weight(const void *a, const void *b)
{
	const struct weighed *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return strcmp((const char *)x->name, (const char *)y->name);
}

/* radixsort(3) and mergesort(3): glibc's qsort(3) asks the system for its memory's size. */
static void
sort_names(const struct listing *l, struct names *names)
{
	const unsigned char *swap;
	size_t i;

	if (names->weighed == NULL && names->n > 1) {
		radixsort(names->name, (int)names->n, NULL, 0);
	} else if (names->n > 1) {
		mergesort(names->weighed, names->n, sizeof(*names->weighed), by_weight);
		for (i = 0; i < names->n; i++)
			names->name[i] = names->weighed[i].name;
	}
	if ((l->req.options & LIST_REVERSE) == 0)
		return;
	for (i = 0; i < names->n / 2; i++) {
		swap = names->name[i];
		names->name[i] = names->name[names->n - 1 - i];
		names->name[names->n - 1 - i] = swap;
	}
}

int
folder_read(const struct listing *l, struct folder *f)
{
	/* a recursion shows all the folders among the names that it may show */
	const size_t most = (l->req.options & LIST_RECURSIVE) != 0 ? LISTING_ROWS : LISTING_SORTED;
	const char *name;
	int error;

	if ((error = make_room(l, &f->names)) != 0)
		return error;
	f->more = true;
	while (f->names.n < most) {
		if ((name = folder_next(f)) == NULL) {
			f->more = false;
			if (errno != 0)
				return errno;
			break;
		}
		if (folder_wants(l, name))
			add_name(l, f, name);
	}
	if (!f->more) /* a part of them, sorted, would be in nobody's order */
		sort_names(l, &f->names);
	return 0;
}

/* Reads the next entries; false at the end, or with errno. */
static bool
fill(struct folder *f)
{
	ssize_t n = getdents64(f->fd, f->entries, ENTRIES);

	/* a directory that has been removed meanwhile has no more names */
	if (n == 0 || (n == -1 && errno == ENOENT))
		errno = 0;
	f->at = 0;
	f->len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

const char *
folder_next(struct folder *f)
{
	const struct dirent64 *d;

	do {
		if (f->at == f->len && !fill(f))
			return NULL;
		d = (const struct dirent64 *)(const void *)(f->entries + f->at);
		f->at += d->d_reclen;
	} while (d->d_ino == 0);
	return d->d_name;
}

int
folder_open(struct folder *f, int dir)
{
	int error;

	memset(f, 0, sizeof(*f));
	f->fd = dir;
	if (fstat(dir, &f->st) == 0 && (f->entries = malloc(ENTRIES)) != NULL)
		return 0;
	error = errno;
	folder_shut(f);
	return error;
}

void
folder_shut(struct folder *f)
{
	if (f->fd != -1)
		close(f->fd);
	free(f->entries);
	f->fd = -1;
	f->entries = NULL;
}

void
folder_close(struct folder *f)
{
	folder_shut(f);
	free(f->names.name);
	free(f->names.text);
	free(f->names.weighed);
	memset(&f->names, 0, sizeof(f->names));
}
