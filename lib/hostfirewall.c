/*
 * What ufw and firewalld tell of themselves.
 */
#include "hostfirewall.h"

#include <stdio.h>
#include <string.h>

#define LINE 1024

/* The next line without its end; false at the end of the text. */
static bool
next_line(const char **text, char line[static LINE])
{
	const size_t len = strcspn(*text, "\n");

	if (**text == '\0')
		return false;
	snprintf(line, LINE, "%.*s", (int)(len < LINE ? len : LINE - 1), *text);
	*text += len + ((*text)[len] == '\n');
	return true;
}

/* "21", "4000-4029", "21,4000:4029"; a "/tcp" behind it is no matter, "/udp" is. */
static bool
ports_have(const char *ports, uint16_t port)
{
	unsigned min, max;

	if (strstr(ports, "/udp") != NULL)
		return false;
	for (const char *at = ports; *at != '\0' && *at != '/';) {
		const char *end = at + strcspn(at, ",/");
		const int n = sscanf(at, "%5u%*[:-]%5u", &min, &max);

		if ((n == 1 && at + strspn(at, "0123456789") == end && port == min) ||
		    (n == 2 && port >= min && port <= max))
			return true;
		at = *end == ',' ? end + 1 : end;
	}
	return false;
}

bool
hostfirewall_ufw_active(const char *status)
{
	return strstr(status, "Status: active") != NULL;
}

bool
hostfirewall_ufw_lets_in(const char *status, uint16_t port)
{
	char line[LINE], to[LINE], action[LINE], third[LINE], fourth[LINE];
	const char *at = status;

	while (next_line(&at, line)) {
		fourth[0] = '\0';
		if (sscanf(line, "%1023s %1023s %1023s %1023s", to, action, third, fourth) < 3)
			continue;
		/* "ALLOW Anywhere", or with verbose "ALLOW IN Anywhere" */
		if (strcmp(strcmp(third, "IN") == 0 ? fourth : third, "Anywhere") != 0 ||
		    !(strcmp(to, "Anywhere") == 0 || ports_have(to, port)))
			continue;
		return strcmp(action, "ALLOW") == 0 || strcmp(action, "LIMIT") == 0;
	}
	return strstr(status, "allow (incoming)") != NULL;
}

bool
hostfirewall_firewalld_lets_in(const char *zone, uint16_t port)
{
	char line[LINE], *word, *rest;

	while (next_line(&zone, line)) {
		char *at = line + strspn(line, " ");

		if (strcmp(at, "target: ACCEPT") == 0)
			return true;
		if (strncmp(at, "services:", 9) != 0 && strncmp(at, "ports:", 6) != 0)
			continue;
		for (rest = strchr(at, ':') + 1; (word = strsep(&rest, " ")) != NULL;)
			if (at[0] == 's' ? port == 21 && strcmp(word, "ftp") == 0
					 : ports_have(word, port))
				return true;
	}
	return false;
}
