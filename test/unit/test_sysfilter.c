/*
 * System call filters: each act in a process of its own, which must be killed,
 * be refused, or be let through.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sysfilter.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A rule of every kind, and a call behind each that must still be reached. */
static const struct sock_filter filter[] = {
	SYSFILTER_BEGIN,
	SYSFILTER_BASE,
	SYSFILTER_ERRNO(openat, EACCES),
	SYSFILTER_ALLOW_ARG(socket, 0, AF_UNIX),
	SYSFILTER_REFUSE_ARG(dup3, 2, O_CLOEXEC, EXDEV),
	SYSFILTER_ALLOW(dup),
	SYSFILTER_ALLOW_WITHOUT(fchmod, 1, 07000),
	SYSFILTER_ALLOW(getuid),
	SYSFILTER_END,
};

/* What the acts use; opened before the filter is entered. */
static int file = -1;
static int sock = -1;

/* Turns what a call returned into an exit status: 0, or errno. */
static int
result(long r)
{
	return r == -1 ? errno : 0;
}

static int
act_open(void)
{
	return result(open("/dev/null", O_RDONLY));
}

static int
act_socket_inet(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int
act_socket_unix(void)
{
	return result(socket(AF_UNIX, SOCK_DGRAM, 0));
}

static int
act_bind(void)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };

	return result(bind(sock, &sa, sizeof(sa.sa_family)));
}

static int
act_connect(void)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };

	return result(connect(sock, &sa, sizeof(sa)));
}

static int
act_execve(void)
{
	char *none[] = { NULL };

	return result(execve("/nonexistent", none, none));
}

static int
act_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int
act_kill(void)
{
	return result(kill(getpid(), 0));
}

static int
act_ptrace(void)
{
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
act_setuid(void)
{
	return result(setuid(0));
}

static int
act_chroot(void)
{
	return result(chroot("/"));
}

static int
act_prctl(void)
{
	return result(prctl(PR_GET_DUMPABLE));
}

static int
act_seccomp(void)
{
	return result(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL));
}

static int
act_io_uring(void)
{
	return result(syscall(SYS_io_uring_setup, 1, NULL));
}

static int
act_process_vm_readv(void)
{
	return result(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0));
}

static int
act_unshare(void)
{
	return result(syscall(SYS_unshare, 0));
}

static int
act_unknown_call(void)
{
	return result(syscall(0x3fffffff));
}

static int
act_x32_call(void)
{
	return result(syscall(0x40000000 | SYS_getpid));
}

static int
act_mmap_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
act_mprotect_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 255;
	return result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
act_memory(void)
{
	size_t size;

	/* By brk, by mmap, by mremap; and arc4random(3) takes a page of its own. */
	for (size = 16; size <= 1 << 22; size *= 4) {
		char *p = malloc(size), *q;

		if (p == NULL)
			return 255;
		memset(p, (int)arc4random(), size);
		if ((q = realloc(p, size * 2)) == NULL) {
			free(p);
			return 255;
		}
		q[size] = 1;
		free(q);
	}
	return 0;
}

static int
act_move_bytes(void)
{
	char buf[2] = "ab";
	struct iovec iov[2] = {
		{ buf,     1 },
		{ buf + 1, 1 },
	};
	struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = 2 };

	/* The socket is one end of a pair; what it sends, the other end has. */
	if (send(sock, buf, 2, MSG_NOSIGNAL) != 2 || write(sock, buf, 2) != 2 ||
	    writev(sock, iov, 2) != 2 || sendmsg(sock, &hdr, MSG_NOSIGNAL) != 2)
		return 255;
	if (shutdown(sock, SHUT_RDWR) == -1 || read(sock, buf, 2) != 0 ||
	    readv(sock, iov, 2) != 0 || recv(sock, buf, 2, 0) != 0 || recvmsg(sock, &hdr, 0) != 0)
		return 255;
	return 0;
}

static int
act_wait_and_tell_time(void)
{
	struct pollfd pfd = { .fd = sock, .events = POLLOUT };
	struct timespec ts = { 0, 1000 };

	if (poll(&pfd, 1, 1000) != 1 || ppoll(&pfd, 1, &ts, NULL) != 1)
		return 255;
	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1 || time(NULL) == (time_t)-1)
		return 255;
	ts = (struct timespec){ 0, 1000 };
	return result(nanosleep(&ts, NULL));
}

static int
act_files(void)
{
	struct stat st;

	if (fstat(file, &st) == -1 || lseek(file, 0, SEEK_END) != 0)
		return 255;
	return result(close(file));
}

static int
act_fcntl(void)
{
	static const int commands[] = { F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
		F_DUPFD_CLOEXEC };
	struct flock lock = { .l_type = F_WRLCK };
	size_t i;

	for (i = 0; i < COUNT(commands); i++)
		if (fcntl(file, commands[i], 0) == -1)
			return 255;
	if (fcntl(file, F_OFD_GETLK, &lock) == -1 || fcntl(file, F_OFD_SETLK, &lock) == -1)
		return 255;
	/* Neither is a pipe, but the filter lets these through to say so. */
	if (fcntl(sock, F_SETPIPE_SZ, 4096) != -1 || errno != EBADF)
		return 255;
	return fcntl(file, F_GETPIPE_SZ) == -1 && errno == EBADF ? 0 : 255;
}

static int
act_fcntl_setown(void)
{
	return result(fcntl(sock, F_SETOWN, getpid()));
}

static int
act_fcntl_setsig(void)
{
	return result(fcntl(sock, F_SETSIG, SIGKILL));
}

static int
act_fcntl_setown_ex(void)
{
	struct f_owner_ex owner = { F_OWNER_PID, 1 };

	return result(fcntl(sock, F_SETOWN_EX, &owner));
}

static int
act_fcntl_notify(void)
{
	return result(fcntl(file, F_NOTIFY, 0));
}

static int
act_fcntl_seals(void)
{
	return result(fcntl(file, F_ADD_SEALS, 0));
}

static int
act_stat_by_name(void)
{
	struct stat st;

	return result(syscall(SYS_newfstatat, AT_FDCWD, "/", &st, 0));
}

static int
act_fchmod_plain(void)
{
	return result(fchmod(file, 0600));
}

static int
act_fchmod_setuid(void)
{
	return result(fchmod(file, 04755));
}

static int
act_dup(void)
{
	return result(dup(file));
}

static int
act_dup3_cloexec(void)
{
	return result(dup3(file, 60, O_CLOEXEC));
}

static int
act_dup3_plain(void)
{
	return result(dup3(file, 60, 0));
}

static int
act_getuid(void)
{
	(void)getuid();
	return 0;
}

static int
act_exit(void)
{
	exit(0);
}

struct row {
	const char *name;
	int (*act)(void);
	int want; /* 0: done; above: this errno; KILLED */
};

#define KILLED (-1)

static const struct row rows[] = {
	{ "bytes_may_be_moved",                      act_move_bytes,         0      },
	{ "waiting_and_time_are_allowed",            act_wait_and_tell_time, 0      },
	{ "memory_may_be_had",                       act_memory,             0      },
	{ "open_files_may_be_used",                  act_files,              0      },
	{ "fcntl_may_do_what_we_do",                 act_fcntl,              0      },
	{ "fcntl_may_not_name_an_owner",             act_fcntl_setown,       KILLED },
	{ "fcntl_may_not_name_an_owner_by_struct",   act_fcntl_setown_ex,    KILLED },
	{ "fcntl_may_not_choose_a_signal",           act_fcntl_setsig,       KILLED },
	{ "fcntl_below_the_last_range_kills",        act_fcntl_notify,       KILLED },
	{ "fcntl_above_the_last_range_kills",        act_fcntl_seals,        KILLED },
	{ "stat_by_name_kills",                      act_stat_by_name,       KILLED },
	{ "process_may_end",                         act_exit,               0      },
	{ "errno_rule_refuses_softly",               act_open,               EACCES },
	{ "argument_rule_allows_its_value",          act_socket_unix,        0      },
	{ "argument_rule_kills_other_values",        act_socket_inet,        KILLED },
	{ "rule_behind_an_argument_rule_is_reached", act_dup,                0      },
	{ "refusing_rule_has_its_errno",             act_dup3_cloexec,       EXDEV  },
	{ "refusing_rule_leaves_other_values",       act_dup3_plain,         KILLED },
	{ "bits_rule_allows_without_them",           act_fchmod_plain,       0      },
	{ "bits_rule_refuses_with_them",             act_fchmod_setuid,      EPERM  },
	{ "rule_behind_a_bits_rule_is_reached",      act_getuid,             0      },
	{ "executable_memory_is_refused",            act_mmap_exec,          EPERM  },
	{ "memory_cannot_become_executable",         act_mprotect_exec,      EPERM  },
	{ "bind_kills",                              act_bind,               KILLED },
	{ "connect_kills",                           act_connect,            KILLED },
	{ "execve_kills",                            act_execve,             KILLED },
	{ "fork_kills",                              act_fork,               KILLED },
	{ "kill_kills",                              act_kill,               KILLED },
	{ "ptrace_kills",                            act_ptrace,             KILLED },
	{ "setuid_kills",                            act_setuid,             KILLED },
	{ "chroot_kills",                            act_chroot,             KILLED },
	{ "prctl_kills",                             act_prctl,              KILLED },
	{ "seccomp_kills",                           act_seccomp,            KILLED },
	{ "io_uring_kills",                          act_io_uring,           KILLED },
	{ "process_vm_readv_kills",                  act_process_vm_readv,   KILLED },
	{ "unshare_kills",                           act_unshare,            KILLED },
	{ "unknown_call_kills",                      act_unknown_call,       KILLED },
	{ "x32_call_kills",                          act_x32_call,           KILLED },
};

/* cmocka catches these; a child that crashes shall die of it, not go on with the tests. */
static void
crash_as_usual(void)
{
	signal(SIGSEGV, SIG_DFL);
	signal(SIGILL, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	signal(SIGFPE, SIG_DFL);
	signal(SIGSYS, SIG_DFL);
}

/* Runs act in a child under the filter; returns its exit status, or KILLED by SIGSYS. */
static int
run(int (*act)(void))
{
	struct rlimit no_core = { 0, 0 };
	int sv[2], status;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	sock = sv[0];
	assert_int_not_equal(file = memfd_create("file", 0), -1);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		crash_as_usual();
		alarm(60);
		setrlimit(RLIMIT_CORE, &no_core);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
			_exit(254);
		if (sysfilter_enter(filter, COUNT(filter)) == -1)
			_exit(253);
		_exit(act());
	}
	close(sv[0]);
	close(sv[1]);
	close(file);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return KILLED;
	}
	return WEXITSTATUS(status);
}

static void
act_under_filter(void **state)
{
	const struct row *row = *state;

#ifdef SYSFILTER_OFF
	(void)row;
	skip();
#endif
	assert_int_equal(run(row->act), row->want);
}

#if defined(__x86_64__) && !defined(SYSFILTER_OFF)
/* getpid of the 32-bit call table, whose number 20 is writev here. */
static int
act_i386_call(void)
{
	long r = 20;

	__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
	return r > 0 ? 0 : 255;
}
#endif

static void
other_architecture_kills(void **state)
{
	(void)state;
#if defined(SYSFILTER_OFF) || !defined(__x86_64__)
	skip();
#else
	int status;
	pid_t pid = fork();

	/* Kernels without 32-bit calls have nothing to test. */
	if (pid == 0) {
		crash_as_usual();
		_exit(act_i386_call());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		skip();
	assert_int_equal(run(act_i386_call), KILLED);
#endif
}

static void
filter_of_no_size_or_too_large_is_refused(void **state)
{
	(void)state;
#ifdef SYSFILTER_OFF
	skip();
#endif
	assert_int_equal(sysfilter_enter(filter, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(sysfilter_enter(filter, BPF_MAXINSNS + 1), -1);
	assert_int_equal(errno, EINVAL);
	/* 65537 must not become 1. */
	assert_int_equal(sysfilter_enter(filter, 65536 + COUNT(filter)), -1);
	assert_int_equal(errno, EINVAL);
}

/* What a filter says to a call without arguments, as the kernel would interpret it. */
static uint32_t
verdict(const struct sock_filter *f, size_t n, int nr)
{
	const struct seccomp_data data = { .nr = nr, .arch = SYSFILTER_ARCH };
	uint32_t a = 0;

	for (size_t i = 0; i < n; i++) {
		bool is = false;

		switch (f[i].code) {
		case BPF_MISC | BPF_TAX:
			continue;
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)&data + f[i].k, sizeof(a));
			continue;
		case BPF_RET | BPF_K:
			return f[i].k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			is = a == f[i].k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			is = a >= f[i].k;
			break;
		default:
			fail_msg("instruction %#x is not expected here", f[i].code);
		}
		i += is ? f[i].jt : f[i].jf;
	}
	fail_msg("the filter has no end");
	return 0;
}

/* Instructions of the filters below; behind the shorter ones there are zeros, which nobody reaches. */
#define ROOM 20

static void
group_of_any_size_allows_its_calls_and_no_other(void **state)
{
	static const int calls[] = { __NR_dup, __NR_getuid, __NR_sync, __NR_fchmod, __NR_chroot,
		__NR_bind, __NR_statx, __NR_read };
	static const struct sock_filter f[][ROOM] = {
		{ SYSFILTER_BEGIN, SYSFILTER_ALLOW(dup), SYSFILTER_END },
		{ SYSFILTER_BEGIN, SYSFILTER_ALLOW(dup, getuid), SYSFILTER_END },
		{ SYSFILTER_BEGIN, SYSFILTER_ALLOW(dup, getuid, sync), SYSFILTER_END },
		{ SYSFILTER_BEGIN, SYSFILTER_ALLOW(dup, getuid, sync, fchmod), SYSFILTER_END },
		{ SYSFILTER_BEGIN, SYSFILTER_ALLOW(dup, getuid, sync, fchmod, chroot), SYSFILTER_END },
		{ SYSFILTER_BEGIN, SYSFILTER_ALLOW(dup, getuid, sync, fchmod, chroot, bind),
		    SYSFILTER_END },
		{ SYSFILTER_BEGIN, SYSFILTER_ALLOW(dup, getuid, sync, fchmod, chroot, bind, statx),
		    SYSFILTER_END },
		{ SYSFILTER_BEGIN,
		    SYSFILTER_ALLOW(dup, getuid, sync, fchmod, chroot, bind, statx, read),
		    SYSFILTER_END },
	};

	(void)state;
	for (size_t size = 1; size <= COUNT(f); size++)
		for (int nr = -1; nr < 500; nr++) {
			uint32_t want = SECCOMP_RET_KILL_PROCESS;

			for (size_t i = 0; i < size; i++)
				if (nr == calls[i])
					want = SECCOMP_RET_ALLOW;
			assert_int_equal(verdict(f[size - 1], COUNT(f[0]), nr), want);
		}
}

static void
filter_is_seen_in_proc(void **state)
{
	char buf[4096] = "";
	int p[2], status;
	pid_t pid;

	(void)state;
#ifdef SYSFILTER_OFF
	skip();
#endif
	assert_int_equal(pipe(p), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		int fd = open("/proc/self/status", O_RDONLY);
		ssize_t n;

		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (fd == -1 || sysfilter_enter(filter, COUNT(filter)) == -1)
			_exit(1);
		n = read(fd, buf, sizeof(buf));
		_exit(n > 0 && write(p[1], buf, (size_t)n) == n ? 0 : 1);
	}
	close(p[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(read(p[0], buf, sizeof(buf) - 1) > 0);
	assert_non_null(strstr(buf, "\nSeccomp:\t2\n"));
	close(p[0]);
}

int
main(void)
{
	const struct CMUnitTest fixed[] = {
		cmocka_unit_test(other_architecture_kills),
		cmocka_unit_test(filter_of_no_size_or_too_large_is_refused),
		cmocka_unit_test(group_of_any_size_allows_its_calls_and_no_other),
		cmocka_unit_test(filter_is_seen_in_proc),
	};
	struct CMUnitTest tests[COUNT(rows) + COUNT(fixed)];
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = act_under_filter,
			.initial_state = (void *)&rows[i],
		};
	for (i = 0; i < COUNT(fixed); i++)
		tests[COUNT(rows) + i] = fixed[i];
	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
