/*
 * --listen: the embedded super-server. It accepts and, for each connection,
 * forks and executes this program anew, as inetd would.
 */
#ifndef GENKAN_LAUNCHER_H
#define GENKAN_LAUNCHER_H

#include "conf.h"

#define LAUNCHER_LISTENERS_MAX 32

struct launcher {
	const char *where[LAUNCHER_LISTENERS_MAX]; /* "[ADDR:]PORT" or "systemd" */
	unsigned n;
	int listen_fds; /* sockets that systemd has passed, from descriptor 3 on */
	char **argv;    /* of the program to execute for a connection */
};

/*
 * Runs until SIGTERM or SIGINT; sessions that are open go on. Returns the exit
 * code: 0, 64 for an address that does not parse, 71 for one that cannot be
 * listened on.
 */
int launcher_run(const struct launcher *launcher, const struct conf *conf);

#endif
