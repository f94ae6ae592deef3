/*
 * Lists of TCP port ranges, and the walk over one.
 */
#include "portrange.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PORT_LEAST 1024
#define PORT_MOST  65535

/* Room for the words of portlist_parse(). */
#define WHY_TEXT 96

#define BLANKS     " \t"
#define SEPARATORS ", \t"

/* Reads the decimal port at *s and moves behind it; false with words in why. */
static bool
take_port(const char **s, uint16_t *port, char why[static WHY_TEXT])
{
	const char *p = *s;
	unsigned n = 0;
	int len;

	if (!isdigit((unsigned char)*p)) {
		len = (int)strcspn(p, SEPARATORS);
		snprintf(why, WHY_TEXT, "\"%.*s\" is not a port", len > 20 ? 20 : len, p);
		return false;
	}
	for (; isdigit((unsigned char)*p); p++)
		if (n <= PORT_MOST)
			n = n * 10 + (unsigned)(*p - '0');
	if (n < PORT_LEAST || n > PORT_MOST) {
		len = (int)(p - *s);
		snprintf(why, WHY_TEXT, "%.*s is not within %d-%d", len > 20 ? 20 : len, *s,
		    PORT_LEAST, PORT_MOST);
		return false;
	}
	*port = (uint16_t)n;
	*s = p;
	return true;
}

/* Adds min-max to the list; false with words in why. */
static bool
add_range(struct portlist *list, uint16_t min, uint16_t max, char why[static WHY_TEXT])
{
	unsigned i;

	if (min > max) {
		snprintf(why, WHY_TEXT, "%u is above %u", min, max);
		return false;
	}
	for (i = 0; i < list->n; i++)
		if (min <= list->range[i].max && max >= list->range[i].min) {
			snprintf(why, WHY_TEXT, "%u-%u overlaps %u-%u", min, max,
			    list->range[i].min, list->range[i].max);
			return false;
		}
	if (list->n == PORTLIST_MAX) {
		snprintf(why, WHY_TEXT, "there are more than %d ranges", PORTLIST_MAX);
		return false;
	}
	list->range[list->n].min = min;
	list->range[list->n++].max = max;
	return true;
}

/* True for "4000 4029": two numbers with blanks between them and nothing else. */
static bool
is_pair(const char *s)
{
	unsigned numbers = 0;

	for (s += strspn(s, BLANKS); isdigit((unsigned char)*s); s += strspn(s, BLANKS)) {
		s += strspn(s, "0123456789");
		numbers++;
	}
	return *s == '\0' && numbers == 2;
}

static bool
parse_pair(const char *s, struct portlist *list, char why[static WHY_TEXT])
{
	uint16_t min, max;

	s += strspn(s, BLANKS);
	if (!take_port(&s, &min, why))
		return false;
	s += strspn(s, BLANKS);
	return take_port(&s, &max, why) && add_range(list, min, max, why);
}

static bool
parse_ranges(const char *s, struct portlist *list, char why[static WHY_TEXT])
{
	uint16_t min, max;

	for (s += strspn(s, SEPARATORS); *s != '\0'; s += strspn(s, SEPARATORS)) {
		if (!take_port(&s, &min, why))
			return false;
		max = min;
		if (*s == '-') {
			s++;
			if (!take_port(&s, &max, why))
				return false;
		}
		if (*s != '\0' && strchr(SEPARATORS, *s) == NULL) {
			snprintf(why, WHY_TEXT, "\"%.20s\" follows a port", s);
			return false;
		}
		if (!add_range(list, min, max, why))
			return false;
	}
	if (list->n == 0) {
		snprintf(why, WHY_TEXT, "no port is given");
		return false;
	}
	return true;
}

int
portlist_parse(const char *text, struct portlist *list, const char **why)
{
	static char words[WHY_TEXT];
	bool ok;

	memset(list, 0, sizeof(*list));
	if (strcasecmp(text, "any") == 0)
		return 0;
	ok = is_pair(text) ? parse_pair(text, list, words) : parse_ranges(text, list, words);
	if (ok)
		return 0;
	memset(list, 0, sizeof(*list));
	*why = words;
	return -1;
}

bool
portlist_add(struct portlist *list, uint16_t port)
{
	struct portrange *last = list->n > 0 ? &list->range[list->n - 1] : NULL;

	if (last != NULL && last->max + 1 == port)
		last->max = port;
	else if (list->n < PORTLIST_MAX)
		list->range[list->n++] = (struct portrange){ port, port };
	else
		return false;
	return true;
}

const char *
portlist_text(const struct portlist *list, char buf[static PORTLIST_TEXT])
{
	const struct portrange *r;
	size_t len = 0;
	unsigned i;

	if (list->n == 0)
		(void)strlcpy(buf, "any", PORTLIST_TEXT);
	for (i = 0; i < list->n; i++) {
		r = &list->range[i];
		len += (size_t)snprintf(
		    buf + len, PORTLIST_TEXT - len, "%s%u", i > 0 ? "," : "", r->min);
		if (r->max > r->min)
			len += (size_t)snprintf(buf + len, PORTLIST_TEXT - len, "-%u", r->max);
	}
	return buf;
}

unsigned
portlist_count(const struct portlist *list)
{
	unsigned i, count = 0;

	for (i = 0; i < list->n; i++)
		count += list->range[i].max - list->range[i].min + 1u;
	return count;
}

bool
portlist_contains(const struct portlist *list, uint16_t port)
{
	unsigned i;

	for (i = 0; i < list->n; i++)
		if (port >= list->range[i].min && port <= list->range[i].max)
			return true;
	return false;
}

uint16_t
portlist_at(const struct portlist *list, unsigned place)
{
	for (unsigned i = 0; i < list->n; i++) {
		unsigned size = list->range[i].max - list->range[i].min + 1u;

		if (place < size)
			return (uint16_t)(list->range[i].min + place);
		place -= size;
	}
	return 0;
}

int
portlist_place(const struct portlist *list, uint16_t port)
{
	unsigned before = 0;

	for (unsigned i = 0; i < list->n; i++) {
		if (port >= list->range[i].min && port <= list->range[i].max)
			return (int)(before + port - list->range[i].min);
		before += list->range[i].max - list->range[i].min + 1u;
	}
	return -1;
}

int
portwalk_begin(struct portwalk *walk, const struct portlist *list)
{
	unsigned i, port, n = portlist_count(list);

	memset(walk, 0, sizeof(*walk));
	if (n == 0)
		return 0;
	if ((walk->port = reallocarray(NULL, n, sizeof(*walk->port))) == NULL)
		return -1;
	for (i = 0; i < list->n; i++)
		for (port = list->range[i].min; port <= list->range[i].max; port++)
			walk->port[walk->n++] = (uint16_t)port;
	return 0;
}

uint16_t
portwalk_next(struct portwalk *walk)
{
	unsigned pick;
	uint16_t port;

	if (walk->next == walk->n)
		return 0;
	/* Fisher-Yates, one step a call: most walks end at the first port. */
	pick = walk->next + arc4random_uniform(walk->n - walk->next);
	port = walk->port[pick];
	walk->port[pick] = walk->port[walk->next];
	walk->port[walk->next++] = port;
	return port;
}

void
portwalk_end(struct portwalk *walk)
{
	free(walk->port);
	memset(walk, 0, sizeof(*walk));
}
