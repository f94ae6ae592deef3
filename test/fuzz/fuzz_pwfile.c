/*
 * passwd(5) files: the entry that is found is that of the first whole line with
 * the name, as a search of the file in memory finds it.
 *
 * Input: a name, NUL, a file.
 */
#include <limits.h>
#include <stdbool.h>

#include "fuzz.h"
#include "pwfile.h"

const char fuzz_name[] = "pwfile";

static bool
is_id(const char *text, size_t len, unsigned *id)
{
	unsigned long long n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || n > INT_MAX)
			return false;
		n = n * 10 + (unsigned)(text[i] - '0');
	}
	*id = (unsigned)n;
	return len > 0 && n <= INT_MAX;
}

/* Looks at one line of len bytes; true if it is an entry of name. */
static bool
is_entry(const char *line, size_t len, const char *name, unsigned *uid, unsigned *gid)
{
	const char *field[8] = { line }, *end = line + len, *colon;
	unsigned n = 1;

	if (len >= PWFILE_LINE || memchr(line, '\0', len) != NULL || (len > 0 && line[0] == '#'))
		return false;
	for (const char *p = line; (colon = memchr(p, ':', (size_t)(end - p))) != NULL;
	     p = colon + 1) {
		if (n == 7)
			return false;
		field[n++] = colon + 1;
	}
	if (n != 7)
		return false;
	field[7] = end + 1;
#define LENGTH(i) (size_t)(field[i + 1] - field[i] - 1)
	return LENGTH(0) > 0 && LENGTH(5) > 0 && is_id(field[2], LENGTH(2), uid) &&
	    is_id(field[3], LENGTH(3), gid) && LENGTH(0) == strlen(name) &&
	    memcmp(field[0], name, LENGTH(0)) == 0;
}

static bool
search(const char *text, size_t size, const char *name, unsigned *uid, unsigned *gid)
{
	while (size > 0) {
		const char *lf = memchr(text, '\n', size);
		size_t len = lf == NULL ? size : (size_t)(lf - text);

		if (is_entry(text, len, name, uid, gid))
			return true;
		text += len + (lf != NULL);
		size -= len + (lf != NULL);
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = fuzz_text(&data, &size), *buf = fuzz_room(PWFILE_LINE);
	unsigned uid = 0, gid = 0;
	struct pwentry entry;
	FILE *file;
	int found;

	if (size > 0) {
		CHECK((file = fmemopen((void *)data, size, "r")) != NULL);
		found = pwfile_find(file, name, buf, &entry);
		CHECK(found == (int)search((const char *)data, size, name, &uid, &gid));
		if (found) {
			CHECK(strcmp(entry.name, name) == 0);
			CHECK(entry.uid == uid && entry.gid == gid);
			CHECK(entry.home[0] != '\0' && strchr(entry.home, ':') == NULL);
			CHECK(entry.shell + strlen(entry.shell) < buf + PWFILE_LINE);
		}
		fclose(file);
	}
	if (pwfile_name_ok(name))
		CHECK(strlen(name) < 64 && strpbrk(name, ":/\n") == NULL && *name != '#');
	free(buf);
	free(name);
	return 0;
}
