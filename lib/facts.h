/*
 * Machine listings: the facts of MLST and MLSD (RFC 3659 section 7), and the
 * time format that MDTM and MFMT share with them (section 2.3).
 */
#ifndef GENKAN_FACTS_H
#define GENKAN_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

/* Facts as bits; the client chooses by OPTS MLST. */
enum {
	FACT_TYPE = 1 << 0,
	FACT_SIZE = 1 << 1,
	FACT_MODIFY = 1 << 2,
	FACT_PERM = 1 << 3,
	FACT_UNIQUE = 1 << 4,
	FACT_UNIX_MODE = 1 << 5,
	FACT_UNIX_OWNER = 1 << 6,
	FACT_UNIX_GROUP = 1 << 7,
	FACT_UNIX_OWNERNAME = 1 << 8,
	FACT_UNIX_GROUPNAME = 1 << 9,
	FACT_CREATE = 1 << 10,
	FACT_ALL = (1 << 11) - 1,
	/* what stat(2) does not tell */
	FACT_MORE = FACT_UNIX_OWNERNAME | FACT_UNIX_GROUPNAME | FACT_CREATE,
	FACT_DEFAULT = FACT_ALL & ~FACT_MORE /* until the client chooses */
};

/* What the type fact says of a directory; files and links speak for themselves. */
enum facts_dir { FACTS_DIR, FACTS_CDIR, FACTS_PDIR };

/* What the user may do; from it and the mode the perm fact is made. */
enum {
	FACTS_MAY_READ = 1 << 0,   /* r, l, e: read files, list and enter directories */
	FACTS_MAY_WRITE = 1 << 1,  /* w, a, c, m: store, append, create, make directories */
	FACTS_MAY_DELETE = 1 << 2, /* d, p: delete, purge */
	FACTS_MAY_RENAME = 1 << 3  /* f */
};

/* Room for the facts of one entry, without the name. */
#define FACTS_TEXT 384

/*
 * What stat(2) does not tell of an entry: the names of owner and group, NULL or empty where they have
 * none (their numbers are told then); when it was made, 0 where that is not known (create is not
 * told then).
 */
struct facts_more {
	const char *user, *group;
	time_t created;
};

/*
 * Writes "type=file;size=1024;…;" (no blank, no name) for the chosen facts and
 * returns its length. may is what the *server* grants on this entry (rights of
 * the account and mode bits already taken into account). more may be NULL where none
 * of FACT_MORE is chosen; names longer than 64 bytes are cut.
 */
size_t facts_format(char buf[static FACTS_TEXT], const struct stat *st, enum facts_dir dir,
    unsigned may, unsigned facts, const struct facts_more *more);

/*
 * Reads the argument of OPTS MLST ("type;size;", also empty) and sets *facts;
 * names that are unknown are left out, as RFC 3659 section 7.9 wants.
 */
void facts_parse(const char *arg, unsigned *facts);

/* Writes the chosen facts' names, "type;size;"; returns buf. */
const char *facts_names(char buf[static FACTS_TEXT], unsigned facts);

/* Writes the line of FEAT: "type*;size*;perm;…", a star for each chosen fact. */
const char *facts_feat(char buf[static FACTS_TEXT], unsigned facts);

/* Writes YYYYMMDDHHMMSS in UTC; returns buf. */
const char *facts_time_text(char buf[static 16], time_t t);

/*
 * Reads YYYYMMDDHHMMSS[.fraction] in UTC from the start of text; *rest is what
 * follows. Returns 0, or -1 with EINVAL (not fourteen digits, no such day).
 */
int facts_time_parse(const char *text, struct timespec *t, const char **rest);

#endif
