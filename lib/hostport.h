/*
 * The arguments of PORT and EPRT, and the address in a 227 reply.
 */
#ifndef GENKAN_HOSTPORT_H
#define GENKAN_HOSTPORT_H

#include "netaddr.h"

/* Room for "255,255,255,255,255,255". */
#define HOSTPORT_TEXT 24

/*
 * Reads h1,h2,h3,h4,p1,p2 (RFC 959 section 5.3.2): exactly six decimal numbers
 * 0..255, no sign, no blank, nothing after. Returns 0, or -1 with EINVAL.
 */
int hostport_parse(const char *arg, struct netaddr *to);

/*
 * Reads <d>proto<d>address<d>port<d> (RFC 2428 section 2), protocol 1 or 2, any
 * delimiter 33..126. An IPv4-mapped IPv6 address becomes IPv4. Returns 0, or -1
 * with EINVAL (form, port out of 1..65535) or EAFNOSUPPORT (protocol: 522).
 */
int hostport_parse_extended(const char *arg, struct netaddr *to);

/* Writes an IPv4 address and port as "h1,h2,h3,h4,p1,p2"; returns buf. */
const char *hostport_text(const struct netaddr *addr, char buf[static HOSTPORT_TEXT]);

#endif
