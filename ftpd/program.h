/*
 * The programs that are executed by who needs them: where they are.
 */
#ifndef GENKAN_PROGRAM_H
#define GENKAN_PROGRAM_H

#include <limits.h>

/* Where a program is: beside this one, as in a build, else where it is installed. */
void program_path(const char *name, char path[static PATH_MAX]);

/* Opens it (O_PATH, close-on-exec) for fexecve(3). Returns -1 with errno, and a line in the log. */
int program_open(const char *name);

/* Runs a program to its end; returns its exit status, or -1 if it could not be run. */
int program_run(const char *name, char *const argv[]);

#endif
