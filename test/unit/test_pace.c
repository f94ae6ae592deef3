/*
 * TransferRate: a transfer that takes what it may keeps the rate, whatever happens.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "session/pace.h"

#define START 1000000 /* clock_ms() */

/* Moves bytes as a transfer does, in steps of at most max, until end. Returns how many. */
static int64_t
run(struct pace *p, int64_t bytes, size_t max, int64_t from, int64_t end)
{
	int64_t now = from, when = 0;

	while (now < end) {
		size_t n = pace_room(p, bytes, max, now, &when);

		bytes += (int64_t)n;
		if (n == 0) {
			assert_true(when > now);
			now = when;
		}
	}
	return bytes;
}

static void
without_a_rate_everything_may_be_moved(void **state)
{
	struct pace p = { 0 };
	int64_t when = 0;

	(void)state;
	assert_int_equal(pace_room(&p, 0, SIZE_MAX, START, &when), SIZE_MAX);
	assert_int_equal(pace_room(&p, INT64_MAX, 4 << 20, START, &when), 4 << 20);
}

static void
an_empty_file_is_not_waited_for(void **state)
{
	struct pace p = { .rate = 1024 };
	int64_t when = 0;

	(void)state;
	assert_int_equal(pace_room(&p, 0, 0, START, &when), 0);
	assert_int_equal(when, 0);
}

static void
the_rate_is_kept_over_time(void **state)
{
	static const int64_t rates[] = { 1024, 5000, 102400, 1 << 20, 100 << 20, INT64_C(10) << 30 };
	static const size_t steps[] = { 1, 1000, 64 << 10, 4 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
			struct pace p = { .rate = rates[i] };
			int64_t seconds = steps[k] == 1 ? 1 : 20, moved;

			if (rates[i] / (int64_t)steps[k] > 100000)
				continue; /* too many steps to count */
			moved = run(&p, 0, steps[k], START, START + seconds * 1000);
			/* and what the bucket held at first */
			assert_true(moved <= seconds * rates[i] + rates[i] / 8 + 1024 + rates[i] / 50);
			assert_true(moved >= seconds * rates[i] - rates[i] / 16 - 1024);
		}
}

static void
a_long_transfer_stays_exact(void **state)
{
	struct pace p = { .rate = 1536 };
	int64_t day = 86400, moved = run(&p, 0, 4096, START, START + day * 1000);

	(void)state;
	assert_in_range(moved, day * 1536 - 1536, day * 1536 + 1536);
}

static void
what_was_not_taken_is_not_made_up_for(void **state)
{
	struct pace p = { .rate = 100000 };
	int64_t moved = run(&p, 0, 1 << 20, START, START + 1000), more;

	(void)state;
	/* nothing for a minute: the client did not read */
	more = run(&p, moved, 1 << 20, START + 61000, START + 62000) - moved;
	assert_in_range(more, 90000, 100000 + 100000 / 8 + 100000 / 50);
}

static void
the_end_of_a_file_needs_no_whole_step(void **state)
{
	struct pace p = { .rate = 1000000 };
	int64_t when = 0, bytes = 0;

	(void)state;
	bytes += (int64_t)pace_room(&p, bytes, 1 << 20, START, &when);
	assert_int_equal(bytes, 125000);
	assert_int_equal(pace_room(&p, bytes, 100, START, &when), 0);
	assert_int_equal(when, START + 1);
	assert_int_equal(pace_room(&p, bytes, 100, START + 1, &when), 100);
}

/* More than was allowed, by line ends that were added: later ones wait for it. */
static void
what_was_too_much_is_waited_for(void **state)
{
	struct pace p = { .rate = 1000 };
	int64_t when = 0;

	(void)state;
	assert_true(pace_room(&p, 0, 65536, START, &when) > 0);
	assert_int_equal(pace_room(&p, 10000, 65536, START, &when), 0);
	assert_in_range(when, START + 9000, START + 10000);
	assert_int_equal(pace_room(&p, 10000, 65536, when - 1, &when), 0);
	assert_true(pace_room(&p, 10000, 65536, when, &when) > 0);
}

static void
another_rate_counts_from_then_on(void **state)
{
	struct pace p = { .rate = 100000 };
	int64_t moved = run(&p, 0, 4096, START, START + 10000), more;

	(void)state;
	assert_in_range(moved, 1000000 - 100000 / 16, 1000000 + 100000 / 8 + 4096);
	/* a quarter, as others have come; then all again */
	pace_change(&p, 25000, moved, START + 10000);
	more = run(&p, moved, 4096, START + 10000, START + 20000) - moved;
	assert_in_range(more, 250000 - 25000 / 8, 250000 + 25000 / 8);
	moved += more;
	pace_change(&p, 100000, moved, START + 20000);
	more = run(&p, moved, 4096, START + 20000, START + 30000) - moved;
	assert_in_range(more, 1000000 - 100000 / 8, 1000000 + 100000 / 8);
}

/* Else each change would fill the bucket, and a rate that changes often would be none. */
static void
a_change_of_rate_gives_nothing_away(void **state)
{
	struct pace p = { .rate = 100000 };
	int64_t moved = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		moved = run(&p, moved, 4096, START + i * 100, START + (i + 1) * 100);
		pace_change(&p, i % 2 == 0 ? 50000 : 100000, moved, START + (i + 1) * 100);
	}
	assert_in_range(moved, 700000, 750000 + 100000 / 8 + 4096);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_rate_everything_may_be_moved),
		cmocka_unit_test(an_empty_file_is_not_waited_for),
		cmocka_unit_test(the_rate_is_kept_over_time),
		cmocka_unit_test(a_long_transfer_stays_exact),
		cmocka_unit_test(what_was_not_taken_is_not_made_up_for),
		cmocka_unit_test(the_end_of_a_file_needs_no_whole_step),
		cmocka_unit_test(what_was_too_much_is_waited_for),
		cmocka_unit_test(another_rate_counts_from_then_on),
		cmocka_unit_test(a_change_of_rate_gives_nothing_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
