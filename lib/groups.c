/*
 * The groups of a user.
 */
#include "groups.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 4 };

static int
too_many(void)
{
	errno = EOVERFLOW;
	return -1;
}

/* True if list, with commas between, has the len bytes of name as a member. */
static bool
is_member(const char *list, const char *name, size_t len)
{
	size_t n;

	for (; *list != '\0'; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == len && n > 0 && memcmp(list, name, n) == 0)
			return true;
	}
	return false;
}

int
groups_add_name(struct groups *g, const char *name)
{
	size_t len = strlen(g->names), more = strlen(name);

	if (more == 0 || strchr(name, ',') != NULL || is_member(g->names, name, more))
		return 0;
	if (len + more + 3 > sizeof(g->names))
		return too_many();
	if (len == 0)
		g->names[len++] = ',';
	memcpy(g->names + len, name, more);
	memcpy(g->names + len + more, ",", 2);
	return 0;
}

int
groups_add(struct groups *g, const char *name, gid_t gid)
{
	unsigned i;

	for (i = 0; i < g->n && g->gid[i] != gid; i++)
		continue;
	if (i == GROUPS_MAX)
		return too_many();
	if (i == g->n)
		g->gid[g->n++] = gid;
	return name == NULL ? 0 : groups_add_name(g, name);
}

bool
groups_has(const struct groups *g, const char *name)
{
	return is_member(g->names, name, strlen(name));
}

bool
groups_fit(const struct groups *g, const char *expression)
{
	size_t n;

	for (; *expression != '\0'; expression += n + (expression[n] == ',')) {
		bool without = *expression == '!';

		expression += without;
		n = strcspn(expression, ",");
		if (is_member(g->names, expression, n) == without)
			return false;
	}
	return true;
}

/* Digits alone: strtonum(3) would take blanks and a sign. */
static bool
is_gid(const char *text, gid_t *gid)
{
	const char *why = NULL;

	if (!isdigit((unsigned char)text[0]))
		return false;
	*gid = (gid_t)strtonum(text, 0, INT_MAX, &why);
	return why == NULL;
}

/* One line, which is cut up. */
static int
take_line(struct groups *g, char *line, const char *user, gid_t primary)
{
	char *field[FIELDS], *rest = line;
	gid_t gid;
	int i;

	if (line[0] == '#')
		return 0;
	line[strcspn(line, "\r\n")] = '\0';
	for (i = 0; i < FIELDS; i++)
		if ((field[i] = strsep(&rest, ":")) == NULL)
			return 0;
	if (rest != NULL || field[0][0] == '\0' || !is_gid(field[2], &gid) || gid == 0)
		return 0;
	if (is_member(field[3], user, strlen(user)))
		return groups_add(g, field[0], gid);
	return gid == primary ? groups_add_name(g, field[0]) : 0;
}

int
groups_read(struct groups *g, FILE *file, const char *user, gid_t primary)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int r = 0, saved;

	while (r == 0 && (n = getline(&line, &size, file)) != -1)
		if (strlen(line) == (size_t)n) /* no NUL in it */
			r = take_line(g, line, user, primary);
	if (r == 0 && ferror(file))
		r = -1;
	saved = errno;
	free(line);
	errno = saved;
	return r;
}
