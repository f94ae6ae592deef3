/*
 * Patterns: the same answer as a matcher that cannot be slow, and is not
 * clever: one table of what the elements so far match of the bytes so far.
 *
 * Input: a pattern, NUL, a name. Long ones are matched for their time alone.
 */
#include <stdbool.h>

#include "fuzz.h"
#include "pattern.h"

const char fuzz_name[] = "pattern";

#define MAX 200

/* The bytes that an element matches; a star matches any number of them. */
struct element {
	bool star, set[256];
};

/* Reads a bracket expression at p; returns its length, 0 if it has no end. */
static size_t
read_class(const char *p, struct element *e)
{
	bool negated = p[1] == '!' || p[1] == '^';
	size_t first = negated ? 2 : 1, i = first;
	bool in[256] = { false };

	while (p[i] != ']' || i == first) {
		unsigned from = (unsigned char)p[i], to = from;

		if (from == 0)
			return 0;
		if (p[i + 1] == '-' && p[i + 2] != ']' && p[i + 2] != '\0') {
			to = (unsigned char)p[i + 2];
			i += 2;
		}
		for (; from <= to; from++)
			in[from] = true;
		i++;
	}
	for (unsigned c = 0; c < 256; c++)
		e->set[c] = in[c] != negated;
	return i + 1;
}

/* Reads one element at p; returns its length. */
static size_t
read_element(const char *p, struct element *e)
{
	bool escaped = *p == '\\' && p[1] != '\0';
	size_t n;

	memset(e, 0, sizeof(*e));
	if (*p == '[' && (n = read_class(p, e)) > 0)
		return n;
	if (*p == '*')
		e->star = true;
	else if (*p == '?')
		memset(e->set, true, sizeof(e->set));
	else
		e->set[(unsigned char)p[escaped]] = true;
	return escaped ? 2 : 1;
}

static bool
reference(const char *pattern, const char *name)
{
	size_t len = strlen(name);
	bool match[MAX + 1] = { true }, next[MAX + 1];
	struct element e;

	if (name[0] == '.' && pattern[0] != '.' && strncmp(pattern, "\\.", 2) != 0)
		return false;
	while (*pattern != '\0') {
		pattern += read_element(pattern, &e);
		for (size_t j = 0; j <= len; j++)
			next[j] = e.star
			    ? match[j] || (j > 0 && next[j - 1])
			    : j > 0 && match[j - 1] && e.set[(unsigned char)name[j - 1]];
		memcpy(match, next, sizeof(match));
	}
	return match[len];
}

/* The pattern without its backslashes, which is what a pattern without magic matches. */
static void
unescape(char *pattern)
{
	char *to = pattern;

	for (; *pattern != '\0'; pattern++)
		*to++ = *pattern == '\\' && pattern[1] != '\0' ? *++pattern : *pattern;
	*to = '\0';
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *pattern = fuzz_text(&data, &size), *name = fuzz_text(&data, &size);
	bool match = pattern_match(pattern, name), magic = pattern_is_magic(pattern);

	if (strlen(name) <= MAX)
		CHECK(match == reference(pattern, name));
	unescape(pattern);
	if (!magic)
		CHECK(match == (strcmp(pattern, name) == 0));
	free(name);
	free(pattern);
	return 0;
}
