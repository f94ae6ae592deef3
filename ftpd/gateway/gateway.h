/*
 * genkan-ftpd-gateway: asks the world outside under which address it sees this home, and asks the
 * router to open its door. A process of its own, so that nobody waits for the world but those who
 * need the answer, and whatever comes in from there meets no client, no file and no privilege.
 *
 *	genkan-ftpd-gateway [-t MS] [-r ADDR[:PORT]]... [-s FD] [-a SECONDS]
 *	    [-m auto|natpmp|upnp] [-n NONCE] [-l ADDR] [-g ADDR] [-i] [SOURCE...]
 *
 * What it says and takes, line by line, is in genkan-ftpd-gateway(8).
 *
 * gateway.c has the options, the walls and the only wait; answer.c the choice among the sources;
 * each source_*.c knows one way to ask; mapping.c opens and closes ports; inspect.c is -i.
 */
#ifndef GENKAN_GATEWAY_H
#define GENKAN_GATEWAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "natpmp.h"
#include "netaddr.h"

/* A whole line with its newline. Longer ones are cut. */
#define GATEWAY_LINE  512
#define FINDING_WORDS 248
#define SOURCES_MAX   8
#define ADDRESSES_MAX 16
#define URL_MAX       256

/* What a source has found, once done is set. */
struct finding {
	bool done;
	size_t n;                             /* 0: failed */
	struct netaddr addrs[ADDRESSES_MAX]; /* public IPv4 addresses, the lowest first */
	char words[FINDING_WORDS]; /* failed: the reason and what to do about it, one line */
};

/* The finding is this address, if it can be announced; else the words say what it is. */
void finding_take(struct finding *found, const char *who, const struct netaddr *addr);

enum source_kind {
	SOURCE_NATPMP,
	SOURCE_UPNP,
	SOURCE_HOST,
	SOURCE_ADDRESS,
	SOURCE_INTERFACE
};

struct source {
	enum source_kind kind;
	const char *name; /* as it was given */
	struct finding found;
	struct source_dns *dns; /* SOURCE_HOST */
};

enum method { METHOD_NONE = 0, METHOD_NATPMP = 1, METHOD_UPNP = 2, METHOD_AUTO = 3 };

struct gateway {
	/* the command line */
	int timeout_ms;
	char servers[1024];   /* empty: those of resolv.conf */
	bool state;           /* STATE_FD is a directory for our state */
	unsigned cache_age;   /* seconds */
	enum method method;   /* of mappings; METHOD_NONE: it ends after the first answer */
	bool inspect;
	const uint8_t *nonce; /* of PCP mappings; NULL: one of this process alone */
	struct netaddr local, router; /* AF_UNSPEC: not known */
	size_t n_sources;
	struct source sources[SOURCES_MAX];

	/* what it works with */
	int64_t deadline; /* of what is being asked now, gateway_clock() */
	struct source_natpmp *natpmp;
	struct source_upnp *upnp;
	struct finding by_natpmp, by_upnp; /* the router's address */
	char why_no_natpmp[FINDING_WORDS], why_no_upnp[FINDING_WORDS];
	bool leaving; /* nobody reads any more: it is only taken back what was mapped */
};

/* Where the state directory is, if there is one: a number that the system call filter can know. */
#define STATE_FD 3

/* Milliseconds of a clock that only goes forward. */
int64_t gateway_clock(void);

/* Says one line in one write, so that the reader gets the whole of it or nothing. */
void gateway_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The one wait: until something has happened at a source or on standard input (if input), at most
 * until the given time; the sources take what came for them. Returns true while somebody waits
 * for us: false after SIGTERM, and when the reader has gone (unless leaving).
 */
bool gateway_wait(struct gateway *g, int64_t until, bool input, bool *readable);

/* What a question to the router may come to. */
enum ask_state {
	ASK_WAITS,
	ASK_ANSWERED,
	ASK_SILENT,
	ASK_UNREACHABLE /* nobody listens there */
};

/* Waits until the question is answered, at most ms, and not when the reader has gone. */
void gateway_settle(struct gateway *g, const enum ask_state *state, int ms);

/* answer.c: asks all sources, says the first answer. False: the reader has gone. */
bool answer_first(struct gateway *g);

/* The router's address outside, if one of its protocols has told it; else NULL. */
const struct netaddr *answer_router_says(const struct gateway *g);

/* mapping.c: serves lines until the end of the input. */
void mapping_serve(struct gateway *g);

/* inspect.c: tells what there is at the router. */
void inspect_router(struct gateway *g);

/* router.c: the default route's router; AF_UNSPEC: none. To be asked before the filter. */
void router_find(struct netaddr *router);

/* The IPv4 addresses of an interface, as a finding. To be asked before the filter. */
void router_interface(const char *name, struct finding *found);
bool router_is_interface(const char *name);

/* Our own address towards the router; AF_UNSPEC: none. */
void router_local_towards(const struct netaddr *router, struct netaddr *local);

/*
 * cache.c: the state directory. The last known good address and when it was good; false if there is
 * none, or it is older than max_age seconds or not ours.
 */
struct cached {
	struct netaddr addr;
	int64_t age; /* seconds */
	char source[FINDING_WORDS];
};
bool cache_read(struct cached *c, unsigned max_age);
void cache_write(const struct netaddr *addr, const char *source);

/* The router's UPnP description: read, "" if there is none that can be used; and kept. */
void cache_read_url(char url[static URL_MAX]);
void cache_write_url(const char *url);

/*
 * DNS: the A records of one absolute name. Neither the hosts file nor a search list is looked at,
 * CNAMEs are followed as far as the answer has them. Addresses that nobody outside could connect to
 * are left out.
 */
struct source_dns;

/*
 * Reads the system's resolv.conf; servers ("ADDR[:PORT],...") replace those found there, NULL: none
 * given. All that needs files happens here. A server that is silent is asked again, and the next
 * one tried, so that several turns fit into timeout_ms. Returns NULL with *why in words.
 */
struct source_dns *source_dns_open(const char *servers, int timeout_ms, const char **why);

/* Sends the question; *found is filled now or by a later source_dns_step(). */
void source_dns_ask(struct source_dns *dns, const char *name, struct finding *found);

/* The descriptors to poll: at most n; returns how many. */
size_t source_dns_poll(const struct source_dns *dns, struct pollfd *fds, size_t n);

/* How many milliseconds poll may wait before the next step, at most limit. */
int source_dns_wait(struct source_dns *dns, int limit);

/* Does what the polled descriptors ask for, and what time asks for. */
void source_dns_step(struct source_dns *dns, const struct pollfd *fds, size_t n);

/* The deadline has come: if nothing is found yet, *found says so. */
void source_dns_give_up(struct source_dns *dns);

void source_dns_close(struct source_dns *dns);

/*
 * NAT-PMP, and PCP where the router speaks only that: one question at a time, sent again after 250
 * ms and then in doubled intervals (RFC 6886 section 3.1).
 */
struct source_natpmp;

struct natpmp_result {
	enum ask_state state;
	struct natpmp_answer answer; /* if answered, whatever its result */
};

/*
 * A socket towards the router, from local if known; nonce is that of PCP mappings (NULL: a random one).
 * NULL with *why in words.
 */
struct source_natpmp *source_natpmp_open(const struct netaddr *router, const struct netaddr *local,
    const uint8_t *nonce, const char **why);

/*
 * Begins to ask; *result is filled by a later step. A NATPMP_* question to a router that knows only
 * PCP is asked again as PCP, the address by a mapping of port 9 that is taken back at once.
 */
void source_natpmp_ask(
    struct source_natpmp *s, const struct natpmp_question *q, struct natpmp_result *result);
size_t source_natpmp_poll(const struct source_natpmp *s, struct pollfd *fds);
int source_natpmp_wait(const struct source_natpmp *s, int limit);
void source_natpmp_step(struct source_natpmp *s);
void source_natpmp_give_up(struct source_natpmp *s);

/* Why there is no good answer, in words. */
void source_natpmp_explain(
    const struct source_natpmp *s, const struct natpmp_result *result, char *words, size_t size);

/* The router lost its mappings since it was last asked this: it was restarted. */
bool source_natpmp_restarted(struct source_natpmp *s);

void source_natpmp_close(struct source_natpmp *s);

/*
 * UPnP (IGD) by libminiupnpc, which blocks: a worker process makes its calls. It ends with us, and
 * a call that takes too long ends it.
 */
struct source_upnp;

enum upnp_op {
	UPNP_ADDRESS,  /* the address outside */
	UPNP_MAP,      /* a mapping for a TCP port */
	UPNP_UNMAP,    /* by its external port */
	UPNP_ENTRY,    /* the mapping with this number in the router's table */
	UPNP_DISCOVER  /* look for a router (seconds); tells url, keeps it for later questions */
};

struct upnp_question {
	enum upnp_op op;
	unsigned number; /* set by source_upnp_ask() */
	unsigned index;  /* UPNP_ENTRY */
	uint16_t port, external;
	uint32_t seconds;
	struct netaddr client; /* our own address */
};

struct upnp_answer {
	unsigned number;
	bool good;
	struct netaddr address; /* UPNP_ADDRESS: outside; UPNP_ENTRY: the host inside */
	uint16_t port, external;
	uint32_t seconds; /* 0: for ever */
	char url[URL_MAX];
	char words[FINDING_WORDS]; /* not good: why; UPNP_ENTRY: its description */
};

struct upnp_result {
	enum ask_state state;
	struct upnp_answer answer;
};

/* Starts the worker; url: the remembered description, "": none. NULL with *why in words. */
struct source_upnp *source_upnp_open(const char *url, const char **why);
void source_upnp_ask(
    struct source_upnp *s, const struct upnp_question *q, struct upnp_result *result);
size_t source_upnp_poll(const struct source_upnp *s, struct pollfd *fds);
void source_upnp_step(struct source_upnp *s);
void source_upnp_give_up(struct source_upnp *s);
void source_upnp_close(struct source_upnp *s);

#endif
