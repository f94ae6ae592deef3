/*
 * The source "natpmp": two bytes to the router, twelve back. The packets are in lib/natpmp.c; here
 * is who sends them when. No library: Debian's libnatpmp has no PCP and a clock of its own.
 */
#include "gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_TURN_MS 250 /* RFC 6886 section 3.1; doubled each time */
#define TURNS         9
#define PROBE_PORT    9 /* discard: PCP tells the address only with a mapping */
#define PROBE_SECONDS 30

struct source_natpmp {
	int fd;
	bool pcp; /* the router told that it speaks only that */
	struct netaddr router, local;
	uint8_t nonce[PCP_NONCE];
	struct natpmp_question question;
	struct natpmp_result *result; /* NULL: nothing is being asked */
	unsigned turn;
	int64_t next; /* when it is sent again */
	uint32_t epoch;
	int64_t epoch_at; /* when it was told, 0: never */
	bool restarted;
};

struct source_natpmp *
source_natpmp_open(const struct netaddr *router, const struct netaddr *local, const uint8_t *nonce,
    const char **why)
{
	struct sockaddr_storage ss;
	struct netaddr to = *router, from = *local;
	struct source_natpmp *s;
	socklen_t len;

	if (router->family != AF_INET) {
		*why = "there is no default route, so it is not known which router to ask";
		return NULL;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) == -1) {
		*why = strerror(errno);
		free(s);
		return NULL;
	}
	/* The router maps to the address that asks: it must be the one the server listens on. */
	from.port = 0;
	if ((len = netaddr_to_sockaddr(&from, &ss)) > 0)
		(void)!bind(s->fd, (struct sockaddr *)&ss, len);
	to.port = NATPMP_PORT;
	len = netaddr_to_sockaddr(&to, &ss);
	/* Connected, so that nobody else's packets come in and the router's "no port" does. */
	if (connect(s->fd, (struct sockaddr *)&ss, len) == -1) {
		*why = strerror(errno);
		close(s->fd);
		free(s);
		return NULL;
	}
	len = sizeof(ss);
	if (getsockname(s->fd, (struct sockaddr *)&ss, &len) == 0)
		netaddr_from_sockaddr(&s->local, (struct sockaddr *)&ss);
	s->router = *router;
	if (nonce != NULL)
		memcpy(s->nonce, nonce, sizeof(s->nonce));
	else
		arc4random_buf(s->nonce, sizeof(s->nonce));
	return s;
}

static void
finish(struct source_natpmp *s, enum ask_state state)
{
	s->result->state = state;
	s->result = NULL;
}

/* Sends the question, and decides when to do so again. */
static void
send_question(struct source_natpmp *s)
{
	uint8_t packet[NATPMP_REQUEST];
	const size_t n = natpmp_build(&s->question, packet);

	s->next = gateway_clock() + ((int64_t)FIRST_TURN_MS << s->turn);
	s->turn++;
	if (send(s->fd, packet, n, 0) == -1 && errno != EAGAIN && errno != EINTR)
		finish(s, ASK_UNREACHABLE);
}

/* The same in PCP's words. */
static void
turn_to_pcp(struct source_natpmp *s)
{
	if (s->question.op == NATPMP_ADDRESS) {
		s->question.port = s->question.external = PROBE_PORT;
		s->question.seconds = PROBE_SECONDS;
	}
	s->question.op = PCP_MAP;
}

void
source_natpmp_ask(
    struct source_natpmp *s, const struct natpmp_question *q, struct natpmp_result *result)
{
	*result = (struct natpmp_result){ .state = ASK_WAITS };
	s->question = *q;
	s->question.client = s->local;
	memcpy(s->question.nonce, s->nonce, PCP_NONCE);
	if (s->pcp && (q->op == NATPMP_ADDRESS || q->op == NATPMP_MAP))
		turn_to_pcp(s);
	s->result = result;
	s->turn = 0;
	send_question(s);
}

size_t
source_natpmp_poll(const struct source_natpmp *s, struct pollfd *fds)
{
	if (s->result == NULL)
		return 0;
	fds[0] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
	return 1;
}

int
source_natpmp_wait(const struct source_natpmp *s, int limit)
{
	const int64_t left = s->next - gateway_clock();

	if (s->result == NULL || left >= limit)
		return limit;
	return left < 0 ? 0 : (int)left;
}

/* Looks at the router's clock: has it lost its mappings? */
static void
note_epoch(struct source_natpmp *s, const struct natpmp_answer *a)
{
	const int64_t now = gateway_clock();

	/* An answer in another version's packet may have no clock. */
	if (natpmp_wrong_version(a))
		return;
	if (s->epoch_at != 0 &&
	    natpmp_restarted(s->epoch, a->epoch, (uint32_t)((now - s->epoch_at) / 1000)))
		s->restarted = true;
	s->epoch = a->epoch;
	s->epoch_at = now;
}

/* The mapping that PCP needed to tell the address; whether this arrives does not matter. */
static void
take_probe_back(struct source_natpmp *s)
{
	uint8_t packet[NATPMP_REQUEST];
	struct natpmp_question q = s->question;

	q.seconds = 0;
	(void)!send(s->fd, packet, natpmp_build(&q, packet), 0);
}

static void
take_answer(struct source_natpmp *s, const struct natpmp_answer *a)
{
	note_epoch(s, a);
	if (natpmp_wrong_version(a) && !s->pcp &&
	    (s->question.op == NATPMP_ADDRESS || s->question.op == NATPMP_MAP)) {
		s->pcp = true;
		turn_to_pcp(s);
		s->turn = 0;
		send_question(s);
		return;
	}
	/* To an earlier question in version 0: one in version 2 cannot get this from PCP. */
	if (natpmp_wrong_version(a) && a->pcp && s->pcp)
		return;
	if (s->question.op == PCP_MAP && s->question.port == PROBE_PORT && a->result == 0)
		take_probe_back(s);
	s->result->answer = *a;
	finish(s, ASK_ANSWERED);
}

void
source_natpmp_step(struct source_natpmp *s)
{
	uint8_t packet[NATPMP_ANSWER + 1];
	struct natpmp_answer answer;
	ssize_t n;

	/* Bounded: a router that floods us does not hold us. */
	for (int i = 0; i < 16 && s->result != NULL; i++) {
		if ((n = recv(s->fd, packet, sizeof(packet), 0)) == -1) {
			/* ICMP says that nobody is there: no need to wait. */
			if (errno != EAGAIN && errno != EINTR)
				finish(s, ASK_UNREACHABLE);
			break;
		}
		if (natpmp_parse(&s->question, packet, (size_t)n, &answer) == 0)
			take_answer(s, &answer);
	}
	if (s->result != NULL && gateway_clock() >= s->next) {
		if (s->turn >= TURNS)
			finish(s, ASK_SILENT);
		else
			send_question(s);
	}
}

void
source_natpmp_give_up(struct source_natpmp *s)
{
	if (s->result != NULL)
		finish(s, ASK_SILENT);
}

void
source_natpmp_explain(
    const struct source_natpmp *s, const struct natpmp_result *result, char *words, size_t size)
{
	char router[NETADDR_TEXT];

	netaddr_text(&s->router, router);
	if (result->state == ASK_ANSWERED)
		snprintf(words, size, "%s at %s: %s", result->answer.pcp ? "PCP" : "NAT-PMP", router,
		    natpmp_result_text(&result->answer));
	else if (result->state == ASK_UNREACHABLE)
		snprintf(words, size,
		    "the router %s does not speak NAT-PMP or PCP: switch it on there (often under UPnP), "
		    "or use another source",
		    router);
	else
		snprintf(words, size,
		    "the router %s did not answer NAT-PMP or PCP in time: switch it on there (often "
		    "under UPnP), or use another source",
		    router);
}

bool
source_natpmp_restarted(struct source_natpmp *s)
{
	const bool restarted = s->restarted;

	s->restarted = false;
	return restarted;
}

void
source_natpmp_close(struct source_natpmp *s)
{
	close(s->fd);
	free(s);
}
