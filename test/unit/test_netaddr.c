/*
 * Addresses and networks.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "netaddr.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct netaddr
address(const char *text)
{
	struct netaddr a;

	if (netaddr_parse(text, &a) == -1)
		fail_msg("%s was not parsed", text);
	return a;
}

static struct netprefix
network(const char *text)
{
	struct netprefix p;

	if (netprefix_parse(text, &p) == -1)
		fail_msg("%s was not parsed", text);
	return p;
}

static void
assert_network(const struct netprefix *p, const char *addr, unsigned bits)
{
	char buf[NETADDR_TEXT];

	assert_string_equal(netaddr_text(&p->addr, buf), addr);
	assert_int_equal(p->bits, bits);
	assert_int_equal(p->addr.port, 0);
}

static void
addresses_are_read_and_written(void **state)
{
	static const struct {
		const char *in, *out;
		sa_family_t family;
	} rows[] = {
		{ "192.0.2.1",            "192.0.2.1",          AF_INET  },
		{ "0.0.0.0",              "0.0.0.0",            AF_INET  },
		{ "255.255.255.255",      "255.255.255.255",    AF_INET  },
		{ "::",                   "::",                 AF_INET6 },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1",        AF_INET6 },
		{ "fe80::1",              "fe80::1",            AF_INET6 },
		{ "fe80::1%2",            "fe80::1%2",          AF_INET6 },
		{ "fe80::1%4294967295",   "fe80::1%4294967295", AF_INET6 },
		{ "::192.0.2.1",          "::192.0.2.1",        AF_INET6 },
		{ "64:ff9b::192.0.2.1",   "64:ff9b::c000:201",  AF_INET6 },
	};
	char buf[NETADDR_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct netaddr a = address(rows[i].in);

		assert_int_equal(a.family, rows[i].family);
		assert_int_equal(a.port, 0);
		assert_string_equal(netaddr_text(&a, buf), rows[i].out);
	}
}

static void
longest_address_fits(void **state)
{
	static const char text[] = "febf:1111:2222:3333:4444:5555:6666:7777%4294967295";
	struct netaddr a = address(text);
	char buf[NETADDR_TEXT];

	(void)state;
	assert_string_equal(netaddr_text(&a, buf), text);
}

static void
mapped_addresses_become_ipv4_when_read(void **state)
{
	struct netaddr a = address("::ffff:192.0.2.1"), b = address("::FFFF:c000:0201");
	char buf[NETADDR_TEXT];

	(void)state;
	assert_int_equal(a.family, AF_INET);
	assert_string_equal(netaddr_text(&a, buf), "192.0.2.1");
	assert_int_equal(b.family, AF_INET);
	assert_true(netaddr_same_host(&a, &b));
}

static void
what_is_no_address_is_refused(void **state)
{
	static const char *const rows[] = { "", " ", "192.0.2", "192.0.2.256", "192.0.2.1 ",
		" 192.0.2.1", "192.0.2.1.", "192.0.2.01", "1", "0x7f.0.0.1", "localhost",
		"2001:db8", "::1::", ":::", "2001:db8::g", "[::1]", "192.0.2.1:21", "fe80::1%",
		"fe80::1%eth0", "fe80::1%-1", "fe80::1% 1", "fe80::1%4294967296", "2001:db8::1%2",
		"192.0.2.1%2", "::ffff:192.0.2.1%2",
		"1111111111111111111111111111111111111111111111111111111111111111111111111111" };
	struct netaddr a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		errno = 0;
		if (netaddr_parse(rows[i], &a) != -1)
			fail_msg("\"%s\" was taken", rows[i]);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(a.family, AF_UNSPEC);
	}
}

static void
no_address_is_written_as_a_dash(void **state)
{
	struct netaddr none = { .family = AF_UNSPEC };
	char buf[NETADDR_TEXT];

	(void)state;
	assert_string_equal(netaddr_text(&none, buf), "-");
}

static void
sockaddr_goes_in_and_out(void **state)
{
	struct sockaddr_storage ss;
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
	struct netaddr a = address("192.0.2.7"), b;

	(void)state;
	a.port = 2121;
	assert_int_equal(netaddr_to_sockaddr(&a, &ss), sizeof(*in));
	assert_int_equal(ss.ss_family, AF_INET);
	assert_int_equal(ntohs(in->sin_port), 2121);
	netaddr_from_sockaddr(&b, (struct sockaddr *)&ss);
	assert_true(netaddr_same_host(&a, &b));
	assert_int_equal(b.port, 2121);

	a = address("fe80::7%3");
	a.port = 65535;
	assert_int_equal(netaddr_to_sockaddr(&a, &ss), sizeof(*in6));
	assert_int_equal(ss.ss_family, AF_INET6);
	assert_int_equal(in6->sin6_scope_id, 3);
	netaddr_from_sockaddr(&b, (struct sockaddr *)&ss);
	assert_true(netaddr_same_host(&a, &b));
	assert_int_equal(b.port, 65535);
	assert_int_equal(b.scope, 3);
}

static void
mapped_sockaddr_becomes_ipv4(void **state)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(50000) };
	struct netaddr a, want = address("198.51.100.2");

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "::ffff:198.51.100.2", &in6.sin6_addr), 1);
	netaddr_from_sockaddr(&a, (struct sockaddr *)&in6);
	assert_int_equal(a.family, AF_INET);
	assert_int_equal(a.port, 50000);
	assert_true(netaddr_same_host(&a, &want));
}

static void
other_families_give_no_address(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_storage ss;
	struct netaddr a = address("192.0.2.1");

	(void)state;
	netaddr_from_sockaddr(&a, (struct sockaddr *)&un);
	assert_int_equal(a.family, AF_UNSPEC);
	assert_int_equal(netaddr_to_sockaddr(&a, &ss), 0);
}

static void
same_host_looks_at_the_host_alone(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "192.0.2.1",   "192.0.2.1",        true  },
		{ "192.0.2.1",   "192.0.2.2",        false },
		{ "192.0.2.1",   "::ffff:192.0.2.1", true  },
		{ "2001:db8::1", "2001:db8::1",      true  },
		{ "2001:db8::1", "2001:db8::2",      false },
		{ "::",          "0.0.0.0",          false },
		{ "fe80::1%2",   "fe80::1%2",        true  },
		{ "fe80::1%2",   "fe80::1%3",        false },
		{ "fe80::1%2",   "fe80::1",          true  },
	};
	struct netaddr none = { .family = AF_UNSPEC };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct netaddr a = address(rows[i].a), b = address(rows[i].b);

		a.port = 1;
		b.port = 2;
		if (netaddr_same_host(&a, &b) != rows[i].same ||
		    netaddr_same_host(&b, &a) != rows[i].same)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
	}
	assert_false(netaddr_same_host(&none, &none));
}

static void
reach_knows_the_borders_of_each_network(void **state)
{
	static const struct {
		const char *text;
		enum netaddr_reach reach;
	} rows[] = {
		{ "0.0.0.0",         NETADDR_UNSPECIFIED },
		{ "0.255.255.255",   NETADDR_UNSPECIFIED },
		{ "1.0.0.0",         NETADDR_PUBLIC      },
		{ "9.255.255.255",   NETADDR_PUBLIC      },
		{ "10.0.0.0",        NETADDR_PRIVATE     },
		{ "10.255.255.255",  NETADDR_PRIVATE     },
		{ "11.0.0.0",        NETADDR_PUBLIC      },
		{ "100.63.255.255",  NETADDR_PUBLIC      },
		{ "100.64.0.0",      NETADDR_CARRIER     },
		{ "100.127.255.255", NETADDR_CARRIER     },
		{ "100.128.0.0",     NETADDR_PUBLIC      },
		{ "126.255.255.255", NETADDR_PUBLIC      },
		{ "127.0.0.1",       NETADDR_LOOPBACK    },
		{ "128.0.0.0",       NETADDR_PUBLIC      },
		{ "169.253.255.255", NETADDR_PUBLIC      },
		{ "169.254.0.1",     NETADDR_LINK_LOCAL  },
		{ "169.255.0.0",     NETADDR_PUBLIC      },
		{ "172.15.255.255",  NETADDR_PUBLIC      },
		{ "172.16.0.0",      NETADDR_PRIVATE     },
		{ "172.31.255.255",  NETADDR_PRIVATE     },
		{ "172.32.0.0",      NETADDR_PUBLIC      },
		{ "192.167.255.255", NETADDR_PUBLIC      },
		{ "192.168.0.1",     NETADDR_PRIVATE     },
		{ "192.169.0.0",     NETADDR_PUBLIC      },
		{ "223.255.255.255", NETADDR_PUBLIC      },
		{ "224.0.0.1",       NETADDR_MULTICAST   },
		{ "255.255.255.255", NETADDR_MULTICAST   },
		{ "::",              NETADDR_UNSPECIFIED },
		{ "::1",             NETADDR_LOOPBACK    },
		{ "::2",             NETADDR_PUBLIC      },
		{ "2001:db8::1",     NETADDR_PUBLIC      },
		{ "fbff::",          NETADDR_PUBLIC      },
		{ "fc00::",          NETADDR_PRIVATE     },
		{ "fdff::",          NETADDR_PRIVATE     },
		{ "fe00::",          NETADDR_PUBLIC      },
		{ "fe80::1",         NETADDR_LINK_LOCAL  },
		{ "febf::1",         NETADDR_LINK_LOCAL  },
		{ "fec0::1",         NETADDR_PUBLIC      },
		{ "ff02::1",         NETADDR_MULTICAST   },
		{ "::ffff:10.0.0.1", NETADDR_PRIVATE     },
	};
	struct netaddr none = { .family = AF_UNSPEC };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct netaddr a = address(rows[i].text);

		if (netaddr_reach(&a) != rows[i].reach)
			fail_msg("%s is %s", rows[i].text, netaddr_reach_text(netaddr_reach(&a)));
	}
	assert_int_equal(netaddr_reach(&none), NETADDR_UNSPECIFIED);
}

static void
each_reach_has_words_of_its_own(void **state)
{
	int a, b;

	(void)state;
	assert_string_equal(netaddr_reach_text(NETADDR_PRIVATE), "a private address (RFC 1918)");
	for (a = NETADDR_PUBLIC; a <= NETADDR_MULTICAST; a++)
		for (b = NETADDR_PUBLIC; b < a; b++)
			assert_string_not_equal(netaddr_reach_text((enum netaddr_reach)a),
			    netaddr_reach_text((enum netaddr_reach)b));
}

static void
networks_are_read_and_cut_to_their_bits(void **state)
{
	static const struct {
		const char *in, *addr;
		unsigned bits;
	} rows[] = {
		{ "192.168.1.0/24",          "192.168.1.0",     24  },
		{ "192.168.1.77/24",         "192.168.1.0",     24  },
		{ "10.255.255.255/9",        "10.128.0.0",      9   },
		{ "192.0.2.255/31",          "192.0.2.254",     31  },
		{ "192.0.2.1/32",            "192.0.2.1",       32  },
		{ "192.0.2.1",               "192.0.2.1",       32  },
		{ "192.0.2.1/0",             "0.0.0.0",         0   },
		{ "fd00::/8",                "fd00::",          8   },
		{ "fdff::1/8",               "fd00::",          8   },
		{ "2001:db8:ffff:ffff::/35", "2001:db8:e000::", 35  },
		{ "2001:db8::1",             "2001:db8::1",     128 },
		{ "::/0",                    "::",              0   },
		{ "::ffff:192.168.1.5/120",  "192.168.1.0",     24  },
		{ "::ffff:192.168.1.5",      "192.168.1.5",     32  },
		{ "fe80::1%2/64",            "fe80::%2",        64  },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct netprefix p = network(rows[i].in);

		assert_network(&p, rows[i].addr, rows[i].bits);
	}
}

static void
what_is_no_network_is_refused(void **state)
{
	static const char *const rows[] = { "", "/", "/24", "192.168.1.0/", "192.168.1.0/33",
		"192.168.1.0/-1", "192.168.1.0/+8", "192.168.1.0/ 8", "192.168.1.0/8 ",
		"192.168.1.0/24/24", "192.168.1.0/255.255.255.0", "192.168.1/24", "fd00::/129",
		"fd00::/8x", "::ffff:192.168.1.0/95", "eth0", "192.168.1.0/99999999999999999999" };
	struct netprefix p;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		errno = 0;
		if (netprefix_parse(rows[i], &p) != -1)
			fail_msg("\"%s\" was taken", rows[i]);
		assert_int_equal(errno, EINVAL);
	}
}

static void
network_contains_its_hosts_only(void **state)
{
	static const struct {
		const char *net, *addr;
		bool inside;
	} rows[] = {
		{ "192.168.1.0/24",  "192.168.1.0",        true  },
		{ "192.168.1.0/24",  "192.168.1.255",      true  },
		{ "192.168.1.0/24",  "192.168.2.0",        false },
		{ "192.168.1.0/24",  "192.168.0.255",      false },
		{ "192.168.1.0/24",  "::ffff:192.168.1.9", true  },
		{ "192.168.0.0/23",  "192.168.1.255",      true  },
		{ "192.168.0.0/23",  "192.168.2.0",        false },
		{ "192.0.2.1",       "192.0.2.1",          true  },
		{ "192.0.2.1",       "192.0.2.0",          false },
		{ "0.0.0.0/0",       "203.0.113.9",        true  },
		{ "0.0.0.0/0",       "2001:db8::1",        false },
		{ "::/0",            "2001:db8::1",        true  },
		{ "::/0",            "192.0.2.1",          false },
		{ "2001:db8::/61",   "2001:db8:0:7::1",    true  },
		{ "2001:db8::/61",   "2001:db8:0:8::1",    false },
		{ "2001:db8::1/128", "2001:db8::1",        true  },
		{ "2001:db8::1/128", "2001:db8::",         false },
		{ "fe80::1%2/64",    "fe80::9%2",          true  },
		{ "fe80::1%2/64",    "fe80::9%3",          false },
		{ "fe80::/10",       "fe80::9%3",          true  },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct netprefix net = network(rows[i].net);
		struct netaddr a = address(rows[i].addr);

		if (netprefix_contains(&net, &a) != rows[i].inside)
			fail_msg("%s in %s", rows[i].addr, rows[i].net);
	}
}

static void
empty_network_contains_nothing(void **state)
{
	struct netprefix empty;
	struct netaddr none = { .family = AF_UNSPEC }, a = address("0.0.0.0");

	(void)state;
	memset(&empty, 0, sizeof(empty));
	assert_false(netprefix_contains(&empty, &a));
	assert_false(netprefix_contains(&empty, &none));
}

static void
fill_v4(struct sockaddr_in *in, const char *text)
{
	memset(in, 0, sizeof(*in));
	in->sin_family = AF_INET;
	in->sin_port = htons(99);
	assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
}

static void
interface_netmask_gives_its_network(void **state)
{
	static const struct {
		const char *addr, *mask, *net;
		int bits; /* -1: refused */
	} rows[] = {
		{ "192.168.1.20", "255.255.255.0",   "192.168.1.0",  24 },
		{ "192.168.1.20", "255.255.255.255", "192.168.1.20", 32 },
		{ "192.168.1.20", "0.0.0.0",         "0.0.0.0",      0  },
		{ "192.168.1.20", "255.255.254.0",   "192.168.0.0",  23 },
		{ "192.168.1.20", "255.0.255.0",     "",             -1 },
		{ "192.168.1.20", "0.255.255.255",   "",             -1 },
	};
	struct sockaddr_in addr, mask;
	struct netprefix p;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		int done;

		fill_v4(&addr, rows[i].addr);
		fill_v4(&mask, rows[i].mask);
		done =
		    netprefix_from_netmask(&p, (struct sockaddr *)&addr, (struct sockaddr *)&mask);
		assert_int_equal(done, rows[i].bits == -1 ? -1 : 0);
		if (done == 0)
			assert_network(&p, rows[i].net, (unsigned)rows[i].bits);
	}
}

static void
interface_netmask_works_for_ipv6_with_its_scope(void **state)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_scope_id = 4 };
	struct sockaddr_in6 mask = { .sin6_family = AF_INET6 };
	struct netprefix p;
	struct netaddr here = address("fe80::2%4"), there = address("fe80::2%5");

	(void)state;
	inet_pton(AF_INET6, "fe80::abcd", &addr.sin6_addr);
	inet_pton(AF_INET6, "ffff:ffff:ffff:ffff::", &mask.sin6_addr);
	assert_int_equal(
	    netprefix_from_netmask(&p, (struct sockaddr *)&addr, (struct sockaddr *)&mask), 0);
	assert_network(&p, "fe80::%4", 64);
	assert_true(netprefix_contains(&p, &here));
	assert_false(netprefix_contains(&p, &there));
}

static void
interface_without_netmask_is_refused(void **state)
{
	struct sockaddr_in addr;
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct netprefix p;

	(void)state;
	fill_v4(&addr, "192.168.1.20");
	assert_int_equal(netprefix_from_netmask(&p, (struct sockaddr *)&addr, NULL), -1);
	assert_int_equal(netprefix_from_netmask(&p, NULL, (struct sockaddr *)&addr), -1);
	assert_int_equal(
	    netprefix_from_netmask(&p, (struct sockaddr *)&addr, (struct sockaddr *)&six), -1);
	assert_int_equal(errno, EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(longest_address_fits),
		cmocka_unit_test(mapped_addresses_become_ipv4_when_read),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(no_address_is_written_as_a_dash),
		cmocka_unit_test(sockaddr_goes_in_and_out),
		cmocka_unit_test(mapped_sockaddr_becomes_ipv4),
		cmocka_unit_test(other_families_give_no_address),
		cmocka_unit_test(same_host_looks_at_the_host_alone),
		cmocka_unit_test(reach_knows_the_borders_of_each_network),
		cmocka_unit_test(each_reach_has_words_of_its_own),
		cmocka_unit_test(networks_are_read_and_cut_to_their_bits),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(network_contains_its_hosts_only),
		cmocka_unit_test(empty_network_contains_nothing),
		cmocka_unit_test(interface_netmask_gives_its_network),
		cmocka_unit_test(interface_netmask_works_for_ipv6_with_its_scope),
		cmocka_unit_test(interface_without_netmask_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
