/*
 * Memory that will be touched in a moment, asked for at once: one system call
 * instead of one page fault after another. A page fault costs 0.3 microseconds
 * on a plain machine and 15 in many virtual ones; a page that is asked for
 * with others costs a tenth of that. Kernels before 5.14 do not know how, and
 * then the faults come as ever.
 */
#ifndef GENKAN_PAGES_H
#define GENKAN_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Whether page faults are dear here: ftpd/entry.c times the first one, before main. False where the
 * program has another entry. Where they are not, the next three ask for nothing: it would gain nothing.
 */
extern bool pages_are_dear;

/* The code and the constants of this program, as far as they are in memory already. */
void pages_program(void);

/* The stack from top, something in a caller's frame, to len bytes below this call. */
void pages_stack(const void *top, size_t len);

/*
 * fork(2), where the parent keeps len bytes of the stack below this call to itself: what it writes
 * there later need not be copied first, which costs more than the page fault alone. The child may
 * find zeros there, and has all the rest as ever. Without libc's care for threads and for
 * pthread_atfork(3). The child's pid, 0 in the child, or -1 with errno.
 */
pid_t pages_fork(size_t len);

/* The next len bytes that malloc(3) will hand out, in small pieces. */
void pages_heap(size_t len);

/*
 * No more than len bytes of memory of its own (RLIMIT_DATA) for this process from now on. 0, or -1
 * with errno. A build with sanitizers returns 0 and limits nothing: theirs is without measure.
 */
int pages_limit(size_t len);

/* len bytes at p, which will be written; they count as used from now on. */
void pages_written(void *p, size_t len);

#endif
