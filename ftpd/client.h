/*
 * Who is at the other end: filled once by main, read by session and monitor.
 */
#ifndef GENKAN_CLIENT_H
#define GENKAN_CLIENT_H

#include <stdbool.h>

#include "netaddr.h"

struct client {
	int in, out;   /* the control connection; two descriptors on a terminal or pipe */
	bool socket;   /* a TCP socket; false: debugging by hand, peer and local are loopback */
	struct netaddr peer, local; /* with ports */
	bool lan;      /* in LocalNetworks: is told the local address, never the masquerade */
};

#endif
