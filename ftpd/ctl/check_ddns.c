/*
 * The address that is announced: what each source of MasqueradeAddress says, against what the
 * router says; and what each kind of client will be told.
 */
#include "check.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "asking.h"

#define SERVERS_MAX 16

bool
ddns_name(const struct check *c, char *name, size_t size)
{
	char list[MASQUERADE_TEXT], *rest = list, *word;
	struct netaddr addr;

	name[0] = '\0';
	if (c->conf.masquerade.kind == MASQUERADE_ADDRESS)
		netaddr_text(&c->conf.masquerade.addr, name);
	if (c->conf.masquerade.kind != MASQUERADE_ASK)
		return name[0] != '\0';
	(void)strlcpy(list, c->conf.masquerade.name, sizeof(list));
	while ((word = strsep(&rest, " ")) != NULL)
		if (strchr(word, '.') != NULL || netaddr_parse(word, &addr) == 0)
			return strlcpy(name, word, size) < size;
	return false;
}

/* Asks for the address of one source; false with words. */
static bool
ask_source(
    struct check *c, const char *source, struct netaddr *addr, char words[static ASKING_LINE])
{
	const char *args[8 + 2 * SERVERS_MAX] = { "-t" };
	char timeout[16], servers[1024], *rest = servers, *word;
	int64_t until = asking_clock() + (int64_t)c->conf.masquerade_timeout * 1000 + 1000;
	unsigned n = 1;
	struct asking a;
	bool good = false;
	int r;

	snprintf(timeout, sizeof(timeout), "%u", c->conf.masquerade_timeout * 1000);
	args[n++] = timeout;
	(void)strlcpy(servers, c->conf.masquerade_resolver, sizeof(servers));
	while ((word = strsep(&rest, " ")) != NULL && n < 2 * SERVERS_MAX)
		if (*word != '\0') {
			args[n++] = "-r";
			args[n++] = word;
		}
	args[n++] = "--";
	args[n++] = source;
	args[n] = NULL;
	(void)strlcpy(words, "no answer", ASKING_LINE);
	if (asking_start(&a, c->gateway, c->conf.gateway_user, -1, args) == -1) {
		(void)strlcpy(words, strerror(errno), ASKING_LINE);
		return false;
	}
	while ((r = asking_line(&a, words, until)) == 1 && strncmp(words, "note ", 5) == 0)
		continue;
	asking_end(&a);
	if (r == 1 && strncmp(words, "address ", 8) == 0) {
		words[8 + strcspn(words + 8, " ")] = '\0';
		good = netaddr_parse(words + 8, addr) == 0;
	} else if (r == 1 && strncmp(words, "failed ", 7) == 0) {
		memmove(words, words + 7, strlen(words + 7) + 1);
	}
	return good;
}

/* A LAN client that uses the name: what the system's own resolver says. */
static void
look_from_lan(struct check *c, const char *name)
{
	const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	struct netaddr addr;
	char text[NETADDR_TEXT];

	if (c->root[0] != '\0' || getaddrinfo(name, NULL, &hints, &found) != 0 || found == NULL)
		return;
	netaddr_from_sockaddr(&addr, found->ai_addr);
	freeaddrinfo(found);
	netaddr_text(&addr, text);
	check_say(c,
	    netaddr_reach(&addr) == NETADDR_PUBLIC ? "ddns-lan-outside" : "ddns-lan-inside", name,
	    text, NULL);
}

/* Is it the router's address? */
static void
compare(struct check *c, const char *source, const struct netaddr *addr)
{
	char text[NETADDR_TEXT], wan[NETADDR_TEXT];

	netaddr_text(addr, text);
	netaddr_text(&c->wan, wan);
	if (c->wan.family != AF_INET || netaddr_reach(&c->wan) != NETADDR_PUBLIC)
		check_say(c, "ddns-unconfirmed", source, text, NULL);
	else if (netaddr_same_host(&c->wan, addr))
		check_say(c, "ddns-ok", source, text, NULL);
	else
		check_say(c, "ddns-stale", source, text, wan, NULL);
}

static void
look_at_source(struct check *c, const char *source)
{
	const bool is_protocol = strcmp(source, "natpmp") == 0 || strcmp(source, "upnp") == 0;
	char words[ASKING_LINE];
	struct netaddr addr;

	/* those are the router itself */
	if (is_protocol) {
		if (c->announced.family == AF_UNSPEC && netaddr_reach(&c->wan) == NETADDR_PUBLIC)
			c->announced = c->wan;
		return;
	}
	if (ask_source(c, source, &addr, words)) {
		if (c->announced.family == AF_UNSPEC)
			c->announced = addr;
		compare(c, source, &addr);
	} else {
		check_say(c, "ddns-failed", source, words, NULL);
	}
	if (strchr(source, '.') != NULL && netaddr_parse(source, &addr) == -1)
		look_from_lan(c, source);
}

/* The networks whose clients are told the local address, in words. */
static void
networks_text(const struct networks *nets, char *text, size_t size)
{
	char addr[NETADDR_TEXT];

	snprintf(text, size, "%s", nets->automatic ? "auto" : "");
	for (unsigned i = 0; i < nets->n; i++)
		snprintf(text + strlen(text), size - strlen(text), "%s%s/%u",
		    text[0] != '\0' ? ", " : "", netaddr_text(&nets->net[i].addr, addr),
		    nets->net[i].bits);
}

static void
say_clients(struct check *c)
{
	const struct netaddr *told = c->announced.family != AF_UNSPEC ? &c->announced : &c->local;
	const struct portlist *ports =
	    c->conf.passive_announced.n > 0 ? &c->conf.passive_announced : &c->conf.passive_ports;
	char local[NETADDR_TEXT], outside[NETADDR_TEXT], six[NETADDR_TEXT], nets[512];
	char inner[PORTLIST_TEXT], outer[PORTLIST_TEXT];

	netaddr_text(&c->local, local);
	netaddr_text(told, outside);
	networks_text(&c->conf.local_networks, nets, sizeof(nets));
	portlist_text(&c->conf.passive_ports, inner);
	portlist_text(ports, outer);
	if (c->local.family != AF_UNSPEC)
		check_say(c, "clients-lan", nets, local, inner, NULL);
	check_say(c,
	    told->family == AF_INET && netaddr_reach(told) == NETADDR_PUBLIC ? "clients-world"
									     : "clients-world-lost",
	    outside, outer, NULL);
	if (c->local6.family == AF_INET6)
		check_say(c, "clients-ipv6", netaddr_text(&c->local6, six), inner, NULL);
}

void
check_ddns(struct check *c)
{
	char list[MASQUERADE_TEXT], *rest = list, *word;
	const bool direct =
	    c->local.family == AF_INET && netaddr_reach(&c->local) == NETADDR_PUBLIC;

	if (!c->conf_good || (c->root[0] != '\0' && c->gateway == NULL))
		return;
	if (c->conf.masquerade.kind == MASQUERADE_ADDRESS) {
		c->announced = c->conf.masquerade.addr;
		compare(c, "MasqueradeAddress", &c->announced);
	} else if (c->conf.masquerade.kind == MASQUERADE_ASK) {
		(void)strlcpy(list, c->conf.masquerade.name, sizeof(list));
		while ((word = strsep(&rest, " ")) != NULL)
			if (*word != '\0')
				look_at_source(c, word);
	} else if (c->conf.port_mapping != PORT_MAPPING_OFF &&
	    netaddr_reach(&c->wan) == NETADDR_PUBLIC) {
		c->announced = c->wan; /* the router tells it with each mapping */
	} else if (!direct) {
		check_say(c, "ddns-none", NULL);
	}
	say_clients(c);
}
