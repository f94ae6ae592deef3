/*
 * The two ways to send a file: the faster one is found, and kept.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "session/trial.h"

#define MIB (1 << 20)

/* Sends legs as a transfer does, for so many nanoseconds per MiB, until it is settled. Returns how many. */
static int
run(struct trial *t, int64_t copy, int64_t sendfile)
{
	int legs = 0;

	while (!t->settled && legs < 100) {
		int64_t bytes = trial_until(t, 5 * MIB) - 5 * MIB;
		int64_t cost = trial_way(t) == WAY_COPY ? copy : sendfile;

		trial_note(t, bytes, cost * (bytes / MIB), cost * (bytes / MIB));
		legs++;
	}
	return legs;
}

static void
the_faster_way_is_kept(void **state)
{
	struct trial a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(run(&a, 200000, 300000), 4);
	assert_int_equal(trial_way(&a), WAY_COPY);
	assert_int_equal(run(&b, 215000, 200000), 4);
	assert_int_equal(trial_way(&b), WAY_SENDFILE);
	assert_int_equal(trial_until(&b, 0), INT64_MAX);
	trial_note(&b, INT64_C(1) << 40, 1, 1);
	assert_int_equal(trial_way(&b), WAY_SENDFILE);
}

static void
ways_take_turns_and_sendfile_begins(void **state)
{
	static const struct {
		enum way way;
		int64_t bytes;
	} turns[] = {
		{ WAY_SENDFILE, TRIAL_LEG  },
		{ WAY_COPY,     TRIAL_LOOK },
		{ WAY_COPY,     TRIAL_LEG  },
		{ WAY_SENDFILE, TRIAL_LEG  },
	};
	struct trial t = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		assert_false(t.settled);
		assert_int_equal(trial_way(&t), turns[i].way);
		assert_int_equal(trial_until(&t, 100), 100 + turns[i].bytes);
		trial_note(&t, turns[i].bytes, turns[i].bytes, turns[i].bytes);
	}
	assert_true(t.settled);
}

static void
copying_is_looked_at_and_no_more_where_it_is_far_behind(void **state)
{
	struct trial t = { 0 };

	(void)state;
	assert_int_equal(run(&t, 225000, 200000), 2);
	assert_int_equal(trial_way(&t), WAY_SENDFILE);
	assert_int_equal(trial_until(&t, 0), INT64_MAX);
}

static void
first_leg_does_not_count(void **state)
{
	struct trial t = { 0 };

	(void)state;
	trial_note(&t, TRIAL_LEG, INT64_MAX, INT64_MAX); /* sendfile: warms up */
	trial_note(&t, TRIAL_LOOK, 2000000, 2000000);  /* copied */
	trial_note(&t, TRIAL_LEG, 2000000, 2000000);
	trial_note(&t, TRIAL_LEG, 1000000, 1000000);
	assert_true(t.settled);
	assert_int_equal(trial_way(&t), WAY_SENDFILE);
}

static void
where_we_wait_for_others_nothing_is_tried(void **state)
{
	struct trial slow = { 0 }, busy = { 0 };

	(void)state;
	trial_note(&slow, TRIAL_LEG, 1000000, 499999);
	assert_true(slow.settled);
	assert_int_equal(trial_way(&slow), WAY_SENDFILE);
	trial_note(&busy, TRIAL_LEG, 1000000, 500000);
	assert_false(busy.settled);
	/* of the other legs it is not asked: the first one has told who is slow */
	trial_note(&busy, TRIAL_LOOK, 60000, 0);
	assert_false(busy.settled);
}

static void
end_of_a_file_tells_nothing(void **state)
{
	struct trial t = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		trial_note(&t, TRIAL_LEG - 1, 1, 1);
	assert_false(t.settled);
	assert_int_equal(t.legs, 0);
}

static void
where_both_wait_for_the_network_sendfile_does_it(void **state)
{
	struct trial a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	assert_int_equal(run(&a, 8000000, 8000000), 4);
	assert_int_equal(trial_way(&a), WAY_SENDFILE);
	assert_int_equal(run(&b, 7400000, 8000000), 4); /* less than a tenth */
	assert_int_equal(trial_way(&b), WAY_SENDFILE);
	assert_int_equal(run(&c, 0, 0), 4); /* a clock that stands still */
	assert_int_equal(trial_way(&c), WAY_SENDFILE);
}

static void
way_that_does_not_work_is_not_tried_again(void **state)
{
	struct trial t = { 0 };

	(void)state;
	trial_note(&t, TRIAL_LEG, 1, 1);
	trial_settle(&t, WAY_COPY);
	trial_note(&t, 0, 1, 1);
	assert_int_equal(trial_way(&t), WAY_COPY);
	assert_int_equal(trial_until(&t, 7), INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_faster_way_is_kept),
		cmocka_unit_test(ways_take_turns_and_sendfile_begins),
		cmocka_unit_test(copying_is_looked_at_and_no_more_where_it_is_far_behind),
		cmocka_unit_test(first_leg_does_not_count),
		cmocka_unit_test(where_we_wait_for_others_nothing_is_tried),
		cmocka_unit_test(end_of_a_file_tells_nothing),
		cmocka_unit_test(where_both_wait_for_the_network_sendfile_does_it),
		cmocka_unit_test(way_that_does_not_work_is_not_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
