/*
 * Unit files of systemd.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unitconf.h"

static const char text[] = "# ListenStream=1 in no section\n"
                           "ListenStream=2\n"
                           "[Unit]\n"
                           "ListenStream=3\n"
                           "[Socket]\n"
                           "; ListenStream=4\n"
                           "ListenStream = 21\n"
                           "ListenStreamX=5\n"
                           "ListenStream=[::1]:2121  \n"
                           "Accept=yes\n"
                           "[Service]\n"
                           "ExecStart=/usr/sbin/genkan-ftpd \\\n"
                           "    --listen 21\n"
                           "Accept=no\n";

static void
values_are_found_by_section_key_and_number(void **state)
{
	char value[64];

	(void)state;
	assert_true(unitconf_get(text, "Socket", "ListenStream", 0, value, sizeof(value)));
	assert_string_equal(value, "21");
	assert_true(unitconf_get(text, "Socket", "ListenStream", 1, value, sizeof(value)));
	assert_string_equal(value, "[::1]:2121");
	assert_false(unitconf_get(text, "Socket", "ListenStream", 2, value, sizeof(value)));
	assert_true(unitconf_last(text, "Socket", "ListenStream", value, sizeof(value)));
	assert_string_equal(value, "[::1]:2121");
	assert_true(unitconf_last(text, "Socket", "Accept", value, sizeof(value)));
	assert_string_equal(value, "yes");
	assert_false(unitconf_last(text, "Socket", "MaxConnections", value, sizeof(value)));
	assert_false(unitconf_last(text, "Sock", "Accept", value, sizeof(value)));
}

static void
lines_go_on_behind_a_backslash(void **state)
{
	char value[64], small[8];

	(void)state;
	assert_true(unitconf_last(text, "Service", "ExecStart", value, sizeof(value)));
	assert_string_equal(value, "/usr/sbin/genkan-ftpd     --listen 21");
	assert_false(unitconf_last(text, "Service", "ExecStart", small, sizeof(small)));
}

static void
an_empty_value_forgets_those_before(void **state)
{
	static const char with_drop_in[] = "[Socket]\nListenStream=21\nListenStream=22\n"
	                                   "[Socket]\nListenStream=\nListenStream=2121\n";
	char value[64];

	(void)state;
	assert_true(unitconf_get(with_drop_in, "Socket", "ListenStream", 0, value, sizeof(value)));
	assert_string_equal(value, "2121");
	assert_false(unitconf_get(with_drop_in, "Socket", "ListenStream", 1, value, sizeof(value)));
	assert_false(unitconf_last("[A]\nb=1\nb=\n", "A", "b", value, sizeof(value)));
}

static void
switches_are_read(void **state)
{
	(void)state;
	assert_true(unitconf_is_on("yes"));
	assert_true(unitconf_is_on("True"));
	assert_true(unitconf_is_on("1"));
	assert_false(unitconf_is_on("no"));
	assert_false(unitconf_is_on(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_by_section_key_and_number),
		cmocka_unit_test(lines_go_on_behind_a_backslash),
		cmocka_unit_test(an_empty_value_forgets_those_before),
		cmocka_unit_test(switches_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
