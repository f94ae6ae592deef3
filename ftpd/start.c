/*
 * The first moments of the process.
 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

/* Home routers forget an idle connection after 5 minutes at the earliest; be heard before. */
#define KEEPALIVE_SECONDS 120

/* A session, its monitor and a data connection need few; a launcher's children no more. */
#define DESCRIPTORS 256

void
start_clean_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGPIPE)
			signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * TZ is set in any case: without it libc looks at /etc/localtime again and
 * again, which after the chroot is the user's own file.
 */
static void
clean_environment(void)
{
	const char *zone = getenv("TZ");
	char *kept = strdup(zone != NULL ? zone : ":/etc/localtime");

	clearenv();
	if (kept == NULL || setenv("TZ", kept, 1) == -1 || setenv("PATH", "/usr/bin:/bin", 1) == -1)
		exit(71);
	free(kept);
}

void
start_clean(void)
{
	struct rlimit none = { 0, 0 }, some;

	signal(SIGPIPE, SIG_IGN); /* the client may have gone already */
	clean_environment();
	umask(077);
	if (chdir("/") == -1)
		exit(71);
	setrlimit(RLIMIT_CORE, &none);
	if (getrlimit(RLIMIT_NOFILE, &some) == 0) {
		some.rlim_cur = some.rlim_max < DESCRIPTORS ? some.rlim_max : DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &some);
	}
	prctl(PR_SET_DUMPABLE, 0);
}

int
start_listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS"), *why;
	int n;

	if (pid == NULL || fds == NULL)
		return 0;
	if (strtonum(pid, 1, INT32_MAX, &why) != getpid())
		return 0;
	n = (int)strtonum(fds, 0, 64, &why);
	return n;
}

static bool
is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static bool
is_same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

/* Every reply in a segment of its own, and a long transfer must not starve the control connection. */
static void
tune(int fd)
{
	int on = 1, seconds = KEEPALIVE_SECONDS;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* the Synch of RFC 854: its urgent byte comes in line, no signal */
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
}

/* Addresses of both ends; anything but TCP is taken as somebody at this machine. */
static enum start_found
find_addresses(struct client *client)
{
	struct sockaddr_storage peer = { 0 }, local = { 0 };
	socklen_t plen = sizeof(peer), llen = sizeof(local);
	int listening = 0;
	socklen_t len = sizeof(listening);

	netaddr_parse("127.0.0.1", &client->peer);
	client->local = client->peer;
	client->lan = true;
	if (!client->socket)
		return START_CLIENT;
	if (getsockopt(client->in, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening)
		return START_LISTENING;
	if (getpeername(client->in, (struct sockaddr *)&peer, &plen) == -1 ||
	    getsockname(client->in, (struct sockaddr *)&local, &llen) == -1)
		return START_GONE;
	if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6)
		return START_CLIENT;
	netaddr_from_sockaddr(&client->peer, (struct sockaddr *)&peer);
	netaddr_from_sockaddr(&client->local, (struct sockaddr *)&local);
	client->lan = false;
	tune(client->in);
	return START_CLIENT;
}

enum start_found
start_find_client(struct client *client, bool *stderr_ok, int listen_fds)
{
	bool socket = is_socket(0), unit = !socket && listen_fds == 1 && is_socket(3);
	int null, from = unit ? 3 : 0, to = socket || unit ? from : 1;

	*client = (struct client){ .in = -1, .out = -1, .socket = socket || unit };
	*stderr_ok = fcntl(2, F_GETFD) != -1 && !(client->socket && is_same_file(2, from));

	/* above everything that is kept, then down to 3 and 4 */
	client->in = fcntl(from, F_DUPFD_CLOEXEC, 10);
	client->out = from == to ? client->in : fcntl(to, F_DUPFD_CLOEXEC, 10);
	null = open("/dev/null", O_RDWR);
	if (client->in == -1 || client->out == -1 || null == -1)
		return START_GONE;
	if (dup2(null, 0) == -1 || dup2(null, 1) == -1 || (!*stderr_ok && dup2(null, 2) == -1))
		return START_GONE;
	dup3(client->in, 3, O_CLOEXEC);
	if (client->out != client->in)
		dup3(client->out, 4, O_CLOEXEC);
	client->out = client->out == client->in ? 3 : 4;
	client->in = 3;
	closefrom(client->out + 1);
	return find_addresses(client);
}

/* Makes a directory with this mode, if nobody else does just now; 0, or -1 with errno. */
static int
make_directory(int at, const char *name, mode_t mode)
{
	mode_t old = umask(0);
	int result = mkdirat(at, name, mode);

	umask(old);
	return result == -1 && errno != EEXIST ? -1 : 0;
}

/* Opens a directory that is ours alone to write to. */
static int
open_own_directory(int at, const char *name, mode_t mode)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(at, name, flags); /* it is there, but for the first time */
	struct stat st;

	if (fd == -1 && errno == ENOENT && make_directory(at, name, mode) == 0)
		fd = openat(at, name, flags);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
		close(fd);
		errno = EPERM; /* somebody else's, or anybody's */
		return -1;
	}
	return fd;
}

int
start_own_directory(const char *path, mode_t mode)
{
	return open_own_directory(AT_FDCWD, path, mode);
}

int
start_run_directory(const struct conf *conf)
{
	return open_own_directory(AT_FDCWD, conf->run_directory, geteuid() == 0 ? 0755 : 0700);
}

int
start_empty_directory(int run_directory)
{
	return open_own_directory(run_directory, "empty", 0555);
}

void
start_kernel_ports(unsigned *first, unsigned *last)
{
	FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

	if (range == NULL || fscanf(range, "%u %u", first, last) != 2)
		*first = *last = 0;
	if (range != NULL)
		fclose(range);
}

/*
 * The router's own address: a client that seems to be the router has come to the
 * router's outside address (hairpin NAT), or from outside through a router that hides
 * its clients. Its data connections take the same way, so it is told what clients outside are.
 */
static bool
is_default_router(const struct netaddr *peer)
{
	FILE *routes = peer->family == AF_INET ? fopen("/proc/net/route", "re") : NULL;
	unsigned long destination, gateway;
	char line[256];
	bool found = false;

	while (routes != NULL && !found && fgets(line, sizeof(line), routes) != NULL)
		found = sscanf(line, "%*s %lx %lx", &destination, &gateway) == 2 &&
		        destination == 0 && gateway == peer->v4.s_addr;
	if (routes != NULL)
		fclose(routes);
	return found;
}

bool
start_is_lan(const struct networks *networks, const struct netaddr *peer)
{
	struct ifaddrs *all = NULL;
	bool found = false;

	for (unsigned i = 0; i < networks->n; i++)
		if (netprefix_contains(&networks->net[i], peer))
			return true;
	if (!networks->automatic)
		return false;
	if (getifaddrs(&all) == -1) {
		log_warn("getifaddrs: LAN clients are not recognised");
		return false;
	}
	for (struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next) {
		struct netprefix net;

		found = i->ifa_addr != NULL && i->ifa_netmask != NULL &&
		        netprefix_from_netmask(&net, i->ifa_addr, i->ifa_netmask) == 0 &&
		        netprefix_contains(&net, peer);
	}
	freeifaddrs(all);
	return found && !is_default_router(peer);
}

bool
start_is_shared(const struct netaddr *peer)
{
	return netaddr_reach(peer) == NETADDR_LOOPBACK || is_default_router(peer);
}
