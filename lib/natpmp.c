/*
 * The packets of NAT-PMP and PCP. All numbers are in network byte order; offsets are those of the
 * figures in RFC 6886 section 3 and RFC 6887 sections 7 and 11.
 */
#include "natpmp.h"

#include <errno.h>
#include <string.h>

#define VERSION_NATPMP 0
#define VERSION_PCP    2
#define RESPONSE       0x80

#define OP_ADDRESS  0 /* NAT-PMP */
#define OP_MAP_TCP  2
#define OP_ANNOUNCE 0 /* PCP */
#define OP_MAP      1

#define NATPMP_HEADER 8 /* of an answer; with an error some routers send no more */
#define PCP_HEADER    24
#define PCP_MAP_SIZE  60
#define IPPROTO_OF_FTP 6

static void
put16(uint8_t *at, uint16_t n)
{
	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
}

static void
put32(uint8_t *at, uint32_t n)
{
	put16(at, (uint16_t)(n >> 16));
	put16(at + 2, (uint16_t)n);
}

static uint16_t
get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t
get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* An IPv4 address in PCP's form, ::ffff:a.b.c.d; AF_UNSPEC is 0.0.0.0: any. */
static void
put_address(uint8_t *at, const struct netaddr *addr)
{
	memset(at, 0, 10);
	memset(at + 10, 0xff, 2);
	if (addr != NULL && addr->family == AF_INET)
		memcpy(at + 12, &addr->v4, 4);
	else
		memset(at + 12, 0, 4);
}

/* Sets an IPv4 address; 0.0.0.0 is none. */
static void
set_v4(struct netaddr *to, const uint8_t *at)
{
	if (get32(at) == 0)
		return;
	to->family = AF_INET;
	memcpy(&to->v4, at, 4);
}

static void
get_address(struct netaddr *to, const uint8_t *at)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(at, mapped, sizeof(mapped)) == 0)
		set_v4(to, at + 12);
}

size_t
natpmp_build(const struct natpmp_question *q, uint8_t packet[static NATPMP_REQUEST])
{
	memset(packet, 0, NATPMP_REQUEST);
	switch (q->op) {
	case NATPMP_ADDRESS:
		return 2; /* version 0, opcode 0 */
	case NATPMP_MAP:
		packet[1] = OP_MAP_TCP;
		put16(packet + 4, q->port);
		/* RFC 6886 3.4: who takes back suggests no port. */
		put16(packet + 6, q->seconds == 0 ? 0 : q->external);
		put32(packet + 8, q->seconds);
		return 12;
	case PCP_ANNOUNCE:
	case PCP_MAP:
		break;
	}
	packet[0] = VERSION_PCP;
	packet[1] = q->op == PCP_MAP ? OP_MAP : OP_ANNOUNCE;
	put_address(packet + 8, &q->client);
	if (q->op == PCP_ANNOUNCE)
		return PCP_HEADER;
	put32(packet + 4, q->seconds);
	memcpy(packet + 24, q->nonce, PCP_NONCE);
	packet[36] = IPPROTO_OF_FTP;
	put16(packet + 40, q->port);
	put16(packet + 42, q->external);
	put_address(packet + 44, NULL);
	return PCP_MAP_SIZE;
}

/* Reads version 0; the question may have been PCP's, if the answer is "wrong version". */
static bool
parse_natpmp(const struct natpmp_question *q, const uint8_t *p, size_t n, struct natpmp_answer *a)
{
	const bool maps = q->op == NATPMP_MAP;

	if (n < NATPMP_HEADER || (p[1] & RESPONSE) == 0)
		return false;
	a->result = get16(p + 2);
	a->epoch = get32(p + 4);
	if (a->result == 1)
		return true; /* a router need not know the opcode of a version it does not speak */
	if (q->op == PCP_ANNOUNCE || q->op == PCP_MAP ||
	    p[1] != (RESPONSE | (maps ? OP_MAP_TCP : OP_ADDRESS)))
		return false;
	if (a->result != 0)
		return !maps || n < 10 || get16(p + 8) == q->port;
	if (!maps) {
		if (n < 12)
			return false;
		set_v4(&a->address, p + 8);
		return true;
	}
	if (n < 16 || get16(p + 8) != q->port)
		return false;
	a->external = get16(p + 10);
	a->seconds = get32(p + 12);
	return q->seconds == 0 || (a->external != 0 && a->seconds != 0);
}

/* Reads version 2. */
static bool
parse_pcp(const struct natpmp_question *q, const uint8_t *p, size_t n, struct natpmp_answer *a)
{
	if (n < 4 || (p[1] & RESPONSE) == 0)
		return false;
	a->pcp = true;
	a->result = p[3];
	if (a->result == 1)
		return true;
	if (n < PCP_HEADER || n > NATPMP_ANSWER || n % 4 != 0)
		return false;
	a->epoch = get32(p + 8);
	if (q->op == PCP_ANNOUNCE)
		return p[1] == (RESPONSE | OP_ANNOUNCE);
	if (q->op != PCP_MAP || p[1] != (RESPONSE | OP_MAP) || n < PCP_MAP_SIZE ||
	    memcmp(p + 24, q->nonce, PCP_NONCE) != 0 || p[36] != IPPROTO_OF_FTP ||
	    get16(p + 40) != q->port)
		return false;
	get_address(&a->address, p + 44);
	if (a->result != 0)
		return true;
	a->external = get16(p + 42);
	a->seconds = get32(p + 4);
	return q->seconds == 0 || (a->external != 0 && a->seconds != 0);
}

int
natpmp_parse(const struct natpmp_question *q, const uint8_t *packet, size_t n,
    struct natpmp_answer *a)
{
	bool good = false;

	memset(a, 0, sizeof(*a));
	a->address.family = AF_UNSPEC;
	if (n > 0 && packet[0] == VERSION_NATPMP)
		good = parse_natpmp(q, packet, n, a);
	else if (n > 0 && packet[0] == VERSION_PCP)
		good = parse_pcp(q, packet, n, a);
	if (good)
		return 0;
	memset(a, 0, sizeof(*a));
	a->address.family = AF_UNSPEC;
	errno = EINVAL;
	return -1;
}

bool
natpmp_wrong_version(const struct natpmp_answer *a)
{
	return a->result == 1;
}

static const char refuses[] = "the router refuses: allow automatic port mappings (NAT-PMP, PCP, UPnP) "
                              "for this host in its settings";
static const char no_outside[] = "the router has no usable address outside: it is not connected, or "
                                 "there is a second router or the provider's NAT in front of it";
static const char too_many[] = "the router has no room for another mapping: remove some, or restart it";
static const char fault[] = "the router did not understand the request";

const char *
natpmp_result_text(const struct natpmp_answer *a)
{
	static const char *const natpmp[] = { "success", "the router does not speak NAT-PMP", refuses,
		no_outside, too_many, "the router cannot do this by NAT-PMP" };
	static const char *const pcp[] = { "success", "the router does not speak this version of PCP",
		refuses, fault, "the router maps no ports by PCP", fault, fault, no_outside, too_many,
		"the router maps no TCP ports by PCP",
		"the router allows this host no more mappings: remove some",
		"the router cannot give that port outside",
		"there is another NAT between this host and the router",
		"the router has no room for this mapping's peers" };

	if (a->pcp && a->result < sizeof(pcp) / sizeof(pcp[0]))
		return pcp[a->result];
	if (!a->pcp && a->result < sizeof(natpmp) / sizeof(natpmp[0]))
		return natpmp[a->result];
	return "the router refused with a result code that no RFC has";
}

bool
natpmp_restarted(uint32_t before, uint32_t now, uint32_t elapsed)
{
	/* 7/8: the two clocks need not agree; 2 s: nor their roundings. */
	const uint64_t expected = (uint64_t)before + (uint64_t)elapsed * 7 / 8;

	return (uint64_t)now + 2 < expected;
}
