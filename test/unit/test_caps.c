/*
 * Privileges, each time in a process of its own. Needs root: skipped without.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "caps.h"

#define UID 54321
#define GID 54322
#define ALL (CAPS_SETUID | CAPS_SETGID | CAPS_SYS_CHROOT | CAPS_NET_BIND_SERVICE)

/* The kernel's bits of ours. */
#define K_SETGID   (1ULL << CAP_SETGID)
#define K_SETUID   (1ULL << CAP_SETUID)
#define K_CHROOT   (1ULL << CAP_SYS_CHROOT)
#define K_NET_BIND (1ULL << CAP_NET_BIND_SERVICE)
#define K_ALL      (K_SETGID | K_SETUID | K_CHROOT | K_NET_BIND)

#define LOCKED                                                                                     \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
	    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |                          \
	    SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* In a child cmocka's assertions do not work. */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			dprintf(                                                                   \
			    2, "test_caps.c:%d: not so: %s (errno %d)\n", __LINE__, #x, errno);    \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#define CHECK_FAILS(x, error)                                                                      \
	do {                                                                                       \
		errno = 0;                                                                         \
		CHECK((x) == -1 && errno == (error));                                              \
	} while (0)

/* The value of a line of /proc/self/status, read anew, in a static buffer. */
static const char *
status(const char *name)
{
	static char buf[8192];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char *line, *end;

	CHECK(fd != -1);
	CHECK((n = read(fd, buf, sizeof(buf) - 1)) > 0);
	close(fd);
	buf[n] = '\0';
	for (line = strtok_r(buf, "\n", &end); line; line = strtok_r(NULL, "\n", &end))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			return line + strlen(name) + 2;
	CHECK(!"no such line in /proc/self/status");
	return "";
}

static unsigned long long
cap_line(const char *name)
{
	return strtoull(status(name), NULL, 16);
}

/* Runs act in a child, which must exit with 0; 77 skips the test. */
static void
run(void (*act)(void))
{
	int ended;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		alarm(60);
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	if (WIFEXITED(ended) && WEXITSTATUS(ended) == 77)
		skip();
	assert_int_equal(ended, 0);
}

static void
act_confine(void)
{
	CHECK(caps_confine(ALL) == 0);
	CHECK(cap_line("CapBnd") == 0);
	CHECK(cap_line("CapPrm") == K_ALL);
	CHECK(cap_line("CapEff") == 0);
	CHECK(cap_line("CapInh") == 0);
	CHECK(cap_line("CapAmb") == 0);
	CHECK(strcmp(status("NoNewPrivs"), "1") == 0);
	CHECK((prctl(PR_GET_SECUREBITS) & LOCKED) == LOCKED);
	CHECK(caps_permitted() == ALL);
}

static void
confine_takes_all_but_what_is_kept(void **state)
{
	(void)state;
	run(act_confine);
}

static void
act_confine_part(void)
{
	CHECK(caps_confine(CAPS_SYS_CHROOT) == 0);
	CHECK(cap_line("CapPrm") == K_CHROOT);
	CHECK(caps_permitted() == CAPS_SYS_CHROOT);
}

static void
act_confine_nothing(void)
{
	CHECK(caps_confine(0) == 0);
	CHECK(cap_line("CapPrm") == 0);
	CHECK(caps_permitted() == 0);
}

static void
confine_keeps_what_it_is_told_to(void **state)
{
	(void)state;
	run(act_confine_part);
	run(act_confine_nothing);
}

static void
act_confine_twice(void)
{
	CHECK(caps_confine(ALL) == 0);
	CHECK(caps_confine(CAPS_SETUID | CAPS_SETGID) == 0);
	CHECK(cap_line("CapPrm") == (K_SETUID | K_SETGID));
	/* What is gone does not come back, and that is told. */
	CHECK_FAILS(caps_confine(ALL), EPERM);
	CHECK(cap_line("CapPrm") == (K_SETUID | K_SETGID));
}

static void
confine_may_be_repeated_but_never_gives(void **state)
{
	(void)state;
	run(act_confine_twice);
}

static void
act_confine_in_container(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	static const int lost[] = { CAP_SYS_ADMIN, CAP_SYS_RESOURCE, CAP_DAC_OVERRIDE, CAP_BPF };
	size_t i;

	/* As a container or a systemd unit leaves it. */
	CHECK(syscall(SYS_capget, &head, data) == 0);
	for (i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		CHECK(prctl(PR_CAPBSET_DROP, lost[i], 0, 0, 0) == 0);
		data[lost[i] / 32].permitted &= ~(1u << lost[i] % 32);
		data[lost[i] / 32].effective &= ~(1u << lost[i] % 32);
	}
	/* SETPCAP may be permitted, yet not in effect. */
	data[0].effective &= ~(1u << CAP_SETPCAP);
	CHECK(syscall(SYS_capset, &head, data) == 0);
	act_confine();
}

static void
confine_works_where_capabilities_are_missing_already(void **state)
{
	(void)state;
	run(act_confine_in_container);
}

static void
act_confine_ambient(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	CHECK(syscall(SYS_capget, &head, data) == 0);
	data[0].inheritable |= 1u << CAP_NET_BIND_SERVICE;
	CHECK(syscall(SYS_capset, &head, data) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) == 0);
	CHECK(cap_line("CapAmb") == K_NET_BIND);
	act_confine();
}

static void
confine_takes_ambient_capabilities_too(void **state)
{
	(void)state;
	run(act_confine_ambient);
}

static void
act_confine_without_setpcap(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	CHECK(syscall(SYS_capget, &head, data) == 0);
	data[0].permitted &= ~(1u << CAP_SETPCAP);
	data[0].effective &= ~(1u << CAP_SETPCAP);
	CHECK(syscall(SYS_capset, &head, data) == 0);
	CHECK_FAILS(caps_confine(ALL), EPERM);
}

static void
confine_fails_if_it_cannot_empty_the_bounding_set(void **state)
{
	(void)state;
	run(act_confine_without_setpcap);
}

static void
act_securebits_set(void)
{
	CHECK(prctl(PR_SET_SECUREBITS, LOCKED, 0, 0, 0) == 0);
	act_confine();
}

static void
act_securebits_partly_set(void)
{
	CHECK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS, 0,
		  0, 0) == 0);
	act_confine();
}

static void
confine_works_with_securebits_set_before(void **state)
{
	(void)state;
	run(act_securebits_set);
	run(act_securebits_partly_set);
}

static void
act_securebits_locked_off(void)
{
	CHECK(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP_LOCKED, 0, 0, 0) == 0);
	CHECK_FAILS(caps_confine(ALL), EPERM);
}

static void
confine_fails_if_a_securebit_is_locked_off(void **state)
{
	(void)state;
	run(act_securebits_locked_off);
}

static void
act_exec(void)
{
	char buf[8192] = "";
	size_t len = 0;
	ssize_t n;
	int p[2];

	CHECK(caps_confine(ALL) == 0);
	CHECK(pipe(p) == 0);
	if (fork() == 0) {
		dup2(p[1], 1);
		execl("/bin/cat", "cat", "/proc/self/status", (char *)NULL);
		_exit(1);
	}
	close(p[1]);
	while ((n = read(p[0], buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	CHECK(strstr(buf, "\nUid:\t0\t0\t0\t0\n") != NULL);
	CHECK(strstr(buf, "\nCapPrm:\t0000000000000000\n") != NULL);
	CHECK(strstr(buf, "\nCapEff:\t0000000000000000\n") != NULL);
}

static void
program_executed_by_root_has_no_capabilities(void **state)
{
	(void)state;
	run(act_exec);
}

static void
act_raise(void)
{
	CHECK(caps_confine(CAPS_SETUID | CAPS_NET_BIND_SERVICE) == 0);
	CHECK(caps_raise(CAPS_NET_BIND_SERVICE) == 0);
	CHECK(cap_line("CapEff") == K_NET_BIND);
	CHECK(cap_line("CapPrm") == (K_SETUID | K_NET_BIND));
	CHECK(caps_raise(CAPS_SETUID) == 0);
	CHECK(cap_line("CapEff") == K_SETUID);
	CHECK(caps_raise(0) == 0);
	CHECK(cap_line("CapEff") == 0);
	CHECK(cap_line("CapPrm") == (K_SETUID | K_NET_BIND));
	CHECK_FAILS(caps_raise(CAPS_SYS_CHROOT), EPERM);
	CHECK(cap_line("CapEff") == 0);
}

static void
raise_puts_into_effect_what_is_permitted(void **state)
{
	(void)state;
	run(act_raise);
}

static void
act_keep(void)
{
	CHECK(caps_confine(ALL) == 0);
	CHECK(caps_raise(ALL) == 0);
	CHECK(caps_keep(CAPS_NET_BIND_SERVICE) == 0);
	CHECK(cap_line("CapPrm") == K_NET_BIND);
	CHECK(cap_line("CapEff") == 0);
	CHECK_FAILS(caps_keep(CAPS_NET_BIND_SERVICE | CAPS_SETUID), EPERM);
	CHECK(cap_line("CapPrm") == K_NET_BIND);
	CHECK(caps_keep(0) == 0);
	CHECK(cap_line("CapPrm") == 0);
}

static void
keep_only_ever_reduces(void **state)
{
	(void)state;
	run(act_keep);
}

static bool
has_groups(const gid_t *want, int n)
{
	gid_t have[64];
	int i;

	if (getgroups(64, have) != n)
		return false;
	for (i = 0; i < n; i++)
		if (have[i] != want[i])
			return false;
	return true;
}

static void
act_become(void)
{
	static const gid_t groups[] = { 60003, 60001, 60002 };
	static const gid_t sorted[] = { 60001, 60002, 60003 };
	char ids[64];

	CHECK(caps_confine(ALL) == 0);
	CHECK(caps_become(UID, GID, groups, 3) == 0);
	/* Real, effective, saved, and that for files. */
	snprintf(ids, sizeof(ids), "%d\t%d\t%d\t%d", UID, UID, UID, UID);
	CHECK(strcmp(status("Uid"), ids) == 0);
	snprintf(ids, sizeof(ids), "%d\t%d\t%d\t%d", GID, GID, GID, GID);
	CHECK(strcmp(status("Gid"), ids) == 0);
	CHECK(has_groups(sorted, 3));
}

static void
become_changes_every_id(void **state)
{
	(void)state;
	run(act_become);
}

static void
act_become_no_groups(void)
{
	static const gid_t root_groups[] = { 0, 4 };

	CHECK(setgroups(2, root_groups) == 0);
	CHECK(caps_confine(ALL) == 0);
	CHECK(caps_become(UID, GID, NULL, 0) == 0);
	CHECK(getgroups(0, NULL) == 0);
}

static void
become_leaves_no_group_of_root(void **state)
{
	(void)state;
	run(act_become_no_groups);
}

static void
act_become_gives_up(void)
{
	CHECK(caps_confine(ALL) == 0);
	CHECK(caps_become(UID, GID, NULL, 0) == 0);
	CHECK(cap_line("CapPrm") == (K_CHROOT | K_NET_BIND));
	CHECK(cap_line("CapEff") == 0);
	CHECK_FAILS(caps_raise(CAPS_SETUID), EPERM);
	CHECK_FAILS(setresuid(0, 0, 0), EPERM);
	CHECK_FAILS(setuid(0), EPERM);
	CHECK_FAILS(setresgid(0, 0, 0), EPERM);
	CHECK_FAILS(setgroups(0, NULL), EPERM);
	CHECK_FAILS(caps_become(UID + 1, GID, NULL, 0), EPERM);
}

static void
become_gives_up_the_way_back_and_keeps_the_rest(void **state)
{
	(void)state;
	run(act_become_gives_up);
}

static void
act_become_without_fixup_bits(void)
{
	/* Without caps_confine() the kernel takes all capabilities at setresuid. */
	CHECK(caps_become(UID, GID, NULL, 0) == 0);
	CHECK(cap_line("CapPrm") == 0);
	CHECK_FAILS(setuid(0), EPERM);
}

static void
become_unconfined_leaves_no_capability(void **state)
{
	(void)state;
	run(act_become_without_fixup_bits);
}

static void
act_become_refused(void)
{
	CHECK_FAILS(caps_become(0, GID, NULL, 0), EINVAL);
	CHECK_FAILS(caps_become((uid_t)-1, GID, NULL, 0), EINVAL);
	CHECK_FAILS(caps_become(UID, (gid_t)-1, NULL, 0), EINVAL);
	CHECK(caps_confine(CAPS_SETUID) == 0);
	CHECK_FAILS(caps_become(UID, GID, NULL, 0), EPERM);
	CHECK(strcmp(status("Uid"), "0\t0\t0\t0") == 0);
	CHECK(strcmp(status("Gid"), "0\t0\t0\t0") == 0);
}

static void
become_refuses_root_and_ids_of_minus_one(void **state)
{
	(void)state;
	run(act_become_refused);
}

static void
act_become_too_many_groups(void)
{
	static gid_t groups[70000];

	CHECK(caps_confine(ALL) == 0);
	CHECK_FAILS(caps_become(UID, GID, groups, 70000), EINVAL);
	CHECK(cap_line("CapEff") == 0);
}

static void
become_that_fails_lowers_what_it_raised(void **state)
{
	(void)state;
	run(act_become_too_many_groups);
}

/* A home that only its user may enter, like /home/bob with mode 0700. */
static char home_path[32];

static void
act_chroot(void)
{
	struct stat home, now;
	char cwd[16];
	int fd;

	CHECK(chown(home_path, UID, GID) == 0);
	CHECK(caps_confine(CAPS_SETUID | CAPS_SETGID | CAPS_SYS_CHROOT) == 0);
	CHECK(caps_become(UID, GID, NULL, 0) == 0);
	CHECK((fd = open(home_path, O_PATH | O_DIRECTORY | O_CLOEXEC)) != -1);
	CHECK(fstat(fd, &home) == 0);
	CHECK(caps_chroot(fd) == 0);
	CHECK(stat("/", &now) == 0);
	CHECK(now.st_dev == home.st_dev && now.st_ino == home.st_ino);
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL && strcmp(cwd, "/") == 0);
	CHECK(stat("..", &now) == 0 && now.st_ino == home.st_ino);
	/* Lowered again: it may be raised, but is not in effect. */
	CHECK_FAILS(chroot("."), EPERM);
	CHECK(caps_permitted() == CAPS_SYS_CHROOT);
	CHECK(caps_keep(0) == 0);
	CHECK_FAILS(caps_chroot(fd), EPERM);
}

static void
user_may_chroot_into_a_home_closed_to_others(void **state)
{
	(void)state;
	run(act_chroot);
}

static int
make_home(void **state)
{
	(void)state;
	(void)strlcpy(home_path, "/tmp/test_caps.XXXXXX", sizeof(home_path));
	return mkdtemp(home_path) == NULL ? -1 : 0;
}

static int
remove_home(void **state)
{
	(void)state;
	return rmdir(home_path);
}

static void
act_chroot_fails(void)
{
	int null = open("/dev/null", O_RDONLY);

	CHECK(caps_confine(CAPS_SYS_CHROOT) == 0);
	CHECK_FAILS(caps_chroot(-1), EBADF);
	CHECK_FAILS(caps_chroot(null), ENOTDIR);
	CHECK(cap_line("CapEff") == 0);
}

static void
chroot_that_fails_leaves_nothing_raised(void **state)
{
	(void)state;
	run(act_chroot_fails);
}

/* Binds port 20 on a fresh socket; 0 or -1. */
static int
bind_port_20(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(20) };
	int sock = socket(AF_INET, SOCK_STREAM, 0),
	    r = bind(sock, (struct sockaddr *)&sa, sizeof(sa));
	int saved = errno;

	close(sock);
	errno = saved;
	return r;
}

static void
act_port_20(void)
{
	/* A network of our own: port 20 is free there and privileged. */
	if (unshare(CLONE_NEWNET) == -1)
		_exit(77);
	CHECK(caps_confine(ALL) == 0);
	CHECK_FAILS(bind_port_20(), EACCES);
	CHECK(caps_become(UID, GID, NULL, 0) == 0);
	CHECK(caps_keep(CAPS_NET_BIND_SERVICE) == 0);
	CHECK_FAILS(bind_port_20(), EACCES);
	CHECK(caps_raise(CAPS_NET_BIND_SERVICE) == 0);
	CHECK(bind_port_20() == 0);
	CHECK(caps_raise(0) == 0);
	CHECK_FAILS(bind_port_20(), EACCES);
}

static void
user_binds_port_20_only_while_raised(void **state)
{
	(void)state;
	run(act_port_20);
}

static void
act_no_new_privs(void)
{
	CHECK(caps_no_new_privs() == 0);
	CHECK(strcmp(status("NoNewPrivs"), "1") == 0);
	CHECK(prctl(PR_GET_DUMPABLE) == 0);
}

static void
no_new_privs_and_not_dumpable(void **state)
{
	int ended;
	pid_t pid;

	/* This one needs no root. */
	(void)state;
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		act_no_new_privs();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_int_equal(ended, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(confine_takes_all_but_what_is_kept),
		cmocka_unit_test(confine_keeps_what_it_is_told_to),
		cmocka_unit_test(confine_may_be_repeated_but_never_gives),
		cmocka_unit_test(confine_works_where_capabilities_are_missing_already),
		cmocka_unit_test(confine_takes_ambient_capabilities_too),
		cmocka_unit_test(confine_fails_if_it_cannot_empty_the_bounding_set),
		cmocka_unit_test(confine_works_with_securebits_set_before),
		cmocka_unit_test(confine_fails_if_a_securebit_is_locked_off),
		cmocka_unit_test(program_executed_by_root_has_no_capabilities),
		cmocka_unit_test(raise_puts_into_effect_what_is_permitted),
		cmocka_unit_test(keep_only_ever_reduces),
		cmocka_unit_test(become_changes_every_id),
		cmocka_unit_test(become_leaves_no_group_of_root),
		cmocka_unit_test(become_gives_up_the_way_back_and_keeps_the_rest),
		cmocka_unit_test(become_unconfined_leaves_no_capability),
		cmocka_unit_test(become_refuses_root_and_ids_of_minus_one),
		cmocka_unit_test(become_that_fails_lowers_what_it_raised),
		cmocka_unit_test_setup_teardown(
		    user_may_chroot_into_a_home_closed_to_others, make_home, remove_home),
		cmocka_unit_test(chroot_that_fails_leaves_nothing_raised),
		cmocka_unit_test(user_binds_port_20_only_while_raised),
		cmocka_unit_test(no_new_privs_and_not_dumpable),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
