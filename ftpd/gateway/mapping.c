/*
 * Mappings: asks the router to open its door to a port, keeps it open while we live, and takes
 * everything back at the end. Lifetimes are short, so that the router closes by itself what we could
 * not take back.
 */
#include "gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAPPINGS_MAX 64
#define ENTRIES_MAX  256    /* of a router's table, at most so many are looked at */
#define SECONDS_MAX  604800 /* one week, the longest that IGD 2 knows */
#define RETRY_MS     5000

struct mapping {
	uint16_t port, external;
	uint32_t seconds; /* as asked for, and as granted; 0: for ever */
	const char *method;
	int64_t renew; /* when, gateway_clock() */
};

static struct mapping mappings[MAPPINGS_MAX];
static size_t n_mappings;
static bool natpmp_is_silent; /* it is not waited for twice */

/* What has been begun is brought to its end, whoever goes meanwhile. */
static void
settle(struct gateway *g, const enum ask_state *state, int ms)
{
	const bool leaving = g->leaving;

	g->leaving = true;
	gateway_settle(g, state, ms);
	g->leaving = leaving;
}

static void
ask_natpmp(struct gateway *g, const struct natpmp_question *q, int ms, struct natpmp_result *r)
{
	source_natpmp_ask(g->natpmp, q, r);
	settle(g, &r->state, ms);
	source_natpmp_give_up(g->natpmp);
}

static void
ask_upnp(struct gateway *g, const struct upnp_question *q, struct upnp_result *r)
{
	source_upnp_ask(g->upnp, q, r);
	settle(g, &r->state, g->timeout_ms);
	source_upnp_give_up(g->upnp);
}

static struct mapping *
find(uint16_t port)
{
	for (size_t i = 0; i < n_mappings; i++)
		if (mappings[i].port == port)
			return &mappings[i];
	return NULL;
}

/* Maps by NAT-PMP or PCP; false with words. */
static bool
map_natpmp(struct gateway *g, struct mapping *m, struct netaddr *outside, char *words, size_t size)
{
	const struct natpmp_question q = { .op = NATPMP_MAP, .port = m->port,
		.external = m->external, .seconds = m->seconds };
	struct natpmp_result r;

	ask_natpmp(g, &q, g->upnp != NULL ? g->timeout_ms / 2 : g->timeout_ms, &r);
	natpmp_is_silent = r.state != ASK_ANSWERED;
	if (r.state != ASK_ANSWERED || r.answer.result != 0) {
		source_natpmp_explain(g->natpmp, &r, words, size);
		return false;
	}
	m->method = r.answer.pcp ? "pcp" : "natpmp";
	m->external = r.answer.external;
	m->seconds = r.answer.seconds;
	*outside = r.answer.address;
	if (outside->family == AF_UNSPEC && answer_router_says(g) == NULL) {
		const struct natpmp_question address = { .op = NATPMP_ADDRESS };

		ask_natpmp(g, &address, g->timeout_ms, &r);
		if (r.state == ASK_ANSWERED)
			*outside = r.answer.address;
	}
	return true;
}

static bool
map_upnp(struct gateway *g, struct mapping *m, struct netaddr *outside, char *words, size_t size)
{
	const struct upnp_question q = { .op = UPNP_MAP, .port = m->port, .external = m->external,
		.seconds = m->seconds, .client = g->local }, address = { .op = UPNP_ADDRESS };
	struct upnp_result r;

	ask_upnp(g, &q, &r);
	if (r.state != ASK_ANSWERED || !r.answer.good) {
		strlcpy(words, r.state == ASK_ANSWERED
		        ? r.answer.words : "the router did not answer UPnP in time", size);
		return false;
	}
	m->method = "upnp";
	m->external = r.answer.external;
	m->seconds = r.answer.seconds;
	if (m->seconds == 0)
		gateway_say("note the router maps by UPnP only for ever: should this process be killed, "
		            "remove port %u there by hand", m->external);
	if (answer_router_says(g) == NULL) {
		ask_upnp(g, &address, &r);
		if (r.state == ASK_ANSWERED && r.answer.good)
			*outside = r.answer.address;
	}
	return true;
}

/* Asks for the mapping by the methods allowed; fills in what was given. */
static bool
open_port(struct gateway *g, struct mapping *m, struct netaddr *outside, char *words, size_t size)
{
	const uint32_t seconds = m->seconds;

	snprintf(words, size, "%s", g->why_no_natpmp[0] != '\0' ? g->why_no_natpmp : g->why_no_upnp);
	*outside = (struct netaddr){ .family = AF_UNSPEC };
	if ((g->method & METHOD_NATPMP) && g->natpmp != NULL &&
	    !(natpmp_is_silent && g->upnp != NULL) && map_natpmp(g, m, outside, words, size))
		return true;
	m->seconds = seconds;
	if ((g->method & METHOD_UPNP) && g->upnp != NULL)
		return map_upnp(g, m, outside, words, size);
	return false;
}

/* Takes one back; false with words. */
static bool
close_port(struct gateway *g, const struct mapping *m, char *words, size_t size)
{
	const struct natpmp_question q = { .op = NATPMP_MAP, .port = m->port };
	const struct upnp_question u = { .op = UPNP_UNMAP, .port = m->port, .external = m->external };
	struct natpmp_result r;
	struct upnp_result v;

	if (strcmp(m->method, "upnp") == 0) {
		ask_upnp(g, &u, &v);
		if (v.state == ASK_ANSWERED && v.answer.good)
			return true;
		strlcpy(words, v.state == ASK_ANSWERED
		        ? v.answer.words : "the router did not answer UPnP in time", size);
		return false;
	}
	ask_natpmp(g, &q, g->timeout_ms, &r);
	if (r.state == ASK_ANSWERED && r.answer.result == 0)
		return true;
	source_natpmp_explain(g->natpmp, &r, words, size);
	return false;
}

static void
set_renewal(struct mapping *m)
{
	m->renew = m->seconds == 0 ? INT64_MAX : gateway_clock() + (int64_t)m->seconds * 500;
}

static void
say_mapped(struct gateway *g, const struct mapping *m, const struct netaddr *told)
{
	const struct netaddr *outside = told->family == AF_INET ? told : answer_router_says(g);
	char text[NETADDR_TEXT] = "-";
	const bool public = outside != NULL && netaddr_reach(outside) == NETADDR_PUBLIC;

	if (outside != NULL)
		netaddr_text(outside, text);
	if (outside != NULL && !public)
		gateway_say("note the router's address outside, %s, is %s: a second router or the "
		            "provider's NAT in front of it needs the same mapping",
		    text, netaddr_reach_text(netaddr_reach(outside)));
	gateway_say("mapped %u %u %s %u %s", m->port, m->external, public ? text : "-", m->seconds,
	    m->method);
}

static void
serve_map(struct gateway *g, uint16_t port, uint32_t seconds)
{
	struct mapping wanted = { .port = port, .external = port, .seconds = seconds };
	struct mapping *there = find(port);
	char words[FINDING_WORDS];
	struct netaddr outside;

	if (there == NULL && n_mappings == MAPPINGS_MAX) {
		gateway_say("unmapped %u this process has %d mappings: unmap one", port, MAPPINGS_MAX);
		return;
	}
	if (there != NULL)
		wanted.external = there->external;
	if (!open_port(g, &wanted, &outside, words, sizeof(words))) {
		gateway_say("unmapped %u %s", port, words);
		return;
	}
	set_renewal(&wanted);
	if (there == NULL)
		there = &mappings[n_mappings++];
	*there = wanted;
	say_mapped(g, there, &outside);
}

static void
serve_unmap(struct gateway *g, uint16_t port, uint16_t external)
{
	struct mapping *m = find(port);
	struct mapping other = { .port = port, .external = external,
		.method = g->natpmp != NULL && !natpmp_is_silent ? "natpmp" : "upnp" };
	char words[FINDING_WORDS] = "taken back";

	/* One that an earlier process has made can be taken back as well. */
	if (m == NULL && (strcmp(other.method, "upnp") == 0 ? g->upnp == NULL : g->natpmp == NULL))
		strlcpy(words, "no way to ask the router", sizeof(words));
	else
		(void)close_port(g, m != NULL ? m : &other, words, sizeof(words));
	if (m != NULL)
		*m = mappings[--n_mappings];
	gateway_say("unmapped %u %s", port, words);
}

/* Our own, and by UPnP all that the router has for this host. */
static void
serve_list(struct gateway *g)
{
	struct upnp_question q = { .op = UPNP_ENTRY };
	struct upnp_result r;

	for (size_t i = 0; i < n_mappings; i++)
		gateway_say("mapping %u %u %s %u ours", mappings[i].port, mappings[i].external,
		    mappings[i].method, mappings[i].seconds);
	for (; g->upnp != NULL && q.index < ENTRIES_MAX; q.index++) {
		ask_upnp(g, &q, &r);
		if (r.state != ASK_ANSWERED || !r.answer.good)
			break;
		if (netaddr_same_host(&r.answer.address, &g->local) && find(r.answer.port) == NULL)
			gateway_say("mapping %u %u upnp %u %s", r.answer.port, r.answer.external,
			    r.answer.seconds, r.answer.words);
	}
	gateway_say("end");
}

/* Serves one line; false: it is to end, and to leave what is mapped. */
static bool
serve_line(struct gateway *g, const char *line)
{
	unsigned port, seconds, external;
	int end = -1;

	if (sscanf(line, "map %5u %6u%n", &port, &seconds, &end) == 2 && line[end] == '\0' &&
	    port > 0 && port < 65536 && seconds > 0 && seconds <= SECONDS_MAX)
		serve_map(g, (uint16_t)port, seconds);
	else if (sscanf(line, "unmap %5u%n", &port, &end) == 1 && line[end] == '\0' && port > 0 &&
	    port < 65536)
		serve_unmap(g, (uint16_t)port, (uint16_t)port);
	else if (sscanf(line, "unmap %5u %5u%n", &port, &external, &end) == 2 && line[end] == '\0' &&
	    port > 0 && port < 65536 && external > 0 && external < 65536)
		serve_unmap(g, (uint16_t)port, (uint16_t)external);
	else if (strcmp(line, "list") == 0)
		serve_list(g);
	else if (strcmp(line, "leave") == 0)
		return false;
	else
		gateway_say("note not understood: %.100s", line);
	return true;
}

/* Renews what is half over. A router that was restarted has forgotten all. */
static int64_t
renew(struct gateway *g)
{
	const bool all = g->natpmp != NULL && source_natpmp_restarted(g->natpmp);
	int64_t next = INT64_MAX;
	struct netaddr outside;
	char words[FINDING_WORDS];

	for (size_t i = 0; i < n_mappings; i++) {
		struct mapping now = mappings[i];

		if (all || gateway_clock() >= now.renew) {
			if (open_port(g, &now, &outside, words, sizeof(words))) {
				if (now.external != mappings[i].external)
					gateway_say("note the router now has port %u for port %u",
					    now.external, now.port);
				set_renewal(&now);
			} else {
				gateway_say("note port %u is not renewed: %s", now.port, words);
				now = mappings[i];
				now.renew = gateway_clock() + RETRY_MS;
			}
			mappings[i] = now;
		}
		if (mappings[i].renew < next)
			next = mappings[i].renew;
	}
	return next;
}

static void
take_all_back(struct gateway *g)
{
	const int64_t until = gateway_clock() + 2 * (int64_t)g->timeout_ms;
	char words[FINDING_WORDS];

	g->leaving = true;
	while (n_mappings > 0 && gateway_clock() < until)
		(void)close_port(g, &mappings[--n_mappings], words, sizeof(words));
}

/* Serves the whole lines of the buffer; returns false when it is told to leave. */
static bool
serve_buffer(struct gateway *g, char *buffer, size_t *len)
{
	char *line = buffer, *end;

	while ((end = memchr(line, '\n', *len - (size_t)(line - buffer))) != NULL) {
		*end = '\0';
		if (!serve_line(g, line))
			return false;
		line = end + 1;
	}
	*len -= (size_t)(line - buffer);
	memmove(buffer, line, *len);
	return true;
}

void
mapping_serve(struct gateway *g)
{
	char buffer[GATEWAY_LINE];
	size_t len = 0;
	bool readable;
	ssize_t n;

	while (gateway_wait(g, renew(g), true, &readable)) {
		if (!readable)
			continue;
		n = read(STDIN_FILENO, buffer + len, sizeof(buffer) - len);
		if (n == 0 || (n == -1 && errno != EINTR && errno != EAGAIN))
			break;
		if (n == -1)
			continue;
		len += (size_t)n;
		if (!serve_buffer(g, buffer, &len))
			return;
		if (len == sizeof(buffer)) {
			gateway_say("note a line is too long");
			len = 0;
		}
	}
	take_all_back(g);
}
