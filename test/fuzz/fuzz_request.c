/*
 * The monitor against a session that lies. Each request that keeps the rules of
 * request.h has exactly one answer (REQ_ENDED none), of its own type and size; the first one
 * that breaks a rule ends the connection, unanswered. Nothing outside the root
 * is opened, seen or listed, a read-only account changes nothing, and no
 * descriptor is left.
 *
 * Input: a byte of flags, then packets: the request's number, how much longer
 * or shorter than right it is (signed), and parts (offset in two bytes, length,
 * bytes) up to one without length; what no part fills is zero.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "monitor/files.h"
#include "monitor/monitor.h"
#include "msg.h"
#include "request.h"

const char fuzz_name[] = "request";

enum { LOGGED_IN = 1, WALK = 2, TLS = 4 }; /* flags */

#define PACKETS 16       /* what fits into the sockets, with all answers, before anybody reads */
#define UNSEEN  "UNSEEN" /* a name that no listing shows */

struct packet {
	uint32_t type;
	size_t len;
	union any_request body;
	char tail[128];
};

/* clang-format off */
#define SHAPE(r, a)  sizeof(struct req_##r), sizeof(struct a)
#define TEXT(r, f)   { offsetof(struct req_##r, f), sizeof(((union any_request *)0)->r.f) }
#define BOOLS(r, f, n) { offsetof(struct req_##r, f), n }

static const struct {
	size_t size, answer;
	size_t strings[2][2]; /* offset, size */
	size_t flags[2];      /* offset, number of bools */
	bool fd;              /* a good answer brings a descriptor */
} shapes[REQ_END] = {
	[REQ_LOGIN] = { SHAPE(login, ans_login), { TEXT(login, user), TEXT(login, password) } },
	[REQ_CHDIR] = { SHAPE(path, answer), { TEXT(path, path) } },
	[REQ_STAT] = { SHAPE(stat, ans_stat), { TEXT(stat, path) }, BOOLS(stat, follow, 2) },
	[REQ_OPEN] = { SHAPE(open, ans_open), { TEXT(open, path) }, .fd = true },
	[REQ_LIST] = { SHAPE(list, answer), { TEXT(list, path), TEXT(list, shown) }, .fd = true },
	[REQ_MKDIR] = { SHAPE(mkdir, answer), { TEXT(mkdir, path) } },
	[REQ_RMDIR] = { SHAPE(path, answer), { TEXT(path, path) } },
	[REQ_UNLINK] = { SHAPE(path, answer), { TEXT(path, path) } },
	[REQ_RENAME] = { SHAPE(rename, answer), { TEXT(rename, from), TEXT(rename, to) } },
	[REQ_SETATTR] = { SHAPE(setattr, answer), { TEXT(setattr, path) },
		BOOLS(setattr, set_mode, 3) },
	[REQ_LISTEN] = { SHAPE(listen, ans_listen), .flags = BOOLS(listen, extended, 1), .fd = true },
	[REQ_CONNECT] = { SHAPE(connect, answer), .fd = true },
	[REQ_DONE] = { SHAPE(done, answer), { TEXT(done, path) }, BOOLS(done, complete, 5) },
	[REQ_SPACE] = { SHAPE(path, ans_space), { TEXT(path, path) } },
	[REQ_SYMLINK] = { SHAPE(symlink, answer), { TEXT(symlink, target), TEXT(symlink, path) } },
	[REQ_ENDED] = { sizeof(struct req_done), 0, { TEXT(done, path) }, BOOLS(done, complete, 5) },
	[REQ_RATE] = { SHAPE(rate, ans_rate), .flags = BOOLS(rate, sends, 1) },
	[REQ_CERTIFICATE] = { SHAPE(certificate, ans_login), { TEXT(certificate, user) } },
	[REQ_TLS] = { SHAPE(tls, answer), { TEXT(tls, host) }, BOOLS(tls, names_told, 3) },
};
/* clang-format on */

static struct conf conf;
static struct stat inside[4]; /* all that the root holds, and how it was */
static char base[64];         /* "base/root" is the root, "base/out" is outside */
static const char *const names[] = { "root", "root/a", "root/dir", "root/dir/b" };
static const char *const links[][2] = { { "../out", "root/up" }, { "/", "root/slash" },
	{ "dir/../../out/file", "root/far" }, { "loop", "root/loop" }, { "a", "root/near" } };
static unsigned flags;

/* The seams: this process stays as it is, waits for nothing, connects to nobody. */
void __wrap_monitor_delay(const struct monitor *, int);
void __wrap_files_begin(struct monitor *);
void __real_files_begin(struct monitor *);
int __wrap_connect(int, const struct sockaddr *, socklen_t);
int __wrap_sysfilter_enter(const void *, size_t);
int __wrap_landlock_enter(const void *, size_t);
int __wrap_caps_no_new_privs(void);
int __wrap_pages_limit(size_t len);

void
__wrap_monitor_delay(const struct monitor *m, int ms)
{
	(void)m;
	CHECK(ms >= 0 && ms <= 10000);
}

void
__wrap_files_begin(struct monitor *m)
{
	__real_files_begin(m);
	if (flags & WALK)
		m->walk = true;
}

int
__wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	struct netaddr addr, peer;

	(void)fd;
	netaddr_from_sockaddr(&addr, to);
	CHECK(len > 0 && netaddr_parse("127.0.0.1", &peer) == 0);
	CHECK(netaddr_same_host(&addr, &peer) && addr.port >= 1024);
	return 0;
}

int
__wrap_sysfilter_enter(const void *filter, size_t n)
{
	CHECK(filter != NULL && n > 0);
	return 0;
}

int
__wrap_landlock_enter(const void *places, size_t n)
{
	CHECK(places != NULL && n == 1);
	return 0;
}

int
__wrap_caps_no_new_privs(void)
{
	return 0;
}

int
__wrap_pages_limit(size_t len)
{
	CHECK(len >= 64 << 20);
	return 0;
}

static const char *
at(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

static void
remove_world(void)
{
	static const char *const rest[] = { "out/UNSEEN", "out/file", "out", "root/dir/b",
		"root/dir", "root/a", "root/fifo" };

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		remove(at(links[i][1]));
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		remove(at(rest[i]));
	remove(at("root"));
	remove(base);
}

static void
make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	CHECK(fd != -1 && write(fd, UNSEEN, strlen(UNSEEN)) == (ssize_t)strlen(UNSEEN));
	close(fd);
}

static void
make_world(void)
{
	/* a hash that takes no time, of a user who is not let in */
	static const char users[] = "root:ab01FAX.bQRSU:0:0::/:/bin/sh\n";
	static char root[256], file[64];
	const char *tmp = getenv("TMPDIR");
	/* of "x", of a user who is not let in */
	static const char prints[] =
	    "root 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\nroot 1\n";
	char error[CONF_ERROR];
	int fd = memfd_create("users", MFD_CLOEXEC), certificates = memfd_create("prints", MFD_CLOEXEC);

	snprintf(base, sizeof(base), "%.40s/fuzz-request.XXXXXX", tmp != NULL ? tmp : "/tmp");
	CHECK(mkdtemp(base) != NULL && atexit(remove_world) == 0);
	CHECK(mkdir(at("out"), 0755) == 0 && mkdir(at("root"), 0755) == 0);
	CHECK(mkdir(at("root/dir"), 0755) == 0 && mkfifo(at("root/fifo"), 0600) == 0);
	make_file(at("out/UNSEEN"));
	make_file(at("out/file"));
	make_file(at("root/a"));
	make_file(at("root/dir/b"));
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		CHECK(symlink(links[i][0], at(links[i][1])) == 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK(stat(at(names[i]), &inside[i]) == 0);

	conf_init(&conf);
	snprintf(root, sizeof(root), "AnonymousRoot %s", at("root"));
	snprintf(file, sizeof(file), "AuthUserFile /proc/self/fd/%d", fd);
	CHECK(fd != -1 && fchmod(fd, 0600) == 0 && write(fd, users, strlen(users)) > 0);
	CHECK(
	    conf_set(&conf, "fuzz", root, error) == 0 && conf_set(&conf, "fuzz", file, error) == 0);
	snprintf(file, sizeof(file), "TLSUserCertificates /proc/self/fd/%d", certificates);
	CHECK(certificates != -1 && fchmod(certificates, 0600) == 0);
	CHECK(write(certificates, prints, strlen(prints)) > 0);
	CHECK(conf_set(&conf, "fuzz", file, error) == 0);
	CHECK(conf_set(&conf, "fuzz", "ReadOnly on", error) == 0);
	CHECK(conf_set(&conf, "fuzz", "ActivePort any", error) == 0);
}

static bool
is_inside(const struct stat *st)
{
	struct stat link;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (st->st_dev == inside[i].st_dev && st->st_ino == inside[i].st_ino)
			return true;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (lstat(at(links[i][1]), &link) == 0 && st->st_ino == link.st_ino)
			return true;
	return stat(at("root/fifo"), &link) == 0 && st->st_ino == link.st_ino;
}

static void
check_listing(int fd)
{
	char rows[65536];
	ssize_t n = read(fd, rows, sizeof(rows));

	CHECK(n >= 0 && (size_t)n < sizeof(rows) && read(fd, rows + n, 1) == 0);
	CHECK(memmem(rows, (size_t)n, UNSEEN, strlen(UNSEEN)) == NULL);
	for (ssize_t i = 0; i < n; i++) {
		if (rows[i] == '\r')
			CHECK(i + 1 < n && rows[++i] == '\n');
		else
			CHECK((unsigned char)rows[i] >= ' ' && rows[i] != 0x7f);
	}
	CHECK(n == 0 || rows[n - 1] == '\n');
}

/* The string that is the request's last member, {0, 0} if it is none. */
static const size_t *
last_string(uint32_t type)
{
	static const size_t none[2];

	for (size_t i = 0; i < 2; i++) {
		const size_t *s = shapes[type].strings[i];

		if (s[1] > 0 && s[0] + s[1] == shapes[type].size)
			return s;
	}
	return none;
}

/* The whole struct, or all of it up to a NUL in the string at its end. */
static bool
has_size(const struct packet *p)
{
	const size_t *last = last_string(p->type), size = shapes[p->type].size;

	return p->len == size || (last[1] > 0 && p->len > last[0] && p->len < size &&
	                             ((const char *)&p->body)[p->len - 1] == '\0');
}

/* True if the request keeps the rules and may be asked in this state. */
static bool
keeps_rules(const struct packet *p, bool logged_in)
{
	const char *body = (const char *)&p->body;

	if (p->type == 0 || p->type >= REQ_END ||
	    (p->type == REQ_LOGIN || p->type == REQ_TLS || p->type == REQ_CERTIFICATE) == logged_in ||
	    !has_size(p))
		return false;
	for (size_t i = 0; i < 2; i++) {
		const size_t *s = shapes[p->type].strings[i];

		if (s[1] > 0 && memchr(body + s[0], '\0', s[1]) == NULL)
			return false;
	}
	for (size_t i = 0; i < shapes[p->type].flags[1]; i++)
		if ((unsigned char)body[shapes[p->type].flags[0] + i] > 1)
			return false;
	return true;
}

/* Takes the one answer to p; returns whether it was a good one. */
static bool
check_answer(int sock, const struct packet *p)
{
	union any_answer answer;
	struct stat st;
	uint32_t type;
	bool good;
	int fd;

	if (shapes[p->type].answer == 0)
		return true;
	CHECK(
	    msg_recv(sock, &type, &answer, sizeof(answer), &fd) == (ssize_t)shapes[p->type].answer);
	CHECK(type == p->type && answer.plain.error >= 0 && answer.plain.error < 134);
	good = answer.plain.error == 0;
	CHECK((fd != -1) == (good && shapes[p->type].fd));
	switch (good ? (int)type : 0) {
	case REQ_LOGIN:
		CHECK(answer.login.rights == (RIGHT_READ | RIGHT_LIST) && answer.login.anonymous);
		break;
	case REQ_OPEN:
		CHECK(p->body.open.mode == OPEN_READ && fstat(fd, &st) == 0);
		CHECK(S_ISREG(st.st_mode) && is_inside(&st));
		CHECK(lseek(fd, 0, SEEK_CUR) == p->body.open.restart);
		CHECK(p->body.open.restart <= st.st_size);
		break;
	case REQ_STAT:
		CHECK(is_inside(&answer.stat.st));
		break;
	case REQ_LIST:
		check_listing(fd);
		break;
	case REQ_CERTIFICATE:
	case REQ_MKDIR:
	case REQ_RMDIR:
	case REQ_UNLINK:
	case REQ_RENAME:
	case REQ_SYMLINK:
	case REQ_SETATTR:
		CHECK(!good);
	}
	if (fd != -1)
		close(fd);
	return good;
}

static void
read_packet(const uint8_t **data, size_t *size, struct packet *p)
{
	int more;

	memset(p, 0, sizeof(*p));
	p->type = fuzz_byte(data, size);
	p->len = p->type < REQ_END ? shapes[p->type].size : 0;
	more = (int8_t)fuzz_byte(data, size);
	if (more != INT8_MIN) /* that means: cut behind the string at the end */
		p->len = more < 0 && (size_t)-more > p->len ? 0 : p->len + (size_t)more;
	for (;;) {
		size_t where = (size_t)(fuzz_byte(data, size) << 8), n;

		where += fuzz_byte(data, size);
		n = fuzz_byte(data, size);
		if (n > *size)
			n = *size;
		if (n == 0)
			break;
		if (where + n <= sizeof(p->body) + sizeof(p->tail))
			memcpy((char *)&p->body + where, *data, n);
		*data += n;
		*size -= n;
	}
	if (more == INT8_MIN && p->type < REQ_END && last_string(p->type)[1] > 0) {
		const size_t *last = last_string(p->type);

		p->len = last[0] + strnlen((const char *)&p->body + last[0], last[1] - 1) + 1;
	}
}

static void
check_unchanged(void)
{
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK(stat(at(names[i]), &st) == 0 &&
		    st.st_ctim.tv_sec == inside[i].st_ctim.tv_sec &&
		    st.st_ctim.tv_nsec == inside[i].st_ctim.tv_nsec);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int large = 1 << 20;
	static struct packet sent[PACKETS];
	static const struct req_login guest = { .user = "ftp" };
	struct client client = { .socket = true };
	struct monitor m = { .conf = &conf,
		.client = &client,
		.gateway = -1,
		.slots = -1,
		.slot = -1,
		.hosts = -1,
		.transfer_log = -1 };
	bool logged_in = false, over = false;
	unsigned n = 0, i, before;
	int pair[2];
	mode_t mask;

	if (base[0] == '\0')
		make_world();
	if (size > 0 && memmem(data, size, UNSEEN, strlen(UNSEEN)) != NULL)
		return 0;
	before = fuzz_descriptors();
	CHECK(netaddr_parse("127.0.0.1", &client.peer) == 0);
	client.local = client.peer;
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));

	flags = fuzz_byte(&data, &size);
	conf.anonymous = flags & LOGGED_IN;
	if (flags & LOGGED_IN)
		sent[n++] =
		    (struct packet){ .type = REQ_LOGIN, .len = sizeof(guest), .body.login = guest };
	while (size > 0 && n < PACKETS)
		read_packet(&data, &size, &sent[n++]);
	for (i = 0; i < n; i++)
		CHECK(msg_send(pair[0], sent[i].type, &sent[i].body, sent[i].len, -1) == 0);
	shutdown(pair[0], SHUT_WR);
	m.sock = pair[1];
	m.tls = flags & TLS;
	mask = umask(022);
	monitor_run(&m);
	umask(mask);
	/* what came after the end; left unread, it would hide the answers behind ECONNRESET */
	while (recv(pair[1], &(struct packet){ 0 }, sizeof(struct packet), MSG_DONTWAIT) > 0)
		continue;
	close(pair[1]);

	for (i = 0; i < n && !over; i++) {
		over = !keeps_rules(&sent[i], logged_in);
		if (!over && check_answer(pair[0], &sent[i]) && sent[i].type == REQ_LOGIN)
			logged_in = true;
	}
	CHECK(recv(pair[0], &sent[0], 1, MSG_DONTWAIT) <= 0); /* nothing was answered twice */
	close(pair[0]);
	check_unchanged();
	CHECK(fuzz_descriptors() == before);
	return 0;
}
