/*
 * Messages: packets of any length with any number of descriptors. What is
 * received is what was sent or is refused by the rules of msg.h, and no
 * descriptor is left behind.
 *
 * Input: packets: how many descriptors (modulo 4; 128 and more: none is
 * expected), the room for the body, the length, the bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "msg.h"

const char fuzz_name[] = "msg";

/* Sends bytes with n times the descriptor fd. */
static void
send_packet(int sock, const uint8_t *bytes, size_t len, int fd, unsigned n)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)bytes, len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (n > 0) {
		hdr.msg_control = control;
		hdr.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (unsigned i = 0; i < n; i++)
			memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &fd, sizeof(int));
	}
	CHECK(sendmsg(sock, &hdr, MSG_NOSIGNAL) == (ssize_t)len);
}

static void
check_received(
    int sock, const uint8_t *bytes, size_t len, unsigned descriptors, bool wanted, size_t max)
{
	uint8_t *body = fuzz_room(max);
	uint32_t type = 0;
	int fd = -2;
	ssize_t n = msg_recv(sock, &type, body, max, wanted ? &fd : NULL);

	if (len == 0) {
		CHECK(n == -1 && errno == ECONNRESET);
	} else if (len < sizeof(type) || len - sizeof(type) > max || (wanted && descriptors > 1)) {
		CHECK(n == -1 && errno == EMSGSIZE);
	} else {
		CHECK(
		    n == (ssize_t)(len - sizeof(type)) && memcmp(&type, bytes, sizeof(type)) == 0);
		CHECK(n == 0 || memcmp(body, bytes + sizeof(type), (size_t)n) == 0);
		CHECK(!wanted || (fd >= 0) == (descriptors == 1));
	}
	CHECK(!wanted || fd >= -1);
	if (wanted && fd != -1) {
		CHECK(n != -1 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
		close(fd);
	}
	free(body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned before = fuzz_descriptors();
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	while (size > 0) {
		unsigned flags = fuzz_byte(&data, &size);
		size_t max = fuzz_byte(&data, &size), len = fuzz_byte(&data, &size);

		if (len > size)
			len = size;
		send_packet(pair[0], data, len, pair[0], flags % 4);
		check_received(pair[1], data, len, flags % 4, flags < 128, max);
		/* and by msg_send(), with the length as the type */
		CHECK(msg_send(pair[0], (uint32_t)len, data, len, flags % 2 ? pair[0] : -1) == 0);
		CHECK(recv(pair[1], (uint8_t[300]){ 0 }, 300, MSG_DONTWAIT) == (ssize_t)(len + 4));
		data += len;
		size -= len;
	}
	close(pair[0]);
	close(pair[1]);
	CHECK(fuzz_descriptors() == before);
	return 0;
}
