/*
 * How children end: the log tells of those that a filter or a fault has killed, of no others.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "monitor/children.h"
#include "sysfilter.h"

static const struct sock_filter filter[] = { SYSFILTER_BEGIN, SYSFILTER_BASE, SYSFILTER_END };

/* How a child ends. */
static void
ends_well(void)
{
	_exit(0);
}

static void
ends_badly(void)
{
	_exit(1);
}

static void
breaks_its_filter(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    sysfilter_enter(filter, sizeof(filter) / sizeof(filter[0])) == -1)
		_exit(99);
	socket(AF_INET, SOCK_STREAM, 0);
	_exit(98);
}

static void
is_killed(void)
{
	raise(SIGKILL);
}

static void
is_told_to_end(void)
{
	raise(SIGTERM);
}

static void
crashes(void)
{
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static pid_t
begin(void (*act)(void))
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		act();
		_exit(97);
	}
	return pid;
}

/* What children_tell() writes. */
static const char *
told(pid_t session)
{
	static char text[2048];
	int p[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(p), 0);
	assert_int_not_equal(dup2(p[1], STDERR_FILENO), -1);
	children_tell(session);
	assert_int_not_equal(dup2(saved, STDERR_FILENO), -1);
	close(saved);
	close(p[1]);
	assert_int_not_equal(n = read(p[0], text, sizeof(text) - 1), -1);
	text[n] = '\0';
	close(p[0]);
	return text;
}

static const char *
end_of(void (*act)(void))
{
	pid_t pid = begin(act);

	children_await(pid);
	return told(pid);
}

static void
a_child_that_ends_is_no_news(void **state)
{
	(void)state;
	assert_string_equal(end_of(ends_well), "");
	assert_string_equal(end_of(ends_badly), "");
	assert_string_equal(end_of(is_killed), "");
	assert_string_equal(end_of(is_told_to_end), "");
	/* and no zombie is left of them */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
a_broken_filter_is_told_once(void **state)
{
	const char *text;

	(void)state;
#ifdef SYSFILTER_OFF
	skip();
#endif
	text = end_of(breaks_its_filter);
	assert_non_null(strstr(text, "the session (process "));
	assert_non_null(strstr(text, "killed by its system call filter"));
	assert_string_equal(told(0), "");
}

static void
a_fault_of_a_helper_is_told(void **state)
{
	pid_t pid = begin(crashes);
	const char *text;
	char who[64];

	(void)state;
	children_await(pid);
	text = told(1);
	snprintf(who, sizeof(who), "the helper (process %d) was killed by a fault, ", (int)pid);
	assert_non_null(strstr(text, who));
	assert_non_null(strstr(text, strsignal(SIGSEGV)));
}

static void
nobody_waits_for_long(void **state)
{
	struct timespec before, after;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &before);
	children_await(1); /* never ends, and is not ours */
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000,
	    99, 10000);
}

static int
watch(void **state)
{
	struct rlimit no_core = { 0, 0 };

	(void)state;
	setrlimit(RLIMIT_CORE, &no_core);
	log_open("test", true, true);
	children_watch();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_that_ends_is_no_news),
		cmocka_unit_test(a_broken_filter_is_told_once),
		cmocka_unit_test(a_fault_of_a_helper_is_told),
		cmocka_unit_test(nobody_waits_for_long),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, watch, NULL);
}
