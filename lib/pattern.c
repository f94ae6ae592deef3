/*
 * Shell patterns. When a match fails, only the last star can help: what the
 * stars before it have swallowed need not be tried again. That is the bound on
 * the steps.
 */
#include "pattern.h"

#include <stddef.h>
#include <string.h>

bool
pattern_is_magic(const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("*?[", *text) != NULL)
			return true;
		if (*text == '\\' && text[1] != '\0')
			text++;
	}
	return false;
}

/*
 * Matches c against the bracket expression at p ('['), which ends at or before
 * last, the last ']' of the pattern. A ']' that comes first is a member. Sets
 * *end behind it; false also if p is no bracket expression (*end is NULL).
 */
static bool
match_class(const char *p, const char *last, unsigned char c, const char **end)
{
	bool negated = p[1] == '!' || p[1] == '^', found = false;
	const char *first = p + (negated ? 2 : 1);

	*end = NULL;
	if (last == NULL || last <= first)
		return false;
	for (p = first; *p != ']' || p == first; p++) {
		unsigned char low = (unsigned char)*p, high = low;

		if (p[1] == '-' && p[2] != ']') {
			high = (unsigned char)p[2];
			p += 2;
		}
		if (c >= low && c <= high)
			found = true;
	}
	*end = p + 1;
	return found != negated;
}

/* Matches c against the one element at p, not a star; sets *end behind it. */
static bool
match_one(const char *p, const char *last, char c, const char **end)
{
	if (*p == '[') {
		bool matched = match_class(p, last, (unsigned char)c, end);

		if (*end != NULL)
			return matched;
	}
	if (*p == '\\' && p[1] != '\0') {
		*end = p + 2;
		return p[1] == c;
	}
	*end = p + 1;
	return *p == '?' || *p == c;
}

bool
pattern_match(const char *pattern, const char *name)
{
	const char *last = strrchr(pattern, ']');
	const char *star = NULL, *resume = NULL, *end;

	if (*name == '.' && *pattern != '.' && strncmp(pattern, "\\.", 2) != 0)
		return false;
	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = name;
			continue;
		}
		if (*name == '\0')
			return *pattern == '\0';
		if (*pattern != '\0' && match_one(pattern, last, *name, &end)) {
			pattern = end;
			name++;
			continue;
		}
		if (star == NULL)
			return false;
		/* The last star takes one more byte. */
		pattern = star;
		name = ++resume;
	}
}
