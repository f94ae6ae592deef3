/*
 * The whole session against a small world (fake_ask.c): whatever a client sends
 * and however it is cut, session_run() returns, each command has exactly one
 * final reply, replies are whole lines, and no descriptor is left. That it links
 * at all proves the wall: nothing of the monitor is needed.
 *
 * Input: what the client sends; IAC NOP (0xFF 0xF1) stands for the end of a
 * packet and is not sent. QUIT follows. With FUZZ_SHOW in the environment the
 * replies are shown.
 */
#include <signal.h>
#include <stdbool.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_ask.h"
#include "fuzz.h"
#include "linebuf.h"
#include "session/session.h"

const char fuzz_name[] = "session";

#define MAX     6000 /* less than LINEBUF_SIZE: nothing is cut, whatever is queued */
#define PACKET  1500
#define PACKETS 100
#define LAST    "\r\nQUIT\r\n"

/* Sends the input in packets, which the session's reads do not join; counts it into lb. */
static void
send_input(int sock, const uint8_t *in, size_t n, struct linebuf *lb)
{
	for (unsigned packets = 0; n > 0; packets++) {
		const uint8_t *mark = packets < PACKETS ? memmem(in, n, "\xff\xf1", 2) : NULL;
		size_t len = mark == NULL ? n : (size_t)(mark - in);

		if (len > PACKET)
			len = PACKET;
		if (len > 0) {
			CHECK(send(sock, in, len, MSG_DONTWAIT) == (ssize_t)len);
			linebuf_feed(lb, in, len);
		}
		len += in + len == mark ? 2 : 0;
		in += len;
		n -= len;
	}
	shutdown(sock, SHUT_WR);
}

/* True if the session ends here: QUIT, or a web browser. */
static bool
is_last(const char *line)
{
	static const char *const http[] = { "GET", "POST", "HEAD", "PUT", "OPTIONS", "CONNECT" };
	size_t verb = strcspn(line, " ");

	for (size_t i = 0; i < sizeof(http) / sizeof(http[0]); i++)
		if (strlen(http[i]) == verb && strncmp(line, http[i], verb) == 0)
			return true;
	return verb == 4 && strncasecmp(line, "QUIT", 4) == 0 &&
	    (line[4] == '\0' || line[5] == '\0');
}

/* How many replies the lines in lb are worth. */
static unsigned
count_commands(struct linebuf *lb)
{
	enum linebuf_result result;
	unsigned n = 0;
	char *line;

	while ((result = linebuf_next(lb, &line)) != LINEBUF_NONE) {
		if (result == LINEBUF_LINE_OK && is_last(line))
			return n + (line[0] == 'Q' || line[0] == 'q');
		if (result != LINEBUF_LINE_OK || line[0] != '\0')
			n++;
	}
	return n;
}

static void
check_replies(int out, struct linebuf *lb)
{
	off_t size = lseek(out, 0, SEEK_CUR);
	char *bytes = fuzz_room((size_t)size);
	unsigned final, commands = count_commands(lb);
	int code;

	CHECK(pread(out, bytes, (size_t)size, 0) == size);
	final = fuzz_replies(bytes, (size_t)size, &code);
	if (getenv("FUZZ_SHOW") != NULL)
		fprintf(stderr, "%.*s%u replies, %u commands\n", (int)size, bytes, final, commands);
	CHECK(final == commands || (code == 421 && final < commands));
	free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int large = 1 << 20;
	static struct linebuf lb;
	static struct conf conf;
	static int out = -1;
	uint8_t in[MAX + sizeof(LAST)];
	struct client client = { 0 };
	int control[2], monitor[2];
	unsigned before;

	if (out == -1) {
		CHECK((out = memfd_create("replies", MFD_CLOEXEC)) != -1);
		signal(SIGPIPE, SIG_IGN); /* as main does */
		conf_init(&conf);
		conf.timeout_stalled = 1; /* whatever waits shall not wait long */
		conf.anonymous = true;
	}
	before = fuzz_descriptors();
	CHECK(ftruncate(out, 0) == 0 && lseek(out, 0, SEEK_SET) == 0);
	CHECK(netaddr_parse(FAKE_PEER, &client.peer) == 0);
	client.local = client.peer;
	/* not a stream: each packet is a read of its own; and replies never fill a memfd */
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, monitor) == 0);
	setsockopt(control[0], SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
	client.in = control[1];
	client.out = out;

	linebuf_init(&lb);
	if (size > MAX)
		size = MAX;
	memcpy(in, data, size);
	memcpy(in + size, LAST, strlen(LAST));
	fake_ask_begin();
	send_input(control[0], in, size + strlen(LAST), &lb);
	session_run(&conf, &client, monitor[0], NULL);
	check_replies(out, &lb);
	fake_ask_end();
	close(control[0]);
	close(control[1]);
	close(monitor[0]);
	close(monitor[1]);
	CHECK(fuzz_descriptors() == before);
	return 0;
}
