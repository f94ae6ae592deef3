/*
 * check --wait: the ports, the loop, the terminal.
 */
#include "wait.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "asking.h"
#include "caps.h"
#include "pwfile.h"
#include "start.h"

#define VISITORS   64
#define VISITOR_MS 10000 /* for one request and its answer */
#define SILENCE_MS 1500  /* who says nothing so long is an FTP client, which waits for a greeting  \
			  */
#define LINGER_MS  3000  /* after the last port was reached: answers on their way */
#define SERVICE_MS 500   /* how often it is looked who has come to the service */

struct visitor {
	int fd;        /* -1: free */
	unsigned port; /* index */
	struct visit visit;
	int64_t since;
	char request[HTTPGET_MAX];
	size_t n;
	char *answer;
	size_t len, sent;
	bool done; /* waits for the other's end, so that no answer is lost by a reset */
};

static struct waiting w;
static struct visitor visitors[VISITORS];
static volatile sig_atomic_t ended;

static void
end_it(int number)
{
	(void)number;
	ended = 1;
}

/* --------------------------------------------------------------- the ports */

/* IPv6 with IPv4, or IPv4 alone. -1: somebody else listens there, or we may not. */
static int
listen_on(uint16_t port)
{
	const sa_family_t families[] = { AF_INET6, AF_INET };

	for (size_t i = 0; i < 2; i++) {
		struct netaddr any = { .family = families[i], .port = port };
		struct sockaddr_storage ss;
		const socklen_t len = netaddr_to_sockaddr(&any, &ss);
		int on = 1, off = 0,
		    fd = socket(families[i], SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd == -1)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (families[i] == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		if (bind(fd, (struct sockaddr *)&ss, len) == 0 && listen(fd, 128) == 0)
			return fd;
		close(fd);
	}
	return -1;
}

static void
add_port(uint16_t port, uint16_t external)
{
	struct wait_port *p = &w.ports[w.n];

	if (w.n == WAIT_PORTS)
		return;
	*p = (struct wait_port){ .port = port,
		.external = external,
		.listener = listen_on(port),
		.browser = httpget_is_for_browsers(external) };
	w.n++;
}

/* The control ports, and the passive ones: of very many some, evenly. */
static void
add_ports(void)
{
	const struct conf *conf = &w.c->conf;
	const struct portlist *ports = &conf->passive_ports, *outer = &conf->passive_announced;
	const unsigned count = portlist_count(ports);
	unsigned step;

	for (unsigned i = 0; i < w.c->control.n; i++)
		add_port(w.c->control.range[i].min, w.c->control.range[i].min);
	step = (count + WAIT_PORTS - w.n - 1) / (WAIT_PORTS - w.n);
	for (unsigned i = 0; i < count; i += step)
		add_port(portlist_at(ports, i), portlist_at(outer->n > 0 ? outer : ports, i));
}

static bool
is_wanted(const struct wait_port *p)
{
	return p->listener != -1 && p->browser;
}

static unsigned
count_ports(bool reached)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w.n; i++)
		n += is_wanted(&w.ports[i]) && (!reached || w.ports[i].reached);
	return n;
}

/* ------------------------------------------------------------ the terminal */

static void
say_reached(struct wait_port *p, const struct netaddr *peer)
{
	char text[NETADDR_TEXT];

	if (p->reached)
		return;
	p->reached = true;
	netaddr_text(peer, text);
	if (is_wanted(p))
		printf(w.c->japanese ? "%u: %s から届きました(%u / %u)\n"
				     : "%u: reached from %s (%u of %u)\n",
		    p->external, text, count_ports(true), count_ports(false));
	else
		printf(w.c->japanese ? "%u: %s から届きました\n" : "%u: reached from %s\n",
		    p->external, text);
	fflush(stdout);
}

static void
say_home(const struct visitor *v)
{
	static unsigned told;
	char text[NETADDR_TEXT];

	if (told++ > 0)
		return;
	printf(w.c->japanese ? "%s は家の中です。Wi-Fi を切ったスマートフォンで開いてください\n"
			     : "%s is at home: open it on a phone without Wi-Fi\n",
	    netaddr_text(&v->visit.peer, text));
	fflush(stdout);
}

static void
say_begin(unsigned seconds)
{
	char name[256];
	uint16_t first = 0;

	if (!ddns_name(w.c, name, sizeof(name)))
		(void)strlcpy(
		    name, w.c->japanese ? "外側のアドレス" : "YOUR-ADDRESS", sizeof(name));
	for (unsigned i = 0; i < w.n; i++) {
		const struct wait_port *p = &w.ports[i];

		if (first == 0 && is_wanted(p))
			first = p->external;
		if (p->listener == -1)
			printf(w.c->japanese
				? "%u: 使用中です。サービスへの外からの接続を見ます\n"
				: "%u: in use; it is seen who comes to the service from outside\n",
			    p->port);
		else if (!p->browser)
			printf(w.c->japanese
				? "%u: ブラウザーは行きません。FTP クライアントで試してください\n"
				: "%u: browsers refuse this port; try it with an FTP client\n",
			    p->external);
	}
	if (w.c->conf.port_mapping != PORT_MAPPING_OFF)
		puts(w.c->japanese ? "PortMapping: 試す間は genkanctl map でポートを開けてください"
				   : "PortMapping: for this test open the ports by genkanctl map");
	printf(w.c->japanese
		? "Wi-Fi を切ったスマートフォンで http://%s:%u/ を開いてください(%u 秒待ちます)\n"
		: "Open http://%s:%u/ on a phone without Wi-Fi (waiting %u s)\n",
	    name, first, seconds);
	fflush(stdout);
}

/* The ports that were not reached, and the exit status. */
static int
say_end(void)
{
	struct portlist missing = { 0 };
	char text[PORTLIST_TEXT];
	const unsigned good = count_ports(true), all = count_ports(false);

	for (unsigned i = 0; i < w.n; i++)
		if (is_wanted(&w.ports[i]) && !w.ports[i].reached)
			(void)portlist_add(&missing, w.ports[i].external);
	portlist_text(&missing, text);
	if (good == all)
		printf(w.c->japanese ? "結果: 全ての %u ポートが外から届きました\n"
				     : "Result: all %u ports were reached from outside\n",
		    all);
	else
		printf(w.c->japanese ? "結果: %u / %u ポートが届きました。届かなかったもの: %s\n"
				     : "Result: %u of %u ports were reached, not: %s\n",
		    good, all, text);
	return good == all ? 0 : good > 0 ? 1 : 2;
}

/* ------------------------------------------------------------- the visitors */

static void
drop(struct visitor *v)
{
	close(v->fd);
	free(v->answer);
	*v = (struct visitor){ .fd = -1 };
}

static void
accept_all(unsigned index)
{
	struct sockaddr_storage ss;
	socklen_t len;

	for (unsigned i = 0; i < VISITORS; i++) {
		struct visitor *v = &visitors[i];

		if (v->fd != -1)
			continue;
		len = sizeof(ss);
		v->fd = accept4(w.ports[index].listener, (struct sockaddr *)&ss, &len,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (v->fd == -1)
			return;
		v->port = index;
		v->since = asking_clock();
		netaddr_from_sockaddr(&v->visit.peer, (struct sockaddr *)&ss);
		len = sizeof(ss);
		if (getsockname(v->fd, (struct sockaddr *)&ss, &len) == 0)
			netaddr_from_sockaddr(&v->visit.local, (struct sockaddr *)&ss);
		v->visit.port = w.ports[index].port;
		v->visit.outside = netaddr_reach(&v->visit.peer) == NETADDR_PUBLIC &&
		    !start_is_lan(&w.c->conf.local_networks, &v->visit.peer);
		/* whatever it says: it is here */
		if (v->visit.outside)
			say_reached(&w.ports[index], &v->visit.peer);
		else
			say_home(v);
	}
}

static void
send_answer(struct visitor *v)
{
	ssize_t n = send(v->fd, v->answer + v->sent, v->len - v->sent, MSG_NOSIGNAL);

	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		drop(v);
		return;
	}
	v->sent += n > 0 ? (size_t)n : 0;
	if (v->sent == v->len) {
		shutdown(v->fd, SHUT_WR);
		v->done = true;
	}
}

static void
greet_ftp_client(struct visitor *v)
{
	char peer[NETADDR_TEXT];
	int n = asprintf(&v->answer, "421 genkanctl check --wait: port %u is reached, from %s.\r\n",
	    w.ports[v->port].port, netaddr_text(&v->visit.peer, peer));

	if (n == -1) {
		v->answer = NULL;
		drop(v);
		return;
	}
	v->len = (size_t)n;
	send_answer(v);
}

static void
read_request(struct visitor *v)
{
	ssize_t n = recv(v->fd, v->request + v->n, sizeof(v->request) - v->n, 0);
	int r;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || v->done) {
		/* what comes behind the request does not matter */
		if (n <= 0)
			drop(v);
		return;
	}
	v->n += (size_t)n;
	r = httpget_read(v->request, v->n, &v->visit.get);
	if (r == 1)
		v->answer = wait_http_answer(&w, &v->visit, &v->len);
	/* TLS is none: the browser then comes again without */
	if (r == -1 || (r == 1 && v->answer == NULL))
		drop(v);
	else if (r == 1)
		send_answer(v);
}

static void
step(struct visitor *v, short events)
{
	const int64_t age = asking_clock() - v->since;

	if (age > VISITOR_MS)
		drop(v);
	else if (v->answer != NULL && !v->done && events != 0)
		send_answer(v);
	else if (events != 0)
		read_request(v);
	else if (v->answer == NULL && v->n == 0 && age > SILENCE_MS)
		greet_ftp_client(v);
}

/* ------------------------------------------------------------ the service */

/* The remote end of a row of /proc/net/tcp or tcp6, whose words are in host order. */
static bool
read_remote(const char *hex, struct netaddr *addr)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	unsigned words[4];

	if (strlen(hex) == 32 &&
	    sscanf(hex, "%8x%8x%8x%8x", &words[0], &words[1], &words[2], &words[3]) == 4) {
		memcpy(&in6.sin6_addr, words, sizeof(words));
		netaddr_from_sockaddr(addr, (struct sockaddr *)&in6);
	} else if (strlen(hex) == 8 && sscanf(hex, "%8x", &words[0]) == 1) {
		in.sin_addr.s_addr = words[0];
		netaddr_from_sockaddr(addr, (struct sockaddr *)&in);
	} else {
		return false;
	}
	return true;
}

/* Connections to ports that are not ours to answer: who from outside has come there? */
static void
look_at_service(void)
{
	static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char *text = host_read(w.c, tables[i]), *line, *rest = text, remote[33];
		struct netaddr peer;
		unsigned port, state;

		while ((line = strsep(&rest, "\n")) != NULL) {
			if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %32[0-9A-Fa-f]:%*x %x", &port,
				remote, &state) != 3 ||
			    state == 10 || !read_remote(remote, &peer) ||
			    netaddr_reach(&peer) != NETADDR_PUBLIC ||
			    start_is_lan(&w.c->conf.local_networks, &peer))
				continue;
			for (unsigned k = 0; k < w.n; k++)
				if (w.ports[k].listener == -1 && w.ports[k].port == port)
					say_reached(&w.ports[k], &peer);
		}
		free(text);
	}
}

/* --------------------------------------------------------------- the loop */

static bool
has_room(void)
{
	for (unsigned i = 0; i < VISITORS; i++)
		if (visitors[i].fd == -1)
			return true;
	return false;
}

static bool
is_busy(void)
{
	for (unsigned i = 0; i < VISITORS; i++)
		if (visitors[i].fd != -1 && !visitors[i].done)
			return true;
	return false;
}

/* One turn; at most ms. */
static void
turn(int ms)
{
	struct pollfd fds[WAIT_PORTS + VISITORS];
	const bool room = has_room();
	unsigned n = 0;

	for (unsigned i = 0; i < w.n; i++)
		fds[n++] =
		    (struct pollfd){ .fd = room ? w.ports[i].listener : -1, .events = POLLIN };
	for (unsigned i = 0; i < VISITORS; i++)
		fds[n++] = (struct pollfd){ .fd = visitors[i].fd,
			.events =
			    (short)(visitors[i].answer != NULL && !visitors[i].done ? POLLOUT
										    : POLLIN) };
	if (poll(fds, n, ms) == -1)
		return;
	for (unsigned i = 0; i < VISITORS; i++)
		if (visitors[i].fd != -1)
			step(&visitors[i], fds[w.n + i].revents);
	for (unsigned i = 0; i < w.n; i++)
		if (fds[i].revents != 0)
			accept_all(i);
}

/* The ports are open: what the world says is read by somebody without rights, for good. */
static int
give_up_rights(const struct conf *conf)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() == 0 &&
	    ((pwfile_system_user(conf->session_user, &uid, &gid) == -1 &&
		 pwfile_system_user("nobody", &uid, &gid) == -1) ||
		caps_become(uid, gid, NULL, 0) == -1 || caps_keep(0) == -1))
		return -1;
	return caps_no_new_privs();
}

int
wait_run(struct check *c, unsigned seconds)
{
	const struct sigaction action = { .sa_handler = end_it };
	const int64_t until = asking_clock() + (int64_t)seconds * 1000;
	int64_t all_at = 0;

	w.c = c;
	add_ports();
	for (unsigned i = 0; i < VISITORS; i++)
		visitors[i].fd = -1;
	if (count_ports(false) == 0) {
		warnx("there is no passive port that could be opened here and visited by a "
		      "browser: set "
		      "PassivePorts, and run this as root");
		return EX_CONFIG;
	}
	if (give_up_rights(&c->conf) == -1) {
		warn("becoming %s", c->conf.session_user);
		return EX_OSERR;
	}
	snprintf(w.nonce, sizeof(w.nonce), "%08x%08x%08x%08x", arc4random(), arc4random(),
	    arc4random(), arc4random());
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	say_begin(seconds);
	while (!ended && asking_clock() < until) {
		turn(SERVICE_MS);
		look_at_service();
		if (all_at == 0 && count_ports(true) == count_ports(false))
			all_at = asking_clock();
		/* the page is to hear of the last port as well */
		if (all_at != 0 && (!is_busy() || asking_clock() > all_at + LINGER_MS))
			break;
	}
	for (unsigned i = 0; i < VISITORS; i++)
		if (visitors[i].fd != -1)
			drop(&visitors[i]);
	for (unsigned i = 0; i < w.n; i++)
		if (w.ports[i].listener != -1)
			close(w.ports[i].listener);
	return say_end();
}
