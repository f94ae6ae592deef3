/*
 * Facts of machine listings and the time format of RFC 3659.
 */
#include "facts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ALL_RIGHTS = FACTS_MAY_READ | FACTS_MAY_WRITE | FACTS_MAY_DELETE | FACTS_MAY_RENAME };

static char buf[FACTS_TEXT];

static void
assert_facts(
    const struct stat *st, enum facts_dir dir, unsigned may, unsigned facts, const char *want)
{
	static const struct facts_more owner = { "anna", "", 951782400 };
	size_t len = facts_format(buf, st, dir, may, facts, &owner);

	assert_string_equal(buf, want);
	assert_int_equal(len, strlen(want));
}

static void
file_has_all_facts_in_order(void **state)
{
	struct stat st = { .st_mode = S_IFREG | 0644,
		.st_size = 5368709120,
		.st_mtime = 1782864000,
		.st_dev = 0xfe01,
		.st_ino = 0xabc,
		.st_uid = 1000,
		.st_gid = 100 };

	(void)state;
	assert_facts(&st, FACTS_DIR, ALL_RIGHTS, FACT_ALL,
	    "type=file;size=5368709120;modify=20260701000000;create=20000229000000;perm=adfrw;unique=fe01-abc;"
	    "UNIX.mode=0644;UNIX.owner=1000;UNIX.ownername=anna;UNIX.group=100;UNIX.groupname=100;");
}

static void
only_chosen_facts_are_told(void **state)
{
	struct stat st = { .st_mode = S_IFREG | 0600, .st_size = 7 };

	(void)state;
	assert_facts(&st, FACTS_DIR, ALL_RIGHTS, FACT_SIZE, "size=7;");
	assert_facts(
	    &st, FACTS_DIR, ALL_RIGHTS, FACT_TYPE | FACT_UNIX_MODE, "type=file;UNIX.mode=0600;");
	assert_facts(&st, FACTS_DIR, ALL_RIGHTS, 0, "");
}

static void
types_are_those_of_the_mode(void **state)
{
	static const struct {
		mode_t mode;
		enum facts_dir dir;
		const char *want;
	} rows[] = {
		{ S_IFREG,  FACTS_CDIR, "type=file;"            },
		{ S_IFDIR,  FACTS_DIR,  "type=dir;"             },
		{ S_IFDIR,  FACTS_CDIR, "type=cdir;"            },
		{ S_IFDIR,  FACTS_PDIR, "type=pdir;"            },
		{ S_IFLNK,  FACTS_DIR,  "type=OS.unix=slink;" },
		{ S_IFIFO,  FACTS_DIR,  "type=OS.unix=fifo;"    },
		{ S_IFSOCK, FACTS_DIR,  "type=OS.unix=socket;"  },
		{ S_IFCHR,  FACTS_DIR,  "type=OS.unix=chr;"     },
		{ S_IFBLK,  FACTS_DIR,  "type=OS.unix=blk;"     },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stat st = { .st_mode = rows[i].mode };

		assert_facts(&st, rows[i].dir, 0, FACT_TYPE, rows[i].want);
	}
}

static void
only_files_have_a_size(void **state)
{
	static const mode_t modes[] = { S_IFDIR, S_IFLNK, S_IFIFO };

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct stat st = { .st_mode = modes[i], .st_size = 4096 };

		assert_facts(&st, FACTS_DIR, 0, FACT_SIZE, "");
	}
}

static void
perm_letters_follow_the_rights(void **state)
{
	static const struct {
		mode_t mode;
		unsigned may;
		const char *want;
	} rows[] = {
		{ S_IFREG, ALL_RIGHTS,       "perm=adfrw;"   },
		{ S_IFREG, FACTS_MAY_READ,   "perm=r;"       },
		{ S_IFREG, FACTS_MAY_WRITE,  "perm=aw;"      },
		{ S_IFREG, FACTS_MAY_DELETE, "perm=d;"       },
		{ S_IFREG, FACTS_MAY_RENAME, "perm=f;"       },
		{ S_IFREG, 0,                "perm=;"        },
		{ S_IFDIR, ALL_RIGHTS,       "perm=cdeflmp;" },
		{ S_IFDIR, FACTS_MAY_READ,   "perm=el;"      },
		{ S_IFDIR, FACTS_MAY_WRITE,  "perm=cm;"      },
		{ S_IFDIR, FACTS_MAY_DELETE, "perm=dp;"      },
		{ S_IFDIR, FACTS_MAY_RENAME, "perm=f;"       },
		{ S_IFLNK, ALL_RIGHTS,       "perm=adfrw;"   },
		{ S_IFIFO, ALL_RIGHTS,       "perm=df;"      },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stat st = { .st_mode = rows[i].mode };

		assert_facts(&st, FACTS_DIR, rows[i].may, FACT_PERM, rows[i].want);
	}
}

static void
special_bits_are_in_the_mode(void **state)
{
	struct stat st = { .st_mode = S_IFDIR | 01777 };

	(void)state;
	assert_facts(&st, FACTS_DIR, 0, FACT_UNIX_MODE, "UNIX.mode=1777;");
	st.st_mode = S_IFREG;
	assert_facts(&st, FACTS_DIR, 0, FACT_UNIX_MODE, "UNIX.mode=0000;");
}

static void
greatest_values_fit(void **state)
{
	struct stat st = { .st_mode = S_IFSOCK | 07777 };

	(void)state;
	st.st_mode = S_IFREG | 07777;
	st.st_size = INT64_MAX;
	st.st_mtime = INT64_MAX;
	st.st_dev = UINT64_MAX;
	st.st_ino = UINT64_MAX;
	st.st_uid = st.st_gid = UINT32_MAX;
	assert_facts(&st, FACTS_DIR, ALL_RIGHTS, FACT_ALL,
	    "type=file;size=9223372036854775807;modify=99991231235959;create=20000229000000;perm=adfrw;"
	    "unique=ffffffffffffffff-ffffffffffffffff;UNIX.mode=7777;UNIX.owner=4294967295;"
	    "UNIX.ownername=anna;UNIX.group=4294967295;UNIX.groupname=4294967295;");
}

static void
opts_mlst_chooses_known_names_in_any_case(void **state)
{
	static const struct {
		const char *arg;
		unsigned want;
	} rows[] = {
		{ "",                        0                                 },
		{ ";",                       0                                 },
		{ "type;size;",              FACT_TYPE | FACT_SIZE             },
		{ "Type;SIZE",               FACT_TYPE | FACT_SIZE             },
		{ "unix.MODE;",              FACT_UNIX_MODE                    },
		{ "create;media-type;perm;", FACT_CREATE | FACT_PERM           },
		{ "typ;types;",              0                                 },
		{ ";;modify;;unique",        FACT_MODIFY | FACT_UNIQUE         },
		{ "UNIX.owner;UNIX.group;",  FACT_UNIX_OWNER | FACT_UNIX_GROUP },
	};
	unsigned facts;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		facts = 0xffff;
		facts_parse(rows[i].arg, &facts);
		assert_int_equal(facts, rows[i].want);
	}
}

static void
names_come_back_from_their_own_list(void **state)
{
	unsigned facts;

	(void)state;
	assert_string_equal(facts_names(buf, FACT_TYPE | FACT_MODIFY), "type;modify;");
	assert_string_equal(facts_names(buf, 0), "");
	for (unsigned chosen = 0; chosen <= FACT_ALL; chosen++) {
		facts_parse(facts_names(buf, chosen), &facts);
		assert_int_equal(facts, chosen);
	}
}

static void
feat_has_all_names_and_a_star_for_the_chosen(void **state)
{
	(void)state;
	assert_string_equal(facts_feat(buf, FACT_TYPE | FACT_PERM),
	    "type*;size;modify;create;perm*;unique;UNIX.mode;UNIX.owner;UNIX.ownername;UNIX.group;"
	    "UNIX.groupname;");
	assert_string_equal(facts_feat(buf, FACT_DEFAULT),
	    "type*;size*;modify*;create;perm*;unique*;UNIX.mode*;UNIX.owner*;UNIX.ownername;UNIX.group*;"
	    "UNIX.groupname;");
}

static void
time_is_utc_whatever_the_zone(void **state)
{
	struct timespec t;
	const char *rest;
	char text[16];

	(void)state;
	assert_int_equal(setenv("TZ", "JST-9", 1), 0);
	tzset();
	assert_string_equal(facts_time_text(text, 0), "19700101000000");
	assert_string_equal(facts_time_text(text, 951782400), "20000229000000");
	assert_string_equal(facts_time_text(text, -1), "19691231235959");
	assert_string_equal(facts_time_text(text, 4102444800), "21000101000000");
	assert_int_equal(facts_time_parse("20000229000000", &t, &rest), 0);
	assert_int_equal(t.tv_sec, 951782400);
}

static void
time_beyond_the_format_is_its_end(void **state)
{
	char text[16];

	(void)state;
	assert_string_equal(facts_time_text(text, INT64_MAX), "99991231235959");
	assert_string_equal(facts_time_text(text, INT64_MIN), "00000101000000");
	assert_string_equal(facts_time_text(text, 253402300800), "99991231235959");
}

static void
time_parses_and_leaves_the_rest(void **state)
{
	static const struct {
		const char *text;
		time_t sec;
		long nsec;
		const char *rest;
	} rows[] = {
		{ "20260701000000",             1782864000, 0,         ""      },
		{ "20260701000000 name",        1782864000, 0,         " name" },
		{ "20260701000000.5 name",      1782864000, 500000000, " name" },
		{ "20260701000000.123456789",   1782864000, 123456789, ""      },
		{ "20260701000000.1234567891x", 1782864000, 123456789, "x"     },
		{ "20260701000000.txt",         1782864000, 0,         ".txt"  },
		{ "20260701000000.",            1782864000, 0,         "."     },
		{ "20261231235960",             1798761600, 0,         ""      },
		{ "19691231235959",             -1,         0,         ""      },
		{ "20000229235959",             951868799,  0,         ""      },
	};
	struct timespec t;
	const char *rest;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(facts_time_parse(rows[i].text, &t, &rest), 0);
		assert_int_equal(t.tv_sec, rows[i].sec);
		assert_int_equal(t.tv_nsec, rows[i].nsec);
		assert_string_equal(rest, rows[i].rest);
	}
}

static void
time_that_is_none_is_refused(void **state)
{
	static const char *const rows[] = { "", "2026", "2026070100000", "202607010000000",
		" 20260701000000", "+2026070100000", "20260701T00000", "20261301000000",
		"20260001000000", "20260132000000", "20260100000000", "20260229000000",
		"21000229000000", "20260431000000", "20260701240000", "20260701006000",
		"20260701000061", "name" };
	struct timespec t;
	const char *rest;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		errno = 0;
		if (facts_time_parse(rows[i], &t, &rest) != -1)
			fail_msg("\"%s\" was taken", rows[i]);
		assert_int_equal(errno, EINVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_has_all_facts_in_order),
		cmocka_unit_test(only_chosen_facts_are_told),
		cmocka_unit_test(types_are_those_of_the_mode),
		cmocka_unit_test(only_files_have_a_size),
		cmocka_unit_test(perm_letters_follow_the_rights),
		cmocka_unit_test(special_bits_are_in_the_mode),
		cmocka_unit_test(greatest_values_fit),
		cmocka_unit_test(opts_mlst_chooses_known_names_in_any_case),
		cmocka_unit_test(names_come_back_from_their_own_list),
		cmocka_unit_test(feat_has_all_names_and_a_star_for_the_chosen),
		cmocka_unit_test(time_is_utc_whatever_the_zone),
		cmocka_unit_test(time_beyond_the_format_is_its_end),
		cmocka_unit_test(time_parses_and_leaves_the_rest),
		cmocka_unit_test(time_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
