/*
 * genkan-ftpd: an FTP server that a super-server starts once per connection.
 *
 * Read main() from top to bottom: the client is found and greeted, and only
 * then comes what costs time: the DNS look-up in a process of its own, and the
 * two roles, session (talks) and monitor (opens).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "caps.h"
#include "client.h"
#include "conf.h"
#include "door.h"
#include "gateway_start.h"
#include "launcher.h"
#include "log.h"
#include "monitor/auth.h"
#include "monitor/children.h"
#include "monitor/monitor.h"
#include "monitor/rights.h"
#include "monitor/tls_start.h"
#include "options.h"
#include "pages.h"
#include "program.h"
#include "pwfile.h"
#include "session/names.h"
#include "session/sandbox.h"
#include "session/session.h"
#include "slots.h"
#include "start.h"

#define NOBODY 65534

/* What a login and a transfer take of the stack, in bytes. */
#define SESSION_STACK (12 << 10)
#define MONITOR_STACK (24 << 10)

/* The one answer when the client must go: the reason for it, the details for the log. */
static void
say(const struct client *client, const char *text)
{
	if (write(client->out, text, strlen(text)) == -1)
		log_debug("the client has gone before it was greeted");
}

static void
greet(const struct conf *conf, const struct client *client)
{
	char text[600];

	snprintf(text, sizeof(text), "220 %s\r\n", conf->server_ident);
	say(client, text);
}

/* The client has been greeted and cannot be served after all; the reason is in errno. */
static void __attribute__((noreturn))
give_up(const struct client *client, const char *what)
{
	int saved = errno;

	say(client, START_BROKEN_REPLY);
	errno = saved;
	fatal("%s", what);
}

/* A system user by name or number; nobody where there is no such user. */
static void
find_user(const char *name, uid_t *uid, gid_t *gid)
{
	if (pwfile_system_user(name, uid, gid) == 0 && *uid != 0 && *gid != 0)
		return;
	log_debug("there is no user %s: nobody stands in", name);
	*uid = *gid = NOBODY;
}

static int
open_transfer_log(const struct conf *conf)
{
	int fd;

	if (conf->transfer_log[0] == '\0')
		return -1;
	fd = open(conf->transfer_log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	if (fd == -1)
		log_warn("TransferLog %s", conf->transfer_log);
	return fd;
}

static struct monitor *running;

static void
on_sigterm(int sig)
{
	int saved = errno;

	(void)sig;
	monitor_stop(running);
	errno = saved;
}

/* The rest of this process's life. It has no business with the client, but to hand it on to TLS. */
static void
become_monitor(struct monitor *m, const struct sandbox *box)
{
	log_set_role("monitor");
	children_watch();
	m->session_uid = box->uid;
	m->session_gid = box->gid;
	m->empty = box->empty;
	m->holds_client = true;
	if (m->conf->tls == TLS_OFF)
		tls_forget(m);
	if (m->conf->tls_implicit && !tls_begin(m))
		return;
	running = m;
	signal(SIGTERM, on_sigterm); /* genkanctl kick, systemd */
	monitor_run(m);
}

/* Forks the session; the monitor stays in this process and returns here when all is over. */
static void
run_roles(const struct conf *conf, const struct client *client, struct monitor *m,
    const struct sandbox *box)
{
	char why[CONF_ERROR];
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		give_up(client, "socketpair");
	pid = pages_fork(MONITOR_STACK);
	if (pid == -1)
		give_up(client, "fork of the session");
	if (pid == 0) {
		pages_program();
		pages_stack(m + 1, SESSION_STACK);
		signal(SIGTERM, SIG_IGN); /* it ends with the monitor, and tells the client so */
		log_set_role("session");
		close(pair[0]);
		if (m->slots != -1)
			close(m->slots);
		if (m->hosts != -1)
			close(m->hosts);
		if (m->transfer_log != -1)
			close(m->transfer_log);
		if (m->gateway != -1)
			close(m->gateway);
		if (!names_load(conf, why))
			log_errorx("%s: names are UTF-8", why);
		sandbox_enter(box);
		session_run(conf, client, pair[1], NULL);
		_exit(0);
	}
	close(pair[1]);
	m->sock = pair[0];
	m->session = pid;
	become_monitor(m, box);
}

/* Everything behind the greeting. */
static void
serve(const struct conf *conf, struct client *client, int run_directory, struct monitor *m)
{
	struct sandbox box = { .root = geteuid() == 0, .empty = -1 };
	struct gateway_user user = { .root = box.root };
	int state = -1;
	char peer[NETADDR_TEXT];
	bool wants_gateway;

	tzset(); /* below a user's root it would be the user's zone */
	log_info("connection from %s", netaddr_text(&client->peer, peer));
	if (conf_has_outside(conf) && !client->lan)
		client->lan = start_is_lan(&conf->local_networks, &client->peer);
	wants_gateway = (conf->masquerade.kind == MASQUERADE_ASK ||
	                    conf->port_mapping != PORT_MAPPING_OFF) &&
	                !client->lan && client->peer.family == AF_INET;
	m->transfer_log = open_transfer_log(conf);
	if (wants_gateway) {
		if (box.root)
			find_user(conf->gateway_user, &user.uid, &user.gid);
		state = gateway_state(conf, &user);
	}
	if (box.root) {
		find_user(conf->session_user, &box.uid, &box.gid);
		box.empty = run_directory == -1 ? -1 : start_empty_directory(run_directory);
		if (box.empty == -1)
			give_up(client, "RunDirectory: no empty directory for the session");
		if (caps_confine(CAPS_SETUID | CAPS_SETGID | CAPS_SYS_CHROOT | CAPS_NET_BIND_SERVICE) ==
		    -1)
			give_up(client, "confining capabilities");
	} else if (caps_no_new_privs() == -1) {
		give_up(client, "no_new_privs");
	}
	if (run_directory != -1)
		close(run_directory);
	if (wants_gateway) {
		m->gateway = gateway_start(conf, &client->local, &user, state);
		if (state != -1)
			close(state);
	}
	m->root = box.root;
	if (conf->tls_implicit)
		become_monitor(m, &box);
	else
		run_roles(conf, client, m, &box);
}

/* A configuration that cannot be used: the log and the terminal get the details. */
static int
bad_configuration(const struct options *o, const char *error)
{
	struct client client;
	bool stderr_ok = true;
	int listen_fds = start_listen_fds();

	if (o->check || o->print || o->launcher.n > 0) {
		fprintf(stderr, "%s\n", error);
		return EX_CONFIG;
	}
	start_clean();
	if (start_find_client(&client, &stderr_ok, listen_fds) == START_CLIENT)
		say(&client, "421 This server is not configured correctly; its log says why.\r\n");
	log_open("genkan-ftpd", o->to_stderr, stderr_ok);
	log_errorx("%s", error);
	if (stderr_ok && log_fd() != STDERR_FILENO)
		fprintf(stderr, "%s\n", error);
	return EX_CONFIG;
}

/* genkan-ftpd-tls looks at the files and tells what is wrong with them. */
static int
check_certificates(const struct conf *conf)
{
	char name[] = TLS_PROGRAM, option[] = "-t", paths[2 * TLS_FILES][PATH_MAX];
	char *argv[2 * TLS_FILES + 3] = { name, option };
	int status;

	for (unsigned i = 0; conf_tls_file(conf->tls_certificate_file, i, paths[2 * i]) &&
	     conf_tls_key(conf, i, paths[2 * i + 1]); i++) {
		argv[2 + 2 * i] = paths[2 * i];
		argv[3 + 2 * i] = paths[2 * i + 1];
	}
	log_open("genkan-ftpd", true, true);
	status = program_run(name, argv);
	if (status == -1)
		log_errorx("TLS is on, but %s cannot be run: was it built without OpenSSL?", name);
	return status == 0 ? 0 : EX_CONFIG;
}

/* -t, -T and --listen: no client is here. Not inlined: main's stack is touched for every client. */
static int __attribute__((noinline))
without_client(struct options *o, const struct conf *conf)
{
	char advice[CONF_ADVICE][CONF_ERROR], error[CONF_ERROR];
	unsigned first, last, n;

	if (o->print) {
		conf_print(conf, stdout);
		return 0;
	}
	if (rights_check(conf, error, sizeof(error)) == -1) {
		fprintf(stderr, "%s\n", error);
		return EX_CONFIG;
	}
	start_kernel_ports(&first, &last);
	n = conf_advise(conf, first, last, advice);
	if (o->check) {
		for (unsigned i = 0; i < n; i++)
			fprintf(stderr, "warning: %s\n", advice[i]);
		if (auth_certificate_check(conf, error, sizeof(error)) == -1 ||
		    !names_load(conf, error)) {
			fprintf(stderr, "%s\n", error);
			return EX_CONFIG;
		}
		return conf->tls == TLS_OFF ? 0 : check_certificates(conf);
	}
	log_open("genkan-ftpd", o->to_stderr, true);
	log_set_level(o->debug ? LOG_DEBUG : conf->log_level);
	for (unsigned i = 0; i < n; i++)
		log_warnx("%s", advice[i]);
	if (auth_certificate_check(conf, error, sizeof(error)) == -1)
		log_warnx("%s", error); /* passwords do without it */
	o->launcher.listen_fds = start_listen_fds();
	return launcher_run(&o->launcher, conf);
}

int
main(int argc, char **argv)
{
	struct options o = { 0 };
	struct conf conf;
	struct client client;
	struct door door;
	struct monitor m = { .conf = &conf, .client = &client, .gateway = -1, .slots = -1, .slot = -1,
		.hosts = -1, .transfer_log = -1, .root_fd = -1, .empty = -1, .successor = -1,
		.state = STATE_LOGIN };
	char error[CONF_ERROR];
	bool stderr_ok;
	int listen_fds, run_directory;

	options_parse(&o, argc, argv);
	if (options_load_conf(&o, &conf, error) == -1)
		return bad_configuration(&o, error);
	if (o.check || o.print || o.launcher.n > 0)
		return without_client(&o, &conf);

	listen_fds = start_listen_fds();
	start_clean();
	switch (start_find_client(&client, &stderr_ok, listen_fds)) {
	case START_CLIENT:
		break;
	case START_GONE:
		return 0;
	case START_LISTENING:
		log_open("genkan-ftpd", o.to_stderr, stderr_ok);
		log_errorx("a listening socket was passed: write \"nowait\" in inetd.conf, Accept=yes in "
		           "a systemd socket unit, or use --listen systemd");
		return EX_CONFIG;
	}
	run_directory = start_run_directory(&conf);
	if (!door_open(&door, &conf, &client, run_directory)) {
		say(&client, door.reply);
		log_open("genkan-ftpd", o.to_stderr, stderr_ok);
		log_notice("refused a client: %s", door.reason);
		return 0;
	}
	m.slots = door.slots;
	m.slot = door.slot;
	m.hosts = door.hosts;
	m.self = door.self;
	if (!conf.tls_implicit) /* there the session greets, once it is encrypted */
		greet(&conf, &client);

	/* a terminal's keys are for its launcher; setsid(2) would cost a scheduling group, too */
	if (client.socket)
		setpgid(0, 0);
	start_clean_signals();
	log_open("genkan-ftpd", o.to_stderr, stderr_ok);
	log_set_level(o.debug ? LOG_DEBUG : conf.log_level);
	if (m.slot == -1 || m.hosts == -1)
		log_warnx("RunDirectory %s cannot be used: MaxClients, other limits and bans do not hold",
		    conf.run_directory);
	serve(&conf, &client, run_directory, &m);
	if (m.slot != -1)
		slots_release(m.slots, m.slot);
	_exit(0); /* nothing is left to clean up that would be worth a page fault */
}
