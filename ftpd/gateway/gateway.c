/*
 * genkan-ftpd-gateway: one name, one deadline, one line of answer.
 */
#include "gateway.h"

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
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
#define NAME_MAX_DNS 254 /* RFC 1035 section 2.3.4, with the final dot */
#define POLL_MAX     24

struct options {
	const char *name;
	int timeout_ms;
	char servers[1024]; /* empty: those of resolv.conf */
};

/* What a DNS question and its answer take, UDP and TCP, and nothing else. */
static const struct sock_filter filter[] = {
	SYSFILTER_BEGIN,
	SYSFILTER_BASE,
	SYSFILTER_ALLOW_ARG(socket, 0, AF_INET),
	SYSFILTER_ALLOW_ARG(socket, 0, AF_INET6),
	SYSFILTER_ERRNO(socket, EAFNOSUPPORT),
	SYSFILTER_ALLOW(connect),
	SYSFILTER_ALLOW(bind),
	SYSFILTER_ALLOW(getsockname),
	SYSFILTER_ALLOW(getpeername),
	SYSFILTER_ALLOW(getsockopt),
	SYSFILTER_ALLOW(setsockopt),
	SYSFILTER_ALLOW(gettimeofday),
	/* A library that would like to look at a file again goes without. */
	SYSFILTER_ERRNO(openat, EACCES),
	SYSFILTER_ERRNO(newfstatat, EACCES),
	SYSFILTER_ERRNO(ioctl, ENOTTY),
	SYSFILTER_END,
};

static const char usage_text[] =
    "usage: genkan-ftpd-gateway [-hV] [-t milliseconds] [-r addr[:port]]... name\n";

static void usage(void) __attribute__((noreturn));

static void
usage(void)
{
	fputs(usage_text, stderr);
	exit(EX_USAGE);
}

static void
add_server(struct options *o, const char *server)
{
	if (*server == '\0' || strchr(server, ',') != NULL)
		usage();
	if (o->servers[0] != '\0')
		strlcat(o->servers, ",", sizeof(o->servers));
	if (strlcat(o->servers, server, sizeof(o->servers)) >= sizeof(o->servers))
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

static void
options_read(struct options *o, int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL },
	};
	const char *why;
	int ch;

	*o = (struct options){ .timeout_ms = TIMEOUT_MS };
	while ((ch = getopt_long(argc, argv, "hr:t:V", longs, NULL)) != -1) {
		switch (ch) {
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		case 'V':
			printf("genkan-ftpd-gateway %s\n", PACKAGE_VERSION);
			exit(0);
		case 'r':
			add_server(o, optarg);
			break;
		case 't':
			o->timeout_ms = (int)strtonum(optarg, 1, 60000, &why);
			if (why != NULL) {
				warnx("-t %s: %s", optarg, why);
				usage();
			}
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 1)
		usage();
	o->name = argv[optind];
	if (!is_plain(o->name)) {
		warnx("not a host name");
		usage();
	}
}

/* Whoever started this has given up its privileges already; this gives up more. */
static void
restrict_self(int timeout_ms)
{
	const struct rlimit none = { 0, 0 }, files = { 32, 32 };
	const rlim_t seconds = (rlim_t)timeout_ms / 1000 + 1;
	/* It waits all its life: a loop that spins is a fault, and the kernel ends it. */
	const struct rlimit cpu = { seconds, seconds };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		err(EX_OSERR, "prctl");
	if (setrlimit(RLIMIT_CORE, &none) == -1 || setrlimit(RLIMIT_NPROC, &none) == -1 ||
	    setrlimit(RLIMIT_NOFILE, &files) == -1 || setrlimit(RLIMIT_CPU, &cpu) == -1)
		err(EX_OSERR, "setrlimit");
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * The loop. Returns 0 when *found is filled, -1 when nobody waits for the answer
 * any more: the connection has ended and the pipe has no reader.
 */
static int
wait_for(struct source_dns *dns, struct finding *found, int64_t deadline)
{
	struct pollfd fds[1 + POLL_MAX];
	int64_t left;
	size_t n;

	while (!found->done && (left = deadline - now_ms()) > 0) {
		fds[0] = (struct pollfd){ .fd = STDOUT_FILENO };
		n = source_dns_poll(dns, fds + 1, POLL_MAX);
		if (poll(fds, 1 + n, source_dns_wait(dns, (int)left)) == -1 && errno != EINTR)
			return -1;
		if (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL))
			return -1;
		source_dns_step(dns, fds + 1, n);
	}
	source_dns_give_up(dns);
	return 0;
}

/* One write, so that the reader gets the whole line or none. */
static void
answer(const struct finding *found)
{
	char text[NETADDR_TEXT], line[GATEWAY_LINE + 1];
	int len;

	if (found->addr.family == AF_INET)
		netaddr_text(&found->addr, text);
	len = found->addr.family == AF_INET
	    ? snprintf(line, sizeof(line), "address %s\n", text)
	    : snprintf(line, sizeof(line), "failed %s\n", found->words);
	if (len > 0 && (size_t)len < sizeof(line))
		(void)!write(STDOUT_FILENO, line, (size_t)len);
}

int
main(int argc, char *argv[])
{
	struct finding found = { .done = false };
	struct options o;
	struct source_dns *dns;
	int64_t deadline;
	const char *why;

	options_read(&o, argc, argv);
	deadline = now_ms() + o.timeout_ms;
	/* Variables that steer resolvers (RES_OPTIONS, LOCALDOMAIN, HOSTALIASES) do not count. */
	clearenv();
	signal(SIGPIPE, SIG_IGN);
	closefrom(STDERR_FILENO + 1);
	restrict_self(o.timeout_ms);

	dns = source_dns_open(o.servers[0] != '\0' ? o.servers : NULL, o.timeout_ms, &why);
	if (dns == NULL) {
		if (o.servers[0] != '\0') {
			warnx("%s", why);
			usage();
		}
		snprintf(found.words, sizeof(found.words), "cannot ask DNS: %s", why);
		answer(&found);
		return 0;
	}
	if (sysfilter_enter(filter, sizeof(filter) / sizeof(filter[0])) == -1)
		err(EX_OSERR, "seccomp");

	source_dns_ask(dns, o.name, &found);
	if (wait_for(dns, &found, deadline) == 0)
		answer(&found);
	source_dns_close(dns);
	return 0;
}
