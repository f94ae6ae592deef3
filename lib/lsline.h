/*
 * One row of LIST, in the form of "ls -ln" that every client parses: English
 * month names, local time, the year for files older than half a year or from
 * the future.
 */
#ifndef GENKAN_LSLINE_H
#define GENKAN_LSLINE_H

#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

/* Room for a row with a name and a link target of the greatest length. */
#define LSLINE_MAX (128 + 256 + 4 + 4096 + 3)

/*
 * Writes "-rw-r--r--   1 1000     1000          512 Nov 24 05:21 name CRLF" (and
 * " -> target" when target is not NULL) and returns its length. Control bytes
 * in names become '?'. The time zone must be loaded already (tzset(3)): below a
 * user's root it must not be.
 */
size_t lsline_format(char buf[static LSLINE_MAX], const struct stat *st, const char *name,
    const char *target, time_t now);

#endif
