/*
 * The server-DTP.
 */
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ascii.h"
#include "ask.h"
#include "log.h"
#include "session.h"
#include "tls.h"
#include "trial.h"

/* What one call moves at most; the socket's buffer is the real measure. */
#define CHUNK (4 << 20)

/* Of small steps, one: half of what the loopback device takes at once. */
#define STEP (32 << 10)

/* The pipe between socket and file; the kernel's limit for everyone is 1 MiB. */
#define PIPE_SIZE (1 << 20)

/* One step through a buffer. The peer is woken up at each, which costs more than the bytes do. */
#define COPY_SIZE (256 << 10)

/* Of a file as it is, both the buffer and what the socket makes of it are to stay in a processor's cache. */
#define FILE_STEP (128 << 10)

/* A download up to here is copied for less than sendfile(2) costs, an upload for less than a pipe. */
#define SMALL_OUT (32 << 10)
#define SMALL_IN  (256 << 10)

/* No such point: all that there is. */
#define ALL INT64_MAX

/* How long a client may take to say TLS's goodbye after a download; it has got everything. */
#define GOODBYE_SECONDS 1

/* Of the one transfer that a session has at a time; twice the size for CRs. */
static char copy_in[COPY_SIZE];
static char copy_out[2 * COPY_SIZE];

_Static_assert(sizeof(copy_out) >= NAMES_ROWS_OUT && COPY_SIZE >= NAMES_ROWS, "no room for rows");

/* Of the session: what its first large downloads have shown holds for the next ones. */
static struct trial trial;

/* Nanoseconds of a clock. */
static int64_t
clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* How many bytes the peer has taken; 0 for what is no TCP connection. */
static uint64_t
taken_by_peer(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_bytes_acked : 0;
}

/*
 * Waits for fd; TRANSFER_DONE means: go on. What has been sent may lie in the kernel's
 * buffer for longer than TimeoutStalled: while a slow client takes of it, bytes move.
 */
static enum transfer_result
wait_for(struct session *s, int fd, short events)
{
	for (;;) {
		uint64_t before = events == POLLOUT ? taken_by_peer(fd) : 0;

		switch (session_wait(s, fd, events, deadline_in(s->conf->timeout_stalled))) {
		case WAIT_READY:
			return TRANSFER_DONE;
		case WAIT_ABORTED:
			return TRANSFER_ABORTED;
		case WAIT_TIMED_OUT:
			if (events == POLLOUT && taken_by_peer(fd) != before)
				continue;
			return TRANSFER_STALLED;
		case WAIT_CLOSED:
			return TRANSFER_CLOSED;
		}
	}
}

/* Serves the control connection without waiting for anything. */
static enum transfer_result
look_at_control(struct session *s)
{
	switch (session_wait(s, -1, 0, clock_ms())) {
	case WAIT_ABORTED:
		return TRANSFER_ABORTED;
	case WAIT_CLOSED:
		return TRANSFER_CLOSED;
	default:
		return TRANSFER_DONE;
	}
}

/* Waits for bytes of the data connection; those that TLS has taken already count. */
static enum transfer_result
wait_for_bytes(struct session *s, struct transfer *t)
{
	return t->tls != NULL && tls_pending(t->tls) ? look_at_control(s) : wait_for(s, t->data, POLLIN);
}

/* A file goes as it is, so the number of bytes on the wire is known. */
static bool
is_plain(const struct transfer *t)
{
	return !t->ascii && !t->pipe;
}

static ssize_t
send_some(struct transfer *t, const char *bytes, size_t len)
{
	/* the connection is closed behind a file's last bytes: one segment for both */
	const int more = is_plain(t) && t->bytes + (int64_t)len == t->size ? MSG_MORE : 0;

	return t->tls != NULL ? tls_write(t->tls, bytes, len)
	                      : send(t->data, bytes, len, MSG_NOSIGNAL | more);
}

static ssize_t
receive_some(struct transfer *t, char *bytes, size_t len)
{
	return t->tls != NULL ? tls_read(t->tls, bytes, len) : recv(t->data, bytes, len, 0);
}

/* How long a part of a shared TransferRate holds, in milliseconds: the others' slots are that old. */
#define SHARE 1000

/* A TransferRate that the user's transfers share: others may have begun or ended. */
static void
share(struct session *s, struct transfer *t)
{
	int64_t now = clock_ms();

	if (!t->shared || now < t->shares)
		return;
	t->shares = now + SHARE;
	pace_change(&t->pace, ask_rate(s, t->direction == SEND), t->bytes, now);
}

/*
 * Waits until TransferRate allows some of *max bytes, which becomes how many. The control
 * connection is served meanwhile.
 */
static enum transfer_result
wait_turn(struct session *s, struct transfer *t, size_t *max)
{
	int64_t when;
	size_t n;

	share(s, t);
	while ((n = pace_room(&t->pace, t->bytes, *max, clock_ms(), &when)) == 0 && *max > 0)
		switch (session_wait(s, -1, 0, when)) {
		case WAIT_READY:
		case WAIT_TIMED_OUT:
			break;
		case WAIT_ABORTED:
			return TRANSFER_ABORTED;
		case WAIT_CLOSED:
			return TRANSFER_CLOSED;
		}
	*max = n;
	return TRANSFER_DONE;
}

static bool
is_passing(int error)
{
	return error == EAGAIN || error == EINTR;
}

/* Which end of a sendfile(2) or splice(2) has failed is told by the error alone. */
static enum transfer_result
whose_fault(int error)
{
	switch (error) {
	case EPIPE:
	case ECONNRESET:
	case ECONNABORTED:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case ENOTCONN:
		return TRANSFER_LOST;
	default:
		return TRANSFER_FILE_ERROR;
	}
}

/* The data connection has failed; without TLS's own end it may have been cut off by somebody. */
static enum transfer_result
lost(const struct session *s, int error)
{
	if (error != ENODATA)
		return TRANSFER_LOST;
	log_info("a data connection ended without TLS's close_notify%s",
	    s->conf->tls_strict_eof ? "" : " (TLSStrictEOF off)");
	return s->conf->tls_strict_eof ? TRANSFER_CUT : TRANSFER_DONE;
}

/* How much of max may still be moved: a file has its size, RANG sets a limit. */
static size_t
room(const struct transfer *t, size_t max)
{
	int64_t left = t->size - t->bytes;

	return t->size >= 0 && left < (int64_t)max ? (size_t)left : max;
}

static enum transfer_result
send_all(struct session *s, struct transfer *t, const char *bytes, size_t len)
{
	enum transfer_result r;

	while (len > 0) {
		ssize_t n = send_some(t, bytes, len);

		if (n >= 0) {
			bytes += n;
			len -= (size_t)n;
			t->bytes += n;
		} else if (!is_passing(errno)) {
			return TRANSFER_LOST;
		} else if ((r = wait_for(s, t->data, POLLOUT)) != TRANSFER_DONE) {
			return r;
		}
	}
	return TRANSFER_DONE;
}

/* What there is to wait for before more is read. */
static enum transfer_result
wait_for_more(struct session *s, struct transfer *t)
{
	if (t->pipe)
		return wait_for(s, t->file, POLLIN);
	/* a file is read and converted while its bytes before are on the way */
	return t->bytes == 0 ? TRANSFER_DONE : look_at_control(s);
}

/* File or pipe to data connection through a buffer. A file as it is: up to so many bytes at least. */
static enum transfer_result
pump_out(struct session *s, struct transfer *t, int64_t until)
{
	bool convert = t->pipe && names_convert(s);
	struct ascii ascii = { 0 };

	if (convert)
		names_rows_begin();
	while (!is_plain(t) || (t->bytes < until && t->bytes < t->size)) {
		size_t max = convert ? NAMES_ROWS : t->ascii ? sizeof(copy_in) : room(t, FILE_STEP);
		enum transfer_result r = wait_for_more(s, t);
		ssize_t n;

		if (r != TRANSFER_DONE || (r = wait_turn(s, t, &max)) != TRANSFER_DONE)
			return r;
		n = read(t->file, copy_in, max);
		if (n == 0)
			return is_plain(t) ? TRANSFER_SHORT : TRANSFER_DONE;
		if (n == -1 && is_passing(errno))
			continue;
		if (n == -1)
			return TRANSFER_FILE_ERROR;
		if (t->ascii)
			r = send_all(s, t, copy_out, ascii_to_net(&ascii, copy_in, (size_t)n, copy_out));
		else if (convert)
			r = send_all(s, t, copy_out, names_rows(s, copy_in, (size_t)n, copy_out));
		else
			r = send_all(s, t, copy_in, (size_t)n);
		if (r != TRANSFER_DONE)
			return r;
	}
	return TRANSFER_DONE;
}

/* A listing's rows as they are: from the pipe to the data connection by the kernel. */
static enum transfer_result
pump_rows(struct session *s, struct transfer *t)
{
	for (;;) {
		enum transfer_result r = wait_for(s, t->file, POLLIN);
		size_t max = PIPE_SIZE;
		ssize_t n;

		if (r != TRANSFER_DONE || (r = wait_turn(s, t, &max)) != TRANSFER_DONE)
			return r;
		n = splice(t->file, NULL, t->data, NULL, max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n == 0)
			return TRANSFER_DONE;
		if (n > 0)
			t->bytes += n;
		else if (t->bytes == 0 && errno == EINVAL)
			return pump_out(s, t, ALL); /* a data connection without it */
		else if (!is_passing(errno))
			return whose_fault(errno);
		else if ((r = wait_for(s, t->data, POLLOUT)) != TRANSFER_DONE)
			return r;
	}
}

/* By sendfile(2), at most step bytes at once. */
static enum transfer_result
pump_sendfile(struct session *s, struct transfer *t, int64_t until, size_t step)
{
	while (t->bytes < until && t->bytes < t->size) {
		size_t max = room(t, step);
		enum transfer_result r = wait_turn(s, t, &max);
		ssize_t n;

		if (r != TRANSFER_DONE)
			return r;
		n = sendfile(t->data, t->file, NULL, max);
		if (n > 0)
			t->bytes += n;
		if (t->bytes == t->size)
			break;
		if (n == 0)
			return TRANSFER_SHORT;
		if (n == -1 && (errno == EINVAL || errno == ENOSYS)) {
			trial_settle(&trial, WAY_COPY); /* a file system without it */
			break;
		}
		if (n == -1 && !is_passing(errno))
			return whose_fault(errno);
		if ((r = wait_for(s, t->data, POLLOUT)) != TRANSFER_DONE)
			return r;
	}
	return TRANSFER_DONE;
}

/* A file, as it is, to the data connection in the fastest way. */
static enum transfer_result
pump_file(struct session *s, struct transfer *t)
{
	enum transfer_result r = TRANSFER_DONE;

	if (t->size <= SMALL_OUT)
		return pump_out(s, t, ALL);
	while (r == TRANSFER_DONE && t->bytes < t->size) {
		const int64_t from = t->bytes, until = trial_until(&trial, from);
		const int64_t began = clock_ns(CLOCK_MONOTONIC);
		const int64_t busy = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		const enum way way = trial_way(&trial);

		r = way == WAY_COPY ? pump_out(s, t, until)
		                    : pump_sendfile(s, t, until, way == WAY_STEPS ? STEP : CHUNK);
		trial_note(&trial, t->bytes - from, clock_ns(CLOCK_MONOTONIC) - began,
		    clock_ns(CLOCK_PROCESS_CPUTIME_ID) - busy);
	}
	return r;
}

/* All that RANG announced has come: the end must follow. */
static enum transfer_result
expect_end(struct session *s, struct transfer *t)
{
	enum transfer_result r;
	char c;

	while ((r = wait_for_bytes(s, t)) == TRANSFER_DONE) {
		ssize_t n = receive_some(t, &c, 1);

		if (n >= 0)
			return n == 0 ? TRANSFER_DONE : TRANSFER_LONG;
		if (!is_passing(errno))
			return lost(s, errno);
	}
	return r;
}

static enum transfer_result
write_all(struct transfer *t, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(t->file, bytes, len);

		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			return TRANSFER_FILE_ERROR;
		}
	}
	return TRANSFER_DONE;
}

/* Data connection to file through a buffer. */
static enum transfer_result
pump_in(struct session *s, struct transfer *t)
{
	struct ascii ascii = { 0 };

	while (t->bytes != t->size) {
		enum transfer_result r = wait_for_bytes(s, t);
		size_t max = room(t, sizeof(copy_in));
		ssize_t n;

		if (r != TRANSFER_DONE || (r = wait_turn(s, t, &max)) != TRANSFER_DONE)
			return r;
		n = receive_some(t, copy_in, max);
		if (n == 0 && t->size >= 0)
			return TRANSFER_SHORT;
		if (n == 0)
			return write_all(t, copy_out, ascii_from_net_end(&ascii, copy_out));
		if (n == -1 && is_passing(errno))
			continue;
		if (n == -1 && (r = lost(s, errno)) != TRANSFER_DONE)
			return r;
		if (n == -1)
			return write_all(t, copy_out, ascii_from_net_end(&ascii, copy_out));
		t->bytes += n;
		if (t->ascii)
			r = write_all(t, copy_out, ascii_from_net(&ascii, copy_in, (size_t)n, copy_out));
		else
			r = write_all(t, copy_in, (size_t)n);
		if (r != TRANSFER_DONE)
			return r;
	}
	return expect_end(s, t);
}

/* Empties the pipe into the file: n bytes. */
static enum transfer_result
drain(struct transfer *t, int pipe, size_t n)
{
	while (n > 0) {
		ssize_t moved = splice(pipe, NULL, t->file, NULL, n, SPLICE_F_MOVE);

		if (moved > 0)
			n -= (size_t)moved;
		else if (moved == 0 || errno != EINTR)
			return TRANSFER_FILE_ERROR;
	}
	return TRANSFER_DONE;
}

static enum transfer_result
splice_through(struct session *s, struct transfer *t, const int pipe[2])
{
	while (t->bytes != t->size) {
		size_t max = room(t, PIPE_SIZE), got = 0;
		enum transfer_result r = wait_turn(s, t, &max);
		ssize_t n;
		int error;

		if (r != TRANSFER_DONE)
			return r;
		/* while a part is taken more comes: few large steps cost much less than many small ones */
		do {
			n = splice(t->data, NULL, pipe[1], NULL, max - got,
			    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
			got += n > 0 ? (size_t)n : 0;
		} while (n > 0 && got < max);
		error = errno;
		t->bytes += (int64_t)got;
		if ((r = drain(t, pipe[0], got)) != TRANSFER_DONE)
			return r;
		if (n == 0)
			return t->size >= 0 ? TRANSFER_SHORT : TRANSFER_DONE;
		if (n == -1 && !is_passing(error)) {
			errno = error;
			return whose_fault(error);
		}
		if ((r = wait_for(s, t->data, POLLIN)) != TRANSFER_DONE)
			return r;
	}
	return expect_end(s, t);
}

/* True if splice(2) into this file works: some file systems refuse it. */
static bool
can_splice(const struct transfer *t, const int pipe[2])
{
	/* nothing is in the pipe: EAGAIN says yes, EINVAL no */
	return splice(pipe[0], NULL, t->file, NULL, 1, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN;
}

/*
 * The first bytes, through a buffer: most files are small, and the calls around
 * a pipe would cost more than a copy. True when that was all, *r being the result.
 */
static bool
pump_small(struct session *s, struct transfer *t, enum transfer_result *r)
{
	while (t->bytes < SMALL_IN && t->bytes != t->size) {
		size_t max = room(t, sizeof(copy_in));
		ssize_t n;

		if ((*r = wait_turn(s, t, &max)) != TRANSFER_DONE)
			return true;
		n = recv(t->data, copy_in, max, 0);
		if (n == 0)
			*r = t->size >= 0 ? TRANSFER_SHORT : TRANSFER_DONE;
		else if (n == -1 && is_passing(errno))
			*r = wait_for(s, t->data, POLLIN);
		else if (n == -1)
			*r = TRANSFER_LOST;
		else
			*r = write_all(t, copy_in, (size_t)n);
		if (n > 0)
			t->bytes += n;
		if (n == 0 || *r != TRANSFER_DONE)
			return true;
	}
	if (t->bytes == t->size)
		*r = expect_end(s, t);
	return t->bytes == t->size;
}

static enum transfer_result
pump_splice(struct session *s, struct transfer *t)
{
	enum transfer_result r;
	int pipe[2], error;

	if (pump_small(s, t, &r))
		return r;
	if (pipe2(pipe, O_CLOEXEC) == -1)
		return pump_in(s, t);
	fcntl(pipe[1], F_SETPIPE_SZ, PIPE_SIZE); /* fails above a user's share: smaller steps then */
	r = can_splice(t, pipe) ? splice_through(s, t, pipe) : pump_in(s, t);
	error = errno;
	close(pipe[0]);
	close(pipe[1]);
	errno = error;
	return r;
}

/* All has been written: TLS's end goes behind it, and the peer's is awaited, but not for long. */
static enum transfer_result
finish_tls(struct session *s, struct transfer *t)
{
	int64_t end = deadline_in(GOODBYE_SECONDS);
	enum transfer_result r;
	char c;

	while (tls_close(t->tls) == -1) {
		if (!is_passing(errno))
			return TRANSFER_LOST;
		if ((r = wait_for(s, t->data, POLLOUT)) != TRANSFER_DONE)
			return r;
	}
	shutdown(t->data, SHUT_WR);
	while (tls_read(t->tls, &c, 1) == -1 && errno == EAGAIN)
		if (session_wait(s, t->data, POLLIN, end) != WAIT_READY)
			break;
	return TRANSFER_DONE;
}

static enum transfer_result
move_all(struct session *s, struct transfer *t)
{
	if (t->direction == SEND && t->pipe && t->tls == NULL && !names_convert(s))
		return pump_rows(s, t);
	if (t->direction == SEND)
		return is_plain(t) && t->tls == NULL ? pump_file(s, t) : pump_out(s, t, ALL);
	return t->ascii || t->tls != NULL ? pump_in(s, t) : pump_splice(s, t);
}

enum transfer_result
transfer_run(struct session *s, struct transfer *t)
{
	enum transfer_result r = move_all(s, t);

	if (t->tls == NULL || r != TRANSFER_DONE)
		return r;
	if (t->direction == SEND)
		return finish_tls(s, t);
	(void)tls_close(t->tls);
	return r;
}
