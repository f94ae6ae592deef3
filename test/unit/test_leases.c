/*
 * Leases of passive ports.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leases.h"
#include "slots.h"

static char path[32];
static int dir, ours, theirs; /* theirs: another open file description, as another process has it */
static struct netaddr peer, other;

static int
make_place(void **state)
{
	(void)state;
	(void)strlcpy(path, "/tmp/test_leases.XXXXXX", sizeof(path));
	if (mkdtemp(path) == NULL || (dir = open(path, O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	ours = slots_open(dir);
	theirs = slots_open(dir);
	netaddr_parse("198.51.100.20", &peer);
	netaddr_parse("198.51.100.21", &other);
	return ours == -1 || theirs == -1 ? -1 : 0;
}

static int
remove_place(void **state)
{
	(void)state;
	close(ours);
	close(theirs);
	unlinkat(dir, "slots", 0);
	close(dir);
	return rmdir(path);
}

static void
a_port_is_leased_to_one(void **state)
{
	(void)state;
	assert_int_equal(leases_rank(theirs, 4000, &peer, 1000), LEASE_FREE);
	assert_int_equal(leases_take(ours, 4000, &peer, 1000), 0);
	assert_int_equal(leases_rank(theirs, 4000, &other, 1000), LEASE_HELD);
	assert_int_equal(leases_take(theirs, 4000, &other, 1000), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(leases_rank(theirs, 4001, &other, 1000), LEASE_FREE);
	leases_release(ours, 4000);
	assert_int_equal(leases_take(theirs, 4000, &other, 1000), 0);
	leases_release(theirs, 4000);
}

static void
a_peer_gets_a_port_again_after_four_minutes(void **state)
{
	(void)state;
	assert_int_equal(leases_take(ours, 4000, &peer, 1000), 0);
	leases_release(ours, 4000);
	assert_int_equal(leases_rank(ours, 4000, &peer, 1000), LEASE_RECENT);
	assert_int_equal(leases_rank(ours, 4000, &peer, 1239), LEASE_RECENT);
	assert_int_equal(leases_rank(ours, 4000, &peer, 1240), LEASE_FREE);
	assert_int_equal(leases_rank(ours, 4000, &other, 1000), LEASE_FREE);
}

static void
records_of_another_boot_say_nothing(void **state)
{
	(void)state;
	assert_int_equal(leases_take(ours, 4000, &peer, 1000000), 0);
	leases_release(ours, 4000);
	assert_int_equal(leases_rank(ours, 4000, &peer, 5), LEASE_FREE);
}

static void
ipv6_peers_are_told_apart(void **state)
{
	struct netaddr six, seven;

	(void)state;
	netaddr_parse("2001:db8::6", &six);
	netaddr_parse("2001:db8::7", &seven);
	assert_int_equal(leases_take(ours, 4000, &six, 1000), 0);
	leases_release(ours, 4000);
	assert_int_equal(leases_rank(ours, 4000, &six, 1001), LEASE_RECENT);
	assert_int_equal(leases_rank(ours, 4000, &seven, 1001), LEASE_FREE);
}

static void
leases_of_others_are_counted(void **state)
{
	struct portlist list;
	const char *why;

	(void)state;
	assert_int_equal(portlist_parse("4000-4009,5000", &list, &why), 0);
	assert_int_equal(leases_take(ours, 4003, &peer, 1000), 0);
	assert_int_equal(leases_take(ours, 5000, &peer, 1000), 0);
	assert_int_equal(leases_take(ours, 5001, &peer, 1000), 0);
	assert_int_equal(leases_count(theirs, &list), 2);
	assert_int_equal(leases_count(ours, &list), 0);
	/* neighbours, the ends of a range, ports of several holders */
	for (uint16_t port = 4000; port < 4010; port++)
		if (port != 4005)
			assert_int_equal(leases_take(ours, port, &peer, 1000), 0);
	assert_int_equal(leases_count(theirs, &list), 10);
	assert_int_equal(leases_take(theirs, 4005, &peer, 1000), 0);
	assert_int_equal(leases_count(theirs, &list), 10);
	assert_int_equal(leases_count(ours, &list), 1);
}

static void
locks_of_many_holders_are_counted_in_a_large_range(void **state)
{
	struct portlist all;
	const char *why;
	int fds[40];

	(void)state;
	assert_int_equal(portlist_parse("1024-65535", &all, &why), 0);
	for (size_t i = 0; i < 40; i++) { /* of as many holders, in no order */
		assert_int_not_equal(fds[i] = slots_open(dir), -1);
		assert_int_equal(
		    leases_take(fds[i], (uint16_t)(1024 + i * 7919 % 64512), &peer, 1000), 0);
	}
	assert_int_equal(leases_count(ours, &all), 40);
	for (size_t i = 0; i < 40; i++)
		close(fds[i]);
	assert_int_equal(leases_count(ours, &all), 0);
}

static void
a_lease_dies_with_its_process(void **state)
{
	int ready[2], status;
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ours);
		close(theirs);
		if (leases_take(slots_open(dir), 4000, &peer, 1000) == 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(leases_rank(ours, 4000, &other, 1000), LEASE_HELD);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(leases_rank(ours, 4000, &other, 1000), LEASE_FREE);
	assert_int_equal(leases_rank(ours, 4000, &peer, 1000), LEASE_RECENT);
	close(ready[0]);
	close(ready[1]);
}

static void
slots_and_leases_do_not_meet(void **state)
{
	struct slot mine = { .pid = 7 }, seen;
	int index;

	(void)state;
	assert_int_not_equal(index = slots_claim(ours, (struct slots_limits){ .total = SLOTS_MAX }, &mine), -1);
	for (unsigned port = 1024; port < 65536; port += 977)
		assert_int_equal(leases_take(ours, (uint16_t)port, &peer, 1000), 0);
	assert_int_equal(slots_count(theirs, SLOTS_MAX), 1);
	assert_int_equal(slots_read(theirs, index, &seen), 1);
	assert_int_equal(seen.pid, 7);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)
	const struct CMUnitTest tests[] = {
		TEST(a_port_is_leased_to_one),
		TEST(a_peer_gets_a_port_again_after_four_minutes),
		TEST(records_of_another_boot_say_nothing),
		TEST(ipv6_peers_are_told_apart),
		TEST(leases_of_others_are_counted),
		TEST(locks_of_many_holders_are_counted_in_a_large_range),
		TEST(a_lease_dies_with_its_process),
		TEST(slots_and_leases_do_not_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
