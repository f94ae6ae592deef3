/*
 * One row of LIST. No strftime(3): month names would follow the locale, and
 * clients parse English.
 */
#include "lsline.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "reply.h"

/* Half of 365.2425 days, as ls(1) has it. */
#define HALF_A_YEAR (31556952 / 2)

static char
type_letter(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	default:
		return '-';
	}
}

static void
mode_text(char text[static 11], mode_t mode)
{
	static const char letters[] = "rwxrwxrwx";
	static const struct {
		mode_t bit;
		int at;
		char with_x, without_x;
	} special[] = {
		{ S_ISUID, 3, 's', 'S' },
		{ S_ISGID, 6, 's', 'S' },
		{ S_ISVTX, 9, 't', 'T' },
	};

	text[0] = type_letter(mode);
	for (int i = 0; i < 9; i++)
		text[1 + i] = (mode & (0400U >> i)) != 0 ? letters[i] : '-';
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if ((mode & special[i].bit) != 0)
			text[special[i].at] =
			    text[special[i].at] == 'x' ? special[i].with_x : special[i].without_x;
	text[10] = '\0';
}

/* "Nov 24 05:21" or "Nov 24  2025" */
static void
time_text(char *text, size_t size, time_t t, time_t now)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL) {
		t = 0;
		gmtime_r(&t, &tm);
	}
	if (t <= now && now - t < HALF_A_YEAR)
		snprintf(text, size, "%s %2d %02d:%02d", months[tm.tm_mon], tm.tm_mday, tm.tm_hour,
		    tm.tm_min);
	else
		snprintf(
		    text, size, "%s %2d %5ld", months[tm.tm_mon], tm.tm_mday, tm.tm_year + 1900L);
}

size_t
lsline_format(char buf[static LSLINE_MAX], const struct stat *st, const char *name,
    const char *target, time_t now)
{
	char mode[11], when[40];
	size_t len, room = LSLINE_MAX - 2;
	int n;

	mode_text(mode, st->st_mode);
	time_text(when, sizeof(when), st->st_mtime, now);
	n = snprintf(buf, room, "%s %3ju %-8ju %-8ju %8jd %s %s%s%s", mode, (uintmax_t)st->st_nlink,
	    (uintmax_t)st->st_uid, (uintmax_t)st->st_gid, (intmax_t)st->st_size, when, name,
	    target == NULL ? "" : " -> ", target == NULL ? "" : target);
	len = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
	reply_clean(buf, len);
	memcpy(buf + len, "\r\n", 3);
	return len + 2;
}
