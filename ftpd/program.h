/*
 * The programs that are executed by who needs them: where they are.
 */
#ifndef GENKAN_PROGRAM_H
#define GENKAN_PROGRAM_H

/*
 * Opens a program (O_PATH, close-on-exec) for fexecve(3): beside this one, as in a build, else
 * where it was installed. Returns -1 with errno, and a line in the log.
 */
int program_open(const char *name);

/* Runs a program to its end; returns its exit status, or -1 if it could not be run. */
int program_run(const char *name, char *const argv[]);

#endif
