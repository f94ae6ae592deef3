/*
 * genkan-ftpd-gateway is started here: a process of its own, with a user of its own,
 * which asks the world outside. What it says is in genkan-ftpd-gateway(8).
 */
#ifndef GENKAN_GATEWAY_START_H
#define GENKAN_GATEWAY_START_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf.h"

struct gateway_user {
	bool root; /* we are root: become uid and gid */
	uid_t uid;
	gid_t gid;
};

/*
 * Opens the gateway's part of StateDirectory, making both if need be; it belongs to
 * the gateway's user alone. Before privileges fall. Returns a descriptor, or -1 (a
 * warning is in the log): then nothing outlives the connection.
 */
int gateway_state(const struct conf *conf, const struct gateway_user *user);

/*
 * Starts the program with the sources of MasqueradeAddress, and for PortMapping to the address
 * local. state is what gateway_state() returned. Returns our end of the socketpair that is its standard
 * input and output (close-on-exec), or -1 (a warning is in the log).
 */
int gateway_start(const struct conf *conf, const struct netaddr *local,
    const struct gateway_user *user, int state);

#endif
