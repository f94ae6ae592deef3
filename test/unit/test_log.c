/*
 * The log, to stderr and to a /dev/log of the test's own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

/* What a child wrote to stderr, and how it ended. */
struct outcome {
	char text[65536];
	int status;
	pid_t pid;
};

/* Runs act in a child whose stderr is a pipe (big enough for all that is written). */
static struct outcome *
run(void (*act)(void))
{
	static struct outcome o;
	size_t len = 0;
	ssize_t n;
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	fflush(NULL);
	assert_int_not_equal(o.pid = fork(), -1);
	if (o.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (dup2(p[1], 2) == -1)
			_exit(255);
		act();
		_exit(0);
	}
	close(p[1]);
	while ((n = read(p[0], o.text + len, sizeof(o.text) - 1 - len)) > 0)
		len += (size_t)n;
	o.text[len] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(o.pid, &o.status, 0), o.pid);
	return &o;
}

static void
assert_matches(const char *text, const char *pattern)
{
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&re, text, 0, NULL, 0) != 0)
		fail_msg("\"%s\" is not \"%s\"", text, pattern);
	regfree(&re);
}

static void
assert_wrote(const struct outcome *o, const char *role_and_text)
{
	char want[512];

	snprintf(want, sizeof(want), "genkan-ftpd[%d]%s\n", (int)o->pid, role_and_text);
	assert_string_equal(o->text, want);
}

static void
act_info(void)
{
	log_open("genkan-ftpd", true, false);
	log_info("hello %d", 42);
}

static void
stderr_line_has_ident_and_pid(void **state)
{
	(void)state;
	assert_wrote(run(act_info), ": hello 42");
}

static void
act_role(void)
{
	log_open("genkan-ftpd", true, false);
	log_set_role("monitor");
	log_notice("hello");
}

static void
stderr_line_shows_the_role(void **state)
{
	(void)state;
	assert_wrote(run(act_role), " monitor: hello");
}

static void
act_fork(void)
{
	log_open("genkan-ftpd", true, false);
	if (fork() == 0) {
		log_info("child %d", (int)getpid());
		_exit(0);
	}
	wait(NULL);
}

static void
pid_is_that_of_the_forked_process(void **state)
{
	struct outcome *o = run(act_fork);
	int front, text;

	(void)state;
	assert_int_equal(sscanf(o->text, "genkan-ftpd[%d]: child %d", &front, &text), 2);
	assert_int_equal(front, text);
	assert_int_not_equal(front, o->pid);
}

static void
act_levels(void)
{
	log_open("g", true, false);
	log_debug("debug");
	log_info("info");
	log_notice("notice");
	log_warnx("warn");
	log_errorx("error");
}

static void
act_levels_warning(void)
{
	log_set_level(LOG_WARNING);
	act_levels();
}

static void
act_levels_error(void)
{
	log_set_level(LOG_ERR);
	act_levels();
}

static void
act_levels_debug(void)
{
	log_set_level(LOG_DEBUG);
	act_levels();
}

/* The texts of the lines, behind their fronts, each with a blank after it. */
static const char *
texts(char *lines)
{
	static char out[256];
	char *line, *end;

	out[0] = '\0';
	for (line = strtok_r(lines, "\n", &end); line; line = strtok_r(NULL, "\n", &end)) {
		assert_non_null(line = strstr(line, ": "));
		(void)strlcat(out, line + 2, sizeof(out));
		(void)strlcat(out, " ", sizeof(out));
	}
	return out;
}

static void
lines_above_the_level_are_dropped(void **state)
{
	(void)state;
	assert_string_equal(texts(run(act_levels)->text), "info notice warn error ");
	assert_string_equal(texts(run(act_levels_warning)->text), "warn error ");
	assert_string_equal(texts(run(act_levels_error)->text), "error ");
	assert_string_equal(texts(run(act_levels_debug)->text), "debug info notice warn error ");
}

static void
level_can_be_asked_for(void **state)
{
	int before = log_level();

	(void)state;
	assert_int_equal(before, LOG_INFO);
	log_set_level(LOG_DEBUG);
	assert_int_equal(log_level(), LOG_DEBUG);
	log_set_level(before);
}

static void
act_errno(void)
{
	log_open("g", true, false);
	errno = ENOENT;
	log_warn("open %s", "x");
	if (errno == ENOENT)
		log_error("again");
	errno = ENOENT;
	log_warnx("plain");
	if (errno == ENOENT)
		log_info("kept");
}

static void
errno_is_told_and_kept(void **state)
{
	(void)state;
	assert_matches(run(act_errno)->text,
	    "^[^\n]*: open x: No such file or directory\n"
	    "[^\n]*: again: No such file or directory\n"
	    "[^\n]*: plain\n"
	    "[^\n]*: kept\n$");
}

static void
act_errno_of_the_log(void)
{
	log_open("g", true, false);
	close(2);
	errno = ENOENT;
	log_info("nobody reads this");
	if (errno != ENOENT)
		_exit(1);
}

static void
errno_of_the_log_itself_is_not_seen(void **state)
{
	(void)state;
	assert_int_equal(run(act_errno_of_the_log)->status, 0);
}

static void
act_control(void)
{
	log_open("genkan-ftpd", true, false);
	log_info("a\nb\rc\033[2Jd\te\177f\001g %s %s", "\xc3\xa4\xff", "%n%s\n");
}

static void
control_bytes_become_question_marks(void **state)
{
	(void)state;
	assert_wrote(run(act_control), ": a?b?c?[2Jd?e?f?g \xc3\xa4\xff %n%s?");
}

static void
act_long(void)
{
	static char text[20000];

	memset(text, 'x', sizeof(text) - 1);
	log_open("g", true, false);
	log_info("%s", text);
	errno = ENOENT;
	log_warn("%s", text);
}

static void
long_lines_are_cut_and_stay_lines(void **state)
{
	struct outcome *o = run(act_long);
	char *first = o->text, *second = strchr(first, '\n');

	(void)state;
	assert_non_null(second);
	assert_in_range(second - first, 8000, 8192);
	assert_memory_equal(second - 6, "xxx...", 6);
	second++;
	assert_in_range(strlen(second), 8000, 8192);
	assert_string_equal(second + strlen(second) - 4, "...\n");
}

static void
act_fatal(void)
{
	log_open("g", true, false);
	errno = ENOMEM;
	fatal("fork");
}

static void
act_fatalx(void)
{
	log_open("g", true, false);
	fatalx("request %d", 99);
}

static void
fatal_ends_the_process_with_its_exit_code(void **state)
{
	struct outcome *o = run(act_fatal);

	(void)state;
	assert_matches(o->text, ": fork: Cannot allocate memory\n$");
	assert_true(WIFEXITED(o->status));
	assert_int_equal(WEXITSTATUS(o->status), 71);
	o = run(act_fatalx);
	assert_matches(o->text, ": request 99\n$");
	assert_true(WIFEXITED(o->status));
	assert_int_equal(WEXITSTATUS(o->status), 70);
}

/* A root directory with nothing but dev/log in it. */
static char root[32];
static int syslogd = -1;

static int
make_root(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char path[64];

	(void)state;
	(void)strlcpy(root, "/tmp/test_log.XXXXXX", sizeof(root));
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/dev", root);
	if (mkdir(path, 0755) == -1)
		return -1;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/dev/log", root);
	syslogd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return bind(syslogd, (struct sockaddr *)&sa, sizeof(sa));
}

static void
remove_log_socket(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/dev/log", root);
	unlink(path);
}

static int
remove_root(void **state)
{
	char path[64];

	(void)state;
	close(syslogd);
	remove_log_socket();
	snprintf(path, sizeof(path), "%s/dev", root);
	rmdir(path);
	return rmdir(root);
}

/* Into the root of this test; a user who is not root needs a namespace for it. */
static void
enter_root(void)
{
	if (geteuid() != 0 && unshare(CLONE_NEWUSER) == -1)
		_exit(77);
	if (chroot(root) == -1 || chdir("/") == -1)
		_exit(77);
}

/* Runs act in a child that sees the root; skips the test if that is not possible. */
static struct outcome *
run_in_root(void (*act)(void))
{
	struct outcome *o = run(act);

	if (WIFEXITED(o->status) && WEXITSTATUS(o->status) == 77)
		skip();
	assert_int_equal(o->status, 0);
	return o;
}

/* The next packet that came to the log, or "" if there is none. */
static const char *
next_packet(void)
{
	static char buf[65536];
	ssize_t n = recv(syslogd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	buf[n == -1 ? 0 : n] = '\0';
	return buf;
}

static void
act_syslog(void)
{
	enter_root();
	log_open("genkan-ftpd", false, true);
	log_set_role("session");
	log_info("hello\n%d", 42);
	errno = ENOENT;
	log_warn("open");
	log_errorx("bad");
}

static void
syslog_packets_have_the_form_of_rfc_3164(void **state)
{
	struct outcome *o;
	char want[256];

	(void)state;
	o = run_in_root(act_syslog);
	/* facility ftp is 11: 11 * 8 + 6 = 94 */
	snprintf(want, sizeof(want),
	    "^<94>[A-Z][a-z][a-z] [ 1-3][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} "
	    "genkan-ftpd\\[%d\\]: hello\\?42$",
	    (int)o->pid);
	assert_matches(next_packet(), want);
	assert_matches(next_packet(), "^<92>.*: open: No such file or directory$");
	assert_matches(next_packet(), "^<91>.*: bad$");
	assert_string_equal(next_packet(), "");
	assert_string_equal(o->text, "");
}

static void
act_low_numbers(void)
{
	int fd;

	enter_root();
	close(0);
	log_open("g", false, true);
	fd = log_fd();
	if (fd <= 2 || (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0 || fcntl(0, F_GETFD) != -1)
		_exit(1);
}

static void
syslog_socket_keeps_off_the_standard_descriptors(void **state)
{
	(void)state;
	run_in_root(act_low_numbers);
}

static void
act_flood(void)
{
	int i;

	enter_root();
	log_open("g", false, true);
	alarm(60);
	for (i = 0; i < 2000; i++)
		log_info("line %d", i);
}

static void
full_syslog_never_blocks(void **state)
{
	(void)state;
	run_in_root(act_flood);
	assert_matches(next_packet(), ": line 0$");
}

static void
act_after_syslogd_has_gone(void)
{
	enter_root();
	log_open("g", false, true);
	signal(SIGPIPE, SIG_DFL);
	log_info("lost");
}

static void
syslogd_that_has_gone_costs_the_line_only(void **state)
{
	(void)state;
	shutdown(syslogd, SHUT_RD);
	run_in_root(act_after_syslogd_has_gone);
}

static void
act_no_syslog(void)
{
	enter_root();
	log_open("genkan-ftpd", false, true);
	if (log_fd() != 2)
		_exit(1);
	log_info("here");
}

static void
without_dev_log_stderr_is_taken_if_it_may(void **state)
{
	(void)state;
	remove_log_socket();
	assert_wrote(run_in_root(act_no_syslog), ": here");
}

static void
act_nowhere(void)
{
	enter_root();
	log_open("genkan-ftpd", false, false);
	if (log_fd() != -1)
		_exit(1);
	log_info("here");
	log_errorx("and there");
}

static void
without_dev_log_the_clients_stderr_stays_clean(void **state)
{
	(void)state;
	remove_log_socket();
	assert_string_equal(run_in_root(act_nowhere)->text, "");
}

static void
act_unopened(void)
{
	log_errorx("too early");
	if (log_fd() != -1)
		_exit(1);
}

static void
unopened_log_writes_nowhere(void **state)
{
	struct outcome *o = run(act_unopened);

	(void)state;
	assert_int_equal(o->status, 0);
	assert_string_equal(o->text, "");
}

#define TEST_IN_ROOT(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stderr_line_has_ident_and_pid),
		cmocka_unit_test(stderr_line_shows_the_role),
		cmocka_unit_test(pid_is_that_of_the_forked_process),
		cmocka_unit_test(lines_above_the_level_are_dropped),
		cmocka_unit_test(level_can_be_asked_for),
		cmocka_unit_test(errno_is_told_and_kept),
		cmocka_unit_test(errno_of_the_log_itself_is_not_seen),
		cmocka_unit_test(control_bytes_become_question_marks),
		cmocka_unit_test(long_lines_are_cut_and_stay_lines),
		cmocka_unit_test(fatal_ends_the_process_with_its_exit_code),
		cmocka_unit_test(unopened_log_writes_nowhere),
		TEST_IN_ROOT(syslog_packets_have_the_form_of_rfc_3164),
		TEST_IN_ROOT(syslog_socket_keeps_off_the_standard_descriptors),
		TEST_IN_ROOT(full_syslog_never_blocks),
		TEST_IN_ROOT(syslogd_that_has_gone_costs_the_line_only),
		TEST_IN_ROOT(without_dev_log_stderr_is_taken_if_it_may),
		TEST_IN_ROOT(without_dev_log_the_clients_stderr_stays_clean),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
