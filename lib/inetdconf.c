/*
 * Lines of inetd.conf(5).
 */
#include "inetdconf.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

/* The next word at *at into the field; false if there is none, or no room. */
static bool
take(const char **at, char *field, size_t size)
{
	size_t len;

	*at += strspn(*at, BLANKS);
	len = strcspn(*at, BLANKS);
	if (len == 0 || len >= size)
		return false;
	memcpy(field, *at, len);
	field[len] = '\0';
	*at += len;
	return true;
}

/* "wait", "nowait", each with ".MAX" or, in BSD's way, "/MAX". */
static bool
take_wait(const char *text, struct inetdconf *to)
{
	const size_t len = strcspn(text, "./");
	const char *why = NULL;

	to->wait = len == 4 && strncmp(text, "wait", 4) == 0;
	if (!to->wait && !(len == 6 && strncmp(text, "nowait", 6) == 0))
		return false;
	to->max = -1;
	if (text[len] != '\0') {
		char number[16];
		const char *digits = text + len + 1;

		if (strlcpy(number, digits, sizeof(number)) >= sizeof(number))
			return false;
		number[strcspn(number, "/")] = '\0'; /* FreeBSD: /MAX/PER-ADDRESS */
		to->max = (int)strtonum(number, 0, INT32_MAX, &why);
	}
	return why == NULL;
}

/* The rest of the line with one blank between words. */
static bool
take_arguments(const char *at, char *field, size_t size)
{
	char word[256];

	field[0] = '\0';
	while (at[strspn(at, BLANKS)] != '\0') {
		if (!take(&at, word, sizeof(word)) ||
		    (field[0] != '\0' && strlcat(field, " ", size) >= size) ||
		    strlcat(field, word, size) >= size)
			return false;
	}
	return true;
}

int
inetdconf_parse(const char *line, struct inetdconf *to)
{
	char type[32], protocol[32], wait[48];
	const char *at = line;

	memset(to, 0, sizeof(*to));
	line += strspn(line, BLANKS);
	if (*line == '\0' || *line == '#')
		return 0;
	if (!take(&at, to->service, sizeof(to->service)))
		return -1;
	/* "127.0.0.1:" alone: an address for the lines that follow */
	if (to->service[strlen(to->service) - 1] == ':' && at[strspn(at, BLANKS)] == '\0')
		return 0;
	if (!take(&at, type, sizeof(type)) || !take(&at, protocol, sizeof(protocol)) ||
	    !take(&at, wait, sizeof(wait)) || !take_wait(wait, to) ||
	    !take(&at, to->user, sizeof(to->user)) ||
	    !take(&at, to->program, sizeof(to->program)) ||
	    !take_arguments(at, to->arguments, sizeof(to->arguments)))
		return -1;
	to->tcp = strcmp(type, "stream") == 0 && strncmp(protocol, "tcp", 3) == 0;
	to->user[strcspn(to->user, ":.")] = '\0'; /* a group may follow */
	return 1;
}
