/*
 * Slots shared by processes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots.h"

struct place {
	char path[32];
	int dir;
};

static int
make_place(void **state)
{
	static struct place p;

	(void)strlcpy(p.path, "/tmp/test_slots.XXXXXX", sizeof(p.path));
	if (mkdtemp(p.path) == NULL)
		return -1;
	*state = &p;
	return (p.dir = open(p.path, O_DIRECTORY | O_CLOEXEC)) == -1 ? -1 : 0;
}

static int
remove_place(void **state)
{
	struct place *p = *state;

	unlinkat(p->dir, "slots", 0);
	unlinkat(p->dir, "target", 0);
	close(p->dir);
	return rmdir(p->path);
}

static struct slot
slot_of(const char *user)
{
	struct slot s;

	memset(&s, 0, sizeof(s));
	s.pid = getpid();
	s.began = 1700000000;
	s.peer.family = AF_INET;
	s.peer.port = 50000;
	s.peer.v4.s_addr = htonl(0xc0000201);
	(void)strlcpy(s.user, user, sizeof(s.user));
	return s;
}

static struct slots_limits
up_to(unsigned max)
{
	return (struct slots_limits){ .total = max };
}

/* Another session: a process that holds a slot until it is told to end or killed. */
struct session {
	pid_t pid;
	int index, stop;
};

static struct session
session_begin(const struct place *p, unsigned max, const char *user)
{
	struct session s;
	int ready[2], stop[2];
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	assert_int_not_equal(s.pid = fork(), -1);
	if (s.pid == 0) {
		int fd = slots_open(p->dir), index;
		struct slot mine = slot_of(user);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		index = fd == -1 ? -1 : slots_claim(fd, up_to(max), &mine);
		if (write(ready[1], &index, sizeof(index)) != sizeof(index))
			_exit(1);
		_exit(read(stop[0], &c, 1) == 1 ? 0 : 1);
	}
	close(ready[1]);
	close(stop[0]);
	assert_int_equal(read(ready[0], &s.index, sizeof(s.index)), sizeof(s.index));
	close(ready[0]);
	s.stop = stop[1];
	return s;
}

static void
session_end(struct session *s, bool kill_it)
{
	int status;

	if (kill_it)
		assert_int_equal(kill(s->pid, SIGKILL), 0);
	else
		assert_int_equal(write(s->stop, "", 1), 1);
	close(s->stop);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	if (!kill_it)
		assert_int_equal(status, 0);
}

static void
file_is_made_for_its_owner_alone(void **state)
{
	struct place *p = *state;
	struct stat st;
	mode_t old = umask(0);
	int fd = slots_open(p->dir);

	umask(old);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fstatat(p->dir, "slots", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	close(fd);
}

static void
symlink_is_refused(void **state)
{
	struct place *p = *state;
	int fd = openat(p->dir, "target", O_CREAT | O_RDWR, 0600);

	close(fd);
	assert_int_equal(symlinkat("target", p->dir, "slots"), 0);
	assert_int_equal(slots_open(p->dir), -1);
	assert_int_equal(errno, ELOOP);

	/* Nor is a file made at the end of a dangling one. */
	assert_int_equal(unlinkat(p->dir, "target", 0), 0);
	assert_int_equal(slots_open(p->dir), -1);
	assert_int_equal(faccessat(p->dir, "target", F_OK, 0), -1);
}

static void
hard_link_is_refused(void **state)
{
	struct place *p = *state;
	int fd = openat(p->dir, "target", O_CREAT | O_RDWR, 0600);

	close(fd);
	assert_int_equal(linkat(p->dir, "target", p->dir, "slots", 0), 0);
	assert_int_equal(slots_open(p->dir), -1);
	assert_int_equal(errno, EPERM);
}

static void
file_open_to_others_is_refused(void **state)
{
	struct place *p = *state;
	int fd = openat(p->dir, "slots", O_CREAT | O_RDWR, 0600);

	assert_int_equal(fchmod(fd, 0640), 0);
	close(fd);
	assert_int_equal(slots_open(p->dir), -1);
	assert_int_equal(errno, EPERM);
}

static void
fifo_and_folder_are_refused_at_once(void **state)
{
	struct place *p = *state;

	assert_int_equal(mkfifoat(p->dir, "slots", 0600), 0);
	assert_int_equal(slots_open(p->dir), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(unlinkat(p->dir, "slots", 0), 0);
	assert_int_equal(mkdirat(p->dir, "slots", 0700), 0);
	assert_int_equal(slots_open(p->dir), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(unlinkat(p->dir, "slots", AT_REMOVEDIR), 0);
}

static void
claimed_slot_is_seen_by_others(void **state)
{
	struct place *p = *state;
	int fd = slots_open(p->dir);
	struct session s = session_begin(p, 30, "bob");
	struct slot out;

	assert_in_range(s.index, 0, 29);
	assert_int_equal(slots_count(fd, 30), 1);
	assert_int_equal(slots_read(fd, s.index, &out), 1);
	assert_int_equal(out.pid, s.pid);
	assert_int_equal(out.began, 1700000000);
	assert_int_equal(out.peer.family, AF_INET);
	assert_int_equal(out.peer.port, 50000);
	assert_int_equal(out.peer.v4.s_addr, htonl(0xc0000201));
	assert_string_equal(out.user, "bob");
	session_end(&s, false);
	close(fd);
}

static void
slot_is_free_when_its_session_ends(void **state)
{
	struct place *p = *state;
	int fd = slots_open(p->dir);
	struct session s = session_begin(p, 30, "bob");
	struct slot out;

	session_end(&s, false);
	assert_int_equal(slots_read(fd, s.index, &out), 0);
	assert_string_equal(out.user, "");
	assert_int_equal(slots_count(fd, 30), 0);
	close(fd);
}

static void
sigkill_frees_the_slot(void **state)
{
	struct place *p = *state;
	int fd = slots_open(p->dir);
	struct session s = session_begin(p, 1, "bob"), t;

	assert_int_equal(s.index, 0);
	session_end(&s, true);
	assert_int_equal(slots_count(fd, 1), 0);
	t = session_begin(p, 1, "eve");
	assert_int_equal(t.index, 0);
	session_end(&t, true);
	close(fd);
}

static void
full_house_gives_eagain(void **state)
{
	enum { MAX = 5 };
	struct place *p = *state;
	struct session s[MAX];
	struct slot mine = slot_of("late");
	int fd = slots_open(p->dir), i;
	unsigned taken = 0;

	for (i = 0; i < MAX; i++) {
		s[i] = session_begin(p, MAX, "user");
		assert_in_range(s[i].index, 0, MAX - 1);
		taken |= 1u << s[i].index;
	}
	assert_int_equal(taken, (1u << MAX) - 1);
	assert_int_equal(slots_count(fd, MAX), MAX);
	errno = 0;
	assert_int_equal(slots_claim(fd, up_to(MAX), &mine), -1);
	assert_int_equal(errno, EAGAIN);

	/* A higher limit finds the next; one that leaves finds room again. */
	assert_int_equal(slots_claim(fd, up_to(MAX + 1), &mine), MAX);
	close(fd);
	session_end(&s[2], true);
	fd = slots_open(p->dir);
	assert_int_equal(slots_claim(fd, up_to(MAX), &mine), s[2].index);
	close(fd);
	for (i = 0; i < MAX; i++)
		if (i != 2)
			session_end(&s[i], false);
}

static void
no_slots_are_full_at_once(void **state)
{
	struct place *p = *state;
	struct slot mine = slot_of("bob");
	int fd = slots_open(p->dir);

	assert_int_equal(slots_claim(fd, up_to(0), &mine), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(slots_claim(fd, up_to(SLOTS_MAX + 1), &mine), -1);
	assert_int_equal(errno, EINVAL);
	close(fd);
}

static void
update_is_seen_by_others(void **state)
{
	struct place *p = *state;
	int fd = slots_open(p->dir), other = slots_open(p->dir), index;
	struct slot mine = slot_of(""), out;

	assert_in_range(index = slots_claim(fd, up_to(SLOTS_MAX), &mine), 0, SLOTS_MAX - 1);
	assert_int_equal(slots_read(other, index, &out), 1);
	assert_string_equal(out.user, "");
	mine = slot_of("bob");
	assert_int_equal(slots_update(fd, index, &mine), 0);
	assert_int_equal(slots_read(other, index, &out), 1);
	assert_string_equal(out.user, "bob");
	close(fd);
	close(other);
}

static void
update_leaves_the_neighbours_alone(void **state)
{
	struct place *p = *state;
	int fd = slots_open(p->dir), other = slots_open(p->dir), first, second;
	struct slot a = slot_of("first"), b = slot_of("second"), out;

	first = slots_claim(fd, up_to(2), &a);
	second = slots_claim(other, up_to(2), &b);
	assert_int_equal(first + second, 1);
	memset(b.user, 'x', sizeof(b.user));
	assert_int_equal(slots_update(other, second, &b), 0);
	assert_int_equal(slots_read(other, first, &out), 1);
	assert_memory_equal(&out, &a, sizeof(a));
	/* A name without its NUL comes out with one. */
	assert_int_equal(slots_read(fd, second, &out), 1);
	assert_int_equal(strlen(out.user), sizeof(out.user) - 1);
	close(fd);
	close(other);
}

static void
index_beyond_the_file_is_refused(void **state)
{
	struct place *p = *state;
	struct slot s = slot_of("bob");
	int fd = slots_open(p->dir);

	assert_int_equal(slots_update(fd, -1, &s), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(slots_update(fd, SLOTS_MAX, &s), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(slots_read(fd, -1, &s), -1);
	assert_int_equal(slots_read(fd, SLOTS_MAX, &s), -1);
	close(fd);
}

static void
claimed_but_unwritten_slot_reads_empty(void **state)
{
	struct place *p = *state;
	int fd = slots_open(p->dir), other = slots_open(p->dir), index;
	struct slot mine = slot_of("bob"), out;

	assert_int_not_equal(index = slots_claim(fd, up_to(3), &mine), -1);
	assert_int_equal(ftruncate(fd, 0), 0);
	memset(&out, 'x', sizeof(out));
	assert_int_equal(slots_read(other, index, &out), 1);
	assert_int_equal(out.pid, 0);
	assert_string_equal(out.user, "");
	close(fd);
	close(other);
}

static void
processes_that_rush_in_never_share_a_slot(void **state)
{
	enum { MAX = 8, RUSH = 24 };
	struct place *p = *state;
	int go[2], out[2], stop[2], i, index, granted = 0;
	unsigned taken = 0;
	pid_t pid[RUSH];
	char c;

	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	for (i = 0; i < RUSH; i++) {
		assert_int_not_equal(pid[i] = fork(), -1);
		if (pid[i] == 0) {
			struct slot mine = slot_of("rush");
			int fd = slots_open(p->dir);

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(go[1]);
			close(stop[1]);
			if (read(go[0], &c, 1) != 0)
				_exit(1);
			index = slots_claim(fd, up_to(MAX), &mine);
			if (write(out[1], &index, sizeof(index)) != sizeof(index))
				_exit(1);
			_exit(read(stop[0], &c, 1) == 0 ? 0 : 1);
		}
	}
	close(go[1]);
	for (i = 0; i < RUSH; i++) {
		assert_int_equal(read(out[0], &index, sizeof(index)), sizeof(index));
		if (index == -1)
			continue;
		assert_int_equal(taken & 1u << index, 0);
		taken |= 1u << index;
		granted++;
	}
	assert_int_equal(granted, MAX);
	close(stop[1]);
	for (i = 0; i < RUSH; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	close(go[0]);
	close(out[0]);
	close(out[1]);
	close(stop[0]);
}

/* Claims a slot for a host's connection; -1 with errno. Every claim is of its own description. */
static int
claim_from(const struct place *p, const char *from, unsigned per_host, int *fd)
{
	struct slots_limits limits = { .total = SLOTS_MAX, .per_host = per_host };
	struct slot mine = slot_of("");

	assert_int_equal(netaddr_parse(from, &mine.peer), 0);
	assert_int_not_equal(*fd = slots_open(p->dir), -1);
	return slots_claim(*fd, limits, &mine);
}

static void
a_host_gets_no_more_than_its_slots(void **state)
{
	struct place *p = *state;
	int fd[5];

	assert_int_not_equal(claim_from(p, "192.0.2.1", 2, &fd[0]), -1);
	assert_int_not_equal(claim_from(p, "192.0.2.1", 2, &fd[1]), -1);
	assert_int_equal(claim_from(p, "192.0.2.1", 2, &fd[2]), -1);
	assert_int_equal(errno, EUSERS);
	assert_int_not_equal(claim_from(p, "192.0.2.2", 2, &fd[3]), -1);
	close(fd[0]);
	assert_int_not_equal(claim_from(p, "192.0.2.1", 2, &fd[4]), -1);
	for (int i = 1; i < 5; i++)
		close(fd[i]);
}

static void
an_ipv6_network_of_64_bits_is_one_host(void **state)
{
	struct place *p = *state;
	int fd[3];

	assert_int_not_equal(claim_from(p, "2001:db8::1", 1, &fd[0]), -1);
	assert_int_equal(claim_from(p, "2001:db8::ffff:1", 1, &fd[1]), -1);
	assert_int_equal(errno, EUSERS);
	assert_int_not_equal(claim_from(p, "2001:db8:0:1::1", 1, &fd[2]), -1);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

static void
killed_sessions_of_a_host_do_not_count(void **state)
{
	struct place *p = *state;
	struct session s = session_begin(p, SLOTS_MAX, "bob"); /* of 192.0.2.1 */
	int fd;

	assert_int_equal(claim_from(p, "192.0.2.1", 1, &fd), -1);
	close(fd);
	session_end(&s, true);
	assert_int_not_equal(claim_from(p, "192.0.2.1", 1, &fd), -1);
	close(fd);
}

static void
a_user_enters_no_more_than_so_many_times(void **state)
{
	struct place *p = *state;
	struct session first = session_begin(p, SLOTS_MAX, "bob");
	struct session second = session_begin(p, SLOTS_MAX, "eve");
	struct slot mine = slot_of(""), out;
	int fd = slots_open(p->dir), other = slots_open(p->dir);
	int index = slots_claim(fd, up_to(SLOTS_MAX), &mine);

	(void)strlcpy(mine.user, "bob", sizeof(mine.user));
	assert_int_equal(slots_enter(fd, index, &mine, 1), -1);
	assert_int_equal(errno, EUSERS);
	assert_int_equal(slots_read(other, index, &out), 1);
	assert_string_equal(out.user, "");
	assert_int_equal(slots_enter(fd, index, &mine, 2), 0);
	assert_int_equal(slots_enter(fd, index, &mine, 0), 0);
	assert_int_equal(slots_read(other, index, &out), 1);
	assert_string_equal(out.user, "bob");
	/* whoever was killed makes room; our own slot is no other's */
	session_end(&first, true);
	assert_int_equal(slots_enter(fd, index, &mine, 1), 0);
	session_end(&second, false);
	close(fd);
	close(other);
}

static void
released_slot_is_free_though_the_file_stays_open(void **state)
{
	struct place *p = *state;
	int fd = slots_open(p->dir), other = slots_open(p->dir);
	struct slot mine = slot_of("bob"), out;
	int index = slots_claim(fd, up_to(5), &mine);

	slots_release(fd, index);
	assert_int_equal(slots_read(other, index, &out), 0);
	assert_int_equal(slots_claim(other, up_to(5), &mine), index);
	close(fd);
	close(other);
}

static void
progress_changes_two_numbers_alone(void **state)
{
	struct place *p = *state;
	int fd = slots_open(p->dir), other = slots_open(p->dir), index;
	struct slot mine = slot_of("bob"), want, out;

	mine.size = 1000;
	assert_int_not_equal(index = slots_claim(fd, up_to(5), &mine), -1);
	want = mine;
	want.bytes = mine.bytes = 500;
	want.changed = mine.changed = 1700000000123;
	mine.size = 7;
	mine.pid = 1;
	assert_int_equal(slots_progress(fd, index, &mine), 0);
	assert_int_equal(slots_read(other, index, &out), 1);
	assert_memory_equal(&out, &want, sizeof(want));
	assert_int_equal(slots_progress(fd, SLOTS_MAX, &mine), -1);
	close(fd);
	close(other);
}

static void
sessions_of_a_user_that_do_the_same_are_counted(void **state)
{
	static const struct {
		const char *user;
		enum slot_state state;
		int64_t changed;
	} rows[] = {
		{ "bob", SLOT_READS, 10000 }, { "bob", SLOT_READS, 5001 }, /* counted */
		{ "bob", SLOT_READS, 4999 }, /* it has stopped without a word */
		{ "bob", SLOT_WRITES, 10000 }, { "bob", SLOT_IDLE, 10000 }, { "eve", SLOT_READS, 10000 },
	};
	struct place *p = *state;
	struct slot mine = slot_of("bob");
	int fd[sizeof(rows) / sizeof(rows[0])], own = slots_open(p->dir), index;

	mine.state = SLOT_READS;
	mine.changed = 10000;
	assert_int_not_equal(index = slots_claim(own, up_to(10), &mine), -1);
	assert_int_equal(slots_alike(own, index, "bob", SLOT_READS, 10000), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slot other = slot_of(rows[i].user);

		other.state = rows[i].state;
		other.changed = rows[i].changed;
		assert_int_not_equal(fd[i] = slots_open(p->dir), -1);
		assert_int_not_equal(slots_claim(fd[i], up_to(10), &other), -1);
	}
	assert_int_equal(slots_alike(own, index, "bob", SLOT_READS, 10000), 2);
	assert_int_equal(slots_alike(own, index, "bob", SLOT_WRITES, 10000), 1);
	assert_int_equal(slots_alike(own, index, "anna", SLOT_READS, 10000), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		close(fd[i]);
	close(own);
}

static void
looking_makes_no_file_and_disturbs_nobody(void **state)
{
	struct place *p = *state;
	struct session s;
	struct slot out;
	int fd;

	assert_int_equal(slots_look(p->dir, "slots"), -1);
	assert_int_equal(errno, ENOENT);
	s = session_begin(p, 3, "bob");
	assert_int_not_equal(fd = slots_look(p->dir, "slots"), -1);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(slots_read(fd, s.index, &out), 1);
	assert_string_equal(out.user, "bob");
	session_end(&s, true);
	assert_int_equal(slots_read(fd, s.index, &out), 0);
	close(fd);
	assert_int_equal(unlinkat(p->dir, "slots", 0), 0);
	assert_int_equal(mkfifoat(p->dir, "slots", 0600), 0);
	assert_int_equal(slots_look(p->dir, "slots"), -1);
	assert_int_equal(errno, EPERM);
}

static void
a_thousand_sessions_have_a_thousand_slots(void **state)
{
	static int fd[SLOTS_MAX];
	static bool taken[SLOTS_MAX];
	struct rlimit files;
	struct place *p = *state;
	struct slot mine = slot_of("bob"), out;
	int i, index;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	if (files.rlim_max < SLOTS_MAX + 50)
		skip();
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	for (i = 0; i < SLOTS_MAX; i++) {
		assert_int_not_equal(fd[i] = slots_open(p->dir), -1);
		index = slots_claim(fd[i], up_to(SLOTS_MAX), &mine);
		assert_in_range(index, 0, SLOTS_MAX - 1);
		assert_false(taken[index]);
		taken[index] = true;
	}
	i = slots_open(p->dir);
	assert_int_equal(slots_count(i, SLOTS_MAX), SLOTS_MAX);
	assert_int_equal(slots_claim(i, up_to(SLOTS_MAX), &mine), -1);
	assert_int_equal(errno, EAGAIN);
	/* the last one's place is found among all of them */
	close(fd[SLOTS_MAX - 1]);
	assert_int_equal(slots_claim(i, up_to(SLOTS_MAX), &mine), index);
	assert_int_equal(slots_read(fd[0], index, &out), 1);
	close(i);
	for (i = 0; i < SLOTS_MAX - 1; i++)
		close(fd[i]);
}

static void
an_index_that_is_wrong_does_no_harm(void **state)
{
	struct place *p = *state;
	struct slot mine = slot_of("bob");
	int fd = slots_open(p->dir), i;
	char bytes[24000];

	/* as if another version had written the file: everything seems taken */
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	for (i = 0; i < 3; i++) {
		int other = slots_open(p->dir);

		assert_in_range(slots_claim(other, up_to(3), &mine), 0, 2);
		close(other);
	}
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_is_made_for_its_owner_alone),
		TEST(symlink_is_refused),
		TEST(hard_link_is_refused),
		TEST(file_open_to_others_is_refused),
		TEST(fifo_and_folder_are_refused_at_once),
		TEST(claimed_slot_is_seen_by_others),
		TEST(slot_is_free_when_its_session_ends),
		TEST(sigkill_frees_the_slot),
		TEST(full_house_gives_eagain),
		TEST(no_slots_are_full_at_once),
		TEST(update_is_seen_by_others),
		TEST(update_leaves_the_neighbours_alone),
		TEST(index_beyond_the_file_is_refused),
		TEST(claimed_but_unwritten_slot_reads_empty),
		TEST(processes_that_rush_in_never_share_a_slot),
		TEST(a_host_gets_no_more_than_its_slots),
		TEST(an_ipv6_network_of_64_bits_is_one_host),
		TEST(killed_sessions_of_a_host_do_not_count),
		TEST(a_user_enters_no_more_than_so_many_times),
		TEST(released_slot_is_free_though_the_file_stays_open),
		TEST(progress_changes_two_numbers_alone),
		TEST(sessions_of_a_user_that_do_the_same_are_counted),
		TEST(looking_makes_no_file_and_disturbs_nobody),
		TEST(a_thousand_sessions_have_a_thousand_slots),
		TEST(an_index_that_is_wrong_does_no_harm),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
