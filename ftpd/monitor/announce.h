/*
 * What PASV and EPSV announce.
 */
#ifndef GENKAN_ANNOUNCE_H
#define GENKAN_ANNOUNCE_H

#include "monitor.h"

/*
 * The address: for a client of the LAN, and where there is no MasqueradeAddress, the one by which
 * it has reached us. For others what the gateway has found, waiting for it until
 * MasqueradeTimeout (since the connection began) at most; when it has found nothing,
 * the local address, and the log says why and what to do.
 *
 * Fills in the address and the port to announce for our own port (extended: of EPSV, the
 * port alone): PassivePortsAnnounced's, or the one at which the router forwards to ours
 * from now on (PortMapping).
 */
void announce_passive(struct monitor *m, bool extended, uint16_t port, struct netaddr *announce);

/* The router need not forward any more, if it does. */
void announce_forget(struct monitor *m);

#endif
