/*
 * genkan-ftpd-gateway: asks the world outside under which address it sees this
 * home. A process of its own, so that nobody waits for the world but those who
 * need the answer, and whatever comes in from there meets no client, no file
 * and no privilege.
 *
 *	genkan-ftpd-gateway [-t MILLISECONDS] [-r ADDR[:PORT]]... NAME
 *
 * prints one line on standard output and ends with status 0:
 *
 *	address 203.0.113.2
 *	failed REASON IN WORDS
 *
 * gateway.c has the deadline and the loop; each source_*.c knows one way to ask.
 */
#ifndef GENKAN_GATEWAY_H
#define GENKAN_GATEWAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "netaddr.h"

/* The whole line with its newline: what the reader has room for. Longer reasons are cut. */
#define GATEWAY_LINE  256
#define FINDING_WORDS (GATEWAY_LINE - 8)

/* What a source has found, once done is set. */
struct finding {
	bool done;
	struct netaddr addr;       /* a public IPv4 address, or AF_UNSPEC: failed */
	char words[FINDING_WORDS]; /* failed: the reason and what to do about it, one line */
};

/*
 * DNS: the A record of one absolute name. Neither the hosts file nor a search
 * list is looked at, CNAMEs are followed as far as the answer has them. Of
 * several addresses it takes the lowest, so that the answer does not change with
 * the order of records; an address that nobody outside could connect to is
 * refused.
 */
struct source_dns;

/*
 * Reads the system's resolv.conf; servers ("ADDR[:PORT],...") replace those
 * found there, NULL: none given. All that needs files happens here. A server
 * that is silent is asked again, and the next one tried, so that several turns fit
 * into timeout_ms. Returns NULL with *why in words.
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

#endif
