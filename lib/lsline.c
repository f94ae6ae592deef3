/*
 * One row of LIST. No strftime(3): month names would follow the locale, and
 * clients parse English.
 */
#include "lsline.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "digits.h"
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

/* "05:21" for files of the last half year, else " 2025" */
static char *
clock_or_year(char *to, const struct tm *tm, bool recent)
{
	if (recent) {
		to = digits_fixed(to, (uintmax_t)tm->tm_hour, 2);
		*to++ = ':';
		return digits_fixed(to, (uintmax_t)tm->tm_min, 2);
	}
	if (tm->tm_year >= -1900)
		return digits_right(to, (uintmax_t)(tm->tm_year + 1900L), 5);
	*to++ = '-';
	return digits_right(to, (uintmax_t) - (tm->tm_year + 1900L), 4);
}

/* "Nov 24 05:21"; files that came in the same minute have the same text. */
static char *
put_time(char *to, struct lsline_time *last, time_t t, time_t now)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	bool recent = t <= now && t > now - HALF_A_YEAR;
	int second = (int)(t % 60 + 60) % 60;
	time_t minute = t / 60 - (t % 60 < 0);
	struct tm tm;
	char *end;

	if (last->len == 0 || last->minute != minute || last->recent != recent) {
		if (localtime_r(&t, &tm) == NULL) {
			recent = now < HALF_A_YEAR;
			gmtime_r(&(time_t){ 0 }, &tm);
		}
		end = digits_text(last->text, months[tm.tm_mon]);
		end = digits_right(end, (uintmax_t)tm.tm_mday, 3);
		*end++ = ' ';
		end = clock_or_year(end, &tm, recent);
		memcpy(to, last->text, (size_t)(end - last->text));
		to += end - last->text;
		/* there have been zones whose minutes begin between those of UTC */
		last->len = tm.tm_sec == second ? (size_t)(end - last->text) : 0;
		last->minute = minute;
		last->recent = recent;
		return to;
	}
	memcpy(to, last->text, last->len);
	return to + last->len;
}

/* Puts as much of text as there is room for before end, made harmless. */
static char *
put_name(char *to, const char *end, const char *text)
{
	size_t len = strlen(text);

	if (len > (size_t)(end - to))
		len = (size_t)(end - to);
	memcpy(to, text, len);
	reply_clean(to, len);
	return to + len;
}

size_t
lsline_format(char buf[static LSLINE_MAX], const struct stat *st, const char *name,
    const char *target, time_t now, struct lsline_time *last)
{
	const char *end = buf + LSLINE_MAX - 3;
	char *to = buf;

	mode_text(to, st->st_mode);
	to[10] = ' ';
	to = digits_right(to + 11, (uintmax_t)st->st_nlink, 3);
	*to++ = ' ';
	to = digits_left(to, st->st_uid, 8);
	*to++ = ' ';
	to = digits_left(to, st->st_gid, 8);
	*to++ = ' ';
	to = digits_right(to, (uintmax_t)st->st_size, 8);
	*to++ = ' ';
	to = put_time(to, last, st->st_mtime, now);
	*to++ = ' ';
	to = put_name(to, end, name);
	if (target != NULL)
		to = put_name(put_name(to, end, " -> "), end, target);
	memcpy(to, "\r\n", 3);
	return (size_t)(to + 2 - buf);
}
