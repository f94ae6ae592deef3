/*
 * Names of numbers, from a file in memory.
 */
#include "idnames.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How many answers are remembered; a directory has few owners. */
#define KNOWN 64

struct known {
	bool used;
	unsigned id;
	char name[IDNAMES_NAME]; /* empty: it has none */
};

struct idnames {
	struct known known[KNOWN];
	size_t len;
	char text[];
};

struct idnames *
idnames_read(int fd)
{
	struct idnames *names;
	struct stat st;
	size_t size;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return NULL;
	if (st.st_size < 0 || st.st_size > IDNAMES_MAX) {
		errno = EFBIG;
		return NULL;
	}
	size = (size_t)st.st_size;
	if ((names = calloc(1, sizeof(*names) + size)) == NULL)
		return NULL;
	while (names->len < size) {
		n = pread(fd, names->text + names->len, size - names->len, (off_t)names->len);
		if (n == -1 && errno != EINTR) {
			idnames_free(names);
			return NULL;
		}
		if (n == 0)
			break;
		if (n > 0)
			names->len += (size_t)n;
	}
	return names;
}

void
idnames_free(struct idnames *names)
{
	free(names);
}

/* The field at *p, which ends before end at a colon; *p is behind that. NULL: no colon. */
static const char *
take_field(const char **p, const char *end, size_t *len)
{
	const char *field = *p, *colon = memchr(field, ':', (size_t)(end - field));

	if (colon == NULL)
		return NULL;
	*len = (size_t)(colon - field);
	*p = colon + 1;
	return field;
}

/* Digits alone, and no more than an id has. */
static bool
is_number(const char *text, size_t len, unsigned id)
{
	uint64_t value = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	return value == id;
}

static bool
can_be_told(const char *name, size_t len)
{
	if (len == 0 || len >= IDNAMES_NAME)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f || name[i] == ';' ||
		    name[i] == '=')
			return false;
	return true;
}

/* Looks through the lines; the name, or empty, into k. */
static void
search(const struct idnames *names, struct known *k)
{
	const char *p = names->text, *end = p + names->len;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline != NULL ? newline : end, *name, *number;
		size_t len, rest, digits;

		if (*p != '#' && (name = take_field(&p, stop, &len)) != NULL &&
		    take_field(&p, stop, &rest) != NULL &&
		    (number = take_field(&p, stop, &digits)) != NULL &&
		    is_number(number, digits, k->id)) {
			if (can_be_told(name, len))
				memcpy(k->name, name, len);
			return;
		}
		p = stop + 1;
	}
}

const char *
idnames_find(struct idnames *names, unsigned id)
{
	struct known *k = &names->known[id % KNOWN];

	if (!k->used || k->id != id) {
		*k = (struct known){ .used = true, .id = id };
		search(names, k);
	}
	return k->name[0] != '\0' ? k->name : NULL;
}
