/*
 * genkan-ftpd-auth: one question, one verdict; then, as the keeper, the end of
 * the connection.
 */
#include "auth.h"

#include <errno.h>
#include <getopt.h>
#include <paths.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>
#include <utmpx.h>

#include "log.h"
#include "msg.h"
#include "pwfile.h"

/* Modules that hang must not be left behind for ever; the monitor is gone by then. */
#define PATIENCE 120

struct arguments {
	struct auth_options auth;
	bool to_stderr, debug;
	const char *user, *rhost; /* by hand */
};

void
auth_decide(struct auth_verdict *v, enum auth_outcome outcome, const char *reason)
{
	v->outcome = outcome;
	(void)strlcpy(v->reason, reason, sizeof(v->reason));
}

static void
usage(int status)
{
	fprintf(status == 0 ? stdout : stderr,
	    "usage: genkan-ftpd-auth [-dehkVw] [-c service] [-r host] [-u user]\n"
	    "Checks a password of a user of the system for genkan-ftpd(8).\n"
	    "  -c service  ask PAM, by the rules of this service; otherwise the shadow file\n"
	    "  -d          log more\n"
	    "  -e          log to standard error\n"
	    "  -k          open a PAM session and keep it until the connection ends\n"
	    "  -r host     with -u: where the user comes from\n"
	    "  -u user     by hand: the password is a line of standard input\n"
	    "  -w          record login and end in wtmp\n");
	exit(status);
}

static void
read_arguments(struct arguments *a, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:dehkr:u:Vw", longs, NULL)) != -1)
		switch (c) {
		case 'c':
			a->auth.service = optarg;
			break;
		case 'd':
			a->debug = true;
			break;
		case 'e':
			a->to_stderr = true;
			break;
		case 'h':
			usage(0);
			break;
		case 'k':
			a->auth.session = true;
			break;
		case 'r':
			a->rhost = optarg;
			break;
		case 'u':
			a->user = optarg;
			break;
		case 'V':
			puts("genkan-ftpd-auth " PACKAGE_VERSION);
			exit(0);
		case 'w':
			a->auth.wtmp = true;
			break;
		default:
			usage(EX_USAGE);
		}
	if (optind != argc || (a->auth.session && a->auth.service == NULL) ||
	    (a->rhost != NULL && a->user == NULL))
		usage(EX_USAGE);
}

static void
check(const struct auth_options *o, struct auth_question *q, struct auth_verdict *v)
{
	memset(v, 0, sizeof(*v));
	auth_decide(v, AUTH_WRONG, "unknown-user");
	/* no module has to cope with names and passwords that nobody has */
	if (q->password[0] == '\0' && !q->certified)
		auth_decide(v, AUTH_WRONG, "empty-password");
	else if (pwfile_name_ok(q->user) && o->service != NULL)
		pam_check(o->service, q, v);
	else if (pwfile_name_ok(q->user))
		shadow_check(q, v);
	explicit_bzero(q->password, sizeof(q->password));
}

/* A field of utmp(5), which has no end where it is full. */
static void
fill(char *field, size_t size, const char *text)
{
	size_t len = strlen(text);

	memcpy(field, text, len < size ? len : size);
}

/* wtmp(5): a line when it begins and one when it ends. */
static void
record(const struct auth_question *q, short type)
{
	struct utmpx u = { .ut_type = type, .ut_pid = getpid() };
	struct timeval now;

	gettimeofday(&now, NULL);
	u.ut_tv.tv_sec = (int32_t)now.tv_sec;
	u.ut_tv.tv_usec = (int32_t)now.tv_usec;
	(void)snprintf(u.ut_line, sizeof(u.ut_line), "ftp%d", (int)getpid());
	if (type == USER_PROCESS) {
		fill(u.ut_user, sizeof(u.ut_user), q->user);
		fill(u.ut_host, sizeof(u.ut_host), q->rhost);
	}
	updwtmpx(_PATH_WTMP, &u);
}

/* The session is opened, and closed when the connection is over, whoever was killed. */
static void
keep(const struct auth_options *o, const struct auth_question *q)
{
	struct auth_opened answer = { .error = 0 };
	uint32_t type;

	if (o->session && pam_begin_session() == -1)
		answer.error = EACCES;
	else if (o->wtmp)
		record(q, USER_PROCESS);
	if (msg_send(STDIN_FILENO, AUTH_OPEN, &answer, sizeof(answer), -1) == 0 &&
	    answer.error == 0) {
		alarm(0);
		/* nothing comes but the end */
		while (msg_recv(STDIN_FILENO, &type, NULL, 0, NULL) >= 0)
			continue;
		alarm(PATIENCE);
	}
	if (o->wtmp && answer.error == 0)
		record(q, DEAD_PROCESS);
	pam_finish_session();
}

static int
serve(const struct auth_options *o)
{
	static struct auth_question q;
	static struct auth_verdict v;
	uint32_t type;

	if (msg_recv(STDIN_FILENO, &type, &q, sizeof(q), NULL) != sizeof(q) || type != AUTH_CHECK ||
	    memchr(q.user, '\0', sizeof(q.user)) == NULL ||
	    memchr(q.password, '\0', sizeof(q.password)) == NULL ||
	    memchr(q.rhost, '\0', sizeof(q.rhost)) == NULL) {
		log_warnx("no question came: genkan-ftpd(8) starts this program");
		return EX_PROTOCOL;
	}
	check(o, &q, &v);
	if (msg_send(STDIN_FILENO, AUTH_CHECK, &v, sizeof(v), -1) == -1)
		log_debug("the connection has ended before the verdict");
	else if (v.outcome == AUTH_RIGHT && (o->session || o->wtmp) &&
	    msg_recv(STDIN_FILENO, &type, NULL, 0, NULL) == 0 && type == AUTH_OPEN)
		keep(o, &q);
	pam_forget();
	return 0;
}

/* -u: says on standard output what the monitor would be told. */
static int
by_hand(const struct arguments *a)
{
	static struct auth_question q;
	static struct auth_verdict v;
	unsigned i;

	if (strlcpy(q.user, a->user, sizeof(q.user)) >= sizeof(q.user) ||
	    strlcpy(q.rhost, a->rhost != NULL ? a->rhost : "localhost", sizeof(q.rhost)) >=
		sizeof(q.rhost) ||
	    fgets(q.password, sizeof(q.password), stdin) == NULL)
		usage(EX_USAGE);
	q.password[strcspn(q.password, "\n")] = '\0';
	check(&a->auth, &q, &v);
	pam_forget();
	if (v.outcome == AUTH_WRONG) {
		printf("refused: %s\n", v.reason);
		return 1;
	}
	printf("%s uid=%u gid=%u groups=", v.outcome == AUTH_RIGHT ? "granted" : v.reason,
	    (unsigned)v.uid, (unsigned)v.gid);
	for (i = 0; i < v.groups.n; i++)
		printf("%s%u", i > 0 ? "," : "", (unsigned)v.groups.gid[i]);
	printf(" names=%s home=%s shell=%s\n", v.groups.names, v.home, v.shell);
	return v.outcome == AUTH_RIGHT ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct arguments a = { .to_stderr = false };

	read_arguments(&a, argc, argv);
	closefrom(STDERR_FILENO + 1);
	clearenv();
	if (setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) == -1)
		return EX_OSERR;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* modules start programs and wait for them */
	setsid();                 /* signals for the group of the others are not for the keeper */
	log_open("genkan-ftpd-auth", a.to_stderr || a.user != NULL, true);
	log_set_level(a.debug ? LOG_DEBUG : LOG_INFO);
	walls_enter();
	alarm(PATIENCE);
	return a.user != NULL ? by_hand(&a) : serve(&a.auth);
}
