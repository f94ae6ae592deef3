/*
 * Names in the client's own tree, whose root is "/". They are names only: what
 * they lead to is resolved elsewhere, beneath the root.
 */
#ifndef GENKAN_VPATH_H
#define GENKAN_VPATH_H

#include <stddef.h>

/*
 * Writes the absolute name of arg, seen from directory cwd, into out: no ".",
 * no "..", no doubled or trailing slash; ".." stops at "/". Blanks and all other
 * bytes are kept. Returns 0, or -1 with ENAMETOOLONG.
 */
int vpath_join(const char *cwd, const char *arg, char *out, size_t size);

#endif
