/*
 * -i: what there is at the router, for people: takes seconds, since UPnP routers are looked for.
 */
#include "gateway.h"

#include <stdio.h>
#include <string.h>

#define UPNP_MS 12000 /* discovery and the descriptions of all that answered */

static void
ask_natpmp(struct gateway *g, enum natpmp_op op, struct natpmp_result *r)
{
	/* Port 9 with a lifetime of 0: "take back" what nobody has, so that nothing is opened. */
	const struct natpmp_question q = { .op = op, .port = 9 };

	*r = (struct natpmp_result){ .state = ASK_SILENT };
	if (g->natpmp == NULL)
		return;
	source_natpmp_ask(g->natpmp, &q, r);
	gateway_settle(g, &r->state, g->timeout_ms);
	source_natpmp_give_up(g->natpmp);
}

static void
ask_upnp(struct gateway *g, enum upnp_op op, struct upnp_result *r)
{
	const struct upnp_question q = { .op = op };

	*r = (struct upnp_result){ .state = ASK_SILENT };
	if (g->upnp == NULL)
		return;
	source_upnp_ask(g->upnp, &q, r);
	gateway_settle(g, &r->state, UPNP_MS);
	source_upnp_give_up(g->upnp);
}

static const char *
reach_word(enum netaddr_reach reach)
{
	static const char *const words[] = { [NETADDR_PUBLIC] = "public",
		[NETADDR_UNSPECIFIED] = "none", [NETADDR_LOOPBACK] = "loopback",
		[NETADDR_LINK_LOCAL] = "linklocal", [NETADDR_PRIVATE] = "private",
		[NETADDR_CARRIER] = "carrier", [NETADDR_MULTICAST] = "multicast" };

	return words[reach];
}

/* Says the address outside; and what it means if it is none that the world could reach. */
static void
say_wan(const struct netaddr *wan, const char *method)
{
	const enum netaddr_reach reach = netaddr_reach(wan);
	char text[NETADDR_TEXT];

	gateway_say("wan %s %s %s", netaddr_text(wan, text), reach_word(reach), method);
	if (reach == NETADDR_PRIVATE)
		gateway_say("doublenat the router's own address outside is private: there is a second "
		            "router in front of it; forward the ports there too, or make one of the two a "
		            "bridge");
	else if (reach == NETADDR_CARRIER)
		gateway_say("doublenat the provider shares one address among many homes: nobody outside "
		            "can connect; ask for an address of your own, or use IPv6");
}

static void
say_natpmp(struct gateway *g, struct netaddr *wan)
{
	struct natpmp_result r;
	char words[FINDING_WORDS];

	ask_natpmp(g, NATPMP_ADDRESS, &r);
	if (r.state != ASK_ANSWERED)
		snprintf(words, sizeof(words), "%s",
		    g->natpmp == NULL ? g->why_no_natpmp : "no answer: switch it on in the router");
	else
		strlcpy(words, natpmp_result_text(&r.answer), sizeof(words));
	gateway_say("natpmp %s %s",
	    r.state == ASK_ANSWERED && !r.answer.pcp && !natpmp_wrong_version(&r.answer) ? "yes"
	                                                                                   : "no",
	    words);
	if (r.state == ASK_ANSWERED)
		*wan = r.answer.address;
}

static void
say_pcp(struct gateway *g, struct netaddr *wan)
{
	struct natpmp_result r;
	bool speaks;

	ask_natpmp(g, PCP_ANNOUNCE, &r);
	speaks = r.state == ASK_ANSWERED && r.answer.pcp && !natpmp_wrong_version(&r.answer);
	gateway_say("pcp %s %s", speaks ? "yes" : "no",
	    r.state == ASK_ANSWERED ? natpmp_result_text(&r.answer)
	                               : "no answer: switch it on in the router");
	/* Where NAT-PMP has no address to tell, PCP's error still shows the private one. */
	if (!speaks || wan->family != AF_UNSPEC)
		return;
	ask_natpmp(g, PCP_MAP, &r);
	if (r.state == ASK_ANSWERED)
		*wan = r.answer.address;
}

static void
say_upnp(struct gateway *g, struct netaddr *wan)
{
	struct upnp_result r;

	ask_upnp(g, UPNP_DISCOVER, &r);
	if (r.state != ASK_ANSWERED || !r.answer.good) {
		gateway_say("upnp no %s", r.state == ASK_ANSWERED ? r.answer.words
		    : g->upnp == NULL                             ? g->why_no_upnp
		                                                  : "no answer in time");
		return;
	}
	gateway_say("upnp yes %s", r.answer.url);
	if (g->state)
		cache_write_url(r.answer.url);
	ask_upnp(g, UPNP_ADDRESS, &r);
	if (r.state == ASK_ANSWERED && r.answer.good)
		*wan = r.answer.address;
}

void
inspect_router(struct gateway *g)
{
	struct netaddr by_natpmp = { .family = AF_UNSPEC }, by_pcp, by_upnp = by_natpmp;
	char text[NETADDR_TEXT];

	gateway_say("gateway %s", netaddr_text(&g->router, text));
	say_natpmp(g, &by_natpmp);
	by_pcp = by_natpmp;
	say_pcp(g, &by_pcp);
	say_upnp(g, &by_upnp);
	if (by_natpmp.family == AF_INET)
		say_wan(&by_natpmp, "natpmp");
	else if (by_pcp.family == AF_INET)
		say_wan(&by_pcp, "pcp");
	else if (by_upnp.family == AF_INET)
		say_wan(&by_upnp, "upnp");
	gateway_say("end");
}
