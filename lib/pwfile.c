/*
 * Files of passwd(5) lines, read line by line without NSS.
 */
#include "pwfile.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 7 };

/* Digits alone: strtonum(3) would take blanks and a sign. */
static int
parse_id(const char *text, unsigned *id)
{
	const char *why;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	*id = (unsigned)strtonum(text, 0, INT_MAX, &why);
	return why == NULL ? 0 : -1;
}

int
pwfile_parse(char *line, struct pwentry *entry)
{
	char *field[FIELDS], *rest = line;
	unsigned uid, gid;

	rest[strcspn(rest, "\n")] = '\0';
	for (int i = 0; i < FIELDS; i++) {
		field[i] = strsep(&rest, ":");
		if (field[i] == NULL)
			goto invalid;
	}
	if (rest != NULL || *field[0] == '\0' || *field[5] == '\0' ||
	    parse_id(field[2], &uid) == -1 || parse_id(field[3], &gid) == -1)
		goto invalid;
	entry->name = field[0];
	entry->hash = field[1];
	entry->uid = uid;
	entry->gid = gid;
	entry->gecos = field[4];
	entry->home = field[5];
	entry->shell = field[6];
	return 0;
invalid:
	errno = EINVAL;
	return -1;
}

/*
 * Reads one line, without its end, into buf; *whole tells that it fitted and
 * holds no NUL. Returns 1, 0 at the end of the file, -1 with errno. Not
 * fgets(3), which cannot tell a NUL from the end of a line.
 */
static int
read_line(FILE *file, char buf[static PWFILE_LINE], bool *whole)
{
	size_t n = 0;
	int c;

	*whole = true;
	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (c == '\0' || n == PWFILE_LINE - 1)
			*whole = false;
		else
			buf[n++] = (char)c;
	}
	buf[n] = '\0';
	if (c == EOF && ferror(file))
		return -1;
	return c == '\n' || n > 0 || !*whole;
}

/* The next line that parses; 1, 0 at the end, -1 with errno. */
static int
next_entry(FILE *file, char buf[static PWFILE_LINE], struct pwentry *entry)
{
	bool whole;
	int r;

	while ((r = read_line(file, buf, &whole)) == 1)
		if (whole && buf[0] != '#' && pwfile_parse(buf, entry) == 0)
			return 1;
	return r;
}

int
pwfile_find(FILE *file, const char *name, char buf[static PWFILE_LINE], struct pwentry *entry)
{
	int r;

	if (fseeko(file, 0, SEEK_SET) == -1)
		return -1;
	while ((r = next_entry(file, buf, entry)) == 1)
		if (strcmp(entry->name, name) == 0)
			return 1;
	return r;
}

int
pwfile_name_ok(const char *name)
{
	size_t len = strlen(name);

	/* A line that begins with # would be a comment. */
	if (len < 1 || len > 63 || name[0] == '-' || name[0] == '#')
		return 0;
	for (; *name != '\0'; name++)
		if (strchr(":/\177", *name) != NULL || (unsigned char)*name < ' ')
			return 0;
	return 1;
}

int
pwfile_system_user(const char *name, uid_t *uid, gid_t *gid)
{
	char buf[PWFILE_LINE], some[1024];
	struct pwentry entry;
	unsigned number;
	bool numeric = parse_id(name, &number) == 0;
	FILE *file = fopen("/etc/passwd", "re");
	int r = 0, error;

	if (file == NULL && !numeric)
		return -1;
	if (file != NULL) /* each connection begins with this: no memory of its own for it */
		setvbuf(file, some, _IOFBF, sizeof(some));
	while (file != NULL && (r = next_entry(file, buf, &entry)) == 1)
		if (numeric ? entry.uid == number : strcmp(entry.name, name) == 0)
			break;
	error = r == -1 ? errno : ENOENT;
	if (file != NULL)
		fclose(file);
	if (r == 1) {
		*uid = entry.uid;
		*gid = entry.gid;
		return 0;
	}
	if (numeric) {
		*uid = number;
		*gid = number;
		return 0;
	}
	errno = error;
	return -1;
}
