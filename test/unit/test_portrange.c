/*
 * Passive port lists and the walk over them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "portrange.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
parse(const char *text, struct portlist *list)
{
	const char *why = "";

	if (portlist_parse(text, list, &why) == -1)
		fail_msg("\"%s\": %s", text, why);
}

static void
lists_are_read_and_written(void **state)
{
	static const struct {
		const char *in, *out;
		unsigned count;
	} rows[] = {
		{ "4000 4029",                "4000-4029",                30    },
		{ "  4000 \t 4029 ",          "4000-4029",                30    },
		{ "4000 4000",                "4000",                     1     },
		{ "4000-4029",                "4000-4029",                30    },
		{ "4000",                     "4000",                     1     },
		{ "4000-4000",                "4000",                     1     },
		{ "4000,4029",                "4000,4029",                2     },
		{ "4000, 4029",               "4000,4029",                2     },
		{ "4000 4010 4020",           "4000,4010,4020",           3     },
		{ "4000 4010-4011",           "4000,4010-4011",           3     },
		{ "4000-4029,5136-5151 6000", "4000-4029,5136-5151,6000", 47    },
		{ "5136-5151, 4000-4029",     "5136-5151,4000-4029",      46    },
		{ "1024 65535",               "1024-65535",               64512 },
		{ "any",                      "any",                      0     },
		{ "Any",                      "any",                      0     },
	};
	char buf[PORTLIST_TEXT];
	struct portlist list, again;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		parse(rows[i].in, &list);
		assert_string_equal(portlist_text(&list, buf), rows[i].out);
		assert_int_equal(portlist_count(&list), rows[i].count);
		parse(buf, &again);
		assert_memory_equal(&list, &again, sizeof(list));
	}
}

static void
bad_lists_are_refused_in_words(void **state)
{
	static const struct {
		const char *in, *why;
	} rows[] = {
		{ "40000 39999",          "40000 is above 39999"                          },
		{ "40000-39999",          "40000 is above 39999"                          },
		{ "1023 4000",            "1023 is not within 1024-65535"                 },
		{ "0",                    "0 is not within 1024-65535"                    },
		{ "4000-65536",           "65536 is not within 1024-65535"                },
		{ "4000-4029,80",         "80 is not within 1024-65535"                   },
		{ "69536",                "69536 is not within 1024-65535"                },
		{ "4294971296",           "4294971296 is not within 1024-65535"           },
		{ "18446744073709555616", "18446744073709555616 is not within 1024-65535" },
		{ "",                     "no port is given"                              },
		{ " ",                    "no port is given"                              },
		{ ",",                    "no port is given"                              },
		{ "all",                  "\"all\" is not a port"                         },
		{ "4000-",                "\"\" is not a port"                            },
		{ "-4000",                "\"-4000\" is not a port"                       },
		{ "+4000",                "\"+4000\" is not a port"                       },
		{ "4000 - 4029",          "\"-\" is not a port"                           },
		{ "4000:4029",            "\":4029\" follows a port"                      },
		{ "4000-4010-4020",       "\"-4020\" follows a port"                      },
		{ "4000x",                "\"x\" follows a port"                          },
		{ "4000-4029,4029-4040",  "4029-4040 overlaps 4000-4029"                  },
		{ "4000-4029,4010",       "4010-4010 overlaps 4000-4029"                  },
		{ "4010,4000-4029",       "4000-4029 overlaps 4010-4010"                  },
		{ "4000,4000",            "4000-4000 overlaps 4000-4000"                  },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct portlist list = { .n = 7 };
		const char *why = NULL;

		if (portlist_parse(rows[i].in, &list, &why) != -1)
			fail_msg("\"%s\" was taken", rows[i].in);
		assert_string_equal(why, rows[i].why);
		assert_int_equal(list.n, 0);
	}
}

/* Writes n ranges of two ports, none next to another. */
static void
many_ranges(char *text, size_t size, unsigned n)
{
	size_t len = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		len += (size_t)snprintf(
		    text + len, size - len, "%u-%u,", 60000 + 3 * i, 60001 + 3 * i);
}

static void
list_has_room_for_its_maximum_and_no_more(void **state)
{
	char text[PORTLIST_TEXT * 2], buf[PORTLIST_TEXT];
	struct portlist list, again;
	const char *why = NULL;

	(void)state;
	many_ranges(text, sizeof(text), PORTLIST_MAX);
	parse(text, &list);
	assert_int_equal(list.n, PORTLIST_MAX);
	parse(portlist_text(&list, buf), &again);
	assert_memory_equal(&list, &again, sizeof(list));

	many_ranges(text, sizeof(text), PORTLIST_MAX + 1);
	assert_int_equal(portlist_parse(text, &list, &why), -1);
	assert_string_equal(why, "there are more than 64 ranges");
}

static void
list_contains_its_ports_with_both_ends(void **state)
{
	struct portlist list;

	(void)state;
	parse("4000-4029,6000", &list);
	assert_false(portlist_contains(&list, 3999));
	assert_true(portlist_contains(&list, 4000));
	assert_true(portlist_contains(&list, 4029));
	assert_false(portlist_contains(&list, 4030));
	assert_true(portlist_contains(&list, 6000));
	assert_false(portlist_contains(&list, 6001));
	parse("any", &list);
	assert_false(portlist_contains(&list, 4000));
}

static void
ports_are_added_to_the_range_they_follow(void **state)
{
	static const struct portlist none;
	struct portlist list = none;
	char buf[PORTLIST_TEXT];

	(void)state;
	assert_true(portlist_add(&list, 21));
	assert_string_equal(portlist_text(&list, buf), "21");
	assert_true(portlist_add(&list, 4000));
	assert_true(portlist_add(&list, 4001));
	assert_true(portlist_add(&list, 4002));
	assert_true(portlist_add(&list, 4004));
	assert_true(portlist_add(&list, 4003));
	assert_true(portlist_add(&list, 65535));
	assert_string_equal(portlist_text(&list, buf), "21,4000-4002,4004,4003,65535");

	list = none;
	for (unsigned i = 0; i < PORTLIST_MAX; i++)
		assert_true(portlist_add(&list, (uint16_t)(2000 + 2 * i)));
	assert_false(portlist_add(&list, 1000));
	assert_true(portlist_add(&list, 2000 + 2 * PORTLIST_MAX - 1));
	assert_int_equal(portlist_count(&list), PORTLIST_MAX + 1);
}

static void
passive_range_walk_tries_each_port_once(void **state)
{
	static unsigned char seen[65536];
	static const char *const rows[] = { "4000", "4000 4001", "4000-4029,5136-5151 65535",
		"1024 65535" };
	struct portlist list;
	struct portwalk walk;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		unsigned n = 0;
		uint16_t port;

		memset(seen, 0, sizeof(seen));
		parse(rows[i], &list);
		assert_int_equal(portwalk_begin(&walk, &list), 0);
		while ((port = portwalk_next(&walk)) != 0) {
			assert_true(portlist_contains(&list, port));
			assert_int_equal(seen[port]++, 0);
			n++;
		}
		assert_int_equal(n, portlist_count(&list));
		assert_int_equal(portwalk_next(&walk), 0);
		portwalk_end(&walk);
	}
}

static void
walk_of_an_empty_list_has_no_steps(void **state)
{
	struct portlist list;
	struct portwalk walk;

	(void)state;
	parse("any", &list);
	assert_int_equal(portwalk_begin(&walk, &list), 0);
	assert_int_equal(portwalk_next(&walk), 0);
	portwalk_end(&walk);
}

/*
 * Every port comes first and last about as often: over 6,000 walks of 6 ports
 * each place expects 1,000, with a deviation of 29; 200 away is never chance.
 */
static void
walk_is_shuffled_without_bias(void **state)
{
	enum { PORTS = 6, WALKS = 6000, EXPECTED = WALKS / PORTS, AWAY = 200 };
	unsigned at[PORTS][PORTS];
	struct portlist list;
	struct portwalk walk;
	int i, place;

	(void)state;
	memset(at, 0, sizeof(at));
	parse("4000 4005", &list);
	for (i = 0; i < WALKS; i++) {
		assert_int_equal(portwalk_begin(&walk, &list), 0);
		for (place = 0; place < PORTS; place++)
			at[place][portwalk_next(&walk) - 4000]++;
		portwalk_end(&walk);
	}
	for (place = 0; place < PORTS; place++)
		for (i = 0; i < PORTS; i++)
			assert_in_range(at[place][i], EXPECTED - AWAY, EXPECTED + AWAY);
}

static void
places_and_ports_are_each_others_inverse(void **state)
{
	struct portlist list;
	const char *why;

	(void)state;
	assert_int_equal(portlist_parse("5136-5138,4000 6000-6001", &list, &why), 0);
	assert_int_equal(portlist_at(&list, 0), 5136);
	assert_int_equal(portlist_at(&list, 3), 4000);
	assert_int_equal(portlist_at(&list, 5), 6001);
	assert_int_equal(portlist_at(&list, 6), 0);
	for (unsigned i = 0; i < portlist_count(&list); i++)
		assert_int_equal(portlist_place(&list, portlist_at(&list, i)), i);
	assert_int_equal(portlist_place(&list, 4001), -1);
	assert_int_equal(portlist_place(&list, 5135), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read_and_written),
		cmocka_unit_test(bad_lists_are_refused_in_words),
		cmocka_unit_test(list_has_room_for_its_maximum_and_no_more),
		cmocka_unit_test(list_contains_its_ports_with_both_ends),
		cmocka_unit_test(ports_are_added_to_the_range_they_follow),
		cmocka_unit_test(passive_range_walk_tries_each_port_once),
		cmocka_unit_test(walk_of_an_empty_list_has_no_steps),
		cmocka_unit_test(walk_is_shuffled_without_bias),
		cmocka_unit_test(places_and_ports_are_each_others_inverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
