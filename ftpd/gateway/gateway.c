/*
 * genkan-ftpd-gateway: options, walls, and the only wait.
 */
#include "gateway.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "sysfilter.h"

#define TIMEOUT_MS   2000
#define CACHE_AGE    86400
#define NAME_MAX_DNS 254 /* RFC 1035 section 2.3.4, with the final dot */
#define POLL_MAX     48
#define FILES_MAX    64

/* What a DNS question, a question to the router and their answers take, and nothing else. */
#define WALLS                                                                                      \
	SYSFILTER_BASE, SYSFILTER_ALLOW_ARG(socket, 0, AF_INET),                                   \
	    SYSFILTER_ALLOW_ARG(socket, 0, AF_INET6), SYSFILTER_ERRNO(socket, EAFNOSUPPORT),       \
	    SYSFILTER_ALLOW(connect, bind, getsockname, getpeername, getsockopt, setsockopt,       \
	        gettimeofday)

/* A library that would like to look at a file again goes without. */
#define SOFT_WALLS                                                                                 \
	SYSFILTER_ERRNO(openat, EACCES), SYSFILTER_ERRNO(newfstatat, EACCES),                      \
	    SYSFILTER_ERRNO(ioctl, ENOTTY)

static const struct sock_filter filter[] = {
	SYSFILTER_BEGIN,
	WALLS,
	SOFT_WALLS,
	SYSFILTER_END,
};

/* The same with the state directory. */
static const struct sock_filter filter_with_state[] = {
	SYSFILTER_BEGIN,
	WALLS,
	SYSFILTER_ALLOW_ARG(openat, 0, STATE_FD),   /* cache.c */
	SYSFILTER_ALLOW_ARG(renameat, 0, STATE_FD),
	SYSFILTER_ALLOW_ARG(unlinkat, 0, STATE_FD),
	SYSFILTER_ALLOW(geteuid),                   /* is the file ours? */
	SOFT_WALLS,
	SYSFILTER_END,
};

static volatile sig_atomic_t ended;

static const char usage_text[] =
    "usage: genkan-ftpd-gateway [-hiV] [-a seconds] [-g router] [-l address]\n"
    "           [-m auto|natpmp|upnp] [-n nonce] [-r addr[:port]]... [-s fd]\n"
    "           [-t milliseconds]\n"
    "           [source...]\n";

static void usage(void) __attribute__((noreturn));

static void
usage(void)
{
	fputs(usage_text, stderr);
	exit(EX_USAGE);
}

static void
add_server(struct gateway *g, const char *server)
{
	if (*server == '\0' || strchr(server, ',') != NULL)
		usage();
	if (g->servers[0] != '\0')
		strlcat(g->servers, ",", sizeof(g->servers));
	if (strlcat(g->servers, server, sizeof(g->servers)) >= sizeof(g->servers))
		usage();
}

/* The name goes into the answer's line, so it must be plain. */
static bool
is_plain(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_DNS)
		return false;
	for (; *name != '\0'; name++)
		if (*name <= ' ' || *name > '~')
			return false;
	return true;
}

static unsigned
number(int option, unsigned min, unsigned max)
{
	const char *why;
	unsigned n = (unsigned)strtonum(optarg, min, max, &why);

	if (why != NULL) {
		warnx("-%c %s: %s", option, optarg, why);
		usage();
	}
	return n;
}

static void
address(int option, struct netaddr *to)
{
	if (netaddr_parse(optarg, to) == 0)
		return;
	warnx("-%c %s: not an address", option, optarg);
	usage();
}

static enum method
method(void)
{
	static const struct {
		const char *name;
		enum method method;
	} names[] = { { "auto", METHOD_AUTO }, { "natpmp", METHOD_NATPMP }, { "upnp", METHOD_UPNP } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(optarg, names[i].name) == 0)
			return names[i].method;
	warnx("-m %s: auto, natpmp or upnp", optarg);
	usage();
}

/* 24 hexadecimal digits. */
static const uint8_t *
nonce(void)
{
	static uint8_t bytes[PCP_NONCE];

	for (size_t i = 0; i < PCP_NONCE; i++)
		if (strspn(optarg, "0123456789abcdef") != 2 * PCP_NONCE || strlen(optarg) != 2 * PCP_NONCE ||
		    sscanf(optarg + 2 * i, "%2hhx", &bytes[i]) != 1) {
			warnx("-n %s: %d hexadecimal digits", optarg, 2 * PCP_NONCE);
			usage();
		}
	return bytes;
}

static void
add_source(struct gateway *g, const char *name)
{
	struct source *s = &g->sources[g->n_sources];
	struct netaddr addr;

	if (!is_plain(name)) {
		warnx("not a host name");
		usage();
	}
	if (g->n_sources == SOURCES_MAX) {
		warnx("more than %d sources", SOURCES_MAX);
		usage();
	}
	g->n_sources++;
	s->name = name;
	if (strcmp(name, "natpmp") == 0)
		s->kind = SOURCE_NATPMP;
	else if (strcmp(name, "upnp") == 0)
		s->kind = SOURCE_UPNP;
	else if (netaddr_parse(name, &addr) == 0 && addr.family == AF_INET)
		s->kind = SOURCE_ADDRESS;
	else if (router_is_interface(name))
		s->kind = SOURCE_INTERFACE;
	else
		s->kind = SOURCE_HOST;
}

/* The state directory comes to its place. */
static void
take_state(struct gateway *g, int fd)
{
	if (fd != STATE_FD && dup2(fd, STATE_FD) == -1) {
		warn("-s %d", fd);
		usage();
	}
	g->state = true;
}

static void
options_read(struct gateway *g, int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "a:g:hil:m:n:r:s:t:V", longs, NULL)) != -1) {
		switch (ch) {
		case 'a':
			g->cache_age = number(ch, 0, 365 * 86400);
			break;
		case 'g':
			address(ch, &g->router);
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		case 'i':
			g->inspect = true;
			break;
		case 'l':
			address(ch, &g->local);
			break;
		case 'm':
			g->method = method();
			break;
		case 'n':
			g->nonce = nonce();
			break;
		case 'r':
			add_server(g, optarg);
			break;
		case 's':
			take_state(g, (int)number(ch, STATE_FD, 1023));
			break;
		case 't':
			g->timeout_ms = (int)number(ch, 1, 60000);
			break;
		case 'V':
			printf("genkan-ftpd-gateway %s\n", PACKAGE_VERSION);
			exit(0);
		default:
			usage();
		}
	}
	for (; optind < argc; optind++)
		add_source(g, argv[optind]);
	if (g->n_sources == 0 && g->method == METHOD_NONE && !g->inspect)
		usage();
}

/* Whoever started this has given up its privileges already; this gives up more. */
static void
restrict_self(const struct gateway *g)
{
	const struct rlimit none = { 0, 0 }, files = { FILES_MAX, FILES_MAX };
	/* It waits all its life: a loop that spins is a fault, and the kernel ends it. */
	const rlim_t seconds = (rlim_t)g->timeout_ms / 1000 + (g->method == METHOD_NONE ? 1 : 60);
	const struct rlimit cpu = { seconds, seconds };

	if (setrlimit(RLIMIT_CORE, &none) == -1 || setrlimit(RLIMIT_NPROC, &none) == -1 ||
	    setrlimit(RLIMIT_NOFILE, &files) == -1 || setrlimit(RLIMIT_CPU, &cpu) == -1)
		err(EX_OSERR, "setrlimit");
}

int64_t
gateway_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
gateway_say(const char *fmt, ...)
{
	char line[GATEWAY_LINE];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	n = strlen(line);
	/* Words of a router or of a file may be in it: one line stays one line. */
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || (unsigned char)line[i] >= 0x7f)
			line[i] = '?';
	line[n] = '\n';
	(void)!write(STDOUT_FILENO, line, n + 1);
}

static void
end_it(int number)
{
	(void)number;
	ended = 1;
}

/* The sources' descriptors; returns how many. counts[] has those of each source of DNS. */
static size_t
collect(struct gateway *g, struct pollfd *fds, size_t *counts, int *wait)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_sources; i++) {
		counts[i] = 0;
		if (g->sources[i].dns == NULL || g->sources[i].found.done)
			continue;
		counts[i] = source_dns_poll(g->sources[i].dns, fds + n, POLL_MAX - n);
		n += counts[i];
		*wait = source_dns_wait(g->sources[i].dns, *wait);
	}
	if (g->natpmp != NULL) {
		n += source_natpmp_poll(g->natpmp, fds + n);
		*wait = source_natpmp_wait(g->natpmp, *wait);
	}
	if (g->upnp != NULL)
		n += source_upnp_poll(g->upnp, fds + n);
	return n;
}

static void
step(struct gateway *g, const struct pollfd *fds, const size_t *counts)
{
	for (size_t i = 0; i < g->n_sources; i++) {
		if (g->sources[i].dns != NULL && !g->sources[i].found.done)
			source_dns_step(g->sources[i].dns, fds, counts[i]);
		fds += counts[i];
	}
	if (g->natpmp != NULL)
		source_natpmp_step(g->natpmp);
	if (g->upnp != NULL)
		source_upnp_step(g->upnp);
}

bool
gateway_wait(struct gateway *g, int64_t until, bool input, bool *readable)
{
	struct pollfd fds[2 + POLL_MAX + 2];
	size_t counts[SOURCES_MAX], n;
	int64_t left = until - gateway_clock();
	int wait = left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
	struct timespec ts;
	sigset_t none;

	sigemptyset(&none);
	*readable = false;
	n = collect(g, fds + 2, counts, &wait);
	/* While it serves lines, the end of the input is the end: what came before it counts. */
	fds[0] = (struct pollfd){ .fd = g->leaving || input ? -1 : STDOUT_FILENO };
	fds[1] = (struct pollfd){ .fd = input ? STDIN_FILENO : -1, .events = POLLIN };
	ts = (struct timespec){ .tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000L };
	if (ended && !g->leaving)
		return false;
	/* SIGTERM comes in here, and nowhere else. */
	if (ppoll(fds, 2 + n, &ts, &none) == -1)
		return errno == EINTR && (!ended || g->leaving);
	if (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL))
		return false;
	*readable = fds[1].revents != 0;
	step(g, fds + 2, counts);
	return true;
}

void
gateway_settle(struct gateway *g, const enum ask_state *state, int ms)
{
	const int64_t until = gateway_clock() + ms;
	bool readable;

	while (*state == ASK_WAITS && gateway_clock() < until &&
	    gateway_wait(g, until, false, &readable))
		continue;
}

static void
catch_signals(void)
{
	const struct sigaction action = { .sa_handler = end_it };
	sigset_t ends;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static bool
has_source(const struct gateway *g, enum source_kind kind)
{
	for (size_t i = 0; i < g->n_sources; i++)
		if (g->sources[i].kind == kind)
			return true;
	return false;
}

/* Opens what a source of DNS needs. */
static void
open_dns(struct gateway *g, struct source *s)
{
	const char *why;

	s->dns = source_dns_open(g->servers[0] != '\0' ? g->servers : NULL, g->timeout_ms, &why);
	if (s->dns != NULL)
		return;
	if (g->servers[0] != '\0') {
		warnx("%s", why);
		usage();
	}
	snprintf(s->found.words, sizeof(s->found.words), "cannot ask DNS: %s", why);
	s->found.done = true;
}

/* All that needs files, processes or netlink happens here, before the filter. */
static void
open_all(struct gateway *g)
{
	char url[URL_MAX] = "";
	const char *why;

	for (size_t i = 0; i < g->n_sources; i++) {
		struct source *s = &g->sources[i];
		struct netaddr addr;

		if (s->kind == SOURCE_HOST)
			open_dns(g, s);
		else if (s->kind == SOURCE_INTERFACE)
			router_interface(s->name, &s->found);
		else if (s->kind == SOURCE_ADDRESS && netaddr_parse(s->name, &addr) == 0)
			finding_take(&s->found, "the address that was given", &addr);
	}
	if (g->router.family == AF_UNSPEC)
		router_find(&g->router);
	if (g->local.family != AF_INET)
		router_local_towards(&g->router, &g->local);
	if (g->inspect || (g->method & METHOD_NATPMP) || has_source(g, SOURCE_NATPMP)) {
		g->natpmp = source_natpmp_open(&g->router, &g->local, g->nonce, &why);
		if (g->natpmp == NULL)
			strlcpy(g->why_no_natpmp, why, sizeof(g->why_no_natpmp));
	}
	if (!g->inspect && (g->method & METHOD_UPNP) == 0 && !has_source(g, SOURCE_UPNP))
		return;
	if (g->state)
		cache_read_url(url);
	if (url[0] == '\0' && !g->inspect)
		why = "no UPnP router is remembered: genkanctl map --list finds it";
	else
		g->upnp = source_upnp_open(url, &why);
	if (g->upnp == NULL)
		strlcpy(g->why_no_upnp, why, sizeof(g->why_no_upnp));
}

int
main(int argc, char *argv[])
{
	static struct gateway g = { .timeout_ms = TIMEOUT_MS, .cache_age = CACHE_AGE };
	int failed;

	options_read(&g, argc, argv);
	g.deadline = gateway_clock() + g.timeout_ms;
	/* Variables that steer resolvers (RES_OPTIONS, LOCALDOMAIN, HOSTALIASES) do not count. */
	clearenv();
	closefrom(g.state ? STATE_FD + 1 : STATE_FD);
	catch_signals();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		err(EX_OSERR, "prctl");
	open_all(&g);
	restrict_self(&g);
	failed = g.state
	    ? sysfilter_enter(filter_with_state, sizeof(filter_with_state) / sizeof(filter[0]))
	    : sysfilter_enter(filter, sizeof(filter) / sizeof(filter[0]));
	if (failed == -1)
		err(EX_OSERR, "seccomp");

	if (g.inspect)
		inspect_router(&g);
	else if (answer_first(&g) && g.method != METHOD_NONE)
		mapping_serve(&g);
	for (size_t i = 0; i < g.n_sources; i++)
		if (g.sources[i].dns != NULL)
			source_dns_close(g.sources[i].dns);
	if (g.natpmp != NULL)
		source_natpmp_close(g.natpmp);
	if (g.upnp != NULL)
		source_upnp_close(g.upnp);
	return 0;
}
