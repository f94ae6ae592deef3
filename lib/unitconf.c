/*
 * Unit files of systemd(1).
 */
#include "unitconf.h"

#include <string.h>

#define UNIT_LINE 4096
#define BLANKS    " \t\r"

/* One line, with those it goes on in; blanks around it are gone. False at the end of the text. */
static bool
next_line(const char **text, char line[static UNIT_LINE])
{
	size_t used = 0;
	bool more = true;

	if (**text == '\0')
		return false;
	while (more && **text != '\0') {
		size_t len = strcspn(*text, "\n");
		const char *from = *text;

		*text += len + ((*text)[len] == '\n');
		more = len > 0 && from[len - 1] == '\\';
		len -= more;
		if (len >= UNIT_LINE - used)
			len = UNIT_LINE - used - 1;
		memcpy(line + used, from, len);
		used += len;
	}
	while (used > 0 && strchr(BLANKS, line[used - 1]) != NULL)
		used--;
	line[used] = '\0';
	used = strspn(line, BLANKS);
	memmove(line, line + used, strlen(line + used) + 1);
	return true;
}

/* True if the line gives a value to the key; *value points to it. */
static bool
is_key(const char *line, const char *key, const char **value)
{
	const size_t len = strlen(key);
	const char *at = line + len;

	if (strncmp(line, key, len) != 0)
		return false;
	at += strspn(at, BLANKS);
	if (*at != '=')
		return false;
	*value = at + 1 + strspn(at + 1, BLANKS);
	return true;
}

/* Counts the values, and copies the one with this number, or the last if number is -1. */
static unsigned
scan(const char *text, const char *section, const char *key, int number, char *value, size_t size)
{
	char line[UNIT_LINE];
	const size_t len = strlen(section);
	bool inside = false;
	unsigned n = 0;
	const char *v;

	while (next_line(&text, line)) {
		if (line[0] == '[')
			inside = strncmp(line + 1, section, len) == 0 && line[1 + len] == ']';
		else if (!inside || line[0] == '#' || line[0] == ';' || !is_key(line, key, &v))
			continue;
		else if (*v == '\0')
			n = 0;
		else if (number == -1 || n == (unsigned)number) {
			if (strlcpy(value, v, size) >= size)
				return 0;
			n++;
		} else
			n++;
	}
	return n;
}

bool
unitconf_get(
    const char *text, const char *section, const char *key, unsigned n, char *value, size_t size)
{
	return scan(text, section, key, (int)n, value, size) > n;
}

bool
unitconf_last(const char *text, const char *section, const char *key, char *value, size_t size)
{
	return scan(text, section, key, -1, value, size) > 0;
}

bool
unitconf_is_on(const char *value)
{
	static const char *const words[] = { "yes", "true", "on", "1", "y", "t" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}
