/*
 * The router: which protocols it speaks, and whether its address outside is one that the world can
 * reach.
 */
#include "check.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "asking.h"

#define INSPECT_MS 40000 /* UPnP routers are looked for, and asked */

/* "yes WORDS" or "no WORDS". */
static bool
is_yes(const char *rest)
{
	return strncmp(rest, "yes", 3) == 0;
}

static void
take_line(struct check *c, char *line)
{
	char *rest = line, *word = strsep(&rest, " ");

	if (rest == NULL)
		rest = word + strlen(word);
	if (strcmp(word, "gateway") == 0)
		(void)netaddr_parse(rest, &c->router);
	else if (strcmp(word, "natpmp") == 0)
		c->natpmp = is_yes(rest);
	else if (strcmp(word, "pcp") == 0)
		c->pcp = is_yes(rest);
	else if (strcmp(word, "upnp") == 0)
		c->upnp = is_yes(rest);
	else if (strcmp(word, "wan") == 0)
		(void)netaddr_parse(strsep(&rest, " "), &c->wan);
}

/* Our own address towards the router, and one of IPv6 that the world can reach. */
static void
find_own(struct check *c)
{
	struct netaddr to = c->router;
	struct sockaddr_storage ss;
	socklen_t len;
	struct ifaddrs *all = NULL;
	int fd;

	to.port = 9;
	len = netaddr_to_sockaddr(&to, &ss);
	/* a connected UDP socket has chosen its route, and sent nothing */
	if (len > 0 && (fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) != -1) {
		if (connect(fd, (struct sockaddr *)&ss, len) == 0 &&
		    getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
			netaddr_from_sockaddr(&c->local, (struct sockaddr *)&ss);
		close(fd);
	}
	if (getifaddrs(&all) == -1)
		return;
	for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		struct netaddr addr;

		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET6)
			continue;
		netaddr_from_sockaddr(&addr, i->ifa_addr);
		if (addr.family == AF_INET6 && netaddr_reach(&addr) == NETADDR_PUBLIC)
			c->local6 = addr;
	}
	freeifaddrs(all);
}

/* Asks for all there is to know; false: it was said why there is no answer. */
static bool
inspect(struct check *c)
{
	const char *const args[] = { "-i", "-t", "4000", NULL };
	const int64_t until = asking_clock() + INSPECT_MS;
	char line[ASKING_LINE];
	bool any = false;
	struct asking a;
	int r;

	if (asking_start(
		&a, c->gateway, c->conf_good ? c->conf.gateway_user : "nobody", -1, args) == -1) {
		check_say(c, "router-gateway", strerror(errno), NULL);
		return false;
	}
	while ((r = asking_line(&a, line, until)) == 1 && strcmp(line, "end") != 0) {
		any = true;
		take_line(c, line);
	}
	asking_end(&a);
	if (!any)
		check_say(c, "router-gateway", r == 0 ? "it is silent" : "it has ended", NULL);
	return any;
}

static void
say_wan(struct check *c, const char *router, const char *speaks)
{
	char wan[NETADDR_TEXT], six[NETADDR_TEXT];

	netaddr_text(&c->wan, wan);
	switch (netaddr_reach(&c->wan)) {
	case NETADDR_PUBLIC:
		check_say(c, "router-ok", router, speaks, wan, NULL);
		break;
	case NETADDR_CARRIER:
		if (c->local6.family == AF_INET6)
			check_say(
			    c, "router-carrier6", router, wan, netaddr_text(&c->local6, six), NULL);
		else
			check_say(c, "router-carrier", router, wan, NULL);
		break;
	case NETADDR_PRIVATE:
		check_say(c, "router-double", router, wan, NULL);
		break;
	default:
		check_say(c, "router-offline", router, wan,
		    netaddr_reach_text(netaddr_reach(&c->wan)), NULL);
	}
}

/* True if the source is among those of MasqueradeAddress. */
static bool
has_source(const struct check *c, const char *source)
{
	char list[MASQUERADE_TEXT], *rest = list, *word;

	if (c->conf.masquerade.kind != MASQUERADE_ASK)
		return false;
	(void)strlcpy(list, c->conf.masquerade.name, sizeof(list));
	while ((word = strsep(&rest, " ")) != NULL)
		if (strcmp(word, source) == 0)
			return true;
	return false;
}

/* What the configuration wants of the router. */
static void
compare_with_conf(struct check *c)
{
	const enum port_mapping mapping = c->conf.port_mapping;
	const bool pmp = c->natpmp || c->pcp,
		   wants_upnp = has_source(c, "upnp") || mapping == PORT_MAPPING_UPNP;
	char path[PATH_MAX];

	if ((has_source(c, "natpmp") || mapping == PORT_MAPPING_NATPMP) && !pmp)
		check_say(c, "router-no-natpmp", NULL);
	if (wants_upnp && !c->upnp)
		check_say(c, "router-no-upnp", NULL);
	if (mapping == PORT_MAPPING_AUTO && !pmp && !c->upnp)
		check_say(c, "router-no-mapping", NULL);
	snprintf(path, sizeof(path), "%s/gateway/upnp", c->conf.state_directory);
	if ((wants_upnp || (mapping == PORT_MAPPING_AUTO && !pmp)) && c->upnp &&
	    !host_exists(c, path))
		check_say(c, "router-upnp-forgotten", NULL);
}

void
check_router(struct check *c)
{
	char router[NETADDR_TEXT], speaks[64];

	/* the router of another machine is not ours to ask */
	if (c->root[0] != '\0' && c->gateway == NULL)
		return;
	if (!inspect(c))
		return;
	/* what this machine's addresses are says nothing of another's */
	if (c->root[0] == '\0')
		find_own(c);
	netaddr_text(&c->router, router);
	snprintf(speaks, sizeof(speaks), "%s%s%s", c->natpmp ? ", NAT-PMP" : "",
	    c->pcp ? ", PCP" : "", c->upnp ? ", UPnP" : "");
	if (c->router.family == AF_UNSPEC)
		check_say(c, "router-none", NULL);
	else if (c->wan.family == AF_INET)
		say_wan(c, router, speaks[0] != '\0' ? speaks + 2 : "?");
	else if (c->local.family == AF_INET && netaddr_reach(&c->local) == NETADDR_PUBLIC)
		check_say(c, "router-direct", netaddr_text(&c->local, speaks), NULL);
	else if (speaks[0] != '\0')
		check_say(c, "router-no-address", router, speaks + 2, NULL);
	else
		check_say(c, "router-silent", router, NULL);
	if (c->conf_good && c->router.family != AF_UNSPEC)
		compare_with_conf(c);
}
