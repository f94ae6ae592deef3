/*
 * The start of genkan-ftpd-gateway.
 */
#include "gateway_start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "caps.h"
#include "log.h"
#include "program.h"
#include "start.h"

#define PROGRAM "genkan-ftpd-gateway"

/*
 * What it has of each second of MasqueradeTimeout, in milliseconds. The rest is for its start and for
 * the way of its answer, which take their time on a busy machine: an answer that comes too late is
 * none, also where it is the last known address.
 */
#define OF_A_SECOND 800

/* The descriptor that is its state directory. */
#define STATE_FD 3

/* Options with their values, the sources, NULL. */
#define ARGUMENTS_MAX 64

struct arguments {
	int n;
	char *v[ARGUMENTS_MAX];
};

int
gateway_state(const struct conf *conf, const struct gateway_user *user)
{
	const char *path = conf->state_directory;
	struct stat st;
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int dir, fd = -1;

	if (path[0] == '\0')
		return -1;
	/* O_PATH: root without capabilities may not look into the directory of another */
	dir = start_own_directory(path, user->root ? 0755 : 0700);
	if (dir != -1 && (mkdirat(dir, "gateway", 0700) == 0 || errno == EEXIST))
		fd = openat(dir, "gateway", flags);
	/* GatewayUser may have changed since it was made */
	if (fd != -1 && (fstat(fd, &st) == -1 ||
	    (user->root && st.st_uid != user->uid &&
	        fchownat(fd, "", user->uid, user->gid, AT_EMPTY_PATH) == -1))) {
		int saved = errno;

		close(fd);
		fd = -1;
		errno = saved;
	}
	if (fd == -1)
		log_warn("StateDirectory %s: the last known address is not kept there. It must be "
		         "writable for root, who needs CAP_CHOWN to give its part to GatewayUser", path);
	if (dir != -1)
		close(dir);
	return fd;
}

static void
argument(struct arguments *a, char *text)
{
	if (a->n < ARGUMENTS_MAX - 1)
		a->v[a->n++] = text;
}

/* The words of a list, each behind the option if there is one. Cuts the list up. */
static void
argument_list(struct arguments *a, char *option, char *list)
{
	char *word;

	while ((word = strsep(&list, " ")) != NULL) {
		if (*word == '\0')
			continue;
		if (option != NULL)
			argument(a, option);
		argument(a, word);
	}
}

/* The child: becomes the gateway. It may cut up sources and resolvers. */
static void
become_gateway(const struct conf *conf, char *sources, char *resolvers, const struct netaddr *local,
    const struct gateway_user *user, int state, int program, int sock)
{
	char name[] = PROGRAM, t[] = "-t", r[] = "-r", s[] = "-s", a[] = "-a", m[] = "-m", l[] = "-l",
	     end[] = "--";
	char timeout[16], age[16], fd[16], method[16], to[NETADDR_TEXT];
	struct arguments args = { .n = 0 };

	snprintf(timeout, sizeof(timeout), "%u", conf->masquerade_timeout * OF_A_SECOND);
	snprintf(age, sizeof(age), "%u", conf->masquerade_cache_age);
	snprintf(fd, sizeof(fd), "%d", STATE_FD);
	argument(&args, name);
	argument(&args, t);
	argument(&args, timeout);
	if (state != -1 && conf->masquerade_cache_age > 0) {
		argument(&args, s);
		argument(&args, fd);
		argument(&args, a);
		argument(&args, age);
	}
	if (conf->port_mapping != PORT_MAPPING_OFF) {
		(void)strlcpy(method, conf_port_mapping(conf->port_mapping), sizeof(method));
		netaddr_text(local, to);
		argument(&args, m);
		argument(&args, method);
		argument(&args, l);
		argument(&args, to);
	}
	argument_list(&args, r, resolvers);
	argument(&args, end);
	if (conf->masquerade.kind == MASQUERADE_ASK)
		argument_list(&args, NULL, sources);

	if (user->root && (caps_become(user->uid, user->gid, NULL, 0) == -1 || caps_keep(0) == -1))
		_exit(EX_OSERR);
	/* standard error is the log's; what else was descriptor 3 is no business of this child */
	if (dup2(sock, 0) == -1 || dup2(sock, 1) == -1 ||
	    (state != -1 && state != STATE_FD && dup2(state, STATE_FD) == -1))
		_exit(EX_OSERR);
	if (state == STATE_FD)
		(void)fcntl(STATE_FD, F_SETFD, 0);
	fexecve(program, args.v, environ);
	_exit(EX_OSERR);
}

/* By vfork(2): the child changes nothing that is read here. */
static pid_t __attribute__((noinline))
execute(const struct conf *conf, const struct netaddr *local, const struct gateway_user *user,
    int state, int program, int sock)
{
	char *sources = strdup(conf->masquerade.kind == MASQUERADE_ASK ? conf->masquerade.name : "");
	char *resolvers = strdup(conf->masquerade_resolver);
	pid_t pid = -1;

	if (sources != NULL && resolvers != NULL && (pid = vfork()) == 0)
		become_gateway(conf, sources, resolvers, local, user, state, program, sock);
	free(resolvers);
	free(sources);
	return pid;
}

int
gateway_start(const struct conf *conf, const struct netaddr *local,
    const struct gateway_user *user, int state)
{
	int program = program_open(PROGRAM), pair[2];

	if (program == -1)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) {
		log_warn("socketpair to the gateway");
		close(program);
		return -1;
	}
	if (execute(conf, local, user, state, program, pair[1]) == -1)
		log_warn("fork of the gateway");
	close(program);
	close(pair[1]);
	return pair[0];
}
