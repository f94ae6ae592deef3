/*
 * The kinds of values that name the world outside: MasqueradeAddress, the DNS
 * servers to ask, PrivatePort, PassivePortsAnnounced, PortMapping.
 */
#include "confvalue.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How long a list of DNS servers may be, as text. */
#define RESOLVERS_TEXT 512

/* Letters, digits, dashes and dots; the last label is no number, or it would be a bad address. */
static bool
is_host_name(const char *text)
{
	size_t len = strlen(text), label = 0;
	bool digits = true;

	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len < 1 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '.') {
			if (label == 0 || text[i - 1] == '-')
				return false;
			label = 0;
			digits = true;
			continue;
		}
		if (c > 127 || (!isalnum(c) && c != '-') || (c == '-' && label == 0) ||
		    ++label > 63)
			return false;
		digits = digits && isdigit(c);
	}
	return label > 0 && text[len - 1] != '-' && !digits;
}

/* Adds a word to a list of words; 0, or -1 with why when there is no room. */
static int
add_word(char *list, size_t size, const char *word, char why[static WHY])
{
	if (list[0] != '\0')
		strlcat(list, " ", size);
	if (strlcat(list, word, size) >= size)
		return confvalue_wrong(why, "the list is too long");
	return 0;
}

/* One source of MasqueradeAddress; an address is put into *addr. Returns 0, or -1 with why. */
static int
check_source(const char *source, struct netaddr *addr, char why[static WHY])
{
	enum netaddr_reach reach;

	addr->family = AF_UNSPEC;
	if (strcasecmp(source, "none") == 0)
		return confvalue_wrong(why, "none stands alone");
	if (netaddr_parse(source, addr) == -1)
		return is_host_name(source) ? 0
		                            : confvalue_wrong(why,
		                                  "\"%.64s\" is neither a host name nor an IPv4 "
		                                  "address",
		                                  source);
	if (addr->family != AF_INET)
		return confvalue_wrong(why,
		    "%.64s is IPv6, but PASV announces IPv4 alone and EPSV needs "
		    "no address: give an IPv4 address or a name",
		    source);
	reach = netaddr_reach(addr);
	if (reach == NETADDR_UNSPECIFIED || reach == NETADDR_MULTICAST)
		return confvalue_wrong(why, "nobody can connect to %.64s", source);
	return 0;
}

static int
parse_masquerade(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct masquerade *m = field_of(d, conf);
	struct netaddr addr = { .family = AF_UNSPEC };
	char text[MASQUERADE_TEXT] = "", *source;
	unsigned n = 0;

	if (strcasecmp(value, "none") == 0)
		value = NULL;
	while ((source = strsep(&value, BLANKS)) != NULL) {
		if (*source == '\0')
			continue;
		if (check_source(source, &addr, why) == -1 ||
		    add_word(text, sizeof(text), source, why) == -1)
			return -1;
		if (++n > MASQUERADE_SOURCES)
			return confvalue_wrong(why, "%d sources are the most", MASQUERADE_SOURCES);
	}
	if (confvalue_string(&m->name, text, why) == -1)
		return -1;
	m->kind = n == 0                            ? MASQUERADE_NONE
	        : n == 1 && addr.family == AF_INET ? MASQUERADE_ADDRESS
	                                            : MASQUERADE_ASK;
	m->addr = addr;
	if (m->kind != MASQUERADE_ADDRESS)
		m->addr.family = AF_UNSPEC;
	return 0;
}

static void
print_masquerade(const struct directive *d, const struct conf *conf, FILE *out)
{
	const struct masquerade *m = value_of(d, conf);

	fputs(m->kind == MASQUERADE_NONE ? "none" : m->name, out);
}

const struct kind confnet_masquerades = { parse_masquerade, print_masquerade };

/* ADDR, ADDR:PORT or [ADDR]:PORT */
static bool
is_server(const char *text)
{
	char host[NETADDR_TEXT];
	const char *end = *text == '[' ? strchr(text, ']') : strchr(text, ':'), *error = NULL;
	const char *begin = text + (*text == '[');
	struct netaddr addr;

	if (*text == '[' && end == NULL)
		return false;
	if (*text != '[' && netaddr_parse(text, &addr) == 0)
		return true;
	if (end == NULL || (size_t)(end - begin) >= sizeof(host))
		return false;
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	end += *end == ']';
	if (netaddr_parse(host, &addr) == -1)
		return false;
	if (*end == ':' && isdigit((unsigned char)end[1]))
		(void)strtonum(end + 1, 1, 65535, &error);
	return *end == '\0' || (*end == ':' && isdigit((unsigned char)end[1]) && error == NULL);
}

static int
parse_resolvers(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	char text[RESOLVERS_TEXT] = "", *server;

	if (strcasecmp(value, "system") == 0)
		value = NULL;
	while ((server = strsep(&value, BLANKS)) != NULL) {
		if (*server == '\0')
			continue;
		if (!is_server(server))
			return confvalue_wrong(
			    why, "%.64s: a DNS server is given as ADDRESS or ADDRESS:PORT", server);
		if (add_word(text, sizeof(text), server, why) == -1)
			return -1;
	}
	return confvalue_string(field_of(d, conf), text, why);
}

static void
print_resolvers(const struct directive *d, const struct conf *conf, FILE *out)
{
	const char *text = *(char *const *)value_of(d, conf);

	fputs(text[0] == '\0' ? "system" : text, out);
}

const struct kind confnet_resolvers = { parse_resolvers, print_resolvers, .string = true };

static const char *const private_ports[] = { [PRIVATE_PORT_REJECT] = "reject",
	[PRIVATE_PORT_PEER] = "peer", [PRIVATE_PORT_PEER + 1] = NULL };

const struct kind confnet_private_ports = { confvalue_parse_word, confvalue_print_word,
	.words = private_ports };

static int
parse_announced(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct portlist list = { .n = 0 };
	const char *error = NULL;

	if (strcasecmp(value, "same") != 0 && portlist_parse(value, &list, &error) == -1)
		return confvalue_wrong(why, "%s", error);
	*(struct portlist *)field_of(d, conf) = list;
	return 0;
}

static void
print_announced(const struct directive *d, const struct conf *conf, FILE *out)
{
	const struct portlist *list = value_of(d, conf);
	char text[PORTLIST_TEXT];

	fputs(list->n == 0 ? "same" : portlist_text(list, text), out);
}

const struct kind confnet_announced_ports = { parse_announced, print_announced };

static const char *const mappings[] = { [PORT_MAPPING_OFF] = "off",
	[PORT_MAPPING_NATPMP] = "natpmp", [PORT_MAPPING_UPNP] = "upnp",
	[PORT_MAPPING_AUTO] = "auto", [PORT_MAPPING_AUTO + 1] = NULL };

const char *
conf_port_mapping(enum port_mapping mapping)
{
	return mappings[mapping];
}

const struct kind confnet_port_mappings = { confvalue_parse_word, confvalue_print_word,
	.words = mappings };
