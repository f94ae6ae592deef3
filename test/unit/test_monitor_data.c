/*
 * Data connections and what is written about them: passive ports and the
 * address to announce, active ports and whom they reach, the transfer log.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "caps.h"
#include "hostile.h"

#define ALL_CAPS (CAPS_SETUID | CAPS_SETGID | CAPS_SYS_CHROOT | CAPS_NET_BIND_SERVICE)

static int
ask_listen(struct house *h, bool extended, struct netaddr *announce, int *fd)
{
	struct req_listen req = { .extended = extended };
	struct ans_listen ans = { 0 };
	int error = house_ask(h, REQ_LISTEN, &req, sizeof(req), &ans, sizeof(ans), fd);

	if (announce != NULL)
		*announce = ans.announce;
	return error;
}

static int
ask_connect(struct house *h, uint16_t port, int *fd)
{
	struct req_connect req = { .port = port };
	struct answer ans;

	return house_ask(h, REQ_CONNECT, &req, sizeof(req), &ans, sizeof(ans), fd);
}

/* A listener on loopback; *port is what it has got. */
static int
listener(uint16_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

/* A port that was free a moment ago. */
static uint16_t
free_port(void)
{
	uint16_t port;

	close(listener(&port));
	return port;
}

static uint16_t
local_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct netaddr addr;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	netaddr_from_sockaddr(&addr, (struct sockaddr *)&ss);
	return addr.port;
}

static bool
is_address(const struct netaddr *addr, const char *text)
{
	char buf[NETADDR_TEXT];

	netaddr_text(addr, buf);
	if (strcmp(buf, text) != 0)
		print_message("announced: %s\n", buf);
	return strcmp(buf, text) == 0;
}

static void
range_of_one(struct house *h, uint16_t port)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "PassivePorts %u-%u", port, port);
	house_conf(h, line);
}

static void
a_listener_has_a_port_of_the_range_and_the_local_address(void **state)
{
	struct house *h = *state;
	uint16_t port = free_port();
	struct netaddr announce;
	int fd, on = 0;
	socklen_t len = sizeof(on);

	range_of_one(h, port);
	house_login(h);
	assert_int_equal(ask_listen(h, false, &announce, &fd), 0);
	assert_true(is_address(&announce, "127.0.0.1"));
	assert_int_equal(announce.port, port);
	assert_int_equal(local_port(fd), port);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len), 0);
	assert_int_equal(on, 1);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, &len), 0);
	assert_int_equal(on, 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	close(fd);
	house_end(h);
}

static void
any_port_will_do_without_a_range(void **state)
{
	struct house *h = *state;
	struct netaddr announce;
	int one, two;

	house_login(h);
	assert_int_equal(ask_listen(h, false, &announce, &one), 0);
	assert_int_equal(announce.port, local_port(one));
	/* two at once are no business of the monitor's: the session has one */
	assert_int_equal(ask_listen(h, true, &announce, &two), 0);
	assert_int_equal(announce.port, local_port(two));
	assert_int_not_equal(local_port(one), local_port(two));
	close(one);
	close(two);
	house_end(h);
}

static void
a_full_range_is_told_and_not_left(void **state)
{
	struct house *h = *state;
	int fd;

	range_of_one(h, free_port());
	house_login(h);
	assert_int_equal(ask_listen(h, false, NULL, &fd), 0);
	assert_int_equal(ask_listen(h, false, NULL, NULL), EADDRINUSE);
	assert_int_equal(ask_listen(h, true, NULL, NULL), EADDRINUSE);
	close(fd);
	/* the monitor has kept no copy of it */
	assert_int_equal(ask_listen(h, false, NULL, &fd), 0);
	close(fd);
	house_end(h);
	assert_true(house_logged(h, "all of PassivePorts are in use"));
}

static void
taken_ports_are_walked_around(void **state)
{
	struct house *h = *state;
	uint16_t taken, port = free_port();
	int other = listener(&taken), fd, i;
	char line[64];

	(void)snprintf(line, sizeof(line), "PassivePorts %u,%u", taken, port);
	house_conf(h, line);
	house_login(h);
	for (i = 0; i < 20; i++) {
		assert_int_equal(ask_listen(h, false, NULL, &fd), 0);
		assert_int_equal(local_port(fd), port);
		close(fd);
	}
	house_end(h);
	close(other);
}

static void
lan_clients_are_told_the_local_address(void **state)
{
	struct house *h = *state;
	struct netaddr announce;
	int fd;

	house_conf(h, "MasqueradeAddress 203.0.113.7");
	house_login(h);
	assert_int_equal(ask_listen(h, false, &announce, &fd), 0);
	assert_true(is_address(&announce, "127.0.0.1"));
	close(fd);
	house_end(h);
}

static void
others_are_told_the_masquerade_address(void **state)
{
	struct house *h = *state;
	struct netaddr announce;
	int fd;

	house_conf(h, "MasqueradeAddress 203.0.113.7");
	h->client.lan = false;
	house_login(h);
	assert_int_equal(ask_listen(h, false, &announce, &fd), 0);
	assert_true(is_address(&announce, "203.0.113.7"));
	assert_int_equal(announce.port, local_port(fd));
	close(fd);
	house_end(h);
}

/* Starts a monitor whose gateway is a pipe that the caller writes; returns its end. */
static int
with_patient_gateway(struct house *h, const char *timeout)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	h->gateway = ends[0];
	h->not_its = ends[1];
	h->client.lan = false;
	house_conf(h, "MasqueradeAddress home.example.net");
	house_conf(h, timeout);
	house_login(h);
	return ends[1];
}

static int
with_gateway(struct house *h)
{
	return with_patient_gateway(h, "MasqueradeTimeout 1");
}

static void
say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void
passive_is(struct house *h, const char *address)
{
	struct netaddr announce;
	int fd;

	assert_int_equal(ask_listen(h, false, &announce, &fd), 0);
	assert_true(is_address(&announce, address));
	assert_int_equal(announce.port, local_port(fd));
	close(fd);
}

static void
the_gateway_s_address_is_announced_and_remembered(void **state)
{
	struct house *h = *state;
	int gateway = with_gateway(h);

	say(gateway, "address 198.51.100.23 natpmp\n");
	close(gateway);
	passive_is(h, "198.51.100.23");
	passive_is(h, "198.51.100.23");
	house_end(h);
}

static void
notes_of_the_gateway_go_to_the_log(void **state)
{
	struct house *h = *state;
	int gateway = with_gateway(h);

	say(gateway, "note the router is silent\nnote and so is DNS\naddress 198.51.100.23 x\n");
	close(gateway);
	passive_is(h, "198.51.100.23");
	house_end(h);
	assert_true(house_logged(h, "the router is silent"));
	assert_true(house_logged(h, "and so is DNS"));
}

static void
a_flood_of_notes_ends(void **state)
{
	struct house *h = *state;
	int gateway = with_gateway(h);

	for (int i = 0; i < 100; i++)
		say(gateway, "note hello\n");
	passive_is(h, "127.0.0.1");
	close(gateway);
	house_end(h);
}

static void
the_last_known_address_is_announced_with_its_age(void **state)
{
	struct house *h = *state;
	int gateway = with_gateway(h);

	say(gateway, "cached 198.51.100.23 7260 no DNS server answered\n");
	close(gateway);
	passive_is(h, "198.51.100.23");
	house_end(h);
	assert_true(house_logged(h, "no DNS server answered"));
	assert_true(house_logged(h, "which was right 2 h 1 min ago"));
}

static void
a_line_in_pieces_is_put_together(void **state)
{
	struct house *h = *state;
	int gateway = with_gateway(h);

	say(gateway, "address 198.51.");
	say(gateway, "100.23\n");
	passive_is(h, "198.51.100.23");
	close(gateway);
	house_end(h);
}

static void
announced_ports_stand_for_ours_outside(void **state)
{
	struct house *h = *state;
	struct netaddr announce;
	int fd;

	h->client.lan = false;
	house_conf(h, "PassivePorts 45000 45009");
	house_conf(h, "PassivePortsAnnounced 5000-5004,6000-6004");
	house_login(h);
	for (int extended = 0; extended < 2; extended++) {
		unsigned place;

		assert_int_equal(ask_listen(h, extended, &announce, &fd), 0);
		place = local_port(fd) - 45000u;
		assert_int_equal(announce.port, place < 5 ? 5000 + place : 6000 + place - 5);
		close(fd);
	}
	house_end(h);
}

static void
announced_ports_are_not_for_the_lan(void **state)
{
	struct house *h = *state;
	struct netaddr announce;
	int fd;

	h->client.lan = true;
	house_conf(h, "PassivePorts 45000 45009");
	house_conf(h, "PassivePortsAnnounced 5000 5009");
	house_login(h);
	assert_int_equal(ask_listen(h, false, &announce, &fd), 0);
	assert_int_equal(announce.port, local_port(fd));
	close(fd);
	house_end(h);
}

/* Starts a monitor with PortMapping whose gateway is the caller, at the end that is returned. */
static int
with_patient_mapping(struct house *h, const char *masquerade, const char *timeout)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	h->gateway = ends[0];
	h->not_its = ends[1];
	h->client.lan = false;
	house_conf(h, masquerade);
	house_conf(h, timeout);
	house_conf(h, "PortMapping auto");
	house_conf(h, "PassivePorts 45000");
	house_login(h);
	return ends[1];
}

static int
with_mapping(struct house *h, const char *masquerade)
{
	return with_patient_mapping(h, masquerade, "MasqueradeTimeout 1");
}

static void
heard(int gateway, const char *expected)
{
	char line[64];
	size_t len = 0;

	do
		assert_int_equal(read(gateway, line + len, 1), 1);
	while (line[len++] != '\n' && len < sizeof(line) - 1);
	line[len] = '\0';
	assert_string_equal(line, expected);
}

static void
the_router_s_port_and_address_are_announced(void **state)
{
	struct house *h = *state;
	int gateway = with_mapping(h, "MasqueradeAddress none"), fd;
	struct netaddr announce;

	say(gateway, "ready\nnote hello\nmapped 45000 61000 198.51.100.23 120 natpmp\n");
	assert_int_equal(ask_listen(h, false, &announce, &fd), 0);
	assert_int_equal(announce.port, 61000);
	assert_true(is_address(&announce, "198.51.100.23"));
	heard(gateway, "map 45000 120\n");
	close(fd);
	/* the next one takes this one back, and what is said of it comes late */
	say(gateway, "unmapped 4500 x\nmapped 45000 61001 198.51.100.23 120 natpmp\n");
	assert_int_equal(ask_listen(h, true, &announce, &fd), 0);
	assert_int_equal(announce.port, 61001);
	heard(gateway, "unmap 45000\n");
	heard(gateway, "map 45000 120\n");
	close(fd);
	close(gateway);
	house_end(h);
}

static void
an_address_that_comes_after_its_time_is_announced_with_the_port(void **state)
{
	struct house *h = *state;
	int gateway = with_patient_mapping(
	        h, "MasqueradeAddress home.example.net", "MasqueradeTimeout 4"), fd;
	struct netaddr announce;
	int64_t began;

	/* neither answer comes in time, which is the same for both */
	began = house_clock();
	assert_int_equal(ask_listen(h, false, &announce, &fd), 0);
	assert_true(house_clock() - began < 7900);
	assert_true(is_address(&announce, "127.0.0.1"));
	close(fd);
	say(gateway, "address 198.51.100.23 x\nmapped 45000 61000 198.51.100.9 120 upnp\n");
	assert_int_equal(ask_listen(h, false, &announce, &fd), 0);
	assert_true(is_address(&announce, "198.51.100.23"));
	assert_int_equal(announce.port, 61000);
	close(fd);
	close(gateway);
	house_end(h);
}

static void
a_router_that_refuses_is_told_and_the_port_announced_as_it_is(void **state)
{
	struct house *h = *state;
	int gateway = with_mapping(h, "MasqueradeAddress none"), fd;
	struct netaddr announce;

	say(gateway, "ready\nunmapped 45000 the router does not allow it\n");
	assert_int_equal(ask_listen(h, true, &announce, &fd), 0);
	assert_int_equal(announce.port, 45000);
	close(fd);
	close(gateway);
	house_end(h);
	assert_true(house_logged(h, "does not forward port 45000: the router does not allow it"));
}

static void
a_gateway_that_dies_or_is_silent_costs_the_mapping_alone(void **state)
{
	struct house *h = *state;
	int gateway = with_mapping(h, "MasqueradeAddress none"), fd;
	struct netaddr announce;
	int64_t began;

	say(gateway, "ready\n");
	began = house_clock();
	assert_int_equal(ask_listen(h, true, &announce, &fd), 0);
	assert_int_equal(announce.port, 45000);
	assert_in_range(house_clock() - began, 950, 30000);
	close(fd);
	close(gateway);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask_listen(h, true, &announce, &fd), 0);
		assert_int_equal(announce.port, 45000);
		close(fd);
	}
	house_end(h);
	assert_true(house_logged(h, "did not answer within MasqueradeTimeout"));
}

/* A gateway that ends with this answer gives the local address and one line in the log. */
static void
falls_back(struct house *h, const char *answer, const char *why)
{
	int gateway = with_gateway(h);

	say(gateway, answer);
	close(gateway);
	passive_is(h, "127.0.0.1");
	passive_is(h, "127.0.0.1");
	house_end(h);
	assert_true(house_logged(h, why));
	close(h->gateway);
	h->gateway = -1;
}

static void
a_gateway_that_fails_gives_the_local_address(void **state)
{
	struct house *h = *state;

	falls_back(h, "failed no such name\n", "home.example.net: no such name. The local address");
	falls_back(h, "", "gave no answer");
	falls_back(h, "address 198.51.100.2", "gave no answer"); /* and 3? */
	falls_back(h, "address 2001:db8::1\n", "gave no answer");
	falls_back(h, "address 198.51.100.256\n", "gave no answer");
	falls_back(h, "hello\n", "gave no answer");
	falls_back(h, "cached\n", "gave no answer");
	falls_back(h, "cached 198.51.100.23\n", "gave no answer");
	falls_back(h, "cached 198.51.100.23 old\n", "gave no answer");
	falls_back(h, "cached 0.0.0.0 5 why\n", "it is ");
	falls_back(h, "note only\n", "gave no answer");
	falls_back(h, "address 0.0.0.0\n", "it is ");
}

static void
private_answers_are_not_for_public_peers(void **state)
{
	struct house *h = *state;

	netaddr_parse("203.0.113.99", &h->client.peer);
	falls_back(h, "address 192.168.1.5\n", "it is a private address");
	falls_back(h, "address 127.0.0.1\n", "it is ");
}

static void
a_silent_gateway_costs_its_time_once(void **state)
{
	struct house *h = *state;
	int64_t began = house_clock();
	struct netaddr announce;
	int gateway = with_patient_gateway(h, "MasqueradeTimeout 4"), fd;

	/* EPSV has no address and does not wait */
	assert_int_equal(ask_listen(h, true, &announce, &fd), 0);
	close(fd);
	assert_true(house_clock() - began < 3900);
	passive_is(h, "127.0.0.1");
	assert_in_range(house_clock() - began, 3950, 30000);
	began = house_clock();
	passive_is(h, "127.0.0.1");
	assert_true(house_clock() - began < 3900);
	/* late is better than never */
	say(gateway, "address 198.51.100.23\n");
	passive_is(h, "198.51.100.23");
	close(gateway);
	house_end(h);
	assert_true(house_logged(h, "no answer came within MasqueradeTimeout"));
}

/* The client over IPv6 loopback; skips where there is none. */
static void
over_ipv6(struct house *h)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool there = fd != -1 && bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;

	if (fd != -1)
		close(fd);
	if (!there)
		skip();
	netaddr_parse("::1", &h->client.local);
	netaddr_parse("::1", &h->client.peer);
	h->client.local.port = 2121;
	h->client.peer.port = 50000;
}

static void
ipv6_has_epsv_and_no_pasv(void **state)
{
	struct house *h = *state;
	struct netaddr announce;
	int fd;

	over_ipv6(h);
	house_login(h);
	assert_int_equal(ask_listen(h, false, NULL, NULL), EAFNOSUPPORT);
	assert_int_equal(ask_listen(h, true, &announce, &fd), 0);
	assert_int_equal(announce.port, local_port(fd));
	close(fd);
	house_end(h);
}

/* Connects to a listener of ours; the source port that was seen there. */
static uint16_t
source_port(struct house *h, int server, uint16_t port)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int fd, in;

	assert_int_equal(ask_connect(h, port, &fd), 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_int_not_equal(in = accept(server, (struct sockaddr *)&from, &len), -1);
	assert_int_equal(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	close(in); /* this end keeps TIME_WAIT */
	close(fd);
	return ntohs(from.sin_port);
}

static void
privileged_ports_of_the_client_are_refused(void **state)
{
	static const uint16_t ports[] = { 0, 1, 20, 21, 25, 1023 };
	struct house *h = *state;
	size_t i;

	house_login(h);
	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		assert_int_equal(ask_connect(h, ports[i], NULL), EINVAL);
	house_end(h);
}

static void
an_active_connection_leaves_from_the_active_port(void **state)
{
	struct house *h = *state;
	uint16_t port, source = free_port();
	int server = listener(&port);
	char line[64];

	(void)snprintf(line, sizeof(line), "ActivePort %u", source);
	house_conf(h, line);
	house_login(h);
	assert_int_equal(source_port(h, server, port), source);
	house_end(h);
	close(server);
}

static void
port_20_is_had_by_one_capability(void **state)
{
	struct house *h = *state;
	uint16_t port;
	int server;

	if (geteuid() != 0 || (caps_permitted() & ALL_CAPS) != ALL_CAPS)
		skip();
	server = listener(&port);
	h->root = true;
	house_conf(h, "ActivePort 20");
	house_login(h);
	assert_int_equal(source_port(h, server, port), 20);
	house_end(h);

	/* L-1 of a control port above 1024 needs none */
	h->client.local.port = free_port();
	house_conf(h, "ActivePort L-1");
	house_login(h);
	assert_int_equal(source_port(h, server, port), h->client.local.port - 1);
	house_end(h);
	close(server);
}

static void
become_nobody(void)
{
	if (setgroups(0, NULL) == -1 || setgid(65534) == -1 || setuid(65534) == -1)
		_exit(1);
}

/* False where the kernel gives port 20 to everybody. */
static bool
port_20_is_privileged(void)
{
	int first = 1024, fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDONLY);
	char text[16] = "";

	if (fd != -1) {
		if (read(fd, text, sizeof(text) - 1) > 0)
			first = atoi(text);
		close(fd);
	}
	return first > 20;
}

static void
without_the_capability_any_port_will_do(void **state)
{
	struct house *h = *state;
	uint16_t port;
	int server;

	if (!port_20_is_privileged())
		skip();
	if (geteuid() == 0) {
		assert_int_equal(chown(h->file, 65534, 65534), 0);
		assert_int_equal(chmod(h->base, 0777), 0);
		h->before = become_nobody;
	}
	server = listener(&port);
	house_conf(h, "ActivePort prefer");
	house_login(h);
	assert_int_not_equal(source_port(h, server, port), 20);
	assert_int_not_equal(source_port(h, server, port), 20);
	house_end(h);
	close(server);
	assert_true(house_logged(h, "ActivePort 20 cannot be had (Permission denied)"));
}

static void
a_pair_of_ports_in_use_is_told_where_the_port_is_strict(void **state)
{
	struct house *h = *state;
	uint16_t port, source = free_port();
	int server = listener(&port), one, two;
	char line[64];

	(void)snprintf(line, sizeof(line), "ActivePort %u", source);
	house_conf(h, line);
	house_login(h);
	assert_int_equal(ask_connect(h, port, &one), 0);
	assert_int_equal(local_port(one), source);
	assert_int_not_equal(ask_connect(h, port, &two), 0);
	close(one);
	house_end(h);
	close(server);
}

static void
without_the_capability_a_strict_port_is_refused(void **state)
{
	struct house *h = *state;
	uint16_t port;
	int server, fd;

	if (!port_20_is_privileged())
		skip();
	if (geteuid() == 0) {
		assert_int_equal(chown(h->file, 65534, 65534), 0);
		assert_int_equal(chmod(h->base, 0777), 0);
		h->before = become_nobody;
	}
	server = listener(&port);
	house_conf(h, "ActivePort 20");
	house_login(h);
	assert_int_equal(ask_connect(h, port, &fd), EACCES);
	house_end(h);
	close(server);
}

static void
a_pair_of_ports_in_use_falls_back_to_another_source(void **state)
{
	struct house *h = *state;
	uint16_t port, source = free_port();
	int server = listener(&port), one, two;
	int64_t began;
	char line[64];

	h->client.local.port = source + 1;
	house_conf(h, "ActivePort L-1");
	house_login(h);
	assert_int_equal(ask_connect(h, port, &one), 0);
	assert_int_equal(local_port(one), source);
	began = house_clock();
	assert_int_equal(ask_connect(h, port, &two), 0);
	assert_true(house_clock() - began < 15000);
	assert_int_not_equal(local_port(two), source);
	close(one);
	close(two);
	house_end(h);
	close(server);
	(void)snprintf(line, sizeof(line), "ActivePort %u cannot be had", source);
	assert_true(house_logged(h, line));
}

static void
connections_go_to_the_peer_alone(void **state)
{
	struct house *h = *state;
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	uint16_t port;
	int server = listener(&port), fd;

	netaddr_parse("127.0.0.2", &h->client.peer);
	house_login(h);
	assert_int_equal(ask_connect(h, port, &fd), 0);
	/* nobody listens at 127.0.0.2, so it may have failed already */
	if (getpeername(fd, (struct sockaddr *)&to, &len) == 0)
		assert_int_equal(to.sin_addr.s_addr, inet_addr("127.0.0.2"));
	else
		assert_int_equal(errno, ENOTCONN);
	assert_int_equal(poll(&(struct pollfd){ .fd = server, .events = POLLIN }, 1, 200), 0);
	close(fd);
	house_end(h);
	close(server);
}

static void
done(struct house *h, bool upload, bool complete, bool ascii, const char *path)
{
	struct req_done req = {
		.upload = upload,
		.complete = complete,
		.ascii = ascii,
		.bytes = 1024,
		.duration_ms = 1500,
	};
	struct answer ans;

	(void)strlcpy(req.path, path, sizeof(req.path));
	assert_int_equal(house_ask(h, REQ_DONE, &req, sizeof(req), &ans, sizeof(ans), NULL), 0);
}

static void
transfers_are_logged_as_wu_ftpd_did(void **state)
{
	struct house *h = *state;
	char path[128], text[4096] = "", *line, *next;
	/* behind "Mon Nov 24 05:21:07 2025 " */
	static const char *const want[] = {
		"2 127.0.0.1 1024 /dir/file b _ o r bob ftp 0 * c",
		"2 127.0.0.1 1024 /a_b__c_\303\251 a _ i r bob ftp 0 * i",
	};
	size_t i;

	(void)snprintf(path, sizeof(path), "%s/xferlog", h->base);
	h->transfer_log = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_int_not_equal(h->transfer_log, -1);
	house_login(h);
	done(h, false, true, false, "/dir/file");
	done(h, true, false, true, "/a b\n\"c\001\303\251");
	house_end(h);
	assert_true(pread(h->transfer_log, text, sizeof(text) - 1, 0) > 0);
	for (i = 0, line = text; i < 2; i++, line = next) {
		assert_non_null(next = strchr(line, '\n'));
		*next++ = '\0';
		assert_true(strlen(line) > 25);
		assert_string_equal(line + 25, want[i]);
	}
	assert_string_equal(line, "");
	assert_true(house_logged(h,
	    "sent user=\"bob\" rhost=127.0.0.1 path=\"/dir/file\" "
	    "bytes=1024 ms=1500 complete\n"));
	assert_true(house_logged(h, "received user=\"bob\""));
}

static void
numbers_of_transfers_are_not_believed(void **state)
{
	struct req_done req = { .bytes = -5, .duration_ms = INT64_MAX, .path = "/x" };
	struct house *h = *state;
	struct answer ans;

	house_login(h);
	assert_int_equal(house_ask(h, REQ_DONE, &req, sizeof(req), &ans, sizeof(ans), NULL), 0);
	house_end(h);
	assert_true(house_logged(h, "bytes=0 ms=9223372036854775807 incomplete"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_listener_has_a_port_of_the_range_and_the_local_address),
		T(any_port_will_do_without_a_range),
		T(a_full_range_is_told_and_not_left),
		T(taken_ports_are_walked_around),
		T(lan_clients_are_told_the_local_address),
		T(others_are_told_the_masquerade_address),
		T(the_gateway_s_address_is_announced_and_remembered),
		T(notes_of_the_gateway_go_to_the_log),
		T(a_flood_of_notes_ends),
		T(announced_ports_stand_for_ours_outside),
		T(announced_ports_are_not_for_the_lan),
		T(the_router_s_port_and_address_are_announced),
		T(an_address_that_comes_after_its_time_is_announced_with_the_port),
		T(a_router_that_refuses_is_told_and_the_port_announced_as_it_is),
		T(a_gateway_that_dies_or_is_silent_costs_the_mapping_alone),
		T(the_last_known_address_is_announced_with_its_age),
		T(a_line_in_pieces_is_put_together),
		T(a_gateway_that_fails_gives_the_local_address),
		T(private_answers_are_not_for_public_peers),
		T(a_silent_gateway_costs_its_time_once),
		T(ipv6_has_epsv_and_no_pasv),
		T(privileged_ports_of_the_client_are_refused),
		T(an_active_connection_leaves_from_the_active_port),
		T(port_20_is_had_by_one_capability),
		T(without_the_capability_any_port_will_do),
		T(without_the_capability_a_strict_port_is_refused),
		T(a_pair_of_ports_in_use_falls_back_to_another_source),
		T(a_pair_of_ports_in_use_is_told_where_the_port_is_strict),
		T(connections_go_to_the_peer_alone),
		T(transfers_are_logged_as_wu_ftpd_did),
		T(numbers_of_transfers_are_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
