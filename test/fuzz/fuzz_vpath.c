/*
 * Names in the client's tree: absolute, without "." and "..", the same as a
 * plain list of components gives, and stable.
 *
 * Input: a current directory, NUL, an argument; a third text's length is the
 * room there is.
 */
#include <stdbool.h>

#include "fuzz.h"
#include "vpath.h"

const char fuzz_name[] = "vpath";

#define MAX 1000

/* Adds path's components to the list; returns their new number. */
static size_t
walk(char *path, char **list, size_t n)
{
	char *name;

	while ((name = strsep(&path, "/")) != NULL) {
		if (strcmp(name, "..") == 0)
			n -= n > 0;
		else if (*name != '\0' && strcmp(name, ".") != 0)
			list[n++] = name;
	}
	return n;
}

static char *
reference(const char *cwd, const char *arg)
{
	char *a = strdup(cwd), *b = strdup(arg), *out = fuzz_room(2 * MAX + 3);
	char **list = fuzz_room((2 * MAX + 2) * sizeof(*list));
	size_t n = 0;

	CHECK(a != NULL && b != NULL);
	if (arg[0] != '/')
		n = walk(a, list, n);
	n = walk(b, list, n);
	strcpy(out, n == 0 ? "/" : "");
	for (size_t i = 0; i < n; i++) {
		strcat(out, "/");
		strcat(out, list[i]);
	}
	free(list);
	free(a);
	free(b);
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *cwd = fuzz_text(&data, &size), *arg = fuzz_text(&data, &size);
	size_t room = size > 0 ? size : 2 * MAX + 3;
	char *out = fuzz_room(room), *again = fuzz_room(2 * MAX + 3), *plain;

	if (strlen(cwd) <= MAX && strlen(arg) <= MAX && vpath_join(cwd, arg, out, room) == 0) {
		CHECK(out[0] == '/' && strlen(out) < room);
		CHECK(strcmp(out, plain = reference(cwd, arg)) == 0);
		CHECK(vpath_join("/", out, again, 2 * MAX + 3) == 0 && strcmp(out, again) == 0);
		CHECK(vpath_join(out, "", again, 2 * MAX + 3) == 0 && strcmp(out, again) == 0);
		free(plain);
	} else if (strlen(cwd) <= MAX && strlen(arg) <= MAX) {
		/* what is refused would not fit, at least on the way */
		CHECK(room <= strlen(cwd) + strlen(arg) + 3);
	}
	free(again);
	free(out);
	free(arg);
	free(cwd);
	return 0;
}
