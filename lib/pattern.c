/*
 * Shell patterns. When a match fails, only the last star can help: what the
 * stars before it have swallowed need not be tried again. That is the bound on
 * the steps.
 */
#include "pattern.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

/* Room for a pattern of a list; conf.c takes none that is longer. */
#define PATTERN_LONGEST 4096

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

/* The other case of an ASCII letter where case does not count, else c. */
static unsigned char
other_case(unsigned char c, bool fold)
{
	unsigned char lower = c | 0x20;

	return fold && lower >= 'a' && lower <= 'z' ? c ^ 0x20 : c;
}

/*
 * Matches c against the bracket expression at p ('['), which ends at or before
 * last, the last ']' of the pattern. A ']' that comes first is a member. Sets
 * *end behind it; false also if p is no bracket expression (*end is NULL).
 */
static bool
match_class(const char *p, const char *last, unsigned char c, bool fold, const char **end)
{
	bool negated = p[1] == '!' || p[1] == '^', found = false;
	const char *first = p + (negated ? 2 : 1);
	unsigned char other = other_case(c, fold);

	*end = NULL;
	if (last == NULL || last <= first)
		return false;
	for (p = first; *p != ']' || p == first; p++) {
		unsigned char low = (unsigned char)*p, high = low;

		if (p[1] == '-' && p[2] != ']') {
			high = (unsigned char)p[2];
			p += 2;
		}
		if ((c >= low && c <= high) || (other >= low && other <= high))
			found = true;
	}
	*end = p + 1;
	return found != negated;
}

/* Matches c against the one element at p, not a star; sets *end behind it. */
static bool
match_one(const char *p, const char *last, char c, bool fold, const char **end)
{
	const char other = (char)other_case((unsigned char)c, fold);

	if (*p == '[') {
		bool matched = match_class(p, last, (unsigned char)c, fold, end);

		if (*end != NULL)
			return matched;
	}
	if (*p == '\\' && p[1] != '\0') {
		*end = p + 2;
		return p[1] == c || p[1] == other;
	}
	*end = p + 1;
	return *p == '?' || *p == c || *p == other;
}

static bool
match(const char *pattern, const char *name, bool fold)
{
	const char *last = strrchr(pattern, ']');
	const char *star = NULL, *resume = NULL, *end;

	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = name;
			continue;
		}
		if (*name == '\0')
			return *pattern == '\0';
		if (*pattern != '\0' && match_one(pattern, last, *name, fold, &end)) {
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

bool
pattern_match(const char *pattern, const char *name)
{
	if (*name == '.' && *pattern != '.' && strncmp(pattern, "\\.", 2) != 0)
		return false;
	return match(pattern, name, false);
}

/* One name against all patterns. */
static bool
name_is_denied(const char *list, const char *name)
{
	char pattern[PATTERN_LONGEST];
	size_t n;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (; *list != '\0'; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n == 0 || n >= sizeof(pattern))
			continue;
		memcpy(pattern, list, n);
		pattern[n] = '\0';
		if (match(pattern, name, true))
			return true;
	}
	return false;
}

bool
pattern_denies(const char *list, const char *path)
{
	char name[NAME_MAX + 1];
	size_t n;

	if (*list == '\0')
		return false;
	for (path += strspn(path, "/"); *path != '\0'; path += strspn(path, "/")) {
		n = strcspn(path, "/");
		/* a longer one is no name: the kernel says so */
		if (n <= NAME_MAX) {
			memcpy(name, path, n);
			name[n] = '\0';
			if (name_is_denied(list, name))
				return true;
		}
		path += n;
	}
	return false;
}
