/*
 * Host addresses and networks, IPv4 and IPv6.
 */
#include "netaddr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bits in front of the IPv4 address in ::ffff:a.b.c.d. */
#define MAPPED_BITS 96

/* Sets an IPv6 address, or the IPv4 address that is mapped in it. */
static void
set_v6(struct netaddr *to, const struct in6_addr *addr, uint32_t scope)
{
	if (IN6_IS_ADDR_V4MAPPED(addr)) {
		to->family = AF_INET;
		memcpy(&to->v4, addr->s6_addr + MAPPED_BITS / 8, sizeof(to->v4));
	} else {
		to->family = AF_INET6;
		to->scope = scope;
		to->v6 = *addr;
	}
}

void
netaddr_from_sockaddr(struct netaddr *to, const struct sockaddr *from)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memset(to, 0, sizeof(*to));
	to->family = AF_UNSPEC;
	if (from->sa_family == AF_INET) {
		memcpy(&in, from, sizeof(in));
		to->family = AF_INET;
		to->port = ntohs(in.sin_port);
		to->v4 = in.sin_addr;
	} else if (from->sa_family == AF_INET6) {
		memcpy(&in6, from, sizeof(in6));
		to->port = ntohs(in6.sin6_port);
		set_v6(to, &in6.sin6_addr, in6.sin6_scope_id);
	}
}

socklen_t
netaddr_to_sockaddr(const struct netaddr *from, struct sockaddr_storage *to)
{
	struct sockaddr_in *in = (struct sockaddr_in *)to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	switch (from->family) {
	case AF_INET:
		in->sin_family = AF_INET;
		in->sin_port = htons(from->port);
		in->sin_addr = from->v4;
		return sizeof(*in);
	case AF_INET6:
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(from->port);
		in6->sin6_scope_id = from->scope;
		in6->sin6_addr = from->v6;
		return sizeof(*in6);
	default:
		return 0;
	}
}

/* Reads a decimal number without sign or blanks; false if it is not one. */
static bool
number(const char *text, unsigned max, unsigned *out)
{
	const char *why;

	if (!isdigit((unsigned char)text[0]))
		return false;
	*out = (unsigned)strtonum(text, 0, max, &why);
	return why == NULL;
}

/* Reads an IPv6 address, which may end in %scope if it is link-local. */
static bool
parse_v6(const char *text, struct netaddr *to)
{
	char buf[NETADDR_TEXT];
	struct in6_addr addr;
	unsigned scope = 0;
	char *percent;

	if (strlcpy(buf, text, sizeof(buf)) >= sizeof(buf))
		return false;
	if ((percent = strchr(buf, '%')) != NULL) {
		*percent = '\0';
		if (!number(percent + 1, UINT32_MAX, &scope))
			return false;
	}
	if (inet_pton(AF_INET6, buf, &addr) != 1)
		return false;
	if (percent != NULL && !IN6_IS_ADDR_LINKLOCAL(&addr))
		return false;
	set_v6(to, &addr, scope);
	return true;
}

int
netaddr_parse(const char *text, struct netaddr *to)
{
	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, text, &to->v4) == 1) {
		to->family = AF_INET;
		return 0;
	}
	if (parse_v6(text, to))
		return 0;
	to->family = AF_UNSPEC;
	errno = EINVAL;
	return -1;
}

const char *
netaddr_text(const struct netaddr *addr, char buf[static NETADDR_TEXT])
{
	size_t len;

	(void)strlcpy(buf, "-", NETADDR_TEXT);
	if (addr->family == AF_INET) {
		inet_ntop(AF_INET, &addr->v4, buf, NETADDR_TEXT);
	} else if (addr->family == AF_INET6) {
		inet_ntop(AF_INET6, &addr->v6, buf, NETADDR_TEXT);
		len = strlen(buf);
		/* A number: the interface's name would take a socket to find. */
		if (addr->scope != 0 && IN6_IS_ADDR_LINKLOCAL(&addr->v6))
			snprintf(buf + len, NETADDR_TEXT - len, "%%%u", addr->scope);
	}
	return buf;
}

/* The address's bytes and their number; 0 for AF_UNSPEC. */
static size_t
address_bytes(const struct netaddr *addr, const uint8_t **bytes)
{
	switch (addr->family) {
	case AF_INET:
		*bytes = (const uint8_t *)&addr->v4;
		return sizeof(addr->v4);
	case AF_INET6:
		*bytes = (const uint8_t *)&addr->v6;
		return sizeof(addr->v6);
	default:
		*bytes = NULL;
		return 0;
	}
}

/* Scopes differ only if both are known. */
static bool
same_scope(const struct netaddr *a, const struct netaddr *b)
{
	return a->scope == b->scope || a->scope == 0 || b->scope == 0;
}

bool
netaddr_same_host(const struct netaddr *a, const struct netaddr *b)
{
	const uint8_t *x, *y;
	size_t n = address_bytes(a, &x);

	return n > 0 && address_bytes(b, &y) == n && memcmp(x, y, n) == 0 && same_scope(a, b);
}

static enum netaddr_reach
reach_v4(uint32_t addr)
{
	static const struct {
		uint32_t net, mask;
		enum netaddr_reach reach;
	} nets[] = {
		{ 0x00000000, 0xff000000, NETADDR_UNSPECIFIED },
		{ 0x7f000000, 0xff000000, NETADDR_LOOPBACK    },
		{ 0xa9fe0000, 0xffff0000, NETADDR_LINK_LOCAL  },
		{ 0x0a000000, 0xff000000, NETADDR_PRIVATE     },
		{ 0xac100000, 0xfff00000, NETADDR_PRIVATE     },
		{ 0xc0a80000, 0xffff0000, NETADDR_PRIVATE     },
		{ 0x64400000, 0xffc00000, NETADDR_CARRIER     },
		{ 0xe0000000, 0xe0000000, NETADDR_MULTICAST   },
	};
	size_t i;

	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if ((addr & nets[i].mask) == nets[i].net)
			return nets[i].reach;
	return NETADDR_PUBLIC;
}

static enum netaddr_reach
reach_v6(const struct in6_addr *addr)
{
	if (IN6_IS_ADDR_UNSPECIFIED(addr))
		return NETADDR_UNSPECIFIED;
	if (IN6_IS_ADDR_LOOPBACK(addr))
		return NETADDR_LOOPBACK;
	if (IN6_IS_ADDR_LINKLOCAL(addr))
		return NETADDR_LINK_LOCAL;
	if (IN6_IS_ADDR_MULTICAST(addr))
		return NETADDR_MULTICAST;
	if ((addr->s6_addr[0] & 0xfe) == 0xfc)
		return NETADDR_PRIVATE;
	return NETADDR_PUBLIC;
}

enum netaddr_reach
netaddr_reach(const struct netaddr *addr)
{
	switch (addr->family) {
	case AF_INET:
		return reach_v4(ntohl(addr->v4.s_addr));
	case AF_INET6:
		return reach_v6(&addr->v6);
	default:
		return NETADDR_UNSPECIFIED;
	}
}

const char *
netaddr_reach_text(enum netaddr_reach reach)
{
	switch (reach) {
	case NETADDR_PUBLIC:
		return "a public address";
	case NETADDR_UNSPECIFIED:
		return "no host's address";
	case NETADDR_LOOPBACK:
		return "a loopback address";
	case NETADDR_LINK_LOCAL:
		return "a link-local address";
	case NETADDR_PRIVATE:
		return "a private address (RFC 1918)";
	case NETADDR_CARRIER:
		return "a carrier's NAT address (RFC 6598)";
	case NETADDR_MULTICAST:
		return "a multicast or reserved address";
	}
	return "an unknown address";
}

/* Sets addr/bits; bits of the IPv6 form count from its start if addr was mapped. */
static bool
set_prefix(struct netprefix *to, const struct netaddr *addr, bool v6, unsigned bits)
{
	const uint8_t *bytes;
	uint8_t *byte;
	size_t i, n;

	to->addr = *addr;
	to->addr.port = 0;
	n = address_bytes(&to->addr, &bytes);
	if (v6 && to->addr.family == AF_INET) {
		if (bits < MAPPED_BITS)
			return false;
		bits -= MAPPED_BITS;
	}
	if (n == 0 || bits > n * 8)
		return false;

	to->bits = bits;
	byte = to->addr.family == AF_INET ? (uint8_t *)&to->addr.v4 : to->addr.v6.s6_addr;
	for (i = 0; i < n; i++, bits -= bits < 8 ? bits : 8)
		if (bits < 8)
			byte[i] &= (uint8_t)(0xff00 >> bits);
	return true;
}

int
netprefix_parse(const char *text, struct netprefix *to)
{
	bool v6 = strchr(text, ':') != NULL;
	char buf[NETADDR_TEXT];
	struct netaddr addr;
	unsigned bits;
	char *slash;

	memset(to, 0, sizeof(*to));
	if (strlcpy(buf, text, sizeof(buf)) >= sizeof(buf))
		goto bad;
	bits = v6 ? 128 : 32;
	if ((slash = strchr(buf, '/')) != NULL) {
		*slash = '\0';
		if (!number(slash + 1, bits, &bits))
			goto bad;
	}
	if (netaddr_parse(buf, &addr) == 0 && set_prefix(to, &addr, v6, bits))
		return 0;
bad:
	memset(to, 0, sizeof(*to));
	errno = EINVAL;
	return -1;
}

/* The length of a netmask whose ones stand together, or -1. */
static int
mask_bits(const uint8_t *mask, size_t n)
{
	unsigned bits = 0;
	size_t i;

	while (bits < n * 8 && (mask[bits / 8] & (0x80 >> bits % 8)) != 0)
		bits++;
	for (i = bits; i < n * 8; i++)
		if ((mask[i / 8] & (0x80 >> i % 8)) != 0)
			return -1;
	return (int)bits;
}

int
netprefix_from_netmask(
    struct netprefix *to, const struct sockaddr *addr, const struct sockaddr *mask)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct netaddr host;
	int bits = -1;

	memset(to, 0, sizeof(*to));
	if (addr != NULL && mask != NULL && addr->sa_family == mask->sa_family) {
		if (mask->sa_family == AF_INET) {
			memcpy(&in, mask, sizeof(in));
			bits = mask_bits((const uint8_t *)&in.sin_addr, sizeof(in.sin_addr));
		} else if (mask->sa_family == AF_INET6) {
			memcpy(&in6, mask, sizeof(in6));
			bits = mask_bits(in6.sin6_addr.s6_addr, sizeof(in6.sin6_addr));
		}
	}
	if (bits != -1) {
		netaddr_from_sockaddr(&host, addr);
		if (set_prefix(to, &host, addr->sa_family == AF_INET6, (unsigned)bits))
			return 0;
	}
	memset(to, 0, sizeof(*to));
	errno = EINVAL;
	return -1;
}

bool
netprefix_contains(const struct netprefix *net, const struct netaddr *addr)
{
	const uint8_t *x, *y;
	size_t n = address_bytes(&net->addr, &x), whole = net->bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> net->bits % 8);

	if (n == 0 || address_bytes(addr, &y) != n || !same_scope(&net->addr, addr))
		return false;
	if (memcmp(x, y, whole) != 0)
		return false;
	return mask == 0 || ((x[whole] ^ y[whole]) & mask) == 0;
}
