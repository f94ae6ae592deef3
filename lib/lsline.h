/*
 * One row of LIST, in the form of "ls -ln" that every client parses: English
 * month names, local time, the year for files older than half a year or from
 * the future.
 */
#ifndef GENKAN_LSLINE_H
#define GENKAN_LSLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

/* Room for a row with a name and a link target of the greatest length. */
#define LSLINE_MAX (128 + 256 + 4 + 4096 + 3)

/* The time in the last row, which is often that of the next one; zeros to begin with. */
struct lsline_time {
	char text[40];
	size_t len;
	time_t minute;
	bool recent;
};

/*
 * Writes "-rw-r--r--   1 1000     1000          512 Nov 24 05:21 name CRLF" (and
 * " -> target" when target is not NULL) and returns its length. Control bytes
 * in names become '?'. The time zone must be loaded already (tzset(3)): below a
 * user's root it must not be. last goes from row to row, for one value of now.
 */
size_t lsline_format(char buf[static LSLINE_MAX], const struct stat *st, const char *name,
    const char *target, time_t now, struct lsline_time *last);

#endif
