/*
 * Names in the client's own tree.
 */
#include "vpath.h"

#include <errno.h>
#include <string.h>

/* Appends the components of path to out[0..len), which is "" for the root. */
static int
append(const char *path, char *out, size_t size, size_t *len)
{
	while (*path != '\0') {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (*len > 0 && out[--*len] != '/')
				continue;
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			if (*len + 1 + n + 1 > size)
				return -1;
			out[(*len)++] = '/';
			memcpy(out + *len, path, n);
			*len += n;
		}
		path += n;
		path += strspn(path, "/");
	}
	return 0;
}

int
vpath_join(const char *cwd, const char *arg, char *out, size_t size)
{
	size_t len = 0;

	if (size < 2 || (arg[0] != '/' && append(cwd, out, size, &len) == -1) ||
	    append(arg, out, size, &len) == -1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (len == 0)
		out[len++] = '/';
	out[len] = '\0';
	return 0;
}
