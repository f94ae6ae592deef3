/*
 * genkan-ftpd-gateway, started by genkanctl: its lines are in genkan-ftpd-gateway(8).
 */
#ifndef GENKAN_ASKING_H
#define GENKAN_ASKING_H

#include <stdint.h>
#include <sys/types.h>

/* The longest line with its end. */
#define ASKING_LINE 512

struct asking {
	pid_t pid;
	int fd;
};

/*
 * Starts the program (NULL: the one beside this, or where it was installed) with these arguments,
 * the last one NULL; as root it becomes the user (or nobody). state: an open directory for "-s 3",
 * or -1. Returns 0, or -1 with errno.
 */
int asking_start(
    struct asking *a, const char *program, const char *user, int state, const char *const args[]);

/* Reads a line without its end, until the time at most. 1: a line; 0: too late; -1: the end. */
int asking_line(struct asking *a, char line[static ASKING_LINE], int64_t until);

/* Sends a line (with its end); 0 or -1. */
int asking_tell(struct asking *a, const char *line);

/* Lets it end by itself, which takes back what it mapped; kills it when it does not. */
void asking_end(struct asking *a);

/* Milliseconds of a clock that only goes forward. */
int64_t asking_clock(void);

#endif
