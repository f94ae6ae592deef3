/*
 * What this host knows itself: its router, its interfaces.
 */
#include "gateway.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RTF_GATEWAY 2 /* of <linux/route.h> */

void
router_find(struct netaddr *router)
{
	FILE *routes = fopen("/proc/net/route", "re");
	unsigned long destination, gateway, mask;
	unsigned flags, metric, best = 0;
	char line[256];

	*router = (struct netaddr){ .family = AF_UNSPEC };
	if (routes == NULL)
		return;
	while (fgets(line, sizeof(line), routes) != NULL) {
		if (sscanf(line, "%*s %lx %lx %x %*d %*u %u %lx", &destination, &gateway, &flags,
		        &metric, &mask) != 5 || destination != 0 || mask != 0 || (flags & RTF_GATEWAY) == 0)
			continue;
		if (router->family == AF_INET && metric >= best)
			continue;
		best = metric;
		router->family = AF_INET;
		router->v4.s_addr = (in_addr_t)gateway; /* the file has it in network order */
	}
	fclose(routes);
}

bool
router_is_interface(const char *name)
{
	return strchr(name, '.') == NULL && if_nametoindex(name) != 0;
}

void
router_interface(const char *name, struct finding *found)
{
	struct ifaddrs *all, *i;
	struct netaddr addr;

	snprintf(found->words, sizeof(found->words), "%s has no IPv4 address", name);
	found->done = true;
	if (getifaddrs(&all) == -1)
		return;
	for (i = all; i != NULL && found->n == 0; i = i->ifa_next) {
		if (i->ifa_addr == NULL || strcmp(i->ifa_name, name) != 0)
			continue;
		netaddr_from_sockaddr(&addr, i->ifa_addr);
		if (addr.family == AF_INET)
			finding_take(found, name, &addr);
	}
	freeifaddrs(all);
}

void
router_local_towards(const struct netaddr *router, struct netaddr *local)
{
	struct sockaddr_storage ss;
	struct netaddr to = *router;
	socklen_t len;
	int fd;

	*local = (struct netaddr){ .family = AF_UNSPEC };
	if (router->family != AF_INET)
		return;
	to.port = NATPMP_PORT;
	len = netaddr_to_sockaddr(&to, &ss);
	/* A connected UDP socket has chosen its route, and sent nothing. */
	if ((fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return;
	if (connect(fd, (struct sockaddr *)&ss, len) == 0) {
		len = sizeof(ss);
		if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
			netaddr_from_sockaddr(local, (struct sockaddr *)&ss);
		local->port = 0;
	}
	close(fd);
}
