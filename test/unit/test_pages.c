/*
 * Pages that are asked for in advance: they are there, and nothing else has changed.
 */
#include "pages.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGES 8

/* True on kernels that can; on others everything stays as it is. */
static bool
can(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	assert_int_equal(uname(&name), 0);
	assert_int_equal(sscanf(name.release, "%d.%d", &major, &minor), 2);
	return major > 5 || (major == 5 && minor >= 14);
}

static unsigned
resident(char *p, size_t pages)
{
	unsigned char here[PAGES] = { 0 };
	unsigned n = 0;

	assert_int_equal(mincore(p, pages * (size_t)getpagesize(), here), 0);
	for (size_t i = 0; i < pages; i++)
		n += here[i] & 1;
	return n;
}

static void
pages_to_write_are_there_and_no_others(void **state)
{
	size_t page = (size_t)getpagesize();
	char *p = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(p != MAP_FAILED);
	/* the last byte of page 2 to the first of page 5 */
	pages_written(p + 3 * page - 1, 2 * page + 2);
	assert_int_equal(resident(p, PAGES), can() ? 4 : 0);
	assert_int_equal(resident(p + 2 * page, 4), can() ? 4 : 0);
	munmap(p, PAGES * page);
}

static void
bytes_stay_as_they_are(void **state)
{
	static char text[3 * 4096];

	(void)state;
	memset(text, 'x', sizeof(text));
	pages_written(text, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		assert_int_equal(text[i], 'x');
}

static void
the_heap_gives_what_was_asked_for(void **state)
{
	char *some[100], *least = NULL, *most = NULL;

	(void)state;
	pages_heap(100 * 4096);
	for (int i = 0; i < 100; i++) {
		assert_non_null(some[i] = malloc(2000));
		least = i == 0 || some[i] < least ? some[i] : least;
		most = i == 0 || some[i] > most ? some[i] : most;
	}
	/* pieces of it: near each other, and there before they were written to */
	assert_true(most - least < 200 * 4096);
	if (can())
		assert_int_equal(
		    resident((char *)(((uintptr_t)some[90] + 4095) & ~(uintptr_t)4095), 1), 1);
	for (int i = 0; i < 100; i++)
		free(some[i]);
}

static void
the_program_runs_on_in_any_layout(void **state)
{
	(void)state;
	pages_are_dear = true;
	pages_program();
	pages_are_dear = false;
	pages_program();
}

static void
the_stack_below_can_be_asked_for(void **state)
{
	char *here = __builtin_frame_address(0);
	uintptr_t page = (uintptr_t)getpagesize();

	(void)state;
	pages_are_dear = true;
	/* farther down than anything before has been, yet within the 128 KiB that are there */
	pages_stack(here, 24 * page);
	if (can())
		assert_int_equal(resident((char *)(((uintptr_t)here & ~(page - 1)) - 20 * page), PAGES),
		    PAGES);
}

#define BELOW 24 /* pages of the stack that a parent keeps to itself */

/* Where the parent's part of the stack is for certain, whatever functions lie in between. */
static volatile char *
far_below(const char *here)
{
	return (volatile char *)(((uintptr_t)here & ~((uintptr_t)getpagesize() - 1)) -
	    (BELOW - 8) * (uintptr_t)getpagesize());
}

/* What the child has to say with its exit status. */
static int
status_of(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
a_child_finds_all_above_and_zeros_below(void **state)
{
	volatile char *below = far_below(__builtin_frame_address(0));
	volatile int above = 42;
	char *heap = strdup("kept");
	pid_t pid;

	(void)state;
	pages_are_dear = true;
	*below = 'x';
	pid = pages_fork(BELOW * (size_t)getpagesize());
	if (pid == 0)
		_exit((above == 42) + 2 * (strcmp(heap, "kept") == 0) + 4 * (*below == '\0'));
	assert_int_equal(status_of(pid), 7);
	assert_int_equal(*below, 'x');
	free(heap);
}

static void
where_faults_are_cheap_it_is_an_ordinary_fork(void **state)
{
	volatile char *below = far_below(__builtin_frame_address(0));
	pid_t pid;

	(void)state;
	pages_are_dear = false;
	*below = 'x';
	pid = pages_fork(BELOW * (size_t)getpagesize());
	if (pid == 0)
		_exit(*below == 'x');
	assert_int_equal(status_of(pid), 1);
}

static int __attribute__((noinline))
fork_in_a_big_frame(void)
{
	volatile char frame[16 * 4096];
	pid_t pid;

	frame[0] = frame[sizeof(frame) - 1] = 'f';
	pid = fork();
	if (pid == 0)
		_exit(frame[0] == 'f' && frame[sizeof(frame) - 1] == 'f' ? 71 : 72);
	return status_of(pid);
}

static void
parent_and_child_fork_on_from_below(void **state)
{
	pid_t pid;

	(void)state;
	pages_are_dear = true;
	pid = pages_fork(BELOW * (size_t)getpagesize());
	if (pid == 0)
		_exit(fork_in_a_big_frame());
	assert_int_equal(status_of(pid), 71);
	assert_int_equal(fork_in_a_big_frame(), 71);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_to_write_are_there_and_no_others),
		cmocka_unit_test(bytes_stay_as_they_are),
		cmocka_unit_test(the_stack_below_can_be_asked_for),
		cmocka_unit_test(a_child_finds_all_above_and_zeros_below),
		cmocka_unit_test(where_faults_are_cheap_it_is_an_ordinary_fork),
		cmocka_unit_test(parent_and_child_fork_on_from_below),
		cmocka_unit_test(the_heap_gives_what_was_asked_for),
		cmocka_unit_test(the_program_runs_on_in_any_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
