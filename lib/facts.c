/*
 * Facts of machine listings, from one table of names. The order of the table is
 * the order on the wire.
 */
#include "facts.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "digits.h"

static const struct {
	unsigned fact;
	const char *name;
} names[] = {
	{ FACT_TYPE,           "type"           },
	{ FACT_SIZE,           "size"           },
	{ FACT_MODIFY,         "modify"         },
	{ FACT_CREATE,         "create"         },
	{ FACT_PERM,           "perm"           },
	{ FACT_UNIQUE,         "unique"         },
	{ FACT_UNIX_MODE,      "UNIX.mode"      },
	{ FACT_UNIX_OWNER,     "UNIX.owner"     },
	{ FACT_UNIX_OWNERNAME, "UNIX.ownername" },
	{ FACT_UNIX_GROUP,     "UNIX.group"     },
	{ FACT_UNIX_GROUPNAME, "UNIX.groupname" },
};

/* A longer name of a user or group is cut. */
#define NAME_LONGEST 64

#define NNAMES (sizeof(names) / sizeof(names[0]))

/* RFC 3659 section 7.5.1; of OS.unix=slink clients know every form, its example has one. */
static const char *
type_value(mode_t mode, enum facts_dir dir)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return dir == FACTS_CDIR ? "cdir" : dir == FACTS_PDIR ? "pdir" : "dir";
	case S_IFLNK:
		return "OS.unix=slink";
	case S_IFIFO:
		return "OS.unix=fifo";
	case S_IFSOCK:
		return "OS.unix=socket";
	case S_IFCHR:
		return "OS.unix=chr";
	case S_IFBLK:
		return "OS.unix=blk";
	default:
		return "OS.unix=unknown";
	}
}

/* RFC 3659 section 7.5.5, letters in alphabetical order. */
static void
perm_value(char perm[static 8], mode_t mode, unsigned may)
{
	/* What is neither file nor directory nor link is never opened. */
	static const struct {
		char letter;
		bool file, dir, other;
		unsigned needs;
	} letters[] = {
		{ 'a', true,  false, false, FACTS_MAY_WRITE  },
		{ 'c', false, true,  false, FACTS_MAY_WRITE  },
		{ 'd', true,  true,  true,  FACTS_MAY_DELETE },
		{ 'e', false, true,  false, FACTS_MAY_READ   },
		{ 'f', true,  true,  true,  FACTS_MAY_RENAME },
		{ 'l', false, true,  false, FACTS_MAY_READ   },
		{ 'm', false, true,  false, FACTS_MAY_WRITE  },
		{ 'p', false, true,  false, FACTS_MAY_DELETE },
		{ 'r', true,  false, false, FACTS_MAY_READ   },
		{ 'w', true,  false, false, FACTS_MAY_WRITE  },
	};
	bool dir = S_ISDIR(mode), file = S_ISREG(mode) || S_ISLNK(mode);
	size_t n = 0;

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		bool fits = dir ? letters[i].dir : file ? letters[i].file : letters[i].other;

		if (fits && (may & letters[i].needs) != 0)
			perm[n++] = letters[i].letter;
	}
	perm[n] = '\0';
}

/* A name, at most as long as FACTS_TEXT has room for, or the number that ls(1) would show. */
static char *
name_value(char *to, const char *name, uintmax_t id)
{
	size_t len = name != NULL ? strnlen(name, NAME_LONGEST) : 0;

	if (len == 0)
		return digits_right(to, id, 0);
	memcpy(to, name, len);
	return to + len;
}

/* Writes the value behind to; returns what lies behind it. */
static char *
fact_value(char *to, const struct stat *st, enum facts_dir dir, unsigned may, unsigned fact,
    const struct facts_more *more)
{
	switch (fact) {
	case FACT_TYPE:
		return digits_text(to, type_value(st->st_mode, dir));
	case FACT_SIZE:
		return digits_right(to, (uintmax_t)st->st_size, 0);
	case FACT_MODIFY:
		facts_time_text(to, st->st_mtime);
		return to + 14;
	case FACT_CREATE:
		facts_time_text(to, more->created);
		return to + 14;
	case FACT_PERM:
		perm_value(to, st->st_mode, may);
		return to + strlen(to);
	case FACT_UNIQUE:
		to = digits_hex(to, st->st_dev);
		*to++ = '-';
		return digits_hex(to, st->st_ino);
	case FACT_UNIX_MODE:
		for (int shift = 9; shift >= 0; shift -= 3)
			*to++ = (char)('0' + (st->st_mode >> shift & 7));
		return to;
	case FACT_UNIX_OWNER:
		return digits_right(to, st->st_uid, 0);
	case FACT_UNIX_GROUP:
		return digits_right(to, st->st_gid, 0);
	case FACT_UNIX_OWNERNAME:
		return name_value(to, more != NULL ? more->user : NULL, st->st_uid);
	case FACT_UNIX_GROUPNAME:
		return name_value(to, more != NULL ? more->group : NULL, st->st_gid);
	}
	return to;
}

size_t
facts_format(char buf[static FACTS_TEXT], const struct stat *st, enum facts_dir dir, unsigned may,
    unsigned facts, const struct facts_more *more)
{
	char *to = buf;

	for (size_t i = 0; i < NNAMES; i++) {
		if ((facts & names[i].fact) == 0)
			continue;
		if (names[i].fact == FACT_SIZE && !S_ISREG(st->st_mode))
			continue;
		if (names[i].fact == FACT_CREATE && (more == NULL || more->created == 0))
			continue;
		to = digits_text(to, names[i].name);
		*to++ = '=';
		to = fact_value(to, st, dir, may, names[i].fact, more);
		*to++ = ';';
	}
	*to = '\0';
	return (size_t)(to - buf);
}

void
facts_parse(const char *arg, unsigned *facts)
{
	*facts = 0;
	while (*arg != '\0') {
		size_t len = strcspn(arg, ";");

		for (size_t i = 0; i < NNAMES; i++)
			if (strlen(names[i].name) == len &&
			    strncasecmp(names[i].name, arg, len) == 0)
				*facts |= names[i].fact;
		arg += len;
		if (*arg == ';')
			arg++;
	}
}

const char *
facts_names(char buf[static FACTS_TEXT], unsigned facts)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < NNAMES; i++)
		if ((facts & names[i].fact) != 0)
			len += (size_t)snprintf(buf + len, FACTS_TEXT - len, "%s;", names[i].name);
	return buf;
}

const char *
facts_feat(char buf[static FACTS_TEXT], unsigned facts)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < NNAMES; i++)
		len += (size_t)snprintf(buf + len, FACTS_TEXT - len, "%s%s;", names[i].name,
		    (facts & names[i].fact) != 0 ? "*" : "");
	return buf;
}

const char *
facts_time_text(char buf[static 16], time_t t)
{
	char *to = buf;
	struct tm tm;

	/* The format ends with the year 9999; file systems do not. */
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year + 1900 > 9999 || tm.tm_year + 1900 < 0)
		return strcpy(buf, t < 0 ? "00000101000000" : "99991231235959");
	to = digits_fixed(to, (uintmax_t)(tm.tm_year + 1900), 4);
	to = digits_fixed(to, (uintmax_t)(tm.tm_mon + 1), 2);
	to = digits_fixed(to, (uintmax_t)tm.tm_mday, 2);
	to = digits_fixed(to, (uintmax_t)tm.tm_hour, 2);
	to = digits_fixed(to, (uintmax_t)tm.tm_min, 2);
	*digits_fixed(to, (uintmax_t)tm.tm_sec, 2) = '\0';
	return buf;
}

/* Takes n digits (the caller has seen that they are there). */
static int
digits(const char **text, int n)
{
	int value = 0;

	while (n-- > 0)
		value = value * 10 + (*(*text)++ - '0');
	return value;
}

static bool
is_date(const struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = tm->tm_year + 1900, last;

	if (tm->tm_mon < 0 || tm->tm_mon > 11)
		return false;
	last = days[tm->tm_mon];
	if (tm->tm_mon == 1 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0))
		last = 29;
	/* RFC 3659 section 2.3 has a leap second. */
	return tm->tm_mday >= 1 && tm->tm_mday <= last && tm->tm_hour <= 23 && tm->tm_min <= 59 &&
	    tm->tm_sec <= 60;
}

int
facts_time_parse(const char *text, struct timespec *t, const char **rest)
{
	struct tm tm = { 0 };
	long unit = 100000000;

	if (strspn(text, "0123456789") != 14) {
		errno = EINVAL;
		return -1;
	}
	tm.tm_year = digits(&text, 4) - 1900;
	tm.tm_mon = digits(&text, 2) - 1;
	tm.tm_mday = digits(&text, 2);
	tm.tm_hour = digits(&text, 2);
	tm.tm_min = digits(&text, 2);
	tm.tm_sec = digits(&text, 2);
	if (!is_date(&tm)) {
		errno = EINVAL;
		return -1;
	}
	t->tv_sec = timegm(&tm);
	t->tv_nsec = 0;
	/* A dot without digits belongs to what follows: MDTM of 20260101000000.txt. */
	if (*text == '.' && isdigit((unsigned char)text[1]))
		for (text++; isdigit((unsigned char)*text); text++, unit /= 10)
			t->tv_nsec += (*text - '0') * unit;
	*rest = text;
	return 0;
}
