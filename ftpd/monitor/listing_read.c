/*
 * The names of a directory: which are wanted, and in which order.
 */
#include "listing_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "listing.h"
#include "monitor.h"
#include "pattern.h"

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
	if (fstatat(dirfd(f->stream), name, st, AT_SYMLINK_NOFOLLOW) == -1)
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
	return pattern_denies(l->m->conf->path_deny, name);
}

static bool
is_wanted(const struct listing *l, const char *name)
{
	if (folder_is_dots(name))
		return l->pattern[0] == '\0' && (l->req.options & LIST_ALL) != 0;
	if (folder_hides(l, name))
		return false;
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
		if (!folder_stat(l, f, name, &st))
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

int
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

int
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

void
folder_close(struct folder *f)
{
	if (f->stream != NULL)
		closedir(f->stream);
	free(f->names.entry);
	free(f->names.text);
	memset(f, 0, sizeof(*f));
}
