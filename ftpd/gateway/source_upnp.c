/*
 * The source "upnp", by libminiupnpc. The library blocks, so a worker process of ours makes its calls:
 * questions and answers of fixed size cross a socketpair, the worker has walls of its own, and the
 * kernel ends it when a call takes too long or when we end.
 */
#include "gateway.h"

#include <errno.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "sysfilter.h"

#define CALL_SECONDS   15 /* of one question: a router that drips bytes ends the worker */
#define DISCOVERY_MS   2000
#define OTHER_PORTS    8 /* so many are tried when somebody else has the port outside */
#define NAME_IN_ROUTER "genkan-ftpd"
#define NUMBER         12

struct source_upnp {
	int fd;
	unsigned number;
	struct upnp_result *result; /* NULL: nothing is being asked */
};

/* What the worker knows of the router, once it has read its description. */
struct worker {
	char url[URL_MAX];
	bool known;
	struct UPNPUrls urls;
	struct IGDdatas data;
};

static const struct sock_filter filter[] = {
	SYSFILTER_BEGIN,
	SYSFILTER_BASE,
	SYSFILTER_ALLOW_ARG(socket, 0, AF_INET),
	SYSFILTER_ERRNO(socket, EAFNOSUPPORT),
	SYSFILTER_ALLOW(connect, bind, getsockname, getsockopt, setsockopt),
	SYSFILTER_ALLOW(setitimer),  /* the limit of a call */
	SYSFILTER_ALLOW(pselect6),   /* the library waits for a connection with it */
#ifdef __NR_select
	SYSFILTER_ALLOW(select),
#endif
	SYSFILTER_ALLOW(sysinfo),    /* qsort of libc */
	SYSFILTER_ERRNO(dup, EMFILE), /* perror */
	SYSFILTER_ERRNO(uname, EACCES),
	SYSFILTER_ERRNO(openat, EACCES),
	SYSFILTER_ERRNO(newfstatat, EACCES),
	SYSFILTER_ERRNO(ioctl, ENOTTY),
	SYSFILTER_END,
};

/* The description's second step goes to where the first one points: only to the same host. */
static bool
same_host(const char *a, const char *b)
{
	const size_t skip = strlen("http://");
	size_t n;

	if (a == NULL || strncmp(a, b, skip) != 0)
		return false;
	n = strcspn(a + skip, ":/");
	return n == strcspn(b + skip, ":/") && strncmp(a + skip, b + skip, n) == 0;
}

static bool
learn(struct worker *w, struct upnp_answer *a)
{
	char local[64];

	if (w->known)
		return true;
	if (w->url[0] == '\0' ||
	    UPNP_GetIGDFromUrl(w->url, &w->urls, &w->data, local, sizeof(local)) == 0) {
		snprintf(a->words, sizeof(a->words),
		    "the router's UPnP description is no longer at %.100s: genkanctl map --list finds "
		    "it again",
		    w->url);
		return false;
	}
	if (!same_host(w->urls.controlURL, w->url)) {
		snprintf(a->words, sizeof(a->words),
		    "the UPnP description %.100s sends us to another host: it is not believed", w->url);
		FreeUPNPUrls(&w->urls);
		return false;
	}
	w->known = true;
	return true;
}

static void
explain(struct upnp_answer *a, int error)
{
	const char *words = strupnperror(error);

	switch (error) {
	case 606:
	case 718:
	case 729:
		snprintf(a->words, sizeof(a->words),
		    error == 606
		        ? "the router refuses: allow UPnP port mappings for this host in its settings"
		        : "all ports that were tried belong to other mappings in the router: remove some");
		break;
	default:
		snprintf(a->words, sizeof(a->words), "the router's UPnP says error %d (%s)", error,
		    words != NULL ? words : "unknown");
	}
}

static void
tell_address(struct worker *w, struct upnp_answer *a)
{
	char text[40] = "";
	int error = UPNP_GetExternalIPAddress(w->urls.controlURL, w->data.first.servicetype, text);

	a->good = error == 0 && netaddr_parse(text, &a->address) == 0;
	if (error != 0)
		explain(a, error);
	else if (!a->good)
		snprintf(a->words, sizeof(a->words),
		    "the router has no address outside: is it connected to the Internet?");
}

static int
add(struct worker *w, uint16_t external, const struct upnp_question *q, uint32_t seconds)
{
	char outside[NUMBER], inside[NUMBER], lease[NUMBER], client[NETADDR_TEXT];

	snprintf(outside, sizeof(outside), "%u", external);
	snprintf(inside, sizeof(inside), "%u", q->port);
	snprintf(lease, sizeof(lease), "%u", seconds);
	return UPNP_AddPortMapping(w->urls.controlURL, w->data.first.servicetype, outside, inside,
	    netaddr_text(&q->client, client), NAME_IN_ROUTER, "TCP", NULL, lease);
}

static void
map(struct worker *w, const struct upnp_question *q, struct upnp_answer *a)
{
	uint16_t external = q->external;
	uint32_t seconds = q->seconds;
	int error = 0;

	for (int i = 0; i < OTHER_PORTS; i++) {
		error = add(w, external, q, seconds);
		if (error == 725) { /* OnlyPermanentLeasesSupported */
			seconds = 0;
			error = add(w, external, q, seconds);
		}
		if (error != 718 && error != 729) /* ConflictInMappingEntry, of two versions */
			break;
		external = (uint16_t)(1024 + arc4random_uniform(65536 - 1024));
	}
	a->good = error == 0;
	a->port = q->port;
	a->external = external;
	a->seconds = seconds;
	if (!a->good)
		explain(a, error);
}

static void
unmap(struct worker *w, const struct upnp_question *q, struct upnp_answer *a)
{
	char outside[NUMBER];
	int error;

	snprintf(outside, sizeof(outside), "%u", q->external);
	error = UPNP_DeletePortMapping(
	    w->urls.controlURL, w->data.first.servicetype, outside, "TCP", NULL);
	a->good = error == 0 || error == 714; /* NoSuchEntryInArray: gone is gone */
	if (!a->good)
		explain(a, error);
}

static void
entry(struct worker *w, const struct upnp_question *q, struct upnp_answer *a)
{
	char index[NUMBER], outside[6] = "", client[16] = "", inside[6] = "", protocol[4] = "";
	char words[80] = "", enabled[4] = "", remote[64] = "", lease[16] = "";
	int error;

	snprintf(index, sizeof(index), "%u", q->index);
	error = UPNP_GetGenericPortMappingEntry(w->urls.controlURL, w->data.first.servicetype, index,
	    outside, client, inside, protocol, words, enabled, remote, lease);
	if (error != 0) {
		explain(a, error);
		return;
	}
	a->good = true;
	a->port = (uint16_t)strtonum(inside, 0, 65535, NULL);
	a->external = (uint16_t)strtonum(outside, 0, 65535, NULL);
	a->seconds = (uint32_t)strtonum(lease, 0, UINT32_MAX, NULL);
	(void)netaddr_parse(client, &a->address);
	strlcpy(a->words, words, sizeof(a->words));
}

static void
discover(struct worker *w, struct upnp_answer *a)
{
	char local[64];
	int error = 0, found;
	struct UPNPDev *all = upnpDiscover(DISCOVERY_MS, NULL, NULL, 0, 0, 2, &error);

	if (w->known)
		FreeUPNPUrls(&w->urls);
	w->known = false;
	found = all == NULL ? 0 : UPNP_GetValidIGD(all, &w->urls, &w->data, local, sizeof(local));
	freeUPNPDevlist(all);
	/* 1: a connected router; 2: one that is not connected, which has a second NAT before it */
	if (found == 1 || found == 2) {
		w->known = true;
		if (strlcpy(a->url, w->urls.rootdescURL, sizeof(a->url)) < sizeof(a->url) &&
		    same_host(w->urls.controlURL, a->url)) {
			strlcpy(w->url, a->url, sizeof(w->url));
			a->good = true;
			return;
		}
	}
	if (found != 0) {
		FreeUPNPUrls(&w->urls);
		w->known = false;
	}
	snprintf(a->words, sizeof(a->words), "no router answered: switch UPnP on there");
}

static void
work(struct worker *w, const struct upnp_question *q, struct upnp_answer *a)
{
	*a = (struct upnp_answer){ .number = q->number };
	if (q->op == UPNP_DISCOVER)
		discover(w, a);
	else if (!learn(w, a))
		return;
	else if (q->op == UPNP_ADDRESS)
		tell_address(w, a);
	else if (q->op == UPNP_MAP)
		map(w, q, a);
	else if (q->op == UPNP_UNMAP)
		unmap(w, q, a);
	else if (q->op == UPNP_ENTRY)
		entry(w, q, a);
}

static void worker_run(int fd, const char *url) __attribute__((noreturn));

static void
worker_run(int fd, const char *url)
{
	static struct worker w;
	const struct itimerval limit = { .it_value = { .tv_sec = CALL_SECONDS } }, off = { 0 };
	const struct rlimit none = { 0, 0 }, files = { 16, 16 }, cpu = { 20, 20 };
	struct upnp_question q;
	struct upnp_answer a;

	/* Our parent decides when it is over: it may still want to take mappings back. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO); /* nobody but our parent hears a word */
	closefrom(STDERR_FILENO + 1);
	if (setrlimit(RLIMIT_CORE, &none) == -1 || setrlimit(RLIMIT_NPROC, &none) == -1 ||
	    setrlimit(RLIMIT_NOFILE, &files) == -1 || setrlimit(RLIMIT_CPU, &cpu) == -1 ||
	    sysfilter_enter(filter, sizeof(filter) / sizeof(filter[0])) == -1)
		_exit(1);
	strlcpy(w.url, url, sizeof(w.url));
	while (read(STDIN_FILENO, &q, sizeof(q)) == (ssize_t)sizeof(q)) {
		setitimer(ITIMER_REAL, &limit, NULL);
		work(&w, &q, &a);
		setitimer(ITIMER_REAL, &off, NULL);
		if (write(STDIN_FILENO, &a, sizeof(a)) != (ssize_t)sizeof(a))
			break;
	}
	_exit(0);
}

struct source_upnp *
source_upnp_open(const char *url, const char **why)
{
	struct source_upnp *s = calloc(1, sizeof(*s));
	int ends[2];
	pid_t pid;

	if (s == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1) {
		*why = strerror(errno);
		free(s);
		return NULL;
	}
	signal(SIGCHLD, SIG_IGN); /* nobody waits for the worker */
	if ((pid = fork()) == 0)
		worker_run(ends[1], url);
	if (pid == -1)
		*why = strerror(errno);
	close(ends[1]);
	if (pid == -1) {
		close(ends[0]);
		free(s);
		return NULL;
	}
	s->fd = ends[0];
	return s;
}

static void
finish(struct source_upnp *s, enum ask_state state)
{
	s->result->state = state;
	s->result = NULL;
}

void
source_upnp_ask(struct source_upnp *s, const struct upnp_question *q, struct upnp_result *result)
{
	struct upnp_question numbered = *q;

	*result = (struct upnp_result){ .state = ASK_WAITS };
	numbered.number = ++s->number;
	s->result = result;
	if (send(s->fd, &numbered, sizeof(numbered), MSG_DONTWAIT) == -1)
		finish(s, ASK_SILENT);
}

size_t
source_upnp_poll(const struct source_upnp *s, struct pollfd *fds)
{
	if (s->result == NULL)
		return 0;
	fds[0] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
	return 1;
}

void
source_upnp_step(struct source_upnp *s)
{
	struct upnp_answer a;
	ssize_t n;

	while (s->result != NULL && (n = recv(s->fd, &a, sizeof(a), MSG_DONTWAIT)) != -1) {
		if (n != (ssize_t)sizeof(a)) { /* 0: the worker has ended */
			finish(s, ASK_SILENT);
			return;
		}
		if (a.number != s->number)
			continue; /* late: an answer that nobody waits for any more */
		a.words[sizeof(a.words) - 1] = a.url[sizeof(a.url) - 1] = '\0';
		s->result->answer = a;
		finish(s, ASK_ANSWERED);
	}
	if (s->result != NULL && errno != EAGAIN && errno != EINTR)
		finish(s, ASK_SILENT);
}

void
source_upnp_give_up(struct source_upnp *s)
{
	if (s->result != NULL)
		finish(s, ASK_SILENT);
}

void
source_upnp_close(struct source_upnp *s)
{
	close(s->fd);
	free(s);
}
