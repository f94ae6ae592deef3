/*
 * The address that PASV announces.
 */
#ifndef GENKAN_ANNOUNCE_H
#define GENKAN_ANNOUNCE_H

#include "monitor.h"

/*
 * For a client of the LAN, and where there is no MasqueradeAddress: the address by which it
 * has reached us. For others what the gateway has found, waiting for it until
 * MasqueradeTimeout (since the connection began) at most; when it has found nothing,
 * the local address, and the log says why and what to do.
 */
const struct netaddr *announce_address(struct monitor *m);

#endif
