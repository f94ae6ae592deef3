/*
 * Messages over a socketpair.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "msg.h"

static int
pair(void **state)
{
	static int sv[2];

	*state = sv;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv);
}

static int
unpair(void **state)
{
	int *sv = *state;

	close(sv[0]);
	close(sv[1]);
	return 0;
}

/* How many descriptors this process has. */
static int
descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return n;
}

/* Sends one packet as it is, with n copies of fd, as a broken peer would. */
static void
send_raw(int sock, const void *data, size_t len, int fd, unsigned n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(8 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	unsigned i;

	memset(&control, 0, sizeof(control));
	if (n > 0) {
		hdr.msg_control = control.buf;
		hdr.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (i = 0; i < n; i++)
			memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(sock, &hdr, 0), (ssize_t)len);
}

static void
type_and_body_arrive(void **state)
{
	int *sv = *state, fd = 99;
	char body[64];
	uint32_t type = 0;

	assert_int_equal(msg_send(sv[0], 0xdeadbeef, "hello", 6, -1), 0);
	assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), &fd), 6);
	assert_int_equal(type, 0xdeadbeef);
	assert_string_equal(body, "hello");
	assert_int_equal(fd, -1);
}

static void
packets_stay_apart(void **state)
{
	int *sv = *state;
	char body[64];
	uint32_t type;

	assert_int_equal(msg_send(sv[0], 1, "a", 1, -1), 0);
	assert_int_equal(msg_send(sv[0], 2, "bc", 2, -1), 0);
	assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), NULL), 1);
	assert_int_equal(type, 1);
	assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), NULL), 2);
	assert_int_equal(type, 2);
	assert_memory_equal(body, "bc", 2);
}

static void
body_may_be_empty(void **state)
{
	int *sv = *state;
	uint32_t type = 0;

	assert_int_equal(msg_send(sv[0], 7, NULL, 0, -1), 0);
	assert_int_equal(msg_recv(sv[1], &type, NULL, 0, NULL), 0);
	assert_int_equal(type, 7);
}

static void
body_may_be_as_long_as_max(void **state)
{
	static char out[16384], in[16384];
	int *sv = *state;
	uint32_t type;

	memset(out, 'x', sizeof(out));
	assert_int_equal(msg_send(sv[0], 1, out, sizeof(out), -1), 0);
	assert_int_equal(msg_recv(sv[1], &type, in, sizeof(in), NULL), sizeof(in));
	assert_memory_equal(in, out, sizeof(in));
}

static void
descriptor_comes_along_close_on_exec(void **state)
{
	int *sv = *state, p[2], fd = -1;
	uint32_t type;
	char body[8], c = 0;

	assert_int_equal(pipe(p), 0);
	assert_int_equal(msg_send(sv[0], 1, "x", 1, p[1]), 0);
	/* The sender's own is still his. */
	assert_int_equal(close(p[1]), 0);
	assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), &fd), 1);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(write(fd, "!", 1), 1);
	assert_int_equal(read(p[0], &c, 1), 1);
	assert_int_equal(c, '!');
	close(fd);
	close(p[0]);
}

static void
unwanted_descriptor_is_closed(void **state)
{
	int *sv = *state, before = descriptors();
	uint32_t type;
	char body[8];

	assert_int_equal(msg_send(sv[0], 1, "x", 1, 0), 0);
	assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), NULL), 1);
	assert_int_equal(descriptors(), before);
}

static void
more_than_one_descriptor_is_refused_and_closed(void **state)
{
	int *sv = *state, before = descriptors(), fd = 99;
	unsigned n;

	for (n = 2; n <= 8; n++) {
		uint32_t type = 1;
		char body[8];

		send_raw(sv[0], &type, sizeof(type), 0, n);
		assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), &fd), -1);
		assert_int_equal(errno, EMSGSIZE);
		assert_int_equal(fd, -1);
		assert_int_equal(descriptors(), before);
	}
}

static void
body_above_max_is_refused_and_its_descriptor_closed(void **state)
{
	int *sv = *state, before = descriptors(), fd = 99;
	uint32_t type;
	char body[8];

	assert_int_equal(msg_send(sv[0], 1, "123456789", 9, 0), 0);
	assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), &fd), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(fd, -1);
	assert_int_equal(descriptors(), before);

	/* A body where none may be. */
	assert_int_equal(msg_send(sv[0], 1, "1", 1, -1), 0);
	assert_int_equal(msg_recv(sv[1], &type, NULL, 0, NULL), -1);
	assert_int_equal(errno, EMSGSIZE);
}

static void
packet_without_a_whole_type_is_refused(void **state)
{
	int *sv = *state, before = descriptors(), fd = 99;
	uint32_t type;
	char body[8];
	size_t len;

	for (len = 1; len < sizeof(type); len++) {
		send_raw(sv[0], "abc", len, 0, 1);
		assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), &fd), -1);
		assert_int_equal(errno, EMSGSIZE);
		assert_int_equal(fd, -1);
		assert_int_equal(descriptors(), before);
	}
}

static void
peer_that_has_gone_is_a_reset(void **state)
{
	int *sv = *state, fd = 99;
	uint32_t type;
	char body[8];

	assert_int_equal(msg_send(sv[0], 3, "x", 1, -1), 0);
	shutdown(sv[0], SHUT_WR);
	/* What was sent before still arrives. */
	assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), NULL), 1);
	assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), &fd), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(fd, -1);
}

static void
empty_packet_is_a_reset(void **state)
{
	int *sv = *state, before = descriptors(), fd = 99;
	uint32_t type;
	char body[8];

	send_raw(sv[0], "", 0, 0, 1);
	assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), &fd), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(fd, -1);
	assert_int_equal(descriptors(), before);
}

static void
sending_to_nobody_fails_without_a_signal(void **state)
{
	int *sv = *state;

	/* SIGPIPE has its default action here: it would end the test. */
	signal(SIGPIPE, SIG_DFL);
	close(sv[1]);
	assert_int_equal(msg_send(sv[0], 1, "x", 1, -1), -1);
	assert_int_equal(errno, EPIPE);
	sv[1] = dup(sv[0]);
}

static void
descriptor_that_is_none_is_not_sent(void **state)
{
	int *sv = *state;

	assert_int_equal(msg_send(sv[0], 1, "x", 1, 9999), -1);
	assert_int_equal(errno, EBADF);
}

static void
receiver_without_room_for_the_descriptor_is_told(void **state)
{
	int *sv = *state, status;
	pid_t pid;

	assert_int_equal(msg_send(sv[0], 1, "x", 1, 0), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		struct rlimit none = { 0, 0 };
		uint32_t type;
		char body[8];
		int fd;

		setrlimit(RLIMIT_NOFILE, &none);
		_exit(msg_recv(sv[1], &type, body, sizeof(body), &fd) == -1 && fd == -1 ? errno
											: 255);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EMFILE);
}

static void
interrupt(int sig)
{
	(void)sig;
}

static void
signals_do_not_interrupt(void **state)
{
	struct sigaction sa = { .sa_handler = interrupt };
	int *sv = *state, status;
	uint32_t type;
	char body[8];
	pid_t pid;

	sigaction(SIGUSR1, &sa, NULL);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		int i;

		/* Most of these find the parent waiting. */
		for (i = 0; i < 50; i++) {
			kill(getppid(), SIGUSR1);
			usleep(1000);
		}
		_exit(msg_send(sv[0], 5, "x", 1, -1) == 0 ? 0 : 1);
	}
	assert_int_equal(msg_recv(sv[1], &type, body, sizeof(body), NULL), 1);
	assert_int_equal(type, 5);
	while (waitpid(pid, &status, 0) == -1)
		assert_int_equal(errno, EINTR);
	assert_int_equal(status, 0);
	signal(SIGUSR1, SIG_DFL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, pair, unpair)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(type_and_body_arrive),
		TEST(packets_stay_apart),
		TEST(body_may_be_empty),
		TEST(body_may_be_as_long_as_max),
		TEST(descriptor_comes_along_close_on_exec),
		TEST(unwanted_descriptor_is_closed),
		TEST(more_than_one_descriptor_is_refused_and_closed),
		TEST(body_above_max_is_refused_and_its_descriptor_closed),
		TEST(packet_without_a_whole_type_is_refused),
		TEST(peer_that_has_gone_is_a_reset),
		TEST(empty_packet_is_a_reset),
		TEST(sending_to_nobody_fails_without_a_signal),
		TEST(descriptor_that_is_none_is_not_sent),
		TEST(receiver_without_room_for_the_descriptor_is_told),
		TEST(signals_do_not_interrupt),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
