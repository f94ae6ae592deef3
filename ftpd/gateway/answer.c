/*
 * The first answer: all sources are asked at once, and the first in order that has a usable address
 * wins, as soon as those before it have failed.
 */
#include "gateway.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What came back from the router, until it is a finding. */
static struct natpmp_result natpmp_result;
static struct upnp_result upnp_result;

/* What to do about an address that cannot be announced. */
static const char *
advice_for(enum netaddr_reach reach)
{
	switch (reach) {
	case NETADDR_UNSPECIFIED:
	case NETADDR_LOOPBACK:
		return "the entry is switched off or blocked; see the DDNS provider's page";
	case NETADDR_PRIVATE:
		return "use a name that only the DNS outside knows; if it is right, there is a "
		       "second router in front of yours";
	case NETADDR_CARRIER:
		return "the provider shares one address among many homes; ask for one of your "
		       "own, or use IPv6";
	default:
		return "correct the entry at the DDNS provider";
	}
}

/* The same where it was the router that told it. */
static const char *
router_advice_for(enum netaddr_reach reach)
{
	switch (reach) {
	case NETADDR_PRIVATE:
		return "there is a second router in front of it: forward the ports there as well, or "
		       "make one of the two a bridge";
	case NETADDR_CARRIER:
		return advice_for(reach);
	default:
		return "is it connected to the Internet?";
	}
}

static void
take(struct finding *found, const char *who, const struct netaddr *addr, bool router)
{
	const enum netaddr_reach reach = netaddr_reach(addr);
	char text[NETADDR_TEXT];

	found->done = true;
	if (addr->family == AF_INET && reach == NETADDR_PUBLIC) {
		found->n = 1;
		found->addrs[0] = *addr;
		found->addrs[0].port = 0;
		return;
	}
	snprintf(found->words, sizeof(found->words), "%s is %s, %s: %s", who,
	    netaddr_text(addr, text), netaddr_reach_text(reach),
	    router ? router_advice_for(reach) : advice_for(reach));
}

void
finding_take(struct finding *found, const char *who, const struct netaddr *addr)
{
	take(found, who, addr, false);
}

/* Turns what the router has said, or not said, into findings. */
static void
settle_router(struct gateway *g)
{
	static const char who[] = "the router's address outside";

	if (!g->by_natpmp.done && natpmp_result.state != ASK_WAITS) {
		if (natpmp_result.state == ASK_ANSWERED &&
		    natpmp_result.answer.address.family == AF_INET)
			take(&g->by_natpmp, who, &natpmp_result.answer.address, true);
		else if (natpmp_result.state == ASK_ANSWERED && natpmp_result.answer.result == 0)
			snprintf(g->by_natpmp.words, sizeof(g->by_natpmp.words),
			    "the router has no address outside: is it connected to the Internet?");
		else
			source_natpmp_explain(g->natpmp, &natpmp_result, g->by_natpmp.words,
			    sizeof(g->by_natpmp.words));
		g->by_natpmp.done = true;
	}
	if (!g->by_upnp.done && upnp_result.state != ASK_WAITS) {
		if (upnp_result.state == ASK_ANSWERED && upnp_result.answer.good)
			take(&g->by_upnp, who, &upnp_result.answer.address, true);
		else
			snprintf(g->by_upnp.words, sizeof(g->by_upnp.words), "%s",
			    upnp_result.state == ASK_ANSWERED
			        ? upnp_result.answer.words
			        : "the router did not answer UPnP in time");
		g->by_upnp.done = true;
	}
}

/* Starts to ask the router for its address, by all the ways there are. */
static void
ask_router(struct gateway *g)
{
	const struct natpmp_question natpmp = { .op = NATPMP_ADDRESS };
	const struct upnp_question upnp = { .op = UPNP_ADDRESS };

	g->by_natpmp = g->by_upnp = (struct finding){ .done = true };
	strlcpy(g->by_natpmp.words, g->why_no_natpmp, sizeof(g->by_natpmp.words));
	strlcpy(g->by_upnp.words, g->why_no_upnp, sizeof(g->by_upnp.words));
	if (g->natpmp != NULL) {
		g->by_natpmp.done = false;
		source_natpmp_ask(g->natpmp, &natpmp, &natpmp_result);
	}
	if (g->upnp != NULL) {
		g->by_upnp.done = false;
		source_upnp_ask(g->upnp, &upnp, &upnp_result);
	}
	settle_router(g);
}

const struct netaddr *
answer_router_says(const struct gateway *g)
{
	if (g->by_natpmp.n > 0)
		return &g->by_natpmp.addrs[0];
	return g->by_upnp.n > 0 ? &g->by_upnp.addrs[0] : NULL;
}

/* A source has what the router says, where it is the router's. */
static const struct finding *
finding_of(const struct gateway *g, const struct source *s)
{
	if (s->kind == SOURCE_NATPMP)
		return &g->by_natpmp;
	return s->kind == SOURCE_UPNP ? &g->by_upnp : &s->found;
}

/* The winner; NULL: it is not known yet, or (at the last) there is none. */
static const struct source *
choose(const struct gateway *g, bool last)
{
	const struct finding *found;

	for (size_t i = 0; i < g->n_sources; i++) {
		found = finding_of(g, &g->sources[i]);
		if (!found->done && !last)
			return NULL;
		if (found->n == 0)
			continue;
		/* Of several the router may confirm one: that is worth a wait. */
		if (found->n > 1 && !last && answer_router_says(g) == NULL &&
		    (!g->by_natpmp.done || !g->by_upnp.done))
			return NULL;
		return &g->sources[i];
	}
	return NULL;
}

static bool
all_done(const struct gateway *g)
{
	for (size_t i = 0; i < g->n_sources; i++)
		if (!finding_of(g, &g->sources[i])->done)
			return false;
	return true;
}

/* Of several addresses the one that the router confirms, else the lowest, which is told. */
static const struct netaddr *
pick(const struct gateway *g, const struct source *s)
{
	const struct finding *found = finding_of(g, s);
	const struct netaddr *router = answer_router_says(g);
	char lowest[NETADDR_TEXT], text[NETADDR_TEXT];

	netaddr_text(&found->addrs[0], lowest);
	for (size_t i = 0; router != NULL && i < found->n; i++)
		if (netaddr_same_host(&found->addrs[i], router))
			return &found->addrs[i];
	if (found->n > 1)
		gateway_say("note %s has %zu addresses%s: the lowest, %s, is announced", s->name,
		    found->n, router != NULL ? ", none of them the router's" : "", lowest);
	else if (router != NULL && s->kind == SOURCE_HOST)
		gateway_say("note %s is %s, but the router has %s: the DDNS entry is late or wrong",
		    s->name, lowest, netaddr_text(router, text));
	return &found->addrs[0];
}

/* The words of those sources that come before the winner; NULL: of all. */
static void
say_failures(const struct gateway *g, const struct source *winner)
{
	for (size_t i = 0; i < g->n_sources && &g->sources[i] != winner; i++) {
		const struct finding *found = finding_of(g, &g->sources[i]);

		gateway_say("note %s: %s", g->sources[i].name,
		    found->done ? found->words : "no answer in time");
	}
}

/* No source has an address: the last known good, or why not. */
static void
say_failed(const struct gateway *g)
{
	const struct source *last = &g->sources[g->n_sources - 1];
	const char *words = finding_of(g, last)->words;
	char text[NETADDR_TEXT];
	struct cached c;

	/* The last source's words are in the answer itself. */
	say_failures(g, last);
	if (g->state && g->cache_age > 0 && cache_read(&c, g->cache_age))
		gateway_say("cached %s %" PRId64 " %s", netaddr_text(&c.addr, text), c.age, words);
	else
		gateway_say("failed %s", words);
}

static void
say_winner(const struct gateway *g, const struct source *winner)
{
	char text[NETADDR_TEXT];
	const struct netaddr *addr;

	say_failures(g, winner);
	addr = pick(g, winner);
	gateway_say("address %s %s", netaddr_text(addr, text), winner->name);
	if (g->state)
		cache_write(addr, winner->name);
}

static void
begin(struct gateway *g)
{
	ask_router(g);
	for (size_t i = 0; i < g->n_sources; i++)
		if (g->sources[i].dns != NULL && !g->sources[i].found.done)
			source_dns_ask(g->sources[i].dns, g->sources[i].name, &g->sources[i].found);
}

/* The deadline has come: who has not answered has failed. */
static void
give_up(struct gateway *g)
{
	for (size_t i = 0; i < g->n_sources; i++)
		if (g->sources[i].dns != NULL && !g->sources[i].found.done)
			source_dns_give_up(g->sources[i].dns);
	if (g->natpmp != NULL)
		source_natpmp_give_up(g->natpmp);
	if (g->upnp != NULL)
		source_upnp_give_up(g->upnp);
	settle_router(g);
}

bool
answer_first(struct gateway *g)
{
	const struct source *winner = NULL;
	bool readable;

	begin(g);
	if (g->n_sources == 0) {
		gateway_say("ready");
		return true;
	}
	while ((winner = choose(g, false)) == NULL && !all_done(g) && gateway_clock() < g->deadline) {
		if (!gateway_wait(g, g->deadline, false, &readable))
			return false;
		settle_router(g);
	}
	if (winner == NULL) {
		give_up(g);
		winner = choose(g, true);
	}
	if (winner != NULL)
		say_winner(g, winner);
	else
		say_failed(g);
	return true;
}
