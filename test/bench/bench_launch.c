/*
 * The launcher of the comparison: accepts on a loopback port and starts the
 * given program once per connection by fork and exec, the connection on
 * descriptors 0, 1 and 2, as inetd does.
 *
 *	bench_launch PROGRAM ARGV0 [ARGUMENT ...]
 *
 * Writes its port on standard output. Then it answers each line on standard
 * input by one line: "live nanoseconds faults ended", the CPU time and page
 * faults of everything that it has started and what that has started in turn.
 * The end of standard input ends it, after what it has started.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Connections that are served at a time. */
#define CHILDREN 4096

/* Milliseconds that the children have to end after a SIGTERM, and then after a SIGKILL. */
#define PATIENCE 2000

static pid_t children[CHILDREN];
static unsigned nchildren, ended;

/* Of this process and all below it, -1 where the kernel does not let us count. */
static int cpu_counter = -1, fault_counter = -1;

/* What this process had used before they began to count. */
static uint64_t first_ns, first_faults;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* A counter that forked processes inherit, and that keeps counting when they have left us. */
static int
counter(uint64_t config)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = config,
		.inherit = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static uint64_t
counted(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static uint64_t
microseconds(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000 + (uint64_t)tv->tv_usec;
}

/* Without counters: what the kernel adds up of children that were waited for. */
static void
by_rusage(uint64_t *ns, uint64_t *faults)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	*ns = (microseconds(&u.ru_utime) + microseconds(&u.ru_stime)) * 1000;
	*faults = (uint64_t)(u.ru_minflt + u.ru_majflt);
}

/* What this process itself has used. */
static void
own(uint64_t *ns, uint64_t *faults)
{
	struct timespec t;
	struct rusage u;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	getrusage(RUSAGE_SELF, &u);
	*ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	*faults = (uint64_t)(u.ru_minflt + u.ru_majflt);
}

static void
open_counters(void)
{
	cpu_counter = counter(PERF_COUNT_SW_TASK_CLOCK);
	fault_counter = counter(PERF_COUNT_SW_PAGE_FAULTS);
	own(&first_ns, &first_faults);
}

static void
report(bool live)
{
	uint64_t ns, faults, own_ns, own_faults;

	if (cpu_counter == -1 || fault_counter == -1) {
		by_rusage(&ns, &faults);
	} else {
		ns = counted(cpu_counter);
		faults = counted(fault_counter);
		own(&own_ns, &own_faults);
		ns -= own_ns - first_ns;
		faults -= own_faults - first_faults;
	}
	printf("%d %lld %lld %u\n", live, (long long)ns, (long long)faults, ended);
	fflush(stdout);
}

static void
forget(pid_t pid)
{
	for (unsigned i = 0; i < nchildren; i++)
		if (children[i] == pid) {
			children[i] = children[--nchildren];
			ended++;
			return;
		}
}

/* Takes leave of those that have ended; true while some have not, orphans of ours included. */
static bool
reap(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		forget(pid);
	return pid == 0;
}

static void
execute(const char *program, char **argv, int fd)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = { path, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	for (int to = 0; to < 3; to++)
		if (dup2(fd, to) == -1)
			_exit(1);
	execve(program, argv, env);
	_exit(1);
}

static void
serve(int listener, const char *program, char **argv)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid;

	if (fd == -1)
		return;
	if (nchildren < CHILDREN) {
		pid = fork();
		if (pid == 0)
			execute(program, argv, fd);
		if (pid > 0)
			children[nchildren++] = pid;
	}
	close(fd);
}

static int
listen_somewhere(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&sin, len) == -1 ||
	    listen(fd, SOMAXCONN) == -1 || getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		die("listen");
	printf("%u\n", ntohs(sin.sin_port));
	fflush(stdout);
	return fd;
}

/* Signals every child of ours, and those orphans that /proc still shows as ours. */
static void
end_all(int sig)
{
	for (unsigned i = 0; i < nchildren; i++)
		kill(children[i], sig);
	for (int i = 0; i < PATIENCE / 10 && reap(); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

/* Answers the lines that have come; false at the end of the input. */
static bool
answer(void)
{
	char lines[64];
	ssize_t n = read(0, lines, sizeof(lines));

	for (ssize_t i = 0; i < n; i++)
		if (lines[i] == '\n')
			report(reap());
	return n > 0 || (n == -1 && errno == EINTR);
}

static void
on_child(int sig)
{
	(void)sig;
}

int
main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_child };
	struct pollfd p[2] = { { .fd = 0, .events = POLLIN }, { .events = POLLIN } };
	sigset_t blocked, open;

	if (argc < 3) {
		fprintf(stderr, "usage: bench_launch PROGRAM ARGV0 [ARGUMENT ...]\n");
		return 64;
	}
	/* grandchildren whose parent ends first become ours, so that "live" is the truth */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGCHLD, &act, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, &open);
	open_counters();
	p[1].fd = listen_somewhere();
	for (;;) {
		int ready = ppoll(p, 2, NULL, &open);

		reap();
		if (ready > 0 && p[0].revents != 0 && !answer())
			break;
		if (ready > 0 && p[1].revents != 0)
			serve(p[1].fd, argv[1], argv + 2);
	}
	end_all(SIGTERM);
	if (nchildren > 0)
		end_all(SIGKILL);
	return 0;
}
