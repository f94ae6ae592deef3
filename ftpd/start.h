/*
 * The first moments of a process that a super-server has started: what it may
 * have inherited is made clean, and the client is found, whichever way it came
 * (inetd, xinetd, tcpserver, systemd, a terminal).
 */
#ifndef GENKAN_START_H
#define GENKAN_START_H

#include <stdbool.h>
#include <sys/types.h>

#include "client.h"
#include "conf.h"

enum start_found {
	START_CLIENT, /* somebody is there */
	START_GONE,   /* the client has left already: a port scan, a health check */
	START_LISTENING /* a listening socket: the super-server is set to "wait" */
};

/*
 * Umask, limits, environment (TZ stays) and working directory; SIGPIPE is ignored
 * from now on. Before anything else; descriptors are start_find_client()'s.
 */
void start_clean(void);

/*
 * What super-servers hand on of ignored signals, and their mask: 60 system
 * calls, which a greeting need not wait for.
 */
void start_clean_signals(void);

/*
 * Moves the client away from descriptors 0, 1 and 2 (inetd makes standard error
 * the client's socket), puts /dev/null there and closes everything else.
 * *stderr_ok: descriptor 2 is not the client's and was kept. listen_fds: what
 * start_listen_fds() returned.
 */
enum start_found start_find_client(struct client *client, bool *stderr_ok, int listen_fds);

/*
 * How many descriptors from 3 on systemd has passed to this very process
 * (sd_listen_fds(3)'s LISTEN_PID and LISTEN_FDS). Before start_clean(), which
 * clears the environment.
 */
int start_listen_fds(void);

/*
 * Opens a directory, making it if it is missing; refuses one that others could write
 * to, and a symlink. Returns an O_PATH descriptor, or -1 with errno.
 */
int start_own_directory(const char *path, mode_t mode);

/*
 * Opens the run directory, making it if it is missing (0755 root's, 0700
 * anybody else's); refuses one that others could write to. Returns an O_PATH
 * descriptor, or -1 with errno.
 */
int start_run_directory(const struct conf *conf);

/* Opens (making it if need be) "empty" in the run directory: the session's root. */
int start_empty_directory(int run_directory);

/* The ports that the kernel gives to outgoing connections; 0 and 0 if that cannot be known. */
void start_kernel_ports(unsigned *first, unsigned *last);

/* True if the client is in LocalNetworks or, with auto, in a network of this machine. */
bool start_is_lan(const struct networks *networks, const struct netaddr *peer);

/*
 * True if many clients may come from this address: loopback, where tunnels end, and
 * that of the default router, which may hide all others behind it.
 */
bool start_is_shared(const struct netaddr *peer);

/* The text for a client that finds no free slot. */
#define START_FULL_REPLY "421 All places are taken (MaxClients), try again later.\r\n"

/* The text for a client that cannot be served: no process, no memory, no descriptor. */
#define START_BROKEN_REPLY "421 This server cannot serve you now, try again later; its log says why.\r\n"

#endif
