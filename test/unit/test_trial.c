/*
 * The ways to send a file: the fastest one is found, and kept.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "session/trial.h"

#define MIB (1 << 20)

/* Nanoseconds per MiB of each way. */
struct costs {
	int64_t of[WAYS];
};

/* Sends legs as a transfer does, at these costs, until it is settled. Returns how many. */
static int
run(struct trial *t, struct costs costs)
{
	int legs = 0;

	while (!t->settled && legs < 100) {
		int64_t bytes = trial_until(t, 5 * MIB) - 5 * MIB;
		int64_t time = costs.of[trial_way(t)] * (bytes / MIB);

		trial_note(t, bytes, time, time);
		legs++;
	}
	return legs;
}

static void
the_fastest_way_is_kept(void **state)
{
	static const struct {
		struct costs costs;
		enum way way;
	} cases[] = {
		{ { { [WAY_SENDFILE] = 300000, [WAY_STEPS] = 290000, [WAY_COPY] = 200000 } }, WAY_COPY },
		{ { { [WAY_SENDFILE] = 300000, [WAY_STEPS] = 200000, [WAY_COPY] = 210000 } }, WAY_STEPS },
		{ { { [WAY_SENDFILE] = 200000, [WAY_STEPS] = 210000, [WAY_COPY] = 215000 } }, WAY_SENDFILE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trial t = { 0 };

		assert_int_equal(run(&t, cases[i].costs), 6);
		assert_int_equal(trial_way(&t), cases[i].way);
		assert_int_equal(trial_until(&t, 0), INT64_MAX);
		trial_note(&t, INT64_C(1) << 40, 1, 1);
		assert_int_equal(trial_way(&t), cases[i].way);
	}
}

static void
ways_take_turns_and_sendfile_begins(void **state)
{
	static const struct {
		enum way way;
		int64_t bytes;
	} turns[] = {
		{ WAY_SENDFILE, TRIAL_LEG   },
		{ WAY_STEPS,    TRIAL_STEPS },
		{ WAY_STEPS,    TRIAL_LEG   },
		{ WAY_COPY,     TRIAL_LOOK  },
		{ WAY_COPY,     TRIAL_LEG   },
		{ WAY_SENDFILE, TRIAL_LEG   },
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
what_is_far_behind_gets_no_leg(void **state)
{
	struct trial both = { 0 }, copy = { 0 }, steps = { 0 };

	(void)state;
	/* sendfile, two looks, and there is nothing left to compare */
	assert_int_equal(run(&both, (struct costs){ { 200000, 225000, 225000 } }), 3);
	assert_int_equal(trial_way(&both), WAY_SENDFILE);
	assert_int_equal(trial_until(&both, 0), INT64_MAX);
	/* copying is held against the steps, which are the fastest way so far */
	assert_int_equal(run(&copy, (struct costs){ { 200000, 150000, 170000 } }), 5);
	assert_int_equal(trial_way(&copy), WAY_STEPS);
	assert_int_equal(run(&steps, (struct costs){ { 200000, 400000, 150000 } }), 5);
	assert_int_equal(trial_way(&steps), WAY_COPY);
}

static void
first_leg_does_not_count(void **state)
{
	struct trial t = { 0 };

	(void)state;
	trial_note(&t, TRIAL_LEG, 256 * INT64_C(900000), 256 * INT64_C(900000)); /* warms up */
	assert_int_equal(run(&t, (struct costs){ { 100000, 200000, 200000 } }), 5);
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
	trial_note(&busy, TRIAL_STEPS, 200000, 0);
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
small_difference_is_none(void **state)
{
	struct trial a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

	(void)state;
	run(&a, (struct costs){ { 8000000, 8000000, 8000000 } });
	assert_int_equal(trial_way(&a), WAY_SENDFILE);
	run(&b, (struct costs){ { 8000000, 7800000, 7700000 } });
	assert_int_equal(trial_way(&b), WAY_SENDFILE);
	run(&d, (struct costs){ { 8000000, 7600000, 7800000 } });
	assert_int_equal(trial_way(&d), WAY_STEPS);
	run(&c, (struct costs){ { 0, 0, 0 } }); /* a clock that stands still */
	assert_true(c.settled);
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
		cmocka_unit_test(the_fastest_way_is_kept),
		cmocka_unit_test(ways_take_turns_and_sendfile_begins),
		cmocka_unit_test(what_is_far_behind_gets_no_leg),
		cmocka_unit_test(first_leg_does_not_count),
		cmocka_unit_test(where_we_wait_for_others_nothing_is_tried),
		cmocka_unit_test(end_of_a_file_tells_nothing),
		cmocka_unit_test(small_difference_is_none),
		cmocka_unit_test(way_that_does_not_work_is_not_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
