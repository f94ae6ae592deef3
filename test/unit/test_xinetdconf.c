/*
 * Files of xinetd.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "xinetdconf.h"

static const char text[] = "# our services\n"
                           "defaults\n"
                           "{\n"
                           "\tinstances = 60\n"
                           "\tcps\t= 25 30\n"
                           "}\n"
                           "includedir /etc/xinetd.d\n"
                           "service ftp {\n"
                           "\t# a comment = no\n"
                           "\tdisable = YES\n"
                           "\twait= no\n"
                           "\tuser =root\n"
                           "\tserver = /usr/sbin/genkan-ftpd\r\n"
                           "\tserver_args = -o 'ReadOnly on'\n"
                           "\tlog_on_failure += HOST\n"
                           "\tport = 2121\n"
                           "\tper_source = UNLIMITED\n"
                           "\tinstances = many\n"
                           "}\n"
                           "service broken\n"
                           "{\n"
                           "\twait = yes\n";

static void
sections_are_read_one_by_one(void **state)
{
	const char *at = text;
	struct xinetdconf got;
	unsigned line = 1;

	(void)state;
	assert_true(xinetdconf_next(&at, &line, &got));
	assert_true(got.defaults);
	assert_int_equal(got.line, 2);
	assert_int_equal(got.instances, 60);
	assert_int_equal(got.cps, 25);
	assert_int_equal(got.cps_wait, 30);
	assert_int_equal(got.per_source, -1);

	assert_true(xinetdconf_next(&at, &line, &got));
	assert_false(got.defaults);
	assert_string_equal(got.service, "ftp");
	assert_int_equal(got.line, 8);
	assert_true(got.disabled);
	assert_false(got.wait);
	assert_string_equal(got.user, "root");
	assert_string_equal(got.server, "/usr/sbin/genkan-ftpd");
	assert_string_equal(got.arguments, "-o 'ReadOnly on'");
	assert_int_equal(got.port, 2121);
	assert_int_equal(got.per_source, XINETD_UNLIMITED);
	assert_int_equal(got.instances, -1);
	assert_int_equal(got.cps, -1);

	/* the one without an end does not count */
	assert_false(xinetdconf_next(&at, &line, &got));
}

static void
texts_without_sections_end(void **state)
{
	static const char *const texts[] = { "", "\n\n", "service", "service ftp", "{\n}\n", "service x\n{",
		"# service ftp {\n# }\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *at = texts[i];
		struct xinetdconf got;
		unsigned line = 1;

		assert_false(xinetdconf_next(&at, &line, &got));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_read_one_by_one),
		cmocka_unit_test(texts_without_sections_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
