/*
 * A listing under way: between listing.c (what is to be listed), listing_read.c
 * (which names a directory has, in which order) and listing_rows.c (what is
 * written of them); for nobody else.
 */
#ifndef GENKAN_LISTING_STATE_H
#define GENKAN_LISTING_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "facts.h"
#include "lsline.h"
#include "request.h"

struct monitor;

/* What goes into the pipe at once. */
#define LISTING_BUFFER (128 * 1024)

/* What the pipe holds, in bytes. */
#define LISTING_PIPE (512 * 1024)

/* The longest name in a row: what stands before it, folders of a recursion, a mark. */
#define LISTING_SHOWN (2 * REQ_PATH + NAME_MAX + 4)

/* The longest row of any kind. */
#define LISTING_ROW (LSLINE_MAX + FACTS_TEXT + LISTING_SHOWN)

/* A name and what it is sorted by before the name itself: its time or size, greatest first. */
struct weighed {
	const unsigned char *name;
	int64_t weight;
};

/*
 * Names of a directory, at most LISTING_SORTED, in a recursion LISTING_ROWS. The
 * room is for so many of the greatest length; what is not used of it is never
 * touched. In text each name is ended by NUL, and has a byte in front of it:
 * NAME_FOLDER or NAME_OTHER, known after its row was written.
 */
enum { NAME_OTHER, NAME_FOLDER };
struct names {
	const unsigned char **name;
	size_t n;
	char *text;
	size_t len;
	size_t name_ready, text_ready; /* bytes of both that have been asked for */
	struct weighed *weighed; /* NULL unless sorted by time or size */
};

/* A directory that is being listed. */
struct folder {
	int fd;        /* -1: all has been read, and it is closed */
	char *entries; /* of getdents64(2): len bytes, the next one begins at at */
	size_t len, at;
	struct stat st;
	struct names names;
	bool more; /* it may have more names than these */
};

struct listing {
	const struct monitor *m;
	struct req_list req;
	int single;                 /* the one entry that is listed (O_PATH), or -1: a folder */
	struct folder folder;       /* the folder, its names read already (MLSD: not) */
	char name[NAME_MAX + 1];    /* of the single entry */
	char pattern[NAME_MAX + 1]; /* what names must match; empty: all */
	char path[REQ_PATH];        /* of the folder; it grows and shrinks in recursion */
	size_t top;                 /* how much of path is not recursion */

	int out; /* the pipe */
	time_t now;
	struct lsline_time last;
	unsigned rows, max; /* how many there are, and may be; max 0: no bound */
	bool plain; /* rows that are names alone are worth no look at each file */
	bool cut;  /* the recursion met its bounds */
	bool gone; /* the session does not want more */
	int error;
	size_t len; /* of buffer */
	/* from here on, what need not be zeros at the start */
	char buffer[LISTING_BUFFER + LISTING_ROW];
	char shown[LISTING_SHOWN], target[PATH_MAX];
};

/* listing_read.c: errors are errno values, 0 is done. */

/* Takes dir, a directory that was opened for reading. */
int folder_open(struct folder *f, int dir);

/*
 * The folder's next name, good until the next call; NULL at the end, or with errno. readdir(3) costs a
 * fiftieth of NLST by its smaller buffer and its look at each entry.
 */
const char *folder_next(struct folder *f);

/* No more names of it are wanted: its descriptor and the room for entries are given back. */
void folder_shut(struct folder *f);

/* Reads the names of the folder, and sorts them if these are all. */
int folder_read(const struct listing *l, struct folder *f);

/* True if the name, which the folder has, is to be listed. */
bool folder_wants(const struct listing *l, const char *name);

/* The status of a name in the folder as it is to be shown; false when it is gone or is not shown. */
bool folder_stat(const struct listing *l, const struct folder *f, const char *name, struct stat *st);

void folder_close(struct folder *f);

bool folder_is_dots(const char *name);

/* PathDeny: the name is not shown. */
bool folder_hides(const struct listing *l, const char *name);

/* listing_rows.c */

/* Writes all rows of the listing into the pipe. */
void rows_write(struct listing *l);

#endif
