/*
 * What ufw and firewalld print.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "hostfirewall.h"

static const char ufw[] = "Status: active\n"
                          "Logging: on (low)\n"
                          "Default: deny (incoming), allow (outgoing), disabled (routed)\n"
                          "New profiles: skip\n"
                          "\n"
                          "To                         Action      From\n"
                          "--                         ------      ----\n"
                          "22/tcp                     ALLOW IN    Anywhere\n"
                          "21                         LIMIT IN    Anywhere\n"
                          "4000:4029/tcp              ALLOW IN    Anywhere\n"
                          "5000:5009/udp              ALLOW IN    Anywhere\n"
                          "80,443/tcp                 ALLOW       Anywhere\n"
                          "8080/tcp                   DENY IN     Anywhere\n"
                          "9000/tcp                   ALLOW IN    192.168.1.0/24\n"
                          "6000/tcp (v6)              ALLOW IN    Anywhere (v6)\n";

static void
ufw_lets_in_what_its_rules_allow(void **state)
{
	static const uint16_t open[] = { 21, 22, 4000, 4015, 4029, 80, 443 };
	static const uint16_t closed[] = { 20, 2121, 3999, 4030, 5000, 8080, 9000, 6000 };

	(void)state;
	assert_true(hostfirewall_ufw_active(ufw));
	assert_false(hostfirewall_ufw_active("Status: inactive\n"));
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		assert_true(hostfirewall_ufw_lets_in(ufw, open[i]));
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		assert_false(hostfirewall_ufw_lets_in(ufw, closed[i]));
	assert_true(hostfirewall_ufw_lets_in("Default: allow (incoming), allow (outgoing)\n", 21));
}

static void
firewalld_lets_in_services_and_ports(void **state)
{
	static const char zone[] = "public (active)\n  target: default\n  interfaces: eth0\n"
	                           "  services: dhcpv6-client ftp ssh\n  ports: 4000-4029/tcp 53/udp\n";
	static const char bare[] = "public (active)\n  target: default\n  services: ssh\n  ports: \n"
	                           "  source-ports: 21/tcp\n";

	(void)state;
	assert_true(hostfirewall_firewalld_lets_in(zone, 21));
	assert_true(hostfirewall_firewalld_lets_in(zone, 4029));
	assert_false(hostfirewall_firewalld_lets_in(zone, 4030));
	assert_false(hostfirewall_firewalld_lets_in(zone, 53));
	assert_false(hostfirewall_firewalld_lets_in(bare, 21));
	assert_true(hostfirewall_firewalld_lets_in("trusted\n  target: ACCEPT\n", 21));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ufw_lets_in_what_its_rules_allow),
		cmocka_unit_test(firewalld_lets_in_services_and_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
