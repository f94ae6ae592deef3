/*
 * System call filters (seccomp): constant tables, built at compile time. A call
 * that is not in the table kills the process (SIGSYS). x86-64 and arm64.
 *
 *	static const struct sock_filter filter[] = {
 *		SYSFILTER_BEGIN,
 *		SYSFILTER_BASE,
 *		SYSFILTER_ALLOW(sendfile, splice),
 *		SYSFILTER_ERRNO(openat, EACCES),
 *		SYSFILTER_END,
 *	};
 */
#ifndef GENKAN_SYSFILTER_H
#define GENKAN_SYSFILTER_H

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define SYSFILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SYSFILTER_ARCH AUDIT_ARCH_AARCH64
#else
#error "sysfilter: this architecture has no filter table yet"
#endif

/* One to eight calls that are allowed. A match jumps over the rest of them to the end they share. */
#define SYSFILTER_ALLOW(...)                                                                       \
	SYSFILTER_COUNTED(__VA_ARGS__, SYSFILTER_8, SYSFILTER_7, SYSFILTER_6, SYSFILTER_5,         \
	    SYSFILTER_4, SYSFILTER_3, SYSFILTER_2, SYSFILTER_1, )(__VA_ARGS__)
#define SYSFILTER_COUNTED(a, b, c, d, e, f, g, h, macro, ...) macro

#define SYSFILTER_IS(call, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, yes, no)
#define SYSFILTER_1(call)           SYSFILTER_IS(call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define SYSFILTER_2(call, ...)      SYSFILTER_IS(call, 1, 0), SYSFILTER_1(__VA_ARGS__)
#define SYSFILTER_3(call, ...)      SYSFILTER_IS(call, 2, 0), SYSFILTER_2(__VA_ARGS__)
#define SYSFILTER_4(call, ...)      SYSFILTER_IS(call, 3, 0), SYSFILTER_3(__VA_ARGS__)
#define SYSFILTER_5(call, ...)      SYSFILTER_IS(call, 4, 0), SYSFILTER_4(__VA_ARGS__)
#define SYSFILTER_6(call, ...)      SYSFILTER_IS(call, 5, 0), SYSFILTER_5(__VA_ARGS__)
#define SYSFILTER_7(call, ...)      SYSFILTER_IS(call, 6, 0), SYSFILTER_6(__VA_ARGS__)
#define SYSFILTER_8(call, ...)      SYSFILTER_IS(call, 7, 0), SYSFILTER_7(__VA_ARGS__)

/* The call fails with this errno; libraries degrade softly. */
#define SYSFILTER_ERRNO(call, error)                                                               \
	SYSFILTER_IS(call, 0, 1),                                                                  \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((error) & SECCOMP_RET_DATA))

/* The call is allowed when the low 32 bits of argument n equal value. */
#define SYSFILTER_ALLOW_ARG(call, n, value)                                                        \
	SYSFILTER_IS(call, 0, 4),                                                                  \
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n])),            \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1),                                    \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),                                          \
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

/* The call is allowed when argument n (32 bits) has none of these bits, else EPERM. */
#define SYSFILTER_ALLOW_WITHOUT(call, n, bits)                                                     \
	SYSFILTER_IS(call, 0, 4),                                                                  \
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n])),            \
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, 1),                                    \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),                                  \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* The call fails with error when the low 32 bits of argument n equal value. */
#define SYSFILTER_REFUSE_ARG(call, n, value, error)                                                \
	SYSFILTER_IS(call, 0, 4),                                                                  \
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n])),            \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1),                                    \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((error) & SECCOMP_RET_DATA)),           \
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

/*
 * The other architecture's numbers and x32's (bit 30) kill. The first instruction does nothing but
 * to be one that Linux cannot foresee: since 5.11 it goes through a filter for each of its 450 calls
 * to know which are always allowed, which costs as much as 1,500 calls gain by it.
 */
#define SYSFILTER_BEGIN                                                                            \
	BPF_STMT(BPF_MISC | BPF_TAX, 0),                                                           \
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),                   \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYSFILTER_ARCH, 1, 0),                             \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),                                   \
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),                 \
	    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),                                 \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

/* In place of the end: what is not named is allowed. For programs that run others' code. */
#define SYSFILTER_REST BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

#define SYSFILTER_END BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

/*
 * What every process of ours does: move bytes on descriptors it has, wait, get
 * memory that is not executable, tell the time, end.
 */
#define SYSFILTER_BASE                                                                             \
	SYSFILTER_ALLOW(recvmsg, sendmsg, recvfrom, sendto, SYSFILTER_POLL close, read, write),    \
	    SYSFILTER_ALLOW(lseek, readv, writev, shutdown, brk, munmap, mremap, madvise),         \
	    SYSFILTER_ALLOW(clock_gettime, clock_nanosleep, futex, getrandom, getpid, gettid),     \
	    SYSFILTER_ALLOW(rt_sigreturn, rt_sigprocmask, rt_sigaction, restart_syscall),          \
	    SYSFILTER_ALLOW(exit, exit_group, fstat, ppoll), SYSFILTER_FSTAT, SYSFILTER_FCNTL,     \
	    SYSFILTER_ALLOW_WITHOUT(mmap, 2, 4 /* PROT_EXEC */),                                   \
	    SYSFILTER_ALLOW_WITHOUT(mprotect, 2, 4 /* PROT_EXEC */)

/* What fstat(3) of glibc 2.33 to 2.38 calls: newfstatat(fd, "", st, AT_EMPTY_PATH). */
#define SYSFILTER_FSTAT SYSFILTER_ALLOW_ARG(newfstatat, 3, 0x1000 /* AT_EMPTY_PATH */)

/*
 * Of fcntl: F_DUPFD to F_SETFL (0 to 4), F_OFD_GETLK and F_OFD_SETLK (36, 37),
 * F_DUPFD_CLOEXEC, F_SETPIPE_SZ and F_GETPIPE_SZ (1030 to 1032). F_SETOWN and
 * F_SETSIG would be a kill(2) for all that share a uid.
 */
#define SYSFILTER_FCNTL                                                                            \
	SYSFILTER_IS(fcntl, 0, 8),                                                                 \
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),            \
	    BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 4, 0, 5),                                          \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 36, 4, 0),                                         \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 37, 3, 0),                                         \
	    BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1032, 1, 0),                                       \
	    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 1030, 1, 0),                                       \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),                                   \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* arm64 has ppoll alone. */
#ifdef __NR_poll
#define SYSFILTER_POLL poll,
#else
#define SYSFILTER_POLL
#endif

/*
 * Enters the filter of n instructions for good; no_new_privs must be set.
 * Returns 0, or -1 with errno. A build with sanitizers (SYSFILTER_OFF) returns 0
 * and filters nothing: their runtimes make calls of their own.
 */
int sysfilter_enter(const struct sock_filter *filter, size_t n);

#endif
