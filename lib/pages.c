/*
 * Page faults in advance.
 */
#include "pages.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Linux 5.14 */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

#ifndef HAVE__FORK /* before glibc 2.34 */
#define _Fork fork
#endif

/* What this file's functions and libc's take of the stack in a fork, in bytes. */
#define FORK_FRAMES 1024

/* Of ftpd/layout.ld; all NULL where the program was linked without it. */
extern char near_code_begin[] __attribute__((weak)), near_code_end[] __attribute__((weak)),
    near_constants_begin[] __attribute__((weak)), near_constants_end[] __attribute__((weak));

bool pages_are_dear;

static void
populate(const char *begin, const char *end, int how)
{
	uintptr_t rest = (uintptr_t)getpagesize() - 1;
	uintptr_t from = (uintptr_t)begin & ~rest, to = ((uintptr_t)end + rest) & ~rest;

	/* should it fail, the pages come one by one */
	if (from < to)
		(void)madvise((void *)from, to - from, how);
}

void
pages_program(void)
{
	if (!pages_are_dear)
		return;
	populate(near_code_begin, near_code_end, MADV_POPULATE_READ);
	populate(near_constants_begin, near_constants_end, MADV_POPULATE_READ);
}

void
pages_stack(const void *top, size_t len)
{
	const char *here = __builtin_frame_address(0);

	if (pages_are_dear)
		populate(here - len, top, MADV_POPULATE_WRITE);
}

pid_t
pages_fork(size_t len)
{
	const char *here = __builtin_frame_address(0);
	uintptr_t page = (uintptr_t)getpagesize();
	uintptr_t end = ((uintptr_t)here - FORK_FRAMES) & ~(page - 1);
	void *begin = (void *)((end - len) & ~(page - 1));
	pid_t pid;
	int saved;

	if (!pages_are_dear)
		return _Fork();
	/* should it fail, all is shared until it is written, as ever */
	(void)madvise(begin, end - (uintptr_t)begin, MADV_WIPEONFORK);
	pid = _Fork();
	saved = errno;
	/* the next fork may be one from farther down */
	(void)madvise(begin, end - (uintptr_t)begin, MADV_KEEPONFORK);
	errno = saved;
	return pid;
}

void
pages_heap(size_t len)
{
	void *p;

	/* from the heap, not from a mapping of its own, and free(3) is not to give it back */
	if (mallopt(M_MMAP_THRESHOLD, (int)len + 4096) != 1 || mallopt(M_TRIM_THRESHOLD, (int)(2 * len)) != 1)
		return;
	if ((p = malloc(len)) != NULL)
		pages_written(p, len);
	free(p);
}

void
pages_written(void *p, size_t len)
{
	populate(p, (char *)p + len, MADV_POPULATE_WRITE);
}

int
pages_limit(size_t len)
{
#ifdef SYSFILTER_OFF
	(void)len;
	return 0;
#else
	const struct rlimit r = { len, len };

	return setrlimit(RLIMIT_DATA, &r);
#endif
}
