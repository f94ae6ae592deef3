/*
 * The arguments of PORT and EPRT, and the address in a 227 reply.
 */
#include "hostport.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * Reads 1 to digits decimal digits at *s, moves behind them; false if there are
 * none, more, or the number is above max. strtonum(3) would take signs and blanks.
 */
static bool
take_number(const char **s, unsigned digits, unsigned max, unsigned *out)
{
	const char *p = *s;

	*out = 0;
	for (; isdigit((unsigned char)*p); p++) {
		if ((unsigned)(p - *s) == digits)
			return false;
		*out = *out * 10 + (unsigned)(*p - '0');
	}
	if (p == *s || *out > max)
		return false;
	*s = p;
	return true;
}

int
hostport_parse(const char *arg, struct netaddr *to)
{
	unsigned i, n[6];

	memset(to, 0, sizeof(*to));
	to->family = AF_UNSPEC;
	for (i = 0; i < 6; i++) {
		if (i > 0 && *arg++ != ',')
			goto bad;
		if (!take_number(&arg, 3, 255, &n[i]))
			goto bad;
	}
	if (*arg != '\0')
		goto bad;
	to->family = AF_INET;
	to->port = (uint16_t)(n[4] << 8 | n[5]);
	to->v4.s_addr = htonl(n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3]);
	return 0;
bad:
	errno = EINVAL;
	return -1;
}

/* Copies what stands before the next delimiter and moves behind that. */
static bool
take_field(const char **s, char delimiter, char *field, size_t size)
{
	const char *end = strchr(*s, delimiter);
	size_t len;

	if (end == NULL || (len = (size_t)(end - *s)) >= size)
		return false;
	memcpy(field, *s, len);
	field[len] = '\0';
	*s = end + 1;
	return true;
}

static bool
whole_number(const char *s, unsigned digits, unsigned max, unsigned *out)
{
	return take_number(&s, digits, max, out) && *s == '\0';
}

int
hostport_parse_extended(const char *arg, struct netaddr *to)
{
	char proto[8], address[NETADDR_TEXT], port[8], delimiter = arg[0];
	unsigned number, portnum;

	memset(to, 0, sizeof(*to));
	to->family = AF_UNSPEC;
	errno = EINVAL;
	if (delimiter < 33 || delimiter > 126)
		return -1;
	arg++;
	if (!take_field(&arg, delimiter, proto, sizeof(proto)) ||
	    !take_field(&arg, delimiter, address, sizeof(address)) ||
	    !take_field(&arg, delimiter, port, sizeof(port)) || *arg != '\0')
		return -1;
	if (!whole_number(proto, 5, 65535, &number) || !whole_number(port, 5, 65535, &portnum) ||
	    portnum == 0)
		return -1;
	if (number != 1 && number != 2) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	/* The form of the address must be that of the protocol, and a scope is ours to know. */
	if ((strchr(address, ':') != NULL) != (number == 2) || strchr(address, '%') != NULL ||
	    netaddr_parse(address, to) == -1) {
		errno = EINVAL;
		return -1;
	}
	to->port = (uint16_t)portnum;
	return 0;
}

const char *
hostport_text(const struct netaddr *addr, char buf[static HOSTPORT_TEXT])
{
	uint32_t host = addr->family == AF_INET ? ntohl(addr->v4.s_addr) : 0;

	snprintf(buf, HOSTPORT_TEXT, "%u,%u,%u,%u,%u,%u", host >> 24, host >> 16 & 255,
	    host >> 8 & 255, host & 255, addr->port >> 8, addr->port & 255);
	return buf;
}
