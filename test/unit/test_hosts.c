/*
 * What processes remember of hosts: connections, failures, bans.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosts.h"

#define NOW 1700000000

static const struct hosts_rate none, three_a_minute = { 3, 60 };

static char path[32];
static int dir, fd;

static int
begin(void **state)
{
	(void)state;
	(void)strlcpy(path, "/tmp/test_hosts.XXXXXX", sizeof(path));
	if (mkdtemp(path) == NULL || (dir = open(path, O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	return (fd = hosts_open(dir)) == -1 ? -1 : 0;
}

static int
end(void **state)
{
	(void)state;
	close(fd);
	unlinkat(dir, "hosts", 0);
	close(dir);
	return rmdir(path);
}

static struct netaddr
host(const char *text)
{
	struct netaddr addr;

	assert_int_equal(netaddr_parse(text, &addr), 0);
	return addr;
}

static struct netprefix
net(const char *text)
{
	struct netprefix prefix;

	assert_int_equal(netprefix_parse(text, &prefix), 0);
	return prefix;
}

static int
come(const char *text, int64_t now, struct hosts_rate rate)
{
	struct netaddr addr = host(text);
	struct host out;

	return hosts_come(fd, &addr, now, rate, &out);
}

/* One failure by three_a_minute; the ban is for 600 s. */
static int
failure(const char *text, int64_t now)
{
	struct netaddr addr = host(text);
	unsigned failures;

	return hosts_fail(fd, &addr, now, three_a_minute, 600, &failures);
}

static int
ban(const char *text, int64_t now, int64_t until)
{
	struct netaddr addr = host(text);

	return hosts_ban(fd, &addr, now, until);
}

static int
ban_net(const char *text, int64_t now, int64_t until)
{
	struct netprefix prefix = net(text);

	return hosts_ban_net(fd, &prefix, now, until);
}

static void
file_is_made_for_its_owner_alone(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(fstatat(dir, "hosts", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void
hosts_that_do_nothing_leave_no_trace(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(come("192.0.2.1", NOW, none), 0);
	assert_int_equal(ban("192.0.2.1", NOW, 0), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void
more_connections_than_the_rate_are_refused(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(come("192.0.2.1", NOW + i * 10, three_a_minute), 0);
	assert_int_equal(come("192.0.2.1", NOW + 30, three_a_minute), 2);
	assert_int_equal(come("192.0.2.1", NOW + 59, three_a_minute), 2);
	assert_int_equal(come("192.0.2.2", NOW + 59, three_a_minute), 0);
	/* the interval that began with the first one is over */
	assert_int_equal(come("192.0.2.1", NOW + 60, three_a_minute), 0);
}

static void
so_many_failures_ban_a_host_for_a_time(void **state)
{
	(void)state;
	assert_int_equal(failure("192.0.2.1", NOW), 0);
	assert_int_equal(failure("192.0.2.1", NOW + 1), 0);
	assert_int_equal(come("192.0.2.1", NOW + 2, none), 0);
	assert_int_equal(failure("192.0.2.1", NOW + 2), 1);
	assert_int_equal(come("192.0.2.1", NOW + 601, none), 1);
	assert_int_equal(come("192.0.2.2", NOW + 3, none), 0);
	assert_int_equal(come("192.0.2.1", NOW + 602, none), 0);
	/* and it begins anew */
	assert_int_equal(failure("192.0.2.1", NOW + 603), 0);
}

static void
failures_of_long_ago_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(failure("192.0.2.1", NOW), 0);
	assert_int_equal(failure("192.0.2.1", NOW + 30), 0);
	/* the first one is a minute old */
	assert_int_equal(failure("192.0.2.1", NOW + 60), 0);
	assert_int_equal(failure("192.0.2.1", NOW + 61), 1);
}

static void
failures_are_counted_for_the_delay(void **state)
{
	struct netaddr addr = host("192.0.2.1");
	struct hosts_rate rate = { 30, 600 };
	unsigned failures, i;

	(void)state;
	for (i = 1; i <= 5; i++) {
		assert_int_equal(hosts_fail(fd, &addr, NOW, rate, 0, &failures), 0);
		assert_int_equal(failures, i);
	}
}

static void
a_ban_of_no_time_is_for_good(void **state)
{
	struct netaddr addr = host("192.0.2.1");
	struct hosts_rate rate = { 1, 60 };
	unsigned failures;

	(void)state;
	assert_int_equal(hosts_fail(fd, &addr, NOW, rate, 0, &failures), 1);
	assert_int_equal(come("192.0.2.1", NOW + INT64_C(100000000000), none), 1);
}

static void
an_ipv6_network_of_64_bits_is_one_host(void **state)
{
	(void)state;
	assert_int_equal(failure("2001:db8:1:2::1", NOW), 0);
	assert_int_equal(failure("2001:db8:1:2:ffff::2", NOW), 0);
	assert_int_equal(failure("2001:db8:1:2:3:4:5:6", NOW), 1);
	assert_int_equal(come("2001:db8:1:2:9::9", NOW, none), 1);
	assert_int_equal(come("2001:db8:1:3::1", NOW, none), 0);
}

static void
neighbours_of_one_link_are_hosts_of_their_own(void **state)
{
	(void)state;
	assert_int_equal(ban("fe80::1", NOW, HOSTS_FOREVER), 0);
	assert_int_equal(come("fe80::1", NOW, none), 1);
	assert_int_equal(come("fe80::2", NOW, none), 0);
	assert_int_equal(ban("::1", NOW, HOSTS_FOREVER), 0);
	assert_int_equal(come("127.0.0.1", NOW, none), 0);
}

static void
a_ban_by_hand_is_lifted_by_hand(void **state)
{
	(void)state;
	assert_int_equal(ban("192.0.2.1", NOW, NOW + 100), 0);
	assert_int_equal(ban("192.0.2.1", NOW, HOSTS_FOREVER), 1);
	assert_int_equal(come("192.0.2.1", NOW + 1000, none), 1);
	assert_int_equal(ban("192.0.2.1", NOW + 1000, 0), 1);
	assert_int_equal(come("192.0.2.1", NOW + 1000, none), 0);
	assert_int_equal(ban("192.0.2.1", NOW + 1000, 0), 0);
}

static void
lifting_a_ban_forgives_the_failures(void **state)
{
	(void)state;
	failure("192.0.2.1", NOW);
	failure("192.0.2.1", NOW);
	assert_int_equal(ban("192.0.2.1", NOW, 0), 0);
	assert_int_equal(failure("192.0.2.1", NOW), 0);
}

static void
networks_are_banned_with_all_that_is_in_them(void **state)
{
	static const struct {
		const char *net, *in, *out;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.255", "192.0.3.0" },
		{ "198.51.100.128/25", "198.51.100.128", "198.51.100.127" },
		{ "203.0.113.64/29", "203.0.113.71", "203.0.113.72" },
		{ "2001:db8:5::/48", "2001:db8:5:ffff::1", "2001:db8:6::1" },
		{ "2001:db8:7:8:900::/72", "2001:db8:7:8:9ff::1", "2001:db8:7:8:a00::" },
		{ "2001:db8:7:9::1/128", "2001:db8:7:9::1", "2001:db8:7:9::2" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct netprefix prefix;
		struct netaddr in = host(rows[i].in);
		struct netprefix want = net(rows[i].net);
		struct host out;
		int64_t until;

		assert_int_equal(ban_net(rows[i].net, NOW, NOW + 100), 0);
		assert_int_equal(hosts_come(fd, &in, NOW, three_a_minute, &out), 1);
		assert_int_equal(out.banned_until, NOW + 100);
		assert_int_equal(come(rows[i].out, NOW, none), 0);
		assert_int_equal(hosts_read_net(fd, (int)i, &prefix, &until, NOW), 1);
		assert_memory_equal(&prefix.addr.v6, &want.addr.v6,
		    want.addr.family == AF_INET ? 4 : 16);
		assert_int_equal(prefix.addr.family, want.addr.family);
		assert_int_equal(prefix.bits, want.bits);
		assert_int_equal(until, NOW + 100);
	}
	assert_int_equal(come("192.0.2.1", NOW + 100, none), 0);
	assert_int_equal(ban_net("192.0.2.0/24", NOW, 0), 1);
	assert_int_equal(ban_net("192.0.2.0/24", NOW, 0), 0);
	assert_int_equal(come("192.0.2.255", NOW, none), 0);
}

static void
everybody_cannot_be_banned(void **state)
{
	(void)state;
	assert_int_equal(ban_net("::/0", NOW, NOW + 1), -1);
	assert_int_equal(errno, EINVAL);
}

static void
only_so_many_networks_are_banned_and_old_ones_make_room(void **state)
{
	char text[32];
	int i;

	(void)state;
	for (i = 0; i < HOSTS_NETS; i++) {
		(void)snprintf(text, sizeof(text), "10.%d.0.0/16", i);
		assert_int_equal(ban_net(text, NOW, NOW + 100 + i), 0);
	}
	assert_int_equal(ban_net("192.0.2.0/24", NOW, NOW + 1), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(ban_net("10.5.0.0/16", NOW, NOW + 1000), 1);
	assert_int_equal(ban_net("192.0.2.0/24", NOW + 100, NOW + 1000), 0);
	assert_int_equal(come("192.0.2.1", NOW + 100, none), 1);
}

/* Sets are of eight: among so many hosts some crowd out others. */
static void
banned_hosts_outlive_a_flood_of_others(void **state)
{
	struct hosts_rate rate = { 1000, 60 };
	char text[32];
	int i;

	(void)state;
	assert_int_equal(ban("192.0.2.1", NOW, NOW + 1000), 0);
	for (i = 0; i < 4 * HOSTS_MAX; i++) {
		(void)snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		assert_int_equal(come(text, NOW + 1, rate), 0);
	}
	assert_int_equal(come("192.0.2.1", NOW + 2, none), 1);
}

static void
the_file_is_of_bounded_size(void **state)
{
	struct stat st;

	banned_hosts_outlive_a_flood_of_others(state);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size <= 4096 + (off_t)HOSTS_MAX * (off_t)sizeof(struct host));
}

static void
a_clock_that_was_set_back_keeps_nobody_out(void **state)
{
	(void)state;
	assert_int_equal(failure("192.0.2.1", NOW + 1000000), 0);
	assert_int_equal(failure("192.0.2.1", NOW + 1000000), 0);
	assert_int_equal(failure("192.0.2.1", NOW + 1000000), 1);
	assert_int_equal(ban_net("198.51.100.0/24", NOW + 1000000, NOW + 1000100), 0);
	assert_int_equal(come("192.0.2.1", NOW, none), 0);
	assert_int_equal(come("198.51.100.1", NOW, none), 0);
	assert_int_equal(come("192.0.2.1", NOW, three_a_minute), 0);
	assert_int_equal(failure("192.0.2.1", NOW), 0);
	/* what was meant for good stays */
	assert_int_equal(ban("192.0.2.1", NOW + 1000000, HOSTS_FOREVER), 0);
	assert_int_equal(come("192.0.2.1", NOW, none), 1);
}

static void
all_records_are_found_by_reading_one_after_the_other(void **state)
{
	struct netaddr addr;
	struct host h;
	char text[NETADDR_TEXT];
	int i, found = 0;

	(void)state;
	ban("192.0.2.1", NOW, NOW + 10);
	failure("2001:db8::7", NOW);
	for (i = 0; i < HOSTS_MAX; i++) {
		if (hosts_read(fd, i, &h) != 1)
			continue;
		hosts_addr(&h.key, &addr);
		netaddr_text(&addr, text);
		if (strcmp(text, "192.0.2.1") == 0) {
			assert_true(hosts_is_banned(&h, NOW));
			found |= 1;
		} else {
			assert_string_equal(text, "2001:db8::");
			assert_false(hosts_is_banned(&h, NOW));
			found |= 2;
		}
	}
	assert_int_equal(found, 3);
	assert_int_equal(hosts_read(fd, HOSTS_MAX, &h), -1);
	assert_int_equal(hosts_read(fd, -1, &h), -1);
}

static void
failures_of_processes_at_once_are_all_counted(void **state)
{
	enum { PROCESSES = 10, EACH = 3 };
	struct hosts_rate rate = { HOSTS_FAILURES, 600 };
	struct netaddr addr = host("192.0.2.1");
	int i, k, status, banned = 0;
	unsigned failures;

	(void)state;
	for (i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			int mine = hosts_open(dir), r = 0;

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (k = 0; k < EACH; k++)
				r += hosts_fail(mine, &addr, NOW, rate, 60, &failures);
			_exit(r);
		}
	for (i = 0; i < PROCESSES; i++) {
		assert_int_not_equal(wait(&status), -1);
		assert_true(WIFEXITED(status));
		banned += WEXITSTATUS(status);
	}
	/* exactly one of them was the last straw */
	assert_int_equal(banned, 1);
	assert_int_equal(come("192.0.2.1", NOW, none), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_is_made_for_its_owner_alone),
		TEST(hosts_that_do_nothing_leave_no_trace),
		TEST(more_connections_than_the_rate_are_refused),
		TEST(so_many_failures_ban_a_host_for_a_time),
		TEST(failures_of_long_ago_do_not_count),
		TEST(failures_are_counted_for_the_delay),
		TEST(a_ban_of_no_time_is_for_good),
		TEST(an_ipv6_network_of_64_bits_is_one_host),
		TEST(neighbours_of_one_link_are_hosts_of_their_own),
		TEST(a_ban_by_hand_is_lifted_by_hand),
		TEST(lifting_a_ban_forgives_the_failures),
		TEST(networks_are_banned_with_all_that_is_in_them),
		TEST(everybody_cannot_be_banned),
		TEST(only_so_many_networks_are_banned_and_old_ones_make_room),
		TEST(banned_hosts_outlive_a_flood_of_others),
		TEST(the_file_is_of_bounded_size),
		TEST(a_clock_that_was_set_back_keeps_nobody_out),
		TEST(all_records_are_found_by_reading_one_after_the_other),
		TEST(failures_of_processes_at_once_are_all_counted),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
