/*
 * The house and the session that is no friend of it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "hostile.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "caps.h"
#include "hosts.h"
#include "log.h"
#include "msg.h"
#include "slots.h"

/* Anybody but root: what the user becomes where the test has the power. */
#define NOBODY 65534

/* Cheap on purpose. */
#define SETTING "$5$rounds=1000$genkan"

int64_t
house_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
house_conf(struct house *h, const char *line)
{
	char error[CONF_ERROR];

	if (conf_set(&h->conf, "test", line, error) == -1)
		fail_msg("%s", error);
}

void
house_user(struct house *h, const char *name, const char *hash, unsigned uid, const char *home)
{
	FILE *file = fopen(h->file, "a");

	assert_non_null(file);
	if (hash == NULL)
		hash = crypt(HOUSE_PASSWORD, SETTING);
	fprintf(file, "%s:%s:%u:%u::%s:/bin/false\n", name, hash, uid, uid, home);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(h->file, 0600), 0);
}

void
house_make(struct house *h, const char *name, const char *text)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", h->base, name);
	if (text == NULL) {
		assert_int_equal(mkdir(path, 0755), 0);
	} else {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		assert_int_not_equal(fd, -1);
		assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
		close(fd);
	}
	if (geteuid() == 0)
		assert_int_equal(chown(path, NOBODY, NOBODY), 0);
}

int
house_setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	char line[128];

	if (h == NULL)
		return -1;
	*state = h;
	h->sock = h->gateway = h->not_its = h->transfer_log = -1;
	(void)strlcpy(h->base, "/tmp/test_monitor.XXXXXX", sizeof(h->base));
	if (mkdtemp(h->base) == NULL || chmod(h->base, 0755) == -1)
		return -1;
	(void)snprintf(h->home, sizeof(h->home), "%s/home", h->base);
	(void)snprintf(h->file, sizeof(h->file), "%s/passwd", h->base);
	(void)snprintf(h->log, sizeof(h->log), "%s/log", h->base);
	conf_init(&h->conf);
	(void)snprintf(line, sizeof(line), "AuthUserFile %s", h->file);
	house_conf(h, line);
	house_make(h, "home", NULL);
	house_user(h, HOUSE_USER, NULL, NOBODY, h->home);
	h->client.in = h->client.out = -1;
	h->client.lan = true;
	netaddr_parse("127.0.0.1", &h->client.peer);
	h->client.peer.port = 50000;
	netaddr_parse("127.0.0.1", &h->client.local);
	h->client.local.port = 2121;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
house_teardown(void **state)
{
	struct house *h = *state;

	if (h->sock != -1)
		close(h->sock);
	if (h->pid > 0) {
		kill(h->pid, SIGKILL);
		waitpid(h->pid, NULL, 0);
	}
	if (h->gateway != -1)
		close(h->gateway);
	if (h->transfer_log != -1)
		close(h->transfer_log);
	conf_free(&h->conf);
	nftw(h->base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(h);
	return 0;
}

/* As main() does it. */
static void
open_counts(struct house *h, struct monitor *m)
{
	struct slots_limits limits = { .total = SLOTS_MAX };
	int dir = open(h->base, O_PATH | O_DIRECTORY | O_CLOEXEC);

	m->self = (struct slot){ .pid = getpid(), .began = 1, .peer = h->client.peer, .size = -1 };
	m->hosts = hosts_open(dir);
	m->slots = slots_open(dir);
	m->slot = slots_claim(m->slots, limits, &m->self);
	if (m->hosts == -1 || m->slot == -1)
		fatal("slots and hosts");
	close(dir);
}

static void
run_monitor(struct house *h, int sock)
{
	struct monitor m = {
		.conf = &h->conf,
		.client = &h->client,
		.sock = sock,
		.gateway = h->gateway,
		.slots = -1,
		.slot = -1,
		.hosts = -1,
		.transfer_log = h->transfer_log,
		.root = h->root,
		.tls = h->tls,
	};
	int fd = open(h->log, O_WRONLY | O_CREAT | O_APPEND, 0644);

	dup2(fd, STDERR_FILENO);
	close(fd);
	if (h->not_its != -1)
		close(h->not_its);
	alarm(HOUSE_SECONDS);
	signal(SIGPIPE, SIG_IGN);
	log_open("test", true, true);
	log_set_level(LOG_DEBUG);
	if (h->counted)
		open_counts(h, &m);
	if (h->root &&
	    caps_confine(CAPS_SETUID | CAPS_SETGID | CAPS_SYS_CHROOT | CAPS_NET_BIND_SERVICE) == -1)
		fatal("caps_confine");
	if (h->before != NULL)
		h->before();
	monitor_run(&m);
	/* as another user the leak checker of sanitizers cannot look at this process */
	if (h->root)
		_exit(0);
	exit(0);
}

void
house_start(struct house *h)
{
	struct timeval patience = { .tv_sec = HOUSE_SECONDS };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(
	    setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	h->pid = fork();
	assert_int_not_equal(h->pid, -1);
	if (h->pid == 0) {
		close(pair[1]);
		run_monitor(h, pair[0]);
	}
	close(pair[0]);
	h->sock = pair[1];
}

int
house_ask(struct house *h, uint32_t type, const void *req, size_t size, void *ans, size_t ans_size,
    int *fd)
{
	union any_answer any;
	uint32_t got = 0;
	int came = -1;
	ssize_t n;

	if (msg_send(h->sock, type, req, size, -1) == -1)
		return -1;
	if ((n = msg_recv(h->sock, &got, &any, sizeof(any), &came)) == -1) {
		/* not EAGAIN: a monitor that is silent is not one that has gone */
		assert_int_equal(errno, ECONNRESET);
		return -1;
	}
	assert_int_equal(got, type);
	assert_int_equal(n, ans_size);
	memcpy(ans, &any, ans_size);
	if (fd != NULL)
		*fd = came;
	else
		assert_int_equal(came, -1);
	return any.plain.error;
}

int
house_ask_login(
    struct house *h, const char *user, const char *password, struct ans_login *ans, int *fd)
{
	struct req_login req = { 0 };
	struct ans_login mine;

	(void)strlcpy(req.user, user, sizeof(req.user));
	(void)strlcpy(req.password, password, sizeof(req.password));
	return house_ask(
	    h, REQ_LOGIN, &req, sizeof(req), ans == NULL ? &mine : ans, sizeof(mine), fd);
}

void
house_login(struct house *h)
{
	house_start(h);
	assert_int_equal(house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, NULL, NULL), 0);
}

int
house_ask_path(struct house *h, uint32_t type, const char *path)
{
	struct req_path req = { 0 };
	struct answer ans;

	(void)strlcpy(req.path, path, sizeof(req.path));
	return house_ask(h, type, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

int
house_open(struct house *h, enum open_mode mode, const char *path, int64_t restart)
{
	struct req_open req = { .mode = mode, .permissions = 0644, .restart = restart };
	struct ans_open ans;
	int fd = -1, error;

	(void)strlcpy(req.path, path, sizeof(req.path));
	error = house_ask(h, REQ_OPEN, &req, sizeof(req), &ans, sizeof(ans), &fd);
	assert_int_equal(error == 0, fd != -1);
	errno = error;
	return fd;
}

void
house_end(struct house *h)
{
	int status;

	close(h->sock);
	h->sock = -1;
	assert_int_equal(wait4(h->pid, &status, 0, &h->usage), h->pid);
	h->pid = 0;
	if (WIFSIGNALED(status))
		fail_msg("the monitor was ended by signal %d", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The whole file, or an empty text. */
static char *
read_text(const char *path)
{
	char *text = calloc(1, 1 << 20);
	int fd = open(path, O_RDONLY);
	ssize_t n = 0;

	assert_non_null(text);
	if (fd != -1) {
		n = read(fd, text, (1 << 20) - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return text;
}

bool
house_logged(struct house *h, const char *text)
{
	char *log = read_text(h->log);
	bool found = strstr(log, text) != NULL;

	if (!found)
		print_message("the log is:\n%s", log);
	free(log);
	return found;
}

bool
house_holds(struct house *h, const char *name, const char *text)
{
	char path[512], *held;
	bool same;

	(void)snprintf(path, sizeof(path), "%s/%s", h->base, name);
	held = read_text(path);
	same = access(path, F_OK) == 0 && strcmp(held, text) == 0;
	if (!same)
		print_message("%s holds: %s\n", name, held);
	free(held);
	return same;
}
