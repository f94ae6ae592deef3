/*
 * NAT-PMP (RFC 6886) and PCP (RFC 6887): the few packets with which a host asks its router for the
 * address outside and for port mappings, and what the router answers. Only bytes: who sends them,
 * and how often, is ftpd/gateway/source_natpmp.c.
 */
#ifndef GENKAN_NATPMP_H
#define GENKAN_NATPMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netaddr.h"

#define NATPMP_PORT    5351
#define NATPMP_REQUEST 60   /* bytes of the longest question, PCP_MAP */
#define NATPMP_ANSWER  1100 /* RFC 6887 section 7: no answer is longer */
#define PCP_NONCE      12

enum natpmp_op {
	NATPMP_ADDRESS, /* RFC 6886 3.2: the address outside */
	NATPMP_MAP,     /* RFC 6886 3.3: a mapping for a TCP port */
	PCP_ANNOUNCE,   /* RFC 6887 14.1: does it speak PCP at all? */
	PCP_MAP         /* RFC 6887 11: a mapping for a TCP port; tells the address as well */
};

struct natpmp_question {
	enum natpmp_op op;
	uint16_t port;            /* maps: ours */
	uint16_t external;        /* maps: the one we would like outside, 0: any */
	uint32_t seconds;         /* maps: the lifetime; 0 takes the mapping back */
	uint8_t nonce[PCP_NONCE]; /* PCP_MAP: only who knows it may change the mapping */
	struct netaddr client;    /* PCP: our own IPv4 address, as the router is to see it */
};

struct natpmp_answer {
	bool pcp;               /* in which protocol it came: result means other things in each */
	unsigned result;        /* 0: success */
	uint32_t epoch;         /* seconds since the router lost its mappings, if ever */
	struct netaddr address; /* outside; AF_UNSPEC: not told. PCP tells it in errors, too */
	uint16_t external;      /* maps that succeeded: the port outside */
	uint32_t seconds;       /* maps that succeeded: how long it holds */
};

/* Writes the packet of a question; returns its bytes. */
size_t natpmp_build(const struct natpmp_question *q, uint8_t packet[static NATPMP_REQUEST]);

/*
 * Reads n bytes as the answer to q. Returns 0, or -1 with EINVAL: too short, another protocol's, or the
 * answer to something else. A router that does not know the question's version says
 * so in its own version's packet; that is an answer, with natpmp_wrong_version().
 */
int natpmp_parse(const struct natpmp_question *q, const uint8_t *packet, size_t n,
    struct natpmp_answer *a);

/* The router speaks the other one of the two protocols, or none that we know. */
bool natpmp_wrong_version(const struct natpmp_answer *a);

/* What the result code means, and what to do about it, in words for the log. */
const char *natpmp_result_text(const struct natpmp_answer *a);

/*
 * True if the router has lost its mappings since an answer with the epoch before came, elapsed
 * seconds ago: its clock went back, or fell behind ours (RFC 6886 section 3.6).
 */
bool natpmp_restarted(uint32_t before, uint32_t now, uint32_t elapsed);

#endif
