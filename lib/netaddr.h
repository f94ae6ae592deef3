/*
 * Host addresses with an optional port, IPv4 or IPv6.
 *
 * An IPv4-mapped IPv6 address (::ffff:192.0.2.1, what a dual-stack socket
 * shows) is turned into plain IPv4 at the door, by netaddr_from_sockaddr() and
 * netaddr_parse(), so no later comparison has to think of it.
 */
#ifndef GENKAN_NETADDR_H
#define GENKAN_NETADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for any address as text, with scope and NUL. */
#define NETADDR_TEXT 64

struct netaddr {
	sa_family_t family; /* AF_INET, AF_INET6, or AF_UNSPEC: no address */
	uint16_t port;      /* host byte order; 0 = none */
	uint32_t scope;     /* IPv6 scope id; else 0 */
	union {
		struct in_addr v4; /* network byte order */
		struct in6_addr v6;
	};
};

/* Whom an address can be told to. */
enum netaddr_reach {
	NETADDR_PUBLIC,
	NETADDR_UNSPECIFIED, /* 0.0.0.0/8, :: */
	NETADDR_LOOPBACK,    /* 127/8, ::1 */
	NETADDR_LINK_LOCAL,  /* 169.254/16, fe80::/10 */
	NETADDR_PRIVATE,     /* RFC 1918, fc00::/7 */
	NETADDR_CARRIER,     /* 100.64/10, RFC 6598 */
	NETADDR_MULTICAST    /* 224/4 and above, ff00::/8 */
};

/* The network addr/bits. */
struct netprefix {
	struct netaddr addr;
	unsigned bits;
};

/*
 * Fills *to from a sockaddr of family AF_INET or AF_INET6; any other family
 * gives AF_UNSPEC. Unmaps ::ffff:a.b.c.d.
 */
void netaddr_from_sockaddr(struct netaddr *to, const struct sockaddr *from);

/* Fills *to and returns its length, 0 for AF_UNSPEC. */
socklen_t netaddr_to_sockaddr(const struct netaddr *from, struct sockaddr_storage *to);

/*
 * Reads a numeric address ("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"), if
 * link-local with a numeric scope ("fe80::1%2"); the port becomes 0. Returns 0,
 * or -1 with EINVAL and AF_UNSPEC in *to.
 */
int netaddr_parse(const char *text, struct netaddr *to);

/* Writes the address as netaddr_parse() reads it, "-" for AF_UNSPEC; returns buf. */
const char *netaddr_text(const struct netaddr *addr, char buf[static NETADDR_TEXT]);

/*
 * True if both name the same host, whatever their ports. A scope of 0 is any
 * scope. AF_UNSPEC is the same as nothing.
 */
bool netaddr_same_host(const struct netaddr *a, const struct netaddr *b);

enum netaddr_reach netaddr_reach(const struct netaddr *addr);

/* The reach in words, for logs: "a private address (RFC 1918)". */
const char *netaddr_reach_text(enum netaddr_reach reach);

/*
 * Reads "192.168.1.0/24", "fd00::/8" or a single address. Bits beyond the
 * prefix are cleared. "::ffff:192.168.1.0/120" is IPv4 as well. Returns 0, or -1
 * with EINVAL.
 */
int netprefix_parse(const char *text, struct netprefix *to);

/* Fills *to from an interface's address and netmask (getifaddrs(3)); 0 or -1. */
int netprefix_from_netmask(
    struct netprefix *to, const struct sockaddr *addr, const struct sockaddr *mask);

/* True if the address lies in the network; an empty netprefix (all 0) has none. */
bool netprefix_contains(const struct netprefix *net, const struct netaddr *addr);

#endif
