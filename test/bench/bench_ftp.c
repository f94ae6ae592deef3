/*
 * The client's side of FTP, and the hash.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HASH_PRIME 0x9e3779b97f4a7c15u

const char *ftp_user = "anonymous", *ftp_password = "bench@example.net";
int ftp_wants_tls;

void
fail(const char *fmt, ...)
{
	va_list ap;

	printf("{\"error\": \"");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\"}\n");
	exit(1);
}

double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct blob
load(const char *path)
{
	struct blob b = { 0 };
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;

	if (fd == -1 || fstat(fd, &st) == -1)
		fail("%s: %s", path, strerror(errno));
	b.len = (size_t)st.st_size;
	if ((b.bytes = malloc(b.len + 1)) == NULL)
		fail("memory");
	while (done < b.len) {
		ssize_t n = read(fd, b.bytes + done, b.len - done);

		if (n <= 0)
			fail("%s: cannot be read", path);
		done += (size_t)n;
	}
	close(fd);
	return b;
}

void
hash_begin(struct hash *h)
{
	memset(h, 0, sizeof(*h));
	for (unsigned i = 0; i < HASH_BLOCK / 8; i++)
		h->lane[i] = i + 1;
}

static void
hash_blocks(struct hash *h, const unsigned char *p, size_t blocks)
{
	uint64_t lane[HASH_BLOCK / 8], word[HASH_BLOCK / 8];

	memcpy(lane, h->lane, sizeof(lane));
	for (; blocks > 0; blocks--, p += HASH_BLOCK) {
		memcpy(word, p, sizeof(word));
		for (unsigned i = 0; i < HASH_BLOCK / 8; i++)
			lane[i] = (lane[i] ^ word[i]) * HASH_PRIME;
	}
	memcpy(h->lane, lane, sizeof(lane));
}

void
hash_add(struct hash *h, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	h->len += len;
	if (h->nrest > 0) {
		size_t n = HASH_BLOCK - h->nrest < len ? HASH_BLOCK - h->nrest : len;

		memcpy(h->rest + h->nrest, p, n);
		h->nrest += n;
		p += n;
		len -= n;
		if (h->nrest < HASH_BLOCK)
			return;
		hash_blocks(h, h->rest, 1);
		h->nrest = 0;
	}
	hash_blocks(h, p, len / HASH_BLOCK);
	h->nrest = len % HASH_BLOCK;
	memcpy(h->rest, p + len - h->nrest, h->nrest);
}

uint64_t
hash_end(struct hash *h)
{
	uint64_t sum = h->len * HASH_PRIME;

	memset(h->rest + h->nrest, 0, HASH_BLOCK - h->nrest);
	hash_blocks(h, h->rest, 1);
	for (unsigned i = 0; i < HASH_BLOCK / 8; i++) {
		sum = (sum ^ h->lane[i]) * HASH_PRIME;
		sum ^= sum >> 29;
	}
	return sum;
}

static int
connect_to(unsigned port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = BENCH_PATIENCE };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd == -1)
		fail("socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		fail("connect to port %u: %s", port, strerror(errno));
	return fd;
}

void
ftp_send(struct ftp *f, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 2, fmt, ap);
	va_end(ap);
	memcpy(line + n, "\r\n", 2);
	if (f->tls != NULL) {
		tls_write(f->tls, line, (size_t)n + 2);
		return;
	}
	if (write(f->fd, line, (size_t)n + 2) != n + 2)
		fail("control connection: %s", strerror(errno));
}

/* One line without its end; false at the end of the connection. */
static int
read_line(struct ftp *f, char line[static 1024])
{
	size_t n = 0;

	for (;;) {
		while (f->at < f->len) {
			char c = f->in[f->at++];

			if (c == '\n') {
				line[n] = '\0';
				return 1;
			}
			if (c != '\r' && c != '"' && c != '\\' && n < 1023)
				line[n++] = c;
		}
		ssize_t got = f->tls != NULL ? tls_read(f->tls, f->in, sizeof(f->in))
		                             : read(f->fd, f->in, sizeof(f->in));

		if (got <= 0)
			return 0;
		f->at = 0;
		f->len = (size_t)got;
	}
}

int
ftp_reply(struct ftp *f, char line[static 1024])
{
	char code[4] = "";

	do {
		if (!read_line(f, line))
			fail("the server has closed, or said nothing for %d s", BENCH_PATIENCE);
		if (code[0] == '\0') {
			memcpy(code, line, 3);
			code[3] = '\0';
			if (line[0] != '\0' && line[3] != '-')
				break;
		}
	} while (strncmp(line, code, 3) != 0 || line[3] == '-');
	return atoi(code);
}

void
ftp_expect(struct ftp *f, char digit)
{
	char line[1024];

	ftp_reply(f, line);
	if (line[0] != digit)
		fail("%c.. was expected, this came: %s", digit, line);
}

void
ftp_command(struct ftp *f, char digit, const char *command)
{
	ftp_send(f, "%s", command);
	ftp_expect(f, digit);
}

void
ftp_connect(struct ftp *f, unsigned port)
{
	f->at = f->len = 0;
	f->tls = NULL;
	f->fd = connect_to(port);
	ftp_expect(f, '2');
	if (ftp_wants_tls) {
		ftp_command(f, '2', "AUTH TLS");
		f->tls = tls_begin(f->fd, NULL);
	}
}

void *
ftp_secure(struct ftp *f, int data)
{
	return f->tls == NULL ? NULL : tls_begin(data, f->tls);
}

void
ftp_login(struct ftp *f)
{
	char line[1024];

	ftp_send(f, "USER %s", ftp_user);
	if (ftp_reply(f, line) == 230)
		return;
	if (line[0] != '3')
		fail("USER: %s", line);
	ftp_send(f, "PASS %s", ftp_password);
	ftp_expect(f, '2');
}

int
ftp_passive(struct ftp *f)
{
	char line[1024], *open;
	unsigned a, b, c, d, high, low;

	ftp_send(f, "PASV");
	if (ftp_reply(f, line) != 227)
		fail("PASV: %s", line);
	open = strpbrk(line + 4, "(0123456789");
	if (open != NULL && *open != '(' && strchr(open, '(') != NULL)
		open = strchr(open, '(');
	if (open == NULL ||
	    sscanf(open + (*open == '('), "%u,%u,%u,%u,%u,%u", &a, &b, &c, &d, &high, &low) != 6)
		fail("PASV: %s", line);
	return connect_to(high << 8 | low);
}

void
ftp_quit(struct ftp *f)
{
	char line[1024];

	ftp_command(f, '2', "QUIT");
	while (read_line(f, line))
		;
	if (f->tls != NULL)
		tls_end(f->tls);
	close(f->fd);
}
