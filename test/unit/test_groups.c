/*
 * The groups of a user.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "groups.h"

static struct groups groups;

/* What a file of these bytes says of bob, whose primary group is 100. */
static int
read_bytes(const char *text, size_t len)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, len, "r");
	int r;

	assert_non_null(file);
	memset(&groups, 0, sizeof(groups));
	r = groups_read(&groups, file, "bob", 100);
	fclose(file);
	return r;
}

static void
read_text(const char *text)
{
	assert_int_equal(read_bytes(text, strlen(text)), 0);
}

static void
a_user_is_in_the_groups_that_list_him(void **state)
{
	(void)state;
	read_text("staff:x:50:bob,anna\nkids:x:60:anna\ncooks::70:anna,bob\nlate:x:80:bob");
	assert_int_equal(groups.n, 3);
	assert_int_equal(groups.gid[0], 50);
	assert_int_equal(groups.gid[1], 70);
	assert_int_equal(groups.gid[2], 80);
	assert_true(groups_has(&groups, "staff"));
	assert_true(groups_has(&groups, "late"));
	assert_false(groups_has(&groups, "kids"));
	assert_false(groups_has(&groups, "staf"));
	assert_false(groups_has(&groups, "staff,cooks"));
	assert_false(groups_has(&groups, ""));
}

static void
the_primary_group_has_its_name_and_no_other_number(void **state)
{
	(void)state;
	read_text("users:x:100:\n");
	assert_int_equal(groups.n, 0);
	assert_true(groups_has(&groups, "users"));
}

static void
members_are_whole_names(void **state)
{
	(void)state;
	read_text("a:x:1:bobby,jimbob, bob,bob \nb:x:2:,,bob,,\n");
	assert_int_equal(groups.n, 1);
	assert_int_equal(groups.gid[0], 2);
}

static void
lines_that_are_none_are_skipped(void **state)
{
	static const char nul[] = "a:x:1:\0bob\nb:x:2:bob\n";

	(void)state;
	read_text("# x:x:1:bob\n\n:x:1:bob\na:x:-1:bob\na:x:1x:bob\na:x::bob\na:x:2147483648:bob\n"
		  "a:x:1\na:x:1:bob:\na:x: 1:bob\n");
	assert_int_equal(groups.n, 0);
	assert_string_equal(groups.names, "");
	assert_int_equal(read_bytes(nul, sizeof(nul) - 1), 0);
	assert_int_equal(groups.n, 1);
	assert_int_equal(groups.gid[0], 2);
}

static void
nobody_is_in_group_0(void **state)
{
	(void)state;
	read_text("root:x:0:bob\nalso:x:00:bob\n");
	assert_int_equal(groups.n, 0);
	assert_false(groups_has(&groups, "root"));
}

static void
a_group_too_many_is_an_error(void **state)
{
	struct groups g = { 0 };
	char name[200];
	int i, r;

	(void)state;
	for (i = 0; i < GROUPS_MAX; i++)
		assert_int_equal(groups_add(&g, NULL, (gid_t)(1000 + i)), 0);
	assert_int_equal(groups_add(&g, NULL, 1000), 0); /* is there */
	assert_int_equal(groups_add(&g, NULL, 1), -1);
	assert_int_equal(errno, EOVERFLOW);

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (i = 0, r = 0; r == 0 && i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "%0180d", i);
		r = groups_add_name(&g, name);
	}
	assert_int_equal(r, -1);
	assert_int_equal(errno, EOVERFLOW);
	assert_true(strlen(g.names) < sizeof(g.names));
}

static void
expressions_are_anded(void **state)
{
	static const struct {
		const char *text;
		bool fits;
	} rows[] = {
		{ "", true },
		{ "staff", true },
		{ "!staff", false },
		{ "kids", false },
		{ "!kids", true },
		{ "staff,cooks", true },
		{ "staff,!cooks", false },
		{ "staff,!kids", true },
		{ "kids,staff", false },
	};

	(void)state;
	read_text("staff:x:50:bob\ncooks:x:70:bob\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (groups_fit(&groups, rows[i].text) != rows[i].fits)
			fail_msg("%s", rows[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_is_in_the_groups_that_list_him),
		cmocka_unit_test(the_primary_group_has_its_name_and_no_other_number),
		cmocka_unit_test(members_are_whole_names),
		cmocka_unit_test(lines_that_are_none_are_skipped),
		cmocka_unit_test(nobody_is_in_group_0),
		cmocka_unit_test(a_group_too_many_is_an_error),
		cmocka_unit_test(expressions_are_anded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
