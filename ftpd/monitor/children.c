/*
 * How children end.
 */
#include "children.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "log.h"

#define CHILDREN_MAX 8

static const struct timespec patience = { .tv_nsec = 100000000 };

/* In their order; the handler alone adds to them. */
static struct {
	pid_t pid;
	int sig; /* 0: it ended by itself */
} ended[CHILDREN_MAX];
static volatile sig_atomic_t n_ended;
static int told;

static void
on_sigchld(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (n_ended == CHILDREN_MAX)
		return;
	ended[n_ended].pid = info->si_pid;
	ended[n_ended].sig = info->si_code == CLD_EXITED ? 0 : info->si_status;
	n_ended++;
}

void
children_watch(void)
{
	struct sigaction act = { .sa_flags = SA_SIGINFO | SA_NOCLDWAIT | SA_NOCLDSTOP | SA_RESTART };

	act.sa_sigaction = on_sigchld;
	sigaction(SIGCHLD, &act, NULL);
}

static bool
has_ended(pid_t pid)
{
	for (int i = 0; i < n_ended; i++)
		if (ended[i].pid == pid)
			return true;
	return false;
}

void
children_await(pid_t pid)
{
	sigset_t child, old;

	/* it comes in only while ppoll(2) waits: no race between the question and the wait */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &old);
	while (!has_ended(pid) && n_ended < CHILDREN_MAX &&
	       ppoll(NULL, 0, &patience, &old) == -1 && errno == EINTR)
		continue;
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/* A signal that a process brings upon itself. */
static bool
is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGABRT;
}

void
children_tell(pid_t session)
{
	for (; told < n_ended; told++) {
		int pid = (int)ended[told].pid, sig = ended[told].sig;
		const char *who = ended[told].pid == session ? "session" : "helper";

		if (sig == SIGSYS)
			log_errorx("the %s (process %d) was killed by its system call filter: it was "
			           "broken or taken over. The kernel's log names the call (type=1326); "
			           "please report it",
			    who, pid);
		else if (is_fault(sig))
			log_errorx("the %s (process %d) was killed by a fault, %s; please report it",
			    who, pid, strsignal(sig));
	}
}
