/*
 * The source port of active data connections.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "activeport.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
settings_are_read_and_written(void **state)
{
	static const struct {
		const char *in, *out;
		int setting;
	} rows[] = {
		{ "20",    "20",    20                   },
		{ "1",     "1",     1                    },
		{ "65535", "65535", 65535                },
		{ "any",   "any",   ACTIVEPORT_ANY       },
		{ "ANY",   "any",   ACTIVEPORT_ANY       },
		{ "L-1",   "L-1",   ACTIVEPORT_L_MINUS_1 },
		{ "l-1",   "L-1",   ACTIVEPORT_L_MINUS_1 },
	};
	char buf[8];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		const char *why = "";
		int setting = 4711;

		if (activeport_parse(rows[i].in, &setting, &why) == -1)
			fail_msg("\"%s\": %s", rows[i].in, why);
		assert_int_equal(setting, rows[i].setting);
		assert_string_equal(activeport_text(setting, buf), rows[i].out);
	}
}

static void
bad_settings_are_refused_in_words(void **state)
{
	static const struct {
		const char *in, *why;
	} rows[] = {
		{ "",                     "a port, prefer, any or L-1 is wanted" },
		{ " 20",                  "a port, prefer, any or L-1 is wanted" },
		{ "-1",                   "a port, prefer, any or L-1 is wanted" },
		{ "+20",                  "a port, prefer, any or L-1 is wanted" },
		{ "L",                    "a port, prefer, any or L-1 is wanted" },
		{ "L-2",                  "a port, prefer, any or L-1 is wanted" },
		{ "anything",             "a port, prefer, any or L-1 is wanted" },
		{ "0",                    "a port is within 1-65535"     },
		{ "65536",                "a port is within 1-65535"     },
		{ "20 ",                  "a port is within 1-65535"     },
		{ "20x",                  "a port is within 1-65535"     },
		{ "99999999999999999999", "a port is within 1-65535"     },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		const char *why = NULL;
		int setting;

		if (activeport_parse(rows[i].in, &setting, &why) != -1)
			fail_msg("\"%s\" was taken", rows[i].in);
		assert_string_equal(why, rows[i].why);
	}
}

static void
port_20_means_20_on_every_control_port(void **state)
{
	(void)state;
	assert_int_equal(activeport_for(20, 21), 20);
	assert_int_equal(activeport_for(20, 2121), 20);
	assert_int_equal(activeport_for(20, 0), 20);
	assert_int_equal(activeport_for(65535, 21), 65535);
}

static void
l_minus_1_is_the_control_port_less_one(void **state)
{
	(void)state;
	assert_int_equal(activeport_for(ACTIVEPORT_L_MINUS_1, 21), 20);
	assert_int_equal(activeport_for(ACTIVEPORT_L_MINUS_1, 2121), 2120);
	assert_int_equal(activeport_for(ACTIVEPORT_L_MINUS_1, 65535), 65534);
}

static void
l_minus_1_of_no_port_is_any(void **state)
{
	(void)state;
	assert_int_equal(activeport_for(ACTIVEPORT_L_MINUS_1, 1), 0);
	assert_int_equal(activeport_for(ACTIVEPORT_L_MINUS_1, 0), 0);
}

static void
any_is_port_0(void **state)
{
	(void)state;
	assert_int_equal(activeport_for(ACTIVEPORT_ANY, 21), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_read_and_written),
		cmocka_unit_test(bad_settings_are_refused_in_words),
		cmocka_unit_test(port_20_means_20_on_every_control_port),
		cmocka_unit_test(l_minus_1_is_the_control_port_less_one),
		cmocka_unit_test(l_minus_1_of_no_port_is_any),
		cmocka_unit_test(any_is_port_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
