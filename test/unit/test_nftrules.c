/*
 * Rule sets as nft prints them, and the question whether a port is open.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "nftrules.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* One chain for what comes in, with these rules. */
static enum nftrules_answer
judge(const char *policy, const char *rules, uint16_t port)
{
	char text[4096];

	snprintf(text, sizeof(text),
	    "table inet filter {\n"
	    "\tset ftp {\n\t\ttype inet_service\n\t\tflags interval\n"
	    "\t\telements = { 21, 4000-4009,\n\t\t\t     4010-4029 }\n\t}\n\n"
	    "\tset bad {\n\t\ttype ipv4_addr\n\t\telements = { 198.51.100.9 }\n\t}\n\n"
	    "\tchain open {\n\t\ttcp dport 21 accept\n\t\treturn\n\t}\n\n"
	    "\tchain nothing {\n\t}\n\n"
	    "\tchain input {\n\t\ttype filter hook input priority filter; policy %s;\n%s\t}\n}\n"
	    "table ip nat {\n\tchain pre {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
	    "\t\ttcp dport 21 drop\n\t}\n}\n",
	    policy, rules);
	return nftrules_judge(text, "eth0", port);
}

static void
rules_decide(void **state)
{
	static const struct {
		const char *policy, *rules;
		enum nftrules_answer answer;
	} rows[] = {
		{ "accept", "", NFTRULES_OPEN },
		{ "drop", "", NFTRULES_CLOSED },
		{ "drop", "tcp dport 21 accept\n", NFTRULES_OPEN },
		{ "drop", "tcp dport 22 accept\n", NFTRULES_CLOSED },
		{ "drop", "tcp dport 20-30 accept\n", NFTRULES_OPEN },
		{ "drop", "tcp dport { 22, 21 } ct state new accept comment \"ftp it is\"\n", NFTRULES_OPEN },
		{ "drop", "tcp dport { 80, 443,\n\t\t\t    20-22 } accept\n", NFTRULES_OPEN },
		{ "drop", "tcp dport @ftp accept\n", NFTRULES_OPEN },
		{ "drop", "tcp dport != 21 accept\n", NFTRULES_CLOSED },
		{ "accept", "tcp dport != { 22, 80 } drop\n", NFTRULES_CLOSED },
		{ "drop", "udp dport 21 accept\n", NFTRULES_CLOSED },
		{ "drop", "iifname \"lo\" accept\n", NFTRULES_CLOSED },
		{ "drop", "iif \"lo\" accept\nip6 daddr ::1 accept\n", NFTRULES_CLOSED },
		{ "drop", "iifname != \"lo\" accept\n", NFTRULES_OPEN },
		{ "drop", "iifname \"eth0\" tcp dport 21 accept\n", NFTRULES_OPEN },
		{ "drop", "iifname \"eth*\" tcp dport 21 accept\n", NFTRULES_OPEN },
		{ "drop", "iifname { \"wlan0\", \"eth0\" } tcp dport 21 accept\n", NFTRULES_OPEN },
		{ "drop", "iifname \"wlan0\" tcp dport 21 accept\n", NFTRULES_CLOSED },
		{ "drop", "ct state established,related accept\n", NFTRULES_CLOSED },
		{ "drop", "ct state { new, established } accept\n", NFTRULES_OPEN },
		{ "accept", "ct state vmap { invalid : drop, established : accept }\n", NFTRULES_OPEN },
		{ "accept", "ct state vmap { new : drop, established : accept }\n", NFTRULES_CLOSED },
		{ "drop", "tcp dport vmap { 22 : drop, 21 : accept }\n", NFTRULES_OPEN },
		{ "drop", "tcp dport vmap { 22 : drop, 20-21 : jump open }\n", NFTRULES_OPEN },
		{ "drop", "ip protocol tcp tcp dport 21 counter packets 3 bytes 180 accept\n", NFTRULES_OPEN },
		{ "drop", "meta l4proto { icmp, ipv6-icmp } accept\n", NFTRULES_CLOSED },
		{ "drop", "meta l4proto tcp counter accept\n", NFTRULES_OPEN },
		{ "drop", "meta nfproto ipv6 accept\n", NFTRULES_CLOSED },
		{ "drop", "jump open\n", NFTRULES_OPEN },
		{ "drop", "goto nothing\ntcp dport 21 accept\n", NFTRULES_CLOSED },
		{ "drop", "jump nothing\ntcp dport 21 accept\n", NFTRULES_OPEN },
		{ "accept", "tcp dport 21 return\ndrop\n", NFTRULES_OPEN },
		{ "accept", "reject with icmpx admin-prohibited\n", NFTRULES_CLOSED },
		{ "accept", "log prefix \"x: drop \" counter packets 0 bytes 0\n", NFTRULES_OPEN },
		/* some hosts are not the world */
		{ "drop", "ip saddr 192.168.0.0/16 accept\n", NFTRULES_CLOSED },
		{ "drop", "ip saddr { 192.168.0.0/16, 10.0.0.0/8 } tcp dport 21 accept\n", NFTRULES_CLOSED },
		{ "accept", "ip saddr @bad drop\n", NFTRULES_OPEN },
		{ "drop", "ip saddr != 198.51.100.9 tcp dport 21 accept\n", NFTRULES_OPEN },
		{ "drop", "ip saddr 0.0.0.0/0 accept\n", NFTRULES_OPEN },
		/* what is not understood may match or not */
		{ "drop", "tcp dport 21 limit rate 5/second accept\n", NFTRULES_UNKNOWN },
		{ "drop", "xt match \"multiport\" accept\n", NFTRULES_UNKNOWN },
		{ "accept", "xt match \"multiport\" accept\n", NFTRULES_OPEN },
		{ "drop", "tcp flags & (fin | syn) == syn limit rate 1/second drop\n", NFTRULES_CLOSED },
		{ "drop", "fib daddr type broadcast drop\ntcp dport 21 accept\n", NFTRULES_UNKNOWN },
		{ "drop", "tcp dport 21 queue to 1\n", NFTRULES_UNKNOWN },
		{ "drop", "tcp dport @missing accept\n", NFTRULES_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum nftrules_answer got = judge(rows[i].policy, rows[i].rules, 21);

		if (got != rows[i].answer)
			fail_msg("policy %s, %s: %d, not %d", rows[i].policy, rows[i].rules, got,
			    rows[i].answer);
	}
}

static void
sets_go_on_in_the_next_line(void **state)
{
	(void)state;
	assert_int_equal(judge("drop", "tcp dport @ftp accept\n", 4029), NFTRULES_OPEN);
	assert_int_equal(judge("drop", "tcp dport @ftp accept\n", 4030), NFTRULES_CLOSED);
}

static void
without_a_chain_for_what_comes_in_there_is_no_firewall(void **state)
{
	static const char nat[] = "table ip nat {\n\tchain pre {\n\t\ttype nat hook prerouting priority "
	                          "dstnat; policy accept;\n\t}\n}\n";
	static const char only6[] = "table ip6 f {\n\tchain input {\n\t\ttype filter hook input priority "
	                            "filter; policy drop;\n\t}\n}\n";

	(void)state;
	assert_int_equal(nftrules_judge("", "eth0", 21), NFTRULES_NONE);
	assert_int_equal(nftrules_judge(nat, "eth0", 21), NFTRULES_NONE);
	assert_int_equal(nftrules_judge(only6, "eth0", 21), NFTRULES_NONE);
}

static void
every_chain_must_let_it_in(void **state)
{
	static const char two[] =
	    "table ip a {\n\tchain i {\n\t\ttype filter hook input priority 0; policy accept;\n\t}\n}\n"
	    "table inet b {\n\tchain i {\n\t\ttype filter hook input priority 1; policy accept;\n"
	    "\t\ttcp dport 21 drop\n\t}\n}\n";

	(void)state;
	assert_int_equal(nftrules_judge(two, NULL, 21), NFTRULES_CLOSED);
	assert_int_equal(nftrules_judge(two, NULL, 22), NFTRULES_OPEN);
}

static void
loops_and_nonsense_end(void **state)
{
	(void)state;
	assert_int_equal(judge("accept", "\t}\n\tchain a {\n\t\tjump a\n", 21), NFTRULES_OPEN);
	assert_int_equal(nftrules_judge("table ip x {\n\tchain a {\n\t\ttype filter hook input priority 0; "
	                                "policy drop;\n\t\tjump a\n\t}\n}\n",
	                     NULL, 21), NFTRULES_UNKNOWN);
	assert_int_equal(nftrules_judge("table ip x {\n\tchain a {\n\t\ttype filter hook input priority 0;\n\t\ttcp dport {",
	                     NULL, 21), NFTRULES_OPEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_decide),
		cmocka_unit_test(sets_go_on_in_the_next_line),
		cmocka_unit_test(without_a_chain_for_what_comes_in_there_is_no_firewall),
		cmocka_unit_test(every_chain_must_let_it_in),
		cmocka_unit_test(loops_and_nonsense_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
