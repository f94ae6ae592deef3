/*
 * Shell patterns: what matches, what does not, and that no pattern takes long.
 */
#include "pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void
patterns_match_as_in_a_shell(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool want;
	} rows[] = {
		{ "",                "",            true  },
		{ "",                "a",           false },
		{ "a",               "",            false },
		{ "name",            "name",        true  },
		{ "name",            "names",       false },
		{ "names",           "name",        false },
		{ "Name",            "name",        false },
		{ "*",               "",            true  },
		{ "*",               "anything",    true  },
		{ "**",              "anything",    true  },
		{ "a*",              "a",           true  },
		{ "a*c",             "abbbc",       true  },
		{ "a*c",             "abbbcd",      false },
		{ "*.txt",           "a.b.txt",     true  },
		{ "*.txt",           "txt",         false },
		{ "*a*b*c*",         "xxaxxbxxcxx", true  },
		{ "*a*b*c*",         "xxaxxcxxbxx", false },
		{ "*ab",             "aab",         true  },
		{ "?",               "a",           true  },
		{ "?",               "",            false },
		{ "a?c",             "abc",         true  },
		{ "a?c",             "ac",          false },
		{ "*?",              "a",           true  },
		{ "*?",              "",            false },
		{ "[abc]",           "b",           true  },
		{ "[abc]",           "d",           false },
		{ "[abc]",           "",            false },
		{ "[a-c]x",          "bx",          true  },
		{ "[a-c]x",          "dx",          false },
		{ "[!a-c]",          "d",           true  },
		{ "[!a-c]",          "b",           false },
		{ "[^a-c]",          "d",           true  },
		{ "[^a-c]",          "b",           false },
		{ "[]a]",            "]",           true  },
		{ "[]a]",            "a",           true  },
		{ "[!]a]",           "]",           false },
		{ "[!]a]",           "b",           true  },
		{ "[a-]",            "-",           true  },
		{ "[-a]",            "-",           true  },
		{ "[c-a]",           "b",           false },
		{ "[\x80-\xff]",     "\xe7",        true  },
		{ "[a-z]*[0-9].jpg", "img7.jpg",    true  },
		{ "*[!0-9]",         "a1b",         true  },
		{ "*[!0-9]",         "a1",          false },
 /* without its ] a bracket is a bracket */
		{ "[",               "[",           true },
		{ "[abc",            "[abc",        true },
		{ "[abc",            "a",           false},
		{ "a[",              "a[",          true },
		{ "[]",              "[]",          true },
		{ "[!]",             "[!]",         true },
		{ "\\*",             "*",           true },
		{ "\\*",             "a",           false},
		{ "\\?\\[\\\\",      "?[\\",        true },
		{ "\\a",             "a",           true },
		{ "a\\",             "a\\",         true },
		{ "*\\*",            "a*",          true },
		{ "*\\*",            "ab",          false},
 /* a leading dot */
		{ "*",               ".profile",    false},
		{ "?profile",        ".profile",    false},
		{ "[.]profile",      ".profile",    false},
		{ "[!a]profile",     ".profile",    false},
		{ ".*",              ".profile",    true },
		{ "\\.*",            ".profile",    true },
		{ "*.*",             ".profile",    false},
		{ "*",               "..",          false},
		{ "a*",              "a.b",         true },
		{ "*b",              "a.b",         true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (pattern_match(rows[i].pattern, rows[i].name) != rows[i].want)
			fail_msg("\"%s\" %s \"%s\"", rows[i].pattern,
			    rows[i].want ? "did not match" : "matched", rows[i].name);
}

static void
magic_is_an_unquoted_special_character(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "",         false },
		{ "name.txt", false },
		{ "*",        true  },
		{ "a?",       true  },
		{ "[a]",      true  },
		{ "a]",       false },
		{ "\\*",      false },
		{ "\\?\\[",   false },
		{ "\\\\*",    true  },
		{ "a\\",      false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (pattern_is_magic(rows[i].text) != rows[i].want)
			fail_msg("\"%s\"", rows[i].text);
}

/* The plain recursive definition, for comparison on short texts. */
static bool
slow_match(const char *p, const char *n)
{
	if (*p == '\0')
		return *n == '\0';
	if (*p == '*')
		return slow_match(p + 1, n) || (*n != '\0' && slow_match(p, n + 1));
	return *n != '\0' && (*p == '?' || *p == *n) && slow_match(p + 1, n + 1);
}

static void
every_short_pattern_matches_as_defined(void **state)
{
	static const char p_letters[] = "ab*?", n_letters[] = "ab";
	size_t matched = 0;

	(void)state;
	for (unsigned p = 0; p < 4 * 4 * 4 * 4 * 4; p++)
		for (unsigned n = 0; n < 1 << 6; n++)
			for (size_t len = 0; len <= 6; len += 3) {
				char pattern[6] = "", name[7] = "";
				bool want;

				for (unsigned i = 0, v = p; i < 5; i++, v /= 4)
					pattern[i] = p_letters[v % 4];
				for (unsigned i = 0; i < len; i++)
					name[i] = n_letters[(n >> i) & 1];
				want = slow_match(pattern, name);
				matched += want;
				assert_int_equal(pattern_match(pattern, name), want);
			}
	assert_true(matched > 1000);
}

static double
seconds_of(const char *pattern, const char *name)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	assert_false(pattern_match(pattern, name));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

/*
 * At most len(pattern) * len(name) steps are about a million for the longest
 * of each; a second is a thousand times more than they take.
 */
static void
no_pattern_takes_long(void **state)
{
	static char name[256], pattern[4096];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);

	for (size_t i = 0; i < 200; i++)
		memcpy(pattern + 2 * i, "a*", 2);
	strcpy(pattern + 400, "b");
	assert_true(seconds_of(pattern, name) < 1);

	/* Brackets that are never closed, and a class as long as the pattern. */
	memset(pattern, '[', sizeof(pattern) - 1);
	pattern[0] = '*';
	assert_true(seconds_of(pattern, name) < 1);
	memset(pattern, 'b', sizeof(pattern) - 1);
	memcpy(pattern, "*[", 2);
	pattern[sizeof(pattern) - 2] = ']';
	assert_true(seconds_of(pattern, name) < 1);
	for (size_t i = 0; i + 4 < sizeof(pattern); i += 4)
		memcpy(pattern + i, "*[a]", 4);
	assert_true(seconds_of(pattern, name) < 1);
}

static void
names_are_denied_in_every_component_and_in_both_cases(void **state)
{
	static const struct {
		const char *list, *path;
		bool denied;
	} rows[] = {
		{ "*.exe", "/a/setup.exe", true },
		{ "*.exe", "/a/SetUp.EXE", true },
		{ "*.EXE", "/setup.exe", true },
		{ "*.exe", "/setup.exe/below", true },
		{ "*.exe", "/.hidden.exe", true }, /* a star takes a leading dot */
		{ "*.exe", "/setup.exe.txt", false },
		{ "*.exe", "exe", false },
		{ ".ht*", "/.htaccess", true },
		{ ".ht*", "/x.htaccess", false },
		{ "a .ht* b", "/dir//.htaccess/", true },
		{ "a b", "/B", true },
		{ "a b", "/ab", false },
		{ "[A-C]x", "/bX", true },
		{ "[!a-c]x", "/BX", false },
		{ "[!a-c]x", "/dx", true },
		{ ".*", "/..", false }, /* these are no names */
		{ ".*", "/./a", false },
		{ ".*", "/...", true },
		{ "\xc3\xa9*", "/\xc3\xa9t\xc3\xa9", true },
		{ "", "/a", false },
		{ "*", "/", false },
		{ "*", "", false },
		{ "\\*", "/*", true },
		{ "\\*", "/a", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (pattern_denies(rows[i].list, rows[i].path) != rows[i].denied)
			fail_msg("%s of %s", rows[i].path, rows[i].list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_in_a_shell),
		cmocka_unit_test(magic_is_an_unquoted_special_character),
		cmocka_unit_test(every_short_pattern_matches_as_defined),
		cmocka_unit_test(no_pattern_takes_long),
		cmocka_unit_test(names_are_denied_in_every_component_and_in_both_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
