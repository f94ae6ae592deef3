/*
 * Users of the system: genkan-ftpd-auth is started for one password, by root and
 * with no capability, and asked.
 */
#include "auth.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth_request.h"
#include "conf.h"
#include "log.h"
#include "monitor.h"
#include "msg.h"
#include "program.h"

#define PROGRAM "genkan-ftpd-auth"

static enum auth
deny(struct grant *g, const char *reason)
{
	g->reason = reason;
	return AUTH_DENIED;
}

/* The child: becomes the program. The socket and standard error are all that it gets. */
static void
become_auth(const struct conf *conf, int program, int sock)
{
	static char name[] = PROGRAM, c[] = "-c", d[] = "-d", e[] = "-e", k[] = "-k", w[] = "-w";
	char *argv[8];
	unsigned n = 0;

	argv[n++] = name;
	if (conf->auth_system == AUTH_SYSTEM_PAM) {
		argv[n++] = c;
		argv[n++] = conf->auth_pam_config;
	}
	if (log_level() >= LOG_DEBUG)
		argv[n++] = d;
	if (log_fd() == STDERR_FILENO)
		argv[n++] = e;
	if (conf->pam_session)
		argv[n++] = k;
	if (conf->wtmp_log)
		argv[n++] = w;
	argv[n] = NULL;
	if (dup2(sock, STDIN_FILENO) == -1)
		_exit(EX_OSERR);
	signal(SIGCHLD, SIG_DFL);
	fexecve(program, argv, environ);
	_exit(EX_OSERR);
}

/* By vfork(2): the child changes nothing that is read here. */
static pid_t __attribute__((noinline))
execute(const struct conf *conf, int program, int sock)
{
	pid_t pid = vfork();

	if (pid == 0)
		become_auth(conf, program, sock);
	return pid;
}

/* Starts it; m->keeper is our end of the socket. 0, or -1 after logging why. */
static int
start(struct monitor *m)
{
	int program = program_open(PROGRAM), pair[2];
	pid_t pid;

	if (program == -1)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		log_warn("socketpair to " PROGRAM);
		close(program);
		return -1;
	}
	if ((pid = execute(m->conf, program, pair[1])) == -1)
		log_warn("fork of " PROGRAM);
	close(program);
	close(pair[1]);
	if (pid == -1) {
		close(pair[0]);
		return -1;
	}
	m->keeper = pair[0];
	return 0;
}

void
auth_system_end(struct monitor *m)
{
	if (m->keeper != -1)
		close(m->keeper);
	m->keeper = -1;
}

static int
ask(struct monitor *m, const struct req_login *r, bool certified, struct auth_verdict *v)
{
	struct auth_question q = { .certified = certified };
	uint32_t type;
	int sent;

	(void)strlcpy(q.user, r->user, sizeof(q.user));
	(void)strlcpy(q.password, r->password, sizeof(q.password));
	netaddr_text(&m->client->peer, q.rhost);
	sent = msg_send(m->keeper, AUTH_CHECK, &q, sizeof(q), -1);
	explicit_bzero(&q, sizeof(q));
	if (sent == -1 || !monitor_wait(m, m->keeper))
		return -1;
	if (msg_recv(m->keeper, &type, v, sizeof(*v), NULL) != sizeof(*v) || type != AUTH_CHECK ||
	    v->outcome > AUTH_EXPIRED || v->groups.n > GROUPS_MAX ||
	    memchr(v->reason, '\0', sizeof(v->reason)) == NULL ||
	    memchr(v->groups.names, '\0', sizeof(v->groups.names)) == NULL ||
	    memchr(v->home, '\0', sizeof(v->home)) == NULL ||
	    memchr(v->shell, '\0', sizeof(v->shell)) == NULL) {
		errno = EPROTO;
		return -1;
	}
	return 0;
}

/* What it said of a user whose password is right. */
static enum auth
accept_verdict(const struct conf *conf, const struct auth_verdict *v, struct grant *g)
{
	if (v->uid == 0 || v->gid == 0)
		return deny(g, "root");
	if (v->uid < conf->min_uid)
		return deny(g, "low-uid");
	if (v->home[0] != '/')
		return deny(g, "no-home");
	g->uid = v->uid;
	g->gid = v->gid;
	g->groups = v->groups;
	g->system = true;
	g->expired = v->outcome == AUTH_EXPIRED;
	(void)strlcpy(g->home, v->home, sizeof(g->home));
	(void)strlcpy(g->shell, v->shell, sizeof(g->shell));
	(void)strlcpy(g->word, v->reason, sizeof(g->word));
	g->reason = g->word;
	return AUTH_GRANTED;
}

enum auth
auth_system(struct monitor *m, const struct req_login *r, struct grant *g)
{
	struct auth_verdict v;
	enum auth result;

	if (m->conf->auth_system == AUTH_SYSTEM_OFF)
		return AUTH_PASS_ON;
	if (!m->root) {
		log_warnx("AuthSystem needs a start as root: users of the system are refused");
		return deny(g, "no-root");
	}
	auth_system_end(m);
	if (start(m) == -1 || ask(m, r, g->certified, &v) == -1) {
		log_warn(PROGRAM " gives no verdict");
		auth_system_end(m);
		return deny(g, "no-verdict");
	}
	if (v.outcome == AUTH_WRONG) {
		(void)strlcpy(g->word, v.reason, sizeof(g->word));
		result = deny(g, g->word);
	} else {
		result = accept_verdict(m->conf, &v, g);
	}
	explicit_bzero(&v, sizeof(v));
	if (result != AUTH_GRANTED || g->expired || !(m->conf->pam_session || m->conf->wtmp_log))
		auth_system_end(m);
	return result;
}

int
auth_system_keep(struct monitor *m)
{
	struct auth_opened opened;
	uint32_t type;

	if (m->keeper == -1)
		return 0;
	if (msg_send(m->keeper, AUTH_OPEN, NULL, 0, -1) == 0 && monitor_wait(m, m->keeper) &&
	    msg_recv(m->keeper, &type, &opened, sizeof(opened), NULL) == sizeof(opened) &&
	    type == AUTH_OPEN && opened.error == 0)
		return 0;
	auth_system_end(m);
	return -1;
}
