/*
 * Logins counted among all processes: BanAfter and MaxClientsPerUser.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hosts.h"
#include "hostile.h"

/* What a busy machine may add; less than the dear hash costs. */
#define BUSY_MS 100
#include "msg.h"
#include "slots.h"

static int
counted_setup(void **state)
{
	struct house *h;

	if (house_setup(state) == -1)
		return -1;
	h = *state;
	h->counted = true;
	netaddr_parse("203.0.113.77", &h->client.peer);
	house_conf(h, "MaxLoginAttempts 100");
	return 0;
}

static int
wrong(struct house *h)
{
	return house_ask_login(h, HOUSE_USER, "wrong", NULL, NULL);
}

static int
right(struct house *h)
{
	return house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, NULL, NULL);
}

/* What the other connections of base are known by. */
static int
hosts_of(struct house *h)
{
	int dir = open(h->base, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = hosts_open(dir);

	close(dir);
	assert_int_not_equal(fd, -1);
	return fd;
}

/* 1 if the host is banned. */
static int
banned(struct house *h, const char *host)
{
	static const struct hosts_rate none;
	struct netaddr addr;
	struct host out;
	int fd = hosts_of(h), r;

	assert_int_equal(netaddr_parse(host, &addr), 0);
	r = hosts_come(fd, &addr, time(NULL), none, &out);
	close(fd);
	return r;
}

static void
the_failure_that_bans_is_the_last_try(void **state)
{
	struct house *h = *state;

	house_conf(h, "BanAfter 2/1m 1h");
	house_start(h);
	assert_int_equal(wrong(h), EACCES);
	assert_int_equal(banned(h, "203.0.113.77"), 0);
	assert_int_equal(wrong(h), EPERM);
	assert_int_equal(banned(h, "203.0.113.77"), 1);
	assert_int_equal(banned(h, "203.0.113.78"), 0);
	assert_int_equal(right(h), EPERM);
	house_end(h);
	assert_true(house_logged(h, "banned rhost=203.0.113.77 for 3600 seconds"));
}

static void
failures_of_connections_add_up(void **state)
{
	struct house *h = *state;

	house_conf(h, "BanAfter 2/1m forever");
	house_start(h);
	assert_int_equal(wrong(h), EACCES);
	house_end(h);
	house_start(h);
	assert_int_equal(wrong(h), EPERM);
	house_end(h);
	assert_true(house_logged(h, "banned rhost=203.0.113.77 until genkanctl unban"));
}

static void
a_failure_costs_more_when_the_host_has_failed_before(void **state)
{
	struct house *h = *state;
	int64_t began;

	house_start(h);
	assert_int_equal(wrong(h), EACCES);
	house_end(h);
	house_start(h);
	began = house_clock();
	assert_int_equal(wrong(h), EACCES);
	assert_in_range(house_clock() - began, 2000, 30000);
	house_end(h);
}

static void
a_host_that_is_banned_meanwhile_gets_no_more_tries(void **state)
{
	struct house *h = *state;
	int fd = hosts_of(h);

	house_start(h);
	assert_int_equal(hosts_ban(fd, &h->client.peer, time(NULL), HOSTS_FOREVER), 0);
	close(fd);
	assert_int_equal(right(h), EPERM);
	house_end(h);
}

static void
an_address_that_many_share_is_not_banned(void **state)
{
	struct house *h = *state;

	assert_int_equal(netaddr_parse("127.0.0.1", &h->client.peer), 0);
	house_conf(h, "BanAfter 1/1m");
	house_start(h);
	assert_int_equal(wrong(h), EACCES);
	assert_int_equal(right(h), 0);
	house_end(h);
	assert_int_equal(banned(h, "127.0.0.1"), 0);
}

static void
without_ban_after_nobody_is_banned(void **state)
{
	struct house *h = *state;
	struct host out;
	int fd;

	house_conf(h, "BanAfter none");
	house_start(h);
	assert_int_equal(wrong(h), EACCES);
	house_end(h);
	fd = hosts_of(h);
	assert_int_equal(hosts_find(fd, &h->client.peer, &out), 0);
	close(fd);
}

/* Milliseconds that a refusal takes: the best of some tries, since a busy machine adds to each. */
static int64_t
refusal_takes(struct house *h, const char *user)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < 25 && best > 1000 + BUSY_MS; i++) {
		int64_t began;

		h->client.peer.v4.s_addr ^= htonl(7u << i); /* another host: no delay grows */
		house_start(h);
		began = house_clock();
		assert_int_equal(house_ask_login(h, user, "wrong", NULL, NULL), EPERM);
		began = house_clock() - began;
		best = began < best ? began : best;
		house_end(h);
		unlink(h->log);
	}
	return best;
}

/* A hash whose check takes this machine three times BUSY_MS, and hardly the whole delay. */
static const char *
dear_hash(void)
{
	static char hash[64];
	clock_t began, took = 0;

	for (unsigned rounds = 100000; took < 3 * BUSY_MS * (CLOCKS_PER_SEC / 1000); rounds += rounds / 2) {
		snprintf(hash, sizeof(hash), "$5$rounds=%u$genkan$", rounds);
		began = clock();
		assert_non_null(crypt("wrong", hash));
		took = clock() - began;
	}
	return hash;
}

/* The answer comes at the same moment, whatever the check has cost. */
static void
the_check_is_no_part_of_the_delay(void **state)
{
	struct house *h = *state;
	int64_t dear;

	house_user(h, "dear", dear_hash(), 65534, h->home);
	house_conf(h, "MaxLoginAttempts 1");
	dear = refusal_takes(h, "dear");
	assert_true(h->usage.ru_utime.tv_sec > 0 || h->usage.ru_utime.tv_usec > BUSY_MS * 1000);
	assert_in_range(dear, 1000, 1000 + BUSY_MS);
	assert_in_range(refusal_takes(h, HOUSE_USER), 1000, 1000 + BUSY_MS);
}

/* Which user the living slots of base name, one after the other. */
static const char *
users(struct house *h)
{
	static char text[256];
	int dir = open(h->base, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = slots_open(dir);
	struct slot slot;

	close(dir);
	text[0] = '\0';
	for (int i = 0; i < SLOTS_MAX; i++)
		if (slots_read(fd, i, &slot) == 1) {
			(void)strlcat(text, slot.user, sizeof(text));
			(void)strlcat(text, slot.state == SLOT_LOGIN ? "?" : ".", sizeof(text));
		}
	close(fd);
	return text;
}

static void
a_user_is_logged_in_no_more_than_so_many_times(void **state)
{
	struct house *h = *state, first;

	house_conf(h, "MaxClientsPerUser 1");
	house_user(h, "eve", NULL, 65534, h->home);
	house_login(h);
	assert_string_equal(users(h), "bob.");
	first = *h;
	house_start(h);
	assert_int_equal(right(h), EUSERS);
	assert_true(house_logged(h, "refused a login of bob: MaxClientsPerUser 1 reached"));
	/* another user may, and the first one again when it is gone */
	assert_int_equal(house_ask_login(h, "eve", HOUSE_PASSWORD, NULL, NULL), 0);
	house_end(h);
	h->sock = first.sock;
	h->pid = first.pid;
	house_end(h);
	house_login(h);
	assert_string_equal(users(h), "bob.");
	house_end(h);
}

static void
a_login_that_fails_after_all_gives_its_place_back(void **state)
{
	struct house *h = *state;

	house_conf(h, "MaxClientsPerUser 1");
	house_user(h, "eve", NULL, 65534, "/nonexistent");
	house_start(h);
	assert_int_equal(house_ask_login(h, "eve", HOUSE_PASSWORD, NULL, NULL), EACCES);
	assert_string_equal(users(h), "?");
	house_end(h);
	assert_string_equal(users(h), "");
}

static void
guests_are_not_counted_as_one_user(void **state)
{
	struct house *h = *state, first;
	char line[128];

	(void)snprintf(line, sizeof(line), "AnonymousRoot %s", h->home);
	house_conf(h, line);
	house_conf(h, "Anonymous on");
	house_conf(h, "MaxClientsPerUser 1");
	house_start(h);
	assert_int_equal(house_ask_login(h, "ftp", "", NULL, NULL), 0);
	first = *h;
	house_start(h);
	assert_int_equal(house_ask_login(h, "ftp", "", NULL, NULL), 0);
	house_end(h);
	h->sock = first.sock;
	h->pid = first.pid;
	house_end(h);
}

static void
tries_beyond_the_limit_are_not_even_checked(void **state)
{
	struct house *h = *state, first;

	house_conf(h, "MaxClientsPerUser 1");
	house_conf(h, "MaxLoginAttempts 1");
	house_login(h);
	first = *h;
	house_start(h);
	assert_int_equal(right(h), EUSERS);
	assert_int_equal(right(h), EPERM);
	house_end(h);
	h->sock = first.sock;
	h->pid = first.pid;
	house_end(h);
}

#define T(test) cmocka_unit_test_setup_teardown(test, counted_setup, house_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(the_failure_that_bans_is_the_last_try),
		T(failures_of_connections_add_up),
		T(a_failure_costs_more_when_the_host_has_failed_before),
		T(a_host_that_is_banned_meanwhile_gets_no_more_tries),
		T(an_address_that_many_share_is_not_banned),
		T(without_ban_after_nobody_is_banned),
		T(the_check_is_no_part_of_the_delay),
		T(a_user_is_logged_in_no_more_than_so_many_times),
		T(a_login_that_fails_after_all_gives_its_place_back),
		T(guests_are_not_counted_as_one_user),
		T(tries_beyond_the_limit_are_not_even_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
