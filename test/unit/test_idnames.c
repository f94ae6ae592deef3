/*
 * Names of numbers by passwd(5) and group(5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "idnames.h"

/* The names of a file that has this text. */
static struct idnames *
names_of(const char *text)
{
	struct idnames *names;
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	names = idnames_read(fd); /* the offset is at the end: it does not count */
	assert_non_null(names);
	close(fd);
	return names;
}

static void
numbers_have_the_first_name_of_the_file(void **state)
{
	struct idnames *names = names_of("root:x:0:0:root:/root:/bin/sh\n"
	                                 "anna:x:1000:100::/home/anna:/bin/sh\n"
	                                 "anna2:x:1000:100::/home/anna:/bin/sh\n"
	                                 "groesser:x:4294967294:1::/:\n"
	                                 "users:x:100:anna,bob");

	(void)state;
	for (int again = 0; again < 2; again++) {
		assert_string_equal(idnames_find(names, 0), "root");
		assert_string_equal(idnames_find(names, 1000), "anna");
		assert_string_equal(idnames_find(names, 100), "users");
		assert_string_equal(idnames_find(names, 4294967294), "groesser");
		assert_null(idnames_find(names, 1));
		assert_null(idnames_find(names, 1064)); /* remembered in 1000's place */
	}
	idnames_free(names);
}

static void
lines_that_are_none_are_passed_over(void **state)
{
	struct idnames *names = names_of("\n:\n::\n#note:x:7:\nshort:x\n+::::::\nnumber:x:7x:\n"
	                                 "sign:x:-7:\nblank:x: 7:\nempty:x::\n"
	                                 "overflow:x:4294967303:\nlong:x:00000000007:\nright:x:7:\n");

	(void)state;
	assert_string_equal(idnames_find(names, 7), "right");
	idnames_free(names);
}

static void
names_that_would_break_a_fact_are_not_told(void **state)
{
	struct idnames *names = names_of("semi;colon:x:1:\ntwo words:x:2:\nequal=s:x:3:\n"
	                                 "escape\033:x:4:\ncr\r:x:5:\n:x:6:\n"
	                                 "thirty-three-bytes-are-too-many-x:x:7:\n"
	                                 "thirty-two-bytes-are-just-enough:x:8:\n"
	                                 "gr\xc3\xbc\xc3\x9f" "e:x:9:\n");

	(void)state;
	for (unsigned id = 1; id <= 7; id++)
		assert_null(idnames_find(names, id));
	assert_string_equal(idnames_find(names, 8), "thirty-two-bytes-are-just-enough");
	assert_string_equal(idnames_find(names, 9), "gr\xc3\xbc\xc3\x9f" "e");
	idnames_free(names);
}

static void
files_that_cannot_be_read_are_errors(void **state)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	struct idnames *names;

	(void)state;
	assert_null(idnames_read(-1));
	assert_int_equal(errno, EBADF);
	names = idnames_read(fd); /* empty */
	assert_non_null(names);
	assert_null(idnames_find(names, 0));
	idnames_free(names);
	assert_int_equal(ftruncate(fd, IDNAMES_MAX + 1), 0);
	assert_null(idnames_read(fd));
	assert_int_equal(errno, EFBIG);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_the_first_name_of_the_file),
		cmocka_unit_test(lines_that_are_none_are_passed_over),
		cmocka_unit_test(names_that_would_break_a_fact_are_not_told),
		cmocka_unit_test(files_that_cannot_be_read_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
