/*
 * Messages with at most one descriptor over a SOCK_SEQPACKET socket.
 */
#include "msg.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Aligned room for the control message of one descriptor. */
union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

int
msg_send(int sock, uint32_t type, const void *body, size_t len, int fd)
{
	struct iovec iov[2] = {
		{ .iov_base = &type,        .iov_len = sizeof(type) },
		{ .iov_base = (void *)body, .iov_len = len          },
	};
	struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = len > 0 ? 2 : 1 };
	union control control;
	struct cmsghdr *cmsg;
	ssize_t n;

	if (fd != -1) {
		memset(&control, 0, sizeof(control));
		hdr.msg_control = control.buf;
		hdr.msg_controllen = sizeof(control.buf);
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	do
		n = sendmsg(sock, &hdr, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

/*
 * Takes the descriptor out of the control message; true if there was none or
 * one. The room for one is padded to hold two, so two may come: both are closed.
 */
static bool
take_fd(struct msghdr *hdr, int *fd)
{
	struct cmsghdr *cmsg;
	unsigned got = 0;

	*fd = -1;
	for (cmsg = CMSG_FIRSTHDR(hdr); cmsg != NULL; cmsg = CMSG_NXTHDR(hdr, cmsg)) {
		size_t i, n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < n; i++) {
			int one;

			memcpy(&one, CMSG_DATA(cmsg) + i * sizeof(one), sizeof(one));
			if (got++ == 0)
				*fd = one;
			else
				close(one);
		}
	}
	if (got > 1) {
		close(*fd);
		*fd = -1;
	}
	return got <= 1;
}

ssize_t
msg_recv(int sock, uint32_t *type, void *body, size_t max, int *fd)
{
	struct iovec iov[2] = {
		{ .iov_base = type, .iov_len = sizeof(*type) },
		{ .iov_base = body, .iov_len = max           },
	};
	struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = max > 0 ? 2 : 1 };
	union control control;
	bool one = true;
	ssize_t n;

	/* Without room for a control message the kernel closes what comes along. */
	if (fd != NULL) {
		*fd = -1;
		hdr.msg_control = control.buf;
		hdr.msg_controllen = sizeof(control.buf);
	}
	do
		n = recvmsg(sock, &hdr, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	if (fd != NULL)
		one = take_fd(&hdr, fd);

	if (n == 0) {
		errno = ECONNRESET;
	} else if ((size_t)n < sizeof(*type) || (hdr.msg_flags & MSG_TRUNC) != 0 || !one) {
		errno = EMSGSIZE;
	} else if (fd != NULL && (hdr.msg_flags & MSG_CTRUNC) != 0) {
		/* One was sent, but this process may not have another. */
		errno = EMFILE;
	} else {
		return n - (ssize_t)sizeof(*type);
	}
	if (fd != NULL && *fd != -1) {
		close(*fd);
		*fd = -1;
	}
	return -1;
}
