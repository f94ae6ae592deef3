/*
 * Files of xinetd.conf(5).
 */
#include "xinetdconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r"

/* One line without comment and blanks around it; false at the end of the text. */
static bool
next_line(const char **text, unsigned *number, char *line, size_t size)
{
	size_t len = strcspn(*text, "\n"), n;
	const char *from = *text;

	if (*from == '\0')
		return false;
	*text += len;
	if (**text == '\n')
		(*text)++;
	(*number)++;
	n = strspn(from, BLANKS);
	n = n > len ? len : n;
	from += n;
	len -= n;
	if (len >= size)
		len = size - 1;
	memcpy(line, from, len);
	line[len] = '\0';
	if (line[0] == '#')
		line[0] = '\0';
	for (n = strlen(line); n > 0 && strchr(BLANKS, line[n - 1]) != NULL; n--)
		line[n - 1] = '\0';
	return true;
}

/* A number, or UNLIMITED; -1 for anything else. */
static int
number(const char *text)
{
	const char *why;
	int n;

	if (strcasecmp(text, "UNLIMITED") == 0)
		return XINETD_UNLIMITED;
	n = (int)strtonum(text, 0, INT_MAX - 1, &why);
	return why == NULL ? n : -1;
}

static void
set_cps(struct xinetdconf *to, const char *value)
{
	if (sscanf(value, "%9d %9d", &to->cps, &to->cps_wait) != 2)
		to->cps = to->cps_wait = -1;
}

static void
set(struct xinetdconf *to, const char *key, const char *value)
{
	if (strcmp(key, "server") == 0)
		(void)strlcpy(to->server, value, sizeof(to->server));
	else if (strcmp(key, "server_args") == 0)
		(void)strlcpy(to->arguments, value, sizeof(to->arguments));
	else if (strcmp(key, "user") == 0)
		(void)strlcpy(to->user, value, sizeof(to->user));
	else if (strcmp(key, "disable") == 0)
		to->disabled = strcasecmp(value, "yes") == 0;
	else if (strcmp(key, "wait") == 0)
		to->wait = strcasecmp(value, "yes") == 0;
	else if (strcmp(key, "port") == 0)
		to->port = number(value);
	else if (strcmp(key, "instances") == 0)
		to->instances = number(value);
	else if (strcmp(key, "per_source") == 0)
		to->per_source = number(value);
	else if (strcmp(key, "cps") == 0)
		set_cps(to, value);
}

/* "key = value", "key += value". */
static void
take_attribute(char *line, struct xinetdconf *to)
{
	char *key = line, *equals = strchr(line, '='), *end;

	if (equals == NULL)
		return;
	end = equals;
	while (end > key && strchr(BLANKS "+-", end[-1]) != NULL)
		end--;
	*end = '\0';
	equals++;
	set(to, key, equals + strspn(equals, BLANKS));
}

bool
xinetdconf_next(const char **text, unsigned *number, struct xinetdconf *to)
{
	char line[1024];
	bool inside = false, named = false;

	memset(to, 0, sizeof(*to));
	to->port = to->instances = to->per_source = to->cps = to->cps_wait = -1;
	while (next_line(text, number, line, sizeof(line))) {
		if (!inside && strncmp(line, "service", 7) == 0 &&
		    strchr(BLANKS, line[7]) != NULL) {
			(void)strlcpy(
			    to->service, line + 7 + strspn(line + 7, BLANKS), sizeof(to->service));
			named = true;
			to->line = *number - 1;
		} else if (!inside && strncmp(line, "defaults", 8) == 0) {
			to->defaults = named = true;
			to->line = *number - 1;
		}
		if (!inside && named && strchr(line, '{') != NULL) {
			to->service[strcspn(to->service, BLANKS "{")] = '\0';
			inside = true;
		} else if (inside && line[0] == '}') {
			return true;
		} else if (inside) {
			take_attribute(line, to);
		}
	}
	return false;
}
