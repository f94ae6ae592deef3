/*
 * Shell patterns for LIST and NLST: * ? [a-z] [!a-z] and \ before a special
 * character, within one path component. Matching takes at most len(pattern) *
 * len(name) steps, whatever the pattern: FTP servers have been stopped by a*a*b.
 */
#ifndef GENKAN_PATTERN_H
#define GENKAN_PATTERN_H

#include <stdbool.h>

/* True if text holds an unquoted * ? or [. */
bool pattern_is_magic(const char *text);

/* A leading dot must be matched by a dot in the pattern. */
bool pattern_match(const char *pattern, const char *name);

/*
 * True if a component of path (but "." and "..") matches one of the patterns of
 * list, which have a blank between them. Made for refusing: upper and lower case
 * of ASCII are the same, and a star also takes a leading dot.
 */
bool pattern_denies(const char *list, const char *path);

#endif
