/*
 * genkanctl map: asks the router to forward ports to this machine, and leaves it so for a while (a
 * timer renews it); lists and takes back what was asked for. The router is talked to by
 * genkan-ftpd-gateway.
 */
#include "ctl.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "asking.h"
#include "check.h"
#include "gateway_start.h"
#include "log.h"
#include "mapstate.h"
#include "pwfile.h"

#define SECONDS_DEFAULT 7200
#define SECONDS_MAX     604800
#define TIMEOUT_MS      4000
#define ANSWER_MS       15000 /* the gateway has more than one way to ask */
#define INSPECT_MS      40000

struct job {
	struct check c; /* who starts the server, and its configuration */
	bool control, list, remove;
	unsigned seconds;
	struct portlist ports;
	int state; /* the gateway's directory, or -1 */
	struct mapstate kept;
};

static void
usage(FILE *out)
{
	fputs("usage: genkanctl map [-f FILE] [--control] [--seconds N] [PORT | PORT-PORT]...\n"
	      "       genkanctl map [-f FILE] --list\n"
	      "       genkanctl map [-f FILE] --remove [PORT | PORT-PORT]...\n"
	      "\n"
	      "Asks the router to forward TCP ports to this machine, by NAT-PMP, PCP or UPnP.\n"
	      "\n"
	      "  -f FILE            the configuration (default: what the super-server says)\n"
	      "  --control          the port of the control connection\n"
	      "  --seconds N        for so long (default 7200); call it again before\n"
	      "  --list             what is forwarded; looks for the router first\n"
	      "  --remove           take back these ports, or all that this program asked for\n"
	      "  --gateway PROGRAM  asks the router (default: genkan-ftpd-gateway)\n",
	    out);
}

static bool
add_ports(struct portlist *list, const char *text)
{
	unsigned min, max;
	int end = -1;

	if (sscanf(text, "%5u-%5u%n", &min, &max, &end) != 2 || text[end] != '\0') {
		end = -1;
		if (sscanf(text, "%5u%n", &min, &end) != 1 || text[end] != '\0')
			return false;
		max = min;
	}
	if (min == 0 || max > UINT16_MAX || min > max || list->n == PORTLIST_MAX)
		return false;
	list->range[list->n++] = (struct portrange){ (uint16_t)min, (uint16_t)max };
	return true;
}

/* 0, an exit status, or -1 when all is done. */
static int
parse_options(struct job *job, int argc, char **argv)
{
	enum { CONTROL = 256, GATEWAY, LIST, REMOVE, SECONDS };
	static const struct option longs[] = {
		{ "control", no_argument, NULL, CONTROL },
		{ "gateway", required_argument, NULL, GATEWAY },
		{ "help", no_argument, NULL, 'h' },
		{ "list", no_argument, NULL, LIST },
		{ "remove", no_argument, NULL, REMOVE },
		{ "seconds", required_argument, NULL, SECONDS },
		{ NULL },
	};
	const char *why = NULL;
	int ch;

	while ((ch = getopt_long(argc, argv, "f:h", longs, NULL)) != -1) {
		switch (ch) {
		case 'f':
			job->c.file = optarg;
			break;
		case CONTROL:
			job->control = true;
			break;
		case GATEWAY:
			job->c.gateway = optarg;
			break;
		case LIST:
			job->list = true;
			break;
		case REMOVE:
			job->remove = true;
			break;
		case SECONDS:
			job->seconds = (unsigned)strtonum(optarg, 60, SECONDS_MAX, &why);
			if (why != NULL) {
				warnx("--seconds %s: a number from 60 to %d", optarg, SECONDS_MAX);
				return EX_USAGE;
			}
			break;
		case 'h':
			usage(stdout);
			return -1;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	}
	for (; optind < argc; optind++)
		if (!add_ports(&job->ports, argv[optind])) {
			warnx("%s is neither a port nor a range of ports", argv[optind]);
			return EX_USAGE;
		}
	if (job->list + job->remove + (job->control && !job->remove) > 1 ||
	    (job->list && job->ports.n > 0) ||
	    (!job->list && !job->remove && !job->control && job->ports.n == 0)) {
		usage(stderr);
		return EX_USAGE;
	}
	return 0;
}

/* The configuration, and what was asked for before. */
static int
prepare(struct job *job)
{
	struct gateway_user user = { .root = geteuid() == 0, .uid = geteuid(), .gid = getegid() };
	const struct conf *conf = &job->c.conf;
	char error[CONF_ERROR];

	services_find(&job->c);
	if (config_load(&job->c, error) == -1) {
		warnx("%s", error);
		return EX_CONFIG;
	}
	if (conf->state_directory[0] == '\0') {
		warnx("StateDirectory is none, but what was asked for is kept there");
		return EX_CONFIG;
	}
	if (user.root && pwfile_system_user(conf->gateway_user, &user.uid, &user.gid) == -1 &&
	    pwfile_system_user("nobody", &user.uid, &user.gid) == -1) {
		warnx("there is neither a user %s nor nobody", conf->gateway_user);
		return EX_OSERR;
	}
	log_open("genkanctl", true, true);
	if ((job->state = gateway_state(conf, &user)) == -1)
		return EX_CANTCREAT;
	if (mapstate_read(&job->kept, conf->state_directory) == -1) {
		warn("%s/mappings", conf->state_directory);
		return EX_NOINPUT;
	}
	return 0;
}

static int
start(struct job *job, struct asking *a, const char *const args[])
{
	if (asking_start(a, job->c.gateway, job->c.conf.gateway_user, job->state, args) == 0)
		return 0;
	warn("genkan-ftpd-gateway");
	return EX_UNAVAILABLE;
}

/*
 * Looks for a UPnP router, which the gateway then remembers; for people it says what there is.
 * *found: there is one.
 */
static int
look_for_router(struct job *job, bool aloud, bool *found)
{
	const char *const args[] = { "-i", "-s", "3", "-t", "4000", NULL };
	const int64_t until = asking_clock() + INSPECT_MS;
	char line[ASKING_LINE];
	struct asking a;
	int r = start(job, &a, args);

	*found = false;
	if (r != 0)
		return r;
	while (asking_line(&a, line, until) == 1 && strcmp(line, "end") != 0) {
		*found |= strncmp(line, "upnp yes", 8) == 0;
		if (aloud && strncmp(line, "doublenat", 9) != 0)
			printf("%s\n", line);
	}
	asking_end(&a);
	return 0;
}

/* Starts the gateway that asks by this method, and waits until it is ready. */
static int
start_mapping(struct job *job, struct asking *a, const char *method)
{
	char timeout[16], line[ASKING_LINE];
	const char *const args[] = { "-m", method, "-n", job->kept.nonce, "-s", "3", "-t", timeout,
		NULL };
	int r;

	snprintf(timeout, sizeof(timeout), "%d", TIMEOUT_MS);
	if ((r = start(job, a, args)) != 0)
		return r;
	while (asking_line(a, line, asking_clock() + ANSWER_MS) == 1)
		if (strcmp(line, "ready") == 0)
			return 0;
	warnx("genkan-ftpd-gateway does not answer");
	asking_end(a);
	return EX_UNAVAILABLE;
}

/* Tells a line and hears the answer for this port in answer; false: there is none. */
static bool
converse(struct asking *a, const char *verb, const char *line, uint16_t port,
    char answer[static ASKING_LINE])
{
	const int64_t until = asking_clock() + ANSWER_MS;
	unsigned of;

	if (asking_tell(a, line) == -1)
		return false;
	while (asking_line(a, answer, until) == 1) {
		const char *rest = strchr(answer, ' ');

		if (strncmp(answer, "note ", 5) == 0)
			warnx("%s", answer + 5);
		else if (rest != NULL && strncmp(answer, verb, strlen(verb)) != 0 &&
		    strncmp(answer, "unmapped", 8) != 0)
			continue;
		else if (rest != NULL && sscanf(rest, "%u", &of) == 1 && of == port)
			return true;
	}
	return false;
}

/* What the words of "mapped" say; false if they do not parse. */
static bool
read_mapped(const char *answer, struct mapped *m)
{
	unsigned port, external, seconds;

	if (sscanf(answer, "mapped %5u %5u %15s %u %7s", &port, &external, m->address, &seconds,
		m->method) != 5 ||
	    port > UINT16_MAX || external == 0 || external > UINT16_MAX)
		return false;
	m->port = (uint16_t)port;
	m->external = (uint16_t)external;
	m->until = seconds == 0 ? 0 : (int64_t)time(NULL) + seconds;
	return true;
}

/* Maps one port; 0, or 1 with words. */
static int
map_port(struct job *job, struct asking *a, uint16_t port, char words[static ASKING_LINE])
{
	char line[64], answer[ASKING_LINE];
	struct mapped m;

	snprintf(line, sizeof(line), "map %u %u\n", port, job->seconds);
	(void)strlcpy(words, "it does not answer", ASKING_LINE);
	if (!converse(a, "mapped", line, port, answer))
		return 1;
	if (!read_mapped(answer, &m)) {
		const char *rest = strchr(answer, ' ');

		rest = rest != NULL ? strchr(rest + 1, ' ') : NULL;
		if (rest != NULL)
			(void)strlcpy(words, rest + 1, ASKING_LINE);
		return 1;
	}
	mapstate_set(&job->kept, &m);
	printf("%s:%u -> %u, by %s, ", m.address, m.external, m.port, m.method);
	if (m.until == 0)
		puts("for ever");
	else
		printf("for %" PRId64 " s\n", m.until - (int64_t)time(NULL));
	if (m.external != port)
		warnx("the router gave port %u instead of %u: clients must be told", m.external,
		    port);
	return 0;
}

static const char *
method_of(const struct job *job)
{
	return job->c.conf.port_mapping == PORT_MAPPING_OFF
	    ? "auto"
	    : conf_port_mapping(job->c.conf.port_mapping);
}

/* Maps all ports; 0 or an exit status. Words of the first failure. */
static int
map_all(struct job *job, char words[static ASKING_LINE], uint16_t *failed)
{
	struct asking a;
	int r = start_mapping(job, &a, method_of(job));

	*failed = 0;
	if (r != 0)
		return r;
	for (unsigned i = 0; i < portlist_count(&job->ports) && *failed == 0; i++)
		if (map_port(job, &a, portlist_at(&job->ports, i), words) != 0)
			*failed = portlist_at(&job->ports, i);
	/* what is mapped stays */
	(void)asking_tell(&a, "leave\n");
	asking_end(&a);
	return *failed == 0 ? 0 : EX_UNAVAILABLE;
}

/* True if a UPnP router is remembered. */
static bool
knows_upnp(const struct job *job)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/gateway/upnp", job->c.conf.state_directory);
	return host_exists(&job->c, path);
}

static int
map(struct job *job)
{
	char words[ASKING_LINE];
	uint16_t failed;
	bool found;
	int r;

	if (job->control)
		for (unsigned i = 0; i < job->c.control.n && job->ports.n < PORTLIST_MAX; i++)
			job->ports.range[job->ports.n++] = job->c.control.range[i];
	if (job->ports.n == 0) {
		warnx("nothing starts genkan-ftpd on this machine, so its port is not known: give "
		      "it, as in "
		      "\"genkanctl map 21\"");
		return EX_CONFIG;
	}
	if (portlist_count(&job->ports) > MAPSTATE_MAX) {
		warnx("%u ports, but at most %d; PortMapping of genkan-ftpd.conf(5) opens passive "
		      "ports one "
		      "by one as they are needed",
		    portlist_count(&job->ports), MAPSTATE_MAX);
		return EX_USAGE;
	}
	r = map_all(job, words, &failed);
	/* a router that speaks UPnP alone has to be found once */
	if (failed != 0 && strcmp(method_of(job), "natpmp") != 0 && !knows_upnp(job) &&
	    look_for_router(job, false, &found) == 0 && found)
		r = map_all(job, words, &failed);
	if (failed != 0)
		warnx("the router does not forward port %u: %s", failed, words);
	return r;
}

/* Takes one back; true if the router has done so. */
static bool
unmap_port(struct job *job, const struct mapped *m)
{
	char line[64], answer[ASKING_LINE];
	const char *words = "it does not answer";
	struct asking a;
	bool gone = false;

	/* the gateway calls both natpmp */
	if (start_mapping(job, &a, strcmp(m->method, "pcp") == 0 ? "natpmp" : m->method) != 0)
		return false;
	snprintf(line, sizeof(line), "unmap %u %u\n", m->port, m->external);
	if (converse(&a, "unmapped", line, m->port, answer)) {
		words = strchr(strchr(answer, ' ') + 1, ' ');
		words = words != NULL ? words + 1 : "";
		gone = strcmp(words, "taken back") == 0;
	}
	if (gone)
		printf("%u: taken back\n", m->port);
	else
		warnx("port %u: %s", m->port, words);
	asking_end(&a);
	return gone;
}

static int
remove_all(struct job *job)
{
	unsigned left = 0, done = 0;

	for (unsigned i = 0; i < job->kept.n;) {
		const struct mapped m = job->kept.at[i];

		if ((job->ports.n > 0 || job->control) && !portlist_contains(&job->ports, m.port) &&
		    !(job->control && portlist_contains(&job->c.control, m.port))) {
			i++;
		} else if (unmap_port(job, &m)) {
			mapstate_forget(&job->kept, m.port);
			done++;
		} else {
			left++;
			i++;
		}
	}
	if (left == 0 && done == 0)
		puts("nothing is mapped");
	return left == 0 ? 0 : EX_UNAVAILABLE;
}

static int
list(struct job *job)
{
	const int64_t until = asking_clock() + INSPECT_MS;
	char line[ASKING_LINE];
	struct asking a;
	bool found;
	int r = look_for_router(job, true, &found);

	if (r != 0)
		return r;
	for (unsigned i = 0; i < job->kept.n; i++) {
		const struct mapped *m = &job->kept.at[i];

		printf("mapping %u %u %s %" PRId64 " genkanctl\n", m->port, m->external, m->method,
		    m->until == 0 ? 0 : m->until - (int64_t)time(NULL));
	}
	/* what UPnP routers tell of others' */
	if (!found)
		return 0;
	if ((r = start_mapping(job, &a, "upnp")) != 0)
		return r;
	if (asking_tell(&a, "list\n") == 0)
		while (asking_line(&a, line, until) == 1 && strcmp(line, "end") != 0) {
			unsigned port;

			if (sscanf(line, "mapping %u", &port) == 1 && port <= UINT16_MAX &&
			    mapstate_find(&job->kept, (uint16_t)port) == NULL)
				printf("%s\n", line);
		}
	(void)asking_tell(&a, "leave\n");
	asking_end(&a);
	return 0;
}

int
ctl_map(int argc, char **argv)
{
	static struct job job = { .c.root = "", .seconds = SECONDS_DEFAULT, .state = -1 };
	int r = parse_options(&job, argc, argv);

	if (r != 0)
		return r == -1 ? 0 : r;
	if ((r = prepare(&job)) == 0) {
		r = job.list ? list(&job) : job.remove ? remove_all(&job) : map(&job);
		if (!job.list && mapstate_write(&job.kept, job.c.conf.state_directory) == -1) {
			warn("%s/mappings", job.c.conf.state_directory);
			r = EX_IOERR;
		}
	}
	conf_free(&job.c.conf);
	return r;
}
