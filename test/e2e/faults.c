/*
 * Faults for the server, by LD_PRELOAD, for test_faults.py:
 *
 *	FAULT_MALLOC=N   the Nth and all later allocations of a process fail
 *	FAULT_WRITE=E    write(2) and splice(2) to a regular file fail with errno E
 *	FAULT_CLOCK=S    the wall clock jumps by S seconds (may be negative) each second
 *
 * A process that crashes says "CRASHED" on standard error: nobody else would notice it
 * of a session, whose monitor just ends with it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static long fail_from, calls;
static int write_error;
static long jump;
static time_t began;

static void
crashed(int sig)
{
	static const char text[] = "CRASHED\n";

	(void)!write(2, text, sizeof(text) - 1);
	_exit(128 + sig);
}

static void
watch(void)
{
	struct sigaction act = { .sa_handler = crashed };
	static const int bad[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		sigaction(bad[i], &act, NULL);
}

static time_t
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *n = getenv("FAULT_MALLOC"), *e = getenv("FAULT_WRITE"), *c = getenv("FAULT_CLOCK");

	watch();
	fail_from = n != NULL ? atol(n) : 0;
	write_error = e != NULL ? atoi(e) : 0;
	jump = c != NULL ? atol(c) : 0;
	began = seconds();
}

/* The server sets all signals to their defaults first: not those. */
sighandler_t
signal(int sig, sighandler_t handler)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;

	if (sig == SIGSEGV || sig == SIGBUS || sig == SIGABRT || sig == SIGFPE || sig == SIGILL)
		return SIG_DFL;
	return sigaction(sig, &act, &old) == -1 ? SIG_ERR : old.sa_handler;
}

static int
fails(void)
{
	if (fail_from == 0 || __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) < fail_from)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

static int
is_hit(int fd)
{
	struct stat st;

	return write_error != 0 && fd > 2 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
	static ssize_t (*real)(int, const void *, size_t);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "write");
	if (is_hit(fd)) {
		errno = write_error;
		return -1;
	}
	return real(fd, bytes, n);
}

ssize_t
splice(int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags)
{
	static ssize_t (*real)(int, off64_t *, int, off64_t *, size_t, unsigned);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "splice");
	/* an empty pipe is the question whether the file system knows splice */
	if (is_hit(out) && !(flags & SPLICE_F_NONBLOCK)) {
		errno = write_error;
		return -1;
	}
	return real(in, from, out, to, n, flags);
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);
	int result;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	result = real(clock, now);
	if (jump != 0 && clock == CLOCK_REALTIME)
		now->tv_sec += jump * (seconds() - began);
	return result;
}

time_t
time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}
