/*
 * The embedded super-server.
 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "netaddr.h"
#include "start.h"

/* More than MaxClients, since some connections are a health check's or end at once. */
#define SPARE_CHILDREN 32

struct listeners {
	struct pollfd fds[LAUNCHER_LISTENERS_MAX];
	nfds_t n;
};

static volatile sig_atomic_t stop, child_ended;

static void
on_signal(int sig)
{
	if (sig == SIGCHLD)
		child_ended = 1;
	else
		stop = 1;
}

static int
listen_on(struct listeners *l, const struct netaddr *addr, bool only_v6)
{
	struct sockaddr_storage ss;
	socklen_t len = netaddr_to_sockaddr(addr, &ss);
	char text[NETADDR_TEXT];
	int on = 1, fd;

	netaddr_text(addr, text);
	if (l->n == LAUNCHER_LISTENERS_MAX) {
		log_errorx("more than %d listening sockets", LAUNCHER_LISTENERS_MAX);
		return -1;
	}
	fd = socket(addr->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (only_v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&ss, len) == -1 || listen(fd, SOMAXCONN) == -1 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) == -1) {
		log_error("cannot listen on %s port %u", text, addr->port);
		close(fd);
		return -1;
	}
	l->fds[l->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	log_notice("listening on %s port %u", text,
	    ntohs(addr->family == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port
	                                   : ((struct sockaddr_in *)&ss)->sin_port));
	return 0;
}

/* All addresses: one socket per family, so that either may be missing on this machine. */
static int
listen_everywhere(struct listeners *l, uint16_t port)
{
	struct netaddr v4, v6;
	int ok6;

	netaddr_parse("::", &v6);
	netaddr_parse("0.0.0.0", &v4);
	v4.port = v6.port = port;
	ok6 = listen_on(l, &v6, true);
	return listen_on(l, &v4, false) == 0 || ok6 == 0 ? 0 : -1;
}

/* "[ADDR:]PORT", an IPv6 address in brackets. */
static int
listen_where(struct listeners *l, const char *where)
{
	const char *colon = strrchr(where, ':'), *why;
	struct netaddr addr;
	char host[NETADDR_TEXT];
	size_t n = colon == NULL ? 0 : (size_t)(colon - where);
	uint16_t port = (uint16_t)strtonum(colon == NULL ? where : colon + 1, 0, 65535, &why);

	if (why == NULL && colon == NULL)
		return listen_everywhere(l, port) == 0 ? 0 : EX_OSERR;
	if (n >= 2 && where[0] == '[' && where[n - 1] == ']') {
		where++;
		n -= 2;
	}
	if (why != NULL || n >= sizeof(host)) {
		log_errorx("--listen %s: a port or ADDRESS:PORT is wanted", where);
		return EX_USAGE;
	}
	memcpy(host, where, n);
	host[n] = '\0';
	if (netaddr_parse(host, &addr) == -1) {
		log_errorx("--listen: %s is no numeric address", host);
		return EX_USAGE;
	}
	addr.port = port;
	return listen_on(l, &addr, addr.family == AF_INET6) == 0 ? 0 : EX_OSERR;
}

static int
take_from_systemd(struct listeners *l, int n)
{
	for (int fd = 3; fd < 3 + n && l->n < LAUNCHER_LISTENERS_MAX; fd++) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		l->fds[l->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		log_notice("listening on descriptor %d of systemd", fd);
	}
	if (n == 0)
		log_errorx("--listen systemd: systemd has passed no socket to this process");
	return n > 0 ? 0 : EX_OSERR;
}

static void
refuse(int client, const char *reply)
{
	send(client, reply, strlen(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* In the child: the client becomes descriptors 0 and 1, as inetd would have it. */
static void
execute(const struct launcher *launcher, const char *program, int client)
{
	sigset_t none;

	signal(SIGTERM, SIG_DFL); /* who kills this process does not mean the launcher */
	signal(SIGINT, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(client, 0) == -1 || dup2(client, 1) == -1)
		_exit(EX_OSERR);
	execv(program, launcher->argv);
	log_warn("%s", program);
	refuse(0, START_BROKEN_REPLY);
	_exit(EX_OSERR);
}

/* A process for the client; -1 when the client has been sent away. */
static pid_t __attribute__((noinline))
start(const struct launcher *launcher, const char *program, int client, bool full)
{
	pid_t pid;

	if (full) {
		refuse(client, START_FULL_REPLY);
		return -1;
	}
	/* the child shares this memory until it executes, and changes nothing in it */
	if ((pid = vfork()) == 0)
		execute(launcher, program, client);
	if (pid == -1) {
		log_warn("fork for a client");
		refuse(client, START_BROKEN_REPLY);
	}
	return pid;
}

static void
accept_all(const struct launcher *launcher, const char *program, int listener, unsigned *children,
    unsigned max)
{
	/* bounded, so that the other listeners and ended children get their turn */
	for (int i = 0; i < 64; i++) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (client == -1) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
				log_warn("accept");
			return;
		}
		if (start(launcher, program, client, *children >= max) != -1)
			(*children)++;
		close(client);
	}
}

static void
reap(unsigned *children)
{
	int status;
	pid_t pid;

	child_ended = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		(*children)--;
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM && WTERMSIG(status) != SIGKILL)
			log_errorx("a connection's process %d was killed: %s%s; please report it", (int)pid,
			    strsignal(WTERMSIG(status)),
			    WTERMSIG(status) == SIGSYS ? " (its system call filter)" : "");
	}
}

/* Signals come in only while poll waits: no race between a flag and the wait. */
static sigset_t
catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	sigset_t ours, old;

	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigprocmask(SIG_BLOCK, &ours, &old);
	sigaction(SIGCHLD, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	return old;
}

static void
serve(const struct launcher *launcher, const char *program, struct listeners *l, unsigned max)
{
	sigset_t open = catch_signals();
	unsigned children = 0;

	while (!stop) {
		int ready = ppoll(l->fds, l->n, NULL, &open);

		if (child_ended)
			reap(&children);
		for (nfds_t i = 0; ready > 0 && i < l->n; i++)
			if (l->fds[i].revents != 0)
				accept_all(launcher, program, l->fds[i].fd, &children, max);
	}
	log_notice("told to stop; %u sessions go on", children);
}

int
launcher_run(const struct launcher *launcher, const struct conf *conf)
{
	struct listeners l = { .n = 0 };
	char program[4096];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (len == -1) {
		log_error("/proc/self/exe");
		return EX_OSERR;
	}
	program[len] = '\0';
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	for (unsigned i = 0; i < launcher->n; i++) {
		int error = strcmp(launcher->where[i], "systemd") == 0
		                ? take_from_systemd(&l, launcher->listen_fds)
		                : listen_where(&l, launcher->where[i]);

		if (error != 0)
			return error;
	}
	serve(launcher, program, &l, conf->max_clients + SPARE_CHILDREN);
	return 0;
}
