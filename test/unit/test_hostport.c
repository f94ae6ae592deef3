/*
 * PORT, EPRT and 227.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hostport.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
assert_address(const struct netaddr *a, const char *text, unsigned port)
{
	char buf[NETADDR_TEXT];

	assert_string_equal(netaddr_text(a, buf), text);
	assert_int_equal(a->port, port);
}

static void
port_takes_six_numbers(void **state)
{
	static const struct {
		const char *arg, *addr;
		unsigned port;
	} rows[] = {
		{ "192,168,1,10,16,5",       "192.168.1.10",    4101  },
		{ "0,0,0,0,0,0",             "0.0.0.0",         0     },
		{ "255,255,255,255,255,255", "255.255.255.255", 65535 },
		{ "192,0,2,1,0,21",          "192.0.2.1",       21    },
		{ "192,000,002,001,016,005", "192.0.2.1",       4101  },
	};
	struct netaddr a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(hostport_parse(rows[i].arg, &a), 0);
		assert_int_equal(a.family, AF_INET);
		assert_address(&a, rows[i].addr, rows[i].port);
	}
}

static void
port_refuses_everything_else(void **state)
{
	static const char *const rows[] = { "", ",", "192,168,1,10,16", "192,168,1,10,16,",
		"192,168,1,10,16,5,", "192,168,1,10,16,5,6", "192,168,1,10,16,5 ",
		" 192,168,1,10,16,5", "192, 168,1,10,16,5", "192,168,1,10,16,256",
		"256,168,1,10,16,5", "192,168,1,10,999,5", "-1,168,1,10,16,5", "192,168,1,10,16,+5",
		"192.168.1.10.16.5", "192,,1,10,16,5", "0x1,168,1,10,16,5", "192,168,1,10,16,a",
		"0192,168,1,10,16,5", "4294967488,168,1,10,16,5", "192,168,1,10,16,5\r",
		"(192,168,1,10,16,5)", "192,168,1,10,16,00000000000000000000005" };
	struct netaddr a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		errno = 0;
		if (hostport_parse(rows[i], &a) != -1)
			fail_msg("\"%s\" was taken", rows[i]);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(a.family, AF_UNSPEC);
	}
}

static void
eprt_takes_both_protocols(void **state)
{
	static const struct {
		const char *arg, *addr;
		sa_family_t family;
		unsigned port;
	} rows[] = {
		{ "|1|132.235.1.2|6275|",           "132.235.1.2",           AF_INET,  6275  },
		{ "|2|1080::8:800:200C:417A|5282|", "1080::8:800:200c:417a", AF_INET6, 5282  },
		{ "|1|192.0.2.1|1|",                "192.0.2.1",             AF_INET,  1     },
		{ "|2|::1|65535|",                  "::1",                   AF_INET6, 65535 },
		{ "|2|::ffff:192.0.2.1|4101|",      "192.0.2.1",             AF_INET,  4101  },
		{ "!1!192.0.2.1!4101!",             "192.0.2.1",             AF_INET,  4101  },
		{ "~2~2001:db8::1~4101~",           "2001:db8::1",           AF_INET6, 4101  },
		{ ",1,192.0.2.1,4101,",             "192.0.2.1",             AF_INET,  4101  },
	};
	struct netaddr a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		if (hostport_parse_extended(rows[i].arg, &a) != 0)
			fail_msg("\"%s\" was refused", rows[i].arg);
		assert_int_equal(a.family, rows[i].family);
		assert_address(&a, rows[i].addr, rows[i].port);
	}
}

static void
eprt_refuses_bad_forms(void **state)
{
	static const char *const rows[] = { "", "|", "||", "|||", "||||", "|1|192.0.2.1|4101",
		"|1|192.0.2.1|4101||", "|1|192.0.2.1|4101|x", "|1|192.0.2.1||", "|1||4101|",
		"||192.0.2.1|4101|", "|1|192.0.2.1|0|", "|1|192.0.2.1|65536|", "|1|192.0.2.1|-1|",
		"|1|192.0.2.1|+4101|", "|1|192.0.2.1| 4101|", "|1|192.0.2.1|4101 |",
		"|1|192.0.2.1|69637|", "|1|192.0.2.1|4294971397|", "|1|192.0.2.1|0x10|",
		"|x|192.0.2.1|4101|", "|-1|192.0.2.1|4101|", "|1|192.0.2|4101|", "|1|::1|4101|",
		"|1|::ffff:192.0.2.1|4101|", "|2|192.0.2.1|4101|", "|2|fe80::1%2|4101|",
		"|2|2001:db8::1%eth0|4101|", "|2|[::1]|4101|", "|1|localhost|4101|",
		" 1 192.0.2.1 4101 ", "\t1\t192.0.2.1\t4101\t", "\3771\377192.0.2.1\3774101\377",
		"|1|192.0.2.1!4101|", "1|192.0.2.1|4101|", "112345678911",
		"|2|00000000000000000000000000000000000000000000000000000000000000::1|4101|" };
	struct netaddr a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		errno = 0;
		if (hostport_parse_extended(rows[i], &a) != -1)
			fail_msg("\"%s\" was taken", rows[i]);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(a.family, AF_UNSPEC);
	}
}

static void
eprt_tells_unknown_protocols_apart(void **state)
{
	static const char *const rows[] = { "|0|192.0.2.1|4101|", "|3|192.0.2.1|4101|",
		"|12|anything|4101|", "|3||4101|" };
	struct netaddr a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		errno = 0;
		assert_int_equal(hostport_parse_extended(rows[i], &a), -1);
		assert_int_equal(errno, EAFNOSUPPORT);
		assert_int_equal(a.family, AF_UNSPEC);
	}
}

static void
address_is_written_for_227(void **state)
{
	static const char *const rows[] = { "192,168,1,10,16,5", "0,0,0,0,0,0", "203,0,113,2,0,21",
		"255,255,255,255,255,255" };
	char buf[HOSTPORT_TEXT];
	struct netaddr a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(hostport_parse(rows[i], &a), 0);
		assert_string_equal(hostport_text(&a, buf), rows[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_takes_six_numbers),
		cmocka_unit_test(port_refuses_everything_else),
		cmocka_unit_test(eprt_takes_both_protocols),
		cmocka_unit_test(eprt_refuses_bad_forms),
		cmocka_unit_test(eprt_tells_unknown_protocols_apart),
		cmocka_unit_test(address_is_written_for_227),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
