/*
 * genkanctl ban, unban, bans: hosts and networks that are refused (hosts.h).
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "conf.h"
#include "ctl.h"
#include "hosts.h"
#include "sessions.h"

struct job {
	const char *usage;
	int min, max; /* arguments */
	bool writes;
	int (*run)(const struct ctl_place *place, int hosts, char **args, int n);
};

/* What all of them have: -r and -h; the RunDirectory and its hosts. */
static int
run(const struct job *job, int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	const char *directory = NULL;
	struct ctl_place place;
	struct stat st;
	int c, r, hosts = -1;

	while ((c = getopt_long(argc, argv, "r:h", options, NULL)) != -1)
		switch (c) {
		case 'r':
			directory = optarg;
			break;
		case 'h':
			fputs(job->usage, stdout);
			return 0;
		default:
			fputs(job->usage, stderr);
			return EX_USAGE;
		}
	argc -= optind;
	argv += optind;
	if (argc < job->min || argc > job->max) {
		fputs(job->usage, stderr);
		return EX_USAGE;
	}
	if ((r = ctl_place_open(&place, directory)) != 0)
		goto out;
	if (place.dir == -1 && job->writes) {
		warnx("RunDirectory %s is not there: it is made when the first client connects",
		    place.path);
		r = EX_NOINPUT;
		goto out;
	}
	/* a file of ours in somebody else's directory would shut its owner out */
	if (job->writes && fstat(place.dir, &st) == 0 && st.st_uid != geteuid()) {
		warnx("%s is of user %u: run this as that user", place.path, (unsigned)st.st_uid);
		r = EX_NOPERM;
		goto out;
	}
	if (place.dir != -1)
		hosts = job->writes ? hosts_open(place.dir) : slots_look(place.dir, "hosts");
	if (hosts == -1 && place.dir != -1 && (job->writes || errno != ENOENT)) {
		warn("%s/hosts", place.path);
		r = EX_NOPERM;
		goto out;
	}
	r = job->run(&place, hosts, argv, argc);
out:
	if (hosts != -1)
		close(hosts);
	ctl_place_close(&place);
	return r;
}

/* What stands for whom is told as it is counted: an IPv6 host is its network of 64 bits. */
struct target {
	struct netprefix net;
	bool host;
	char text[NETADDR_TEXT + 8];
};

static int
read_target(const char *text, struct target *t)
{
	char addr[NETADDR_TEXT];
	struct hosts_key key;
	unsigned all;

	if (netprefix_parse(text, &t->net) == -1) {
		warnx("\"%s\" is neither an address nor a network such as 192.0.2.0/24", text);
		return -1;
	}
	all = t->net.addr.family == AF_INET ? 32 : 128;
	/* "2001:db8::1" is its network of 64 bits, "2001:db8::1/128" that address alone */
	t->host = strchr(text, '/') == NULL || (all == 32 && t->net.bits == 32);
	if (t->host) {
		key = hosts_key(&t->net.addr);
		if (memcmp(key.bytes + 8, (const uint8_t *)&t->net.addr.v6 + 8, 8) != 0 && all == 128)
			t->net.bits = 64;
		hosts_addr(&key, &t->net.addr);
	}
	netaddr_text(&t->net.addr, addr);
	if (t->net.bits == all)
		snprintf(t->text, sizeof(t->text), "%s", addr);
	else
		snprintf(t->text, sizeof(t->text), "%s/%u", addr, t->net.bits);
	return 0;
}

static int
set_ban(int hosts, const struct target *t, int64_t until)
{
	int64_t now = time(NULL);

	return t->host ? hosts_ban(hosts, &t->net.addr, now, until)
		       : hosts_ban_net(hosts, &t->net, now, until);
}

/* How many connections the banned ones still have: they go on. */
static void
tell_connections(const struct ctl_place *place, const struct target *t)
{
	static struct ctl_sessions all; /* 400 kB: too large for a stack frame */
	struct ctl_place look = *place;
	unsigned n = 0;

	if (ctl_sessions_read(&look, &all) == -1)
		return;
	for (unsigned i = 0; i < all.n; i++)
		n += netprefix_contains(&t->net, &all.session[i].slot.peer);
	if (n > 0)
		printf("%u connection%s of it go%s on; \"genkanctl kick %s\" ends %s.\n", n,
		    n == 1 ? "" : "s", n == 1 ? "es" : "", t->text, n == 1 ? "it" : "them");
}

static int
ban(const struct ctl_place *place, int hosts, char **args, int n)
{
	int64_t until = HOSTS_FOREVER;
	char how[CTL_SHORT] = "for good";
	struct target t;
	long long seconds;

	if (read_target(args[0], &t) == -1)
		return EX_USAGE;
	if (n == 2 && strcmp(args[1], "forever") != 0) {
		if ((seconds = conf_interval(args[1])) == -1) {
			warnx("the time is forever, or such as 30s, 10m, 2h or 1d");
			return EX_USAGE;
		}
		until = time(NULL) + seconds;
		snprintf(how, sizeof(how), "for %lld seconds", seconds);
	}
	if (set_ban(hosts, &t, until) == -1) {
		if (errno == EINVAL)
			warnx("that would be everybody");
		else if (errno == ENOSPC)
			warnx("%d networks are banned already, lift one of them", HOSTS_NETS);
		else
			warn("%s/hosts", place->path);
		return EX_UNAVAILABLE;
	}
	printf("%s is banned %s.\n", t.text, how);
	tell_connections(place, &t);
	return 0;
}

static int
unban(const struct ctl_place *place, int hosts, char **args, int n)
{
	static const struct hosts_rate none;
	struct target t;
	struct host h;
	int r;

	(void)n;
	if (read_target(args[0], &t) == -1)
		return EX_USAGE;
	if ((r = set_ban(hosts, &t, 0)) == -1) {
		warn("%s/hosts", place->path);
		return EX_UNAVAILABLE;
	}
	if (r == 1)
		printf("%s is banned no more.\n", t.text);
	if (t.host && hosts_come(hosts, &t.net.addr, time(NULL), none, &h) == 1) {
		warnx("%s lies in a network that is banned: see genkanctl bans", t.text);
		return EX_UNAVAILABLE;
	}
	if (r == 0)
		warnx("%s was not banned", t.text);
	return r == 1 ? 0 : EX_UNAVAILABLE;
}

static void
show_ban(const struct netaddr *addr, unsigned bits, int64_t until, int64_t now)
{
	char text[NETADDR_TEXT], net[NETADDR_TEXT + 8], left[CTL_SHORT];

	netaddr_text(addr, text);
	if (bits == (addr->family == AF_INET ? 32U : 128U))
		snprintf(net, sizeof(net), "%s", text);
	else
		snprintf(net, sizeof(net), "%s/%u", text, bits);
	if (until == HOSTS_FOREVER)
		printf("%-40s  for good\n", net);
	else
		printf("%-40s  %s left\n", net, ctl_duration(until - now, left));
}

/* What a host's key stands for, in bits. */
static unsigned
bits_of(const struct netaddr *addr)
{
	struct netaddr other = *addr;
	struct hosts_key a, b;

	if (addr->family == AF_INET)
		return 32;
	((uint8_t *)&other.v6)[15] ^= 1;
	a = hosts_key(addr);
	b = hosts_key(&other);
	return memcmp(&a, &b, sizeof(a)) == 0 ? 64 : 128;
}

static int
bans(const struct ctl_place *place, int hosts, char **args, int n)
{
	int64_t now = time(NULL), until;
	struct netprefix net;
	struct netaddr addr;
	unsigned found = 0;
	struct host h;
	int i, r = 0;

	(void)args;
	(void)n;
	for (i = 0; hosts != -1 && i < HOSTS_NETS && r != -1; i++)
		if ((r = hosts_read_net(hosts, i, &net, &until, now)) == 1) {
			show_ban(&net.addr, net.bits, until, now);
			found++;
		}
	for (i = 0; hosts != -1 && i < HOSTS_MAX && r != -1; i++)
		if ((r = hosts_read(hosts, i, &h)) == 1 && hosts_is_banned(&h, now)) {
			hosts_addr(&h.key, &addr);
			show_ban(&addr, bits_of(&addr), h.banned_until, now);
			found++;
		}
	if (r == -1) {
		warn("%s/hosts", place->path);
		return EX_IOERR;
	}
	if (found == 0)
		puts("Nobody is banned.");
	return 0;
}

#define OPTIONS                                                                                    \
	"\n"                                                                                       \
	"  -r DIRECTORY  the RunDirectory (default: that of " CTL_CONF_FILE ")\n"                  \
	"  -h, --help    this text\n"

int
ctl_ban(int argc, char **argv)
{
	static const struct job job = {
		"usage: genkanctl ban [-r DIRECTORY] HOST[/BITS] [TIME]\n"
		"\n"
		"Refuses a host or a network for a TIME such as 30s, 10m, 2h or 1d, or for good.\n"
		"An IPv6 address stands for its network of 64 bits.\n" OPTIONS,
		1, 2, true, ban
	};

	return run(&job, argc, argv);
}

int
ctl_unban(int argc, char **argv)
{
	static const struct job job = {
		"usage: genkanctl unban [-r DIRECTORY] HOST[/BITS]\n"
		"\n"
		"Lets a host or a network in again, and forgets a host's failed logins.\n" OPTIONS,
		1, 1, true, unban
	};

	return run(&job, argc, argv);
}

int
ctl_bans(int argc, char **argv)
{
	static const struct job job = {
		"usage: genkanctl bans [-r DIRECTORY]\n"
		"\n"
		"Lists the hosts and networks that are banned, and for how long they are.\n" OPTIONS,
		0, 0, false, bans
	};

	return run(&job, argc, argv);
}
