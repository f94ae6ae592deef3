/*
 * The world behind ask.h, without a monitor.
 */
#include "fake_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "facts.h"
#include "fuzz.h"
#include "session/ask.h"
#include "session/session.h"

#define PEERS 64

/* The client's ends of data connections; a stranger's must get nothing. */
static struct peer {
	int fd;
	bool stranger;
} peers[PEERS];
static unsigned npeers, logins, listeners;

static const struct {
	const char *path, *content; /* content NULL: a directory */
} world[] = {
	{ "/", NULL },
	{ "/dir", NULL },
	{ "/dir/sub", NULL },
	{ "/a", "one\ntwo\r\nthree\r" },
	{ "/empty", "" },
	{ "/dir/\"q\" \xff", "a name that needs quotes" },
};

static int
failed(int error)
{
	errno = error;
	return -1;
}

/* The rules of request.h for names, and what "eN" asks for: an errno or 0. */
static int
check_path(const struct session *s, const char *path)
{
	size_t len = strlen(path);
	const char *last = strrchr(path, '/'), *slash = path, *next;
	int error;

	CHECK(s->login == LOGIN_DONE && path[0] == '/' && len < REQ_PATH);
	for (; slash != NULL; slash = next) {
		size_t n;

		next = strchr(slash + 1, '/');
		n = next == NULL ? strlen(slash + 1) : (size_t)(next - slash) - 1;
		CHECK(n > 0 || len == 1);
		CHECK(strncmp(slash + 1, "..", n) != 0 || n == 0 || n > 2);
	}
	error = last[1] == 'e' ? atoi(last + 2) : 0;
	return error > 0 && error < 134 ? error : 0;
}

/* The row of path in the table, or -1 with errno. */
static int
find(const struct session *s, const char *path)
{
	int error = check_path(s, path);

	for (size_t i = 0; error == 0 && i < sizeof(world) / sizeof(world[0]); i++)
		if (strcmp(world[i].path, path) == 0)
			return (int)i;
	return failed(error != 0 ? error : ENOENT);
}

static void
fill_stat(struct stat *st, int row)
{
	memset(st, 0, sizeof(*st));
	st->st_mode = world[row].content == NULL ? S_IFDIR | 0755 : S_IFREG | 0644;
	st->st_size = world[row].content == NULL ? 0 : (off_t)strlen(world[row].content);
	st->st_mtime = 1700000000;
}

static int
new_file(const char *content)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	size_t len = strlen(content);

	CHECK(fd != -1 && write(fd, content, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* Keeps an end until the world ends; it has sent all that it will. */
static void
keep_peer(int fd, bool stranger)
{
	CHECK(write(fd, FAKE_UPLOAD, strlen(FAKE_UPLOAD)) == (ssize_t)strlen(FAKE_UPLOAD));
	shutdown(fd, SHUT_WR);
	if (npeers == PEERS)
		close(fd);
	else
		peers[npeers++] = (struct peer){ fd, stranger };
}

void
fake_ask_begin(void)
{
	npeers = logins = listeners = 0;
}

void
fake_ask_end(void)
{
	/* by RST: thousands of runs shall not leave thousands of TIME_WAITs */
	static const struct linger at_once = { .l_onoff = 1 };

	while (npeers > 0) {
		struct peer *p = &peers[--npeers];
		char c;

		CHECK(!p->stranger || recv(p->fd, &c, 1, MSG_DONTWAIT) <= 0);
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(p->fd);
	}
}

int
ask_login(struct session *s, const char *user, const char *password, struct ans_login *answer,
    int *display)
{
	CHECK(s->login != LOGIN_DONE && strlen(user) < REQ_NAME);
	*display = -1;
	if (strcmp(password, "no") == 0)
		return failed(++logins < 3 ? EACCES : EPERM);
	memset(answer, 0, sizeof(*answer));
	answer->rights = strcmp(user, "ro") == 0 ? RIGHT_READ | RIGHT_LIST : 0xff;
	answer->anonymous = strcmp(user, "ftp") == 0;
	strcpy(answer->directory, "/dir");
	if (strcmp(user, "display") == 0)
		*display = new_file("230 first\n\n230 \x1b[2J\377second\r\nthird");
	return 0;
}

int
ask_certificate(struct session *s, const struct req_certificate *request,
    struct ans_login *answer, int *display)
{
	(void)s;
	(void)request;
	(void)answer;
	(void)display;
	CHECK(!"a certificate in the clear");
	return -1;
}

int
ask_chdir(struct session *s, const char *path)
{
	int row = find(s, path);

	return row == -1 ? -1 : world[row].content == NULL ? 0 : failed(ENOTDIR);
}

int
ask_stat(struct session *s, const char *path, bool follow, struct ans_stat *answer)
{
	int row = find(s, path);

	(void)follow;
	if (row == -1)
		return -1;
	fill_stat(&answer->st, row);
	answer->may = FACTS_MAY_READ | FACTS_MAY_WRITE;
	return 0;
}

int
ask_facts(struct session *s, const char *path, bool follow, struct ans_stat *answer)
{
	memset(answer, 0, sizeof(*answer));
	if (s->params.facts & FACT_MORE)
		memset(answer->user, 'u', sizeof(answer->user) - 1);
	return ask_stat(s, path, follow, answer);
}

int
ask_open(struct session *s, const char *path, enum open_mode mode, int64_t restart,
    struct ans_open *answer)
{
	int row = find(s, path), fd;

	CHECK(restart >= 0 && s->rights & (mode == OPEN_READ ? RIGHT_READ : RIGHT_STORE));
	memset(answer, 0, sizeof(*answer));
	if (row == -1 && errno != ENOENT)
		return -1;
	if (row == -1 && mode == OPEN_READ)
		return -1;
	if (row != -1 && world[row].content == NULL)
		return failed(EISDIR);
	if (row != -1)
		fill_stat(&answer->st, row);
	if (restart > answer->st.st_size)
		return failed(ERANGE);
	if (strcmp(path, "/full") == 0)
		return open("/dev/full", O_WRONLY | O_CLOEXEC);
	answer->hidden = mode == OPEN_STORE && restart == 0 && answer->st.st_size > 0;
	if (mode == OPEN_UNIQUE)
		strcpy(answer->name, "name.1");
	fd = new_file(row == -1 ? "" : world[row].content);
	CHECK(lseek(fd, restart, SEEK_SET) == restart);
	return fd;
}

int
ask_list(
    struct session *s, enum list_kind kind, unsigned options, const char *path, const char *shown)
{
	static const char rows[] = "-rw-r--r--   1 1000     1000          512 Nov 24 05:21 a\r\n"
				   "drwxr-xr-x   2 1000     1000         4096 Nov 24  2025 dir\r\n";
	int row = find(s, path), fds[2];

	CHECK(s->rights & RIGHT_LIST && strlen(shown) < REQ_PATH && options < LIST_CLASSIFY << 1);
	if (row == -1)
		return -1;
	if (kind == LIST_FACTS && world[row].content != NULL)
		return failed(ENOTDIR);
	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	CHECK(write(fds[1], rows, sizeof(rows) - 1) == sizeof(rows) - 1);
	close(fds[1]);
	return fds[0];
}

/* What changes names: has its right, succeeds. */
static int
change(const struct session *s, const char *path, unsigned right)
{
	int error = check_path(s, path);

	CHECK(s->rights & right);
	return error == 0 ? 0 : failed(error);
}

int
ask_mkdir(struct session *s, const char *path)
{
	return change(s, path, RIGHT_MKDIR);
}

int
ask_rmdir(struct session *s, const char *path)
{
	return change(s, path, RIGHT_DELETE);
}

int
ask_unlink(struct session *s, const char *path)
{
	return change(s, path, RIGHT_DELETE);
}

int
ask_rename(struct session *s, const char *from, const char *to)
{
	(void)check_path(s, from);
	return change(s, to, RIGHT_RENAME);
}

int
ask_set_mode(struct session *s, const char *path, unsigned mode)
{
	CHECK(mode <= 0777);
	return change(s, path, RIGHT_ATTR);
}

int
ask_set_time(struct session *s, const char *path, const struct timespec *modified)
{
	CHECK(modified->tv_nsec >= 0 && modified->tv_nsec < 1000000000);
	return change(s, path, RIGHT_ATTR);
}

/* A connection from host, which the listener has in its queue then. */
static int
connect_from(const char *host, const struct netaddr *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, bound = -1;
	struct sockaddr_storage ss;
	static unsigned serial;
	struct netaddr from;
	socklen_t len;

	CHECK(fd != -1 && netaddr_parse(host, &from) == 0);
	/* Of a long run the kernel's own choice of ports is used up: any port does, since the listener's
	 * address has never been used with it. */
	CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0);
	for (int tries = 0; bound == -1 && tries < 100; tries++) {
		from.port = (uint16_t)(1024 + serial++ % (65536 - 1024));
		len = netaddr_to_sockaddr(&from, &ss);
		bound = bind(fd, (struct sockaddr *)&ss, len);
	}
	CHECK(bound == 0);
	len = netaddr_to_sockaddr(to, &ss);
	/* a signal, which libFuzzer's clock sends, leaves it to go on by itself */
	CHECK(connect(fd, (struct sockaddr *)&ss, len) == 0 || errno == EINTR);
	CHECK(poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1) != 0);
	return fd;
}

int
ask_listen(struct session *s, bool extended, struct netaddr *announce, uint16_t *here)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	static unsigned serial;
	struct sockaddr_storage ss;
	socklen_t len;

	CHECK(s->login == LOGIN_DONE && (extended || !s->params.epsv_all) && fd != -1);
	CHECK(s->port.kind == PORT_NONE && s->port.fd == -1); /* one at a time */
	if (++listeners % 4 == 0) {
		close(fd);
		return failed(listeners % 8 == 0 ? EADDRINUSE : EAFNOSUPPORT);
	}
	/* ever new addresses, so that no port is used up by former runs */
	CHECK(netaddr_parse("127.1.0.0", announce) == 0);
	announce->v4.s_addr |= htonl(serial++ & 0xffff);
	len = netaddr_to_sockaddr(announce, &ss);
	CHECK(bind(fd, (struct sockaddr *)&ss, len) == 0 && listen(fd, 4) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&ss, &len) == 0);
	netaddr_from_sockaddr(announce, (struct sockaddr *)&ss);
	if (listeners % 2 == 0)
		keep_peer(connect_from("127.0.0.2", announce), true); /* comes first */
	keep_peer(connect_from(FAKE_PEER, announce), false);
	/* a second one comes too early for the next PASV; where it does not, none comes at all, which
	 * takes the fuzzer a second */
	if (listeners % 32 != 31)
		keep_peer(connect_from(FAKE_PEER, announce), true);
	*here = announce->port;
	return fd;
}

int
ask_connect(struct session *s, uint16_t port)
{
	int pair[2];

	CHECK(s->login == LOGIN_DONE && !s->params.epsv_all && port >= 1024);
	if (port % 4 == 0)
		return failed(ECONNREFUSED);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	if (port % 4 == 1)
		close(pair[1]);
	else
		keep_peer(pair[1], false);
	return pair[0];
}

int
ask_done(struct session *s, const struct req_done *done)
{
	int error = check_path(s, done->path);

	CHECK(memchr(done->path, '\0', sizeof(done->path)) != NULL && done->bytes >= 0);
	return error == 0 ? 0 : failed(error);
}

void
ask_ended(struct session *s, const struct req_done *done)
{
	CHECK(!done->listing);
	(void)check_path(s, done->path);
	CHECK(memchr(done->path, '\0', sizeof(done->path)) != NULL && done->bytes >= 0);
}

int64_t
ask_keeps(struct session *s)
{
	(void)s;
	return NEVER;
}

void
ask_flush(struct session *s)
{
	(void)s;
}

int
ask_set_group(struct session *s, const char *path, gid_t group)
{
	CHECK(group <= INT32_MAX);
	return change(s, path, RIGHT_ATTR);
}

int64_t
ask_rate(struct session *s, bool sends)
{
	(void)s;
	return sends ? 1 << 20 : 1 << 10;
}

int
ask_space(struct session *s, const char *path, int64_t *bytes)
{
	int row = find(s, path);

	*bytes = 1000;
	return row == -1 ? -1 : 0;
}

int
ask_symlink(struct session *s, const char *target, const char *path)
{
	(void)check_path(s, target);
	return change(s, path, RIGHT_STORE);
}

int
ask_tls(struct session *s, bool private)
{
	(void)private;
	CHECK(s->login != LOGIN_DONE && s->ctl.tls == NULL);
	return failed(ENOKEY);
}
