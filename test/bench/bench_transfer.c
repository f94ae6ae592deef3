/*
 * Measurements of data connections. Each one verifies every byte that came
 * through, and prints one JSON object.
 */
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Small enough for the processor's cache, so that hashing costs little. */
#define BUFFER (256 << 10)

#define SMALL_FILES_MAX 1000

static char buffer[BUFFER];

static void
start_session(struct ftp *f, unsigned port, const char *type)
{
	ftp_connect(f, port);
	ftp_login(f);
	if (f->tls != NULL) {
		ftp_command(f, '2', "PBSZ 0");
		ftp_command(f, '2', "PROT P");
	}
	ftp_send(f, "TYPE %s", type);
	ftp_expect(f, '2');
}

/* recv(2), or TLS, that fails the measurement; 0 at the end. */
static size_t
receive_by(int fd, void *tls)
{
	ssize_t n = tls != NULL ? tls_read(tls, buffer, sizeof(buffer))
	                        : recv(fd, buffer, sizeof(buffer), 0);

	if (n == -1)
		fail("data connection: %s", strerror(errno));
	return (size_t)n;
}

static size_t
receive(int fd)
{
	return receive_by(fd, NULL);
}

/* retr TYPE REMOTE HASH: from the command to the last reply. */
void
do_retr(unsigned port, char **arg)
{
	struct ftp f;
	struct hash h;
	double begin, seconds;
	uint64_t sum;
	size_t n;
	void *tls;
	int data;

	start_session(&f, port, arg[0]);
	data = ftp_passive(&f);
	hash_begin(&h);
	begin = now();
	ftp_send(&f, "RETR %s", arg[1]);
	ftp_expect(&f, '1');
	tls = ftp_secure(&f, data);
	while ((n = receive_by(data, tls)) > 0)
		hash_add(&h, buffer, n);
	if (tls != NULL)
		tls_end(tls);
	close(data);
	ftp_expect(&f, '2');
	seconds = now() - begin;
	sum = hash_end(&h);
	if (sum != strtoull(arg[2], NULL, 16))
		fail("RETR of %s: %" PRIu64 " bytes came, and not the right ones", arg[1], h.len);
	printf("{\"seconds\": %.6f, \"bytes\": %" PRIu64 "}\n", seconds, h.len);
	hold();
	ftp_quit(&f);
}

static void
send_file(int data, int file, off_t size)
{
	off_t at = 0;

	while (at < size)
		if (sendfile(data, file, &at, (size_t)(size - at)) <= 0)
			fail(
			    "data connection after %lld bytes: %s", (long long)at, strerror(errno));
	close(data);
}

/* The same through TLS, which a kernel does not know. */
static void
send_through(void *tls, int data, int file)
{
	ssize_t n;

	while ((n = read(file, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n;)
			at += tls_write(tls, buffer + at, (size_t)(n - at));
	tls_end(tls);
	/* closed with session tickets unread, the connection would be reset */
	shutdown(data, SHUT_WR);
	while (read(data, buffer, sizeof(buffer)) > 0)
		;
	close(data);
}

static uint64_t
hash_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct hash h;
	ssize_t n;

	if (fd == -1)
		fail("%s: %s", path, strerror(errno));
	hash_begin(&h);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		hash_add(&h, buffer, (size_t)n);
	close(fd);
	return hash_end(&h);
}

/* stor REMOTE LOCAL HASH STORED: what was stored is read again, and removed. */
void
do_stor(unsigned port, char **arg)
{
	struct ftp f;
	struct stat st;
	double begin, seconds;
	void *tls;
	int data, file = open(arg[1], O_RDONLY | O_CLOEXEC);

	if (file == -1 || fstat(file, &st) == -1)
		fail("%s: %s", arg[1], strerror(errno));
	start_session(&f, port, "I");
	data = ftp_passive(&f);
	begin = now();
	ftp_send(&f, "STOR %s", arg[0]);
	ftp_expect(&f, '1');
	if ((tls = ftp_secure(&f, data)) != NULL) {
		send_through(tls, data, file);
	} else {
		send_file(data, file, st.st_size);
	}
	ftp_expect(&f, '2');
	seconds = now() - begin;
	ftp_quit(&f);
	if (hash_file(arg[3]) != strtoull(arg[2], NULL, 16))
		fail("STOR of %s: not what was sent", arg[0]);
	unlink(arg[3]);
	printf("{\"seconds\": %.6f, \"bytes\": %lld}\n", seconds, (long long)st.st_size);
}

void
fetch_and_compare(struct ftp *f, const char *remote, const struct blob *local)
{
	int data = ftp_passive(f);
	size_t n, len = 0;

	ftp_send(f, "RETR %s", remote);
	ftp_expect(f, '1');
	while ((n = receive(data)) > 0) {
		if (len + n > local->len || memcmp(local->bytes + len, buffer, n) != 0)
			fail("RETR of %s: not the right bytes", remote);
		len += n;
	}
	close(data);
	ftp_expect(f, '2');
	if (len != local->len)
		fail("RETR of %s: %zu bytes came", remote, len);
}

static struct blob *
load_files(const char *dir, unsigned count)
{
	static struct blob files[SMALL_FILES_MAX];
	char path[4096];

	if (count == 0 || count > SMALL_FILES_MAX)
		fail("1 to %d files", SMALL_FILES_MAX);
	for (unsigned i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/f%03u", dir, i);
		files[i] = load(path);
	}
	return files;
}

/* down SECONDS MAX REMOTEDIR LOCALDIR COUNT: one session, file after file. */
void
do_down(unsigned port, char **arg)
{
	double seconds = atof(arg[0]), begin, end;
	unsigned max = (unsigned)atoi(arg[1]), count = (unsigned)atoi(arg[4]), n = 0;
	struct blob *files = load_files(arg[3], count);
	char remote[512];
	struct ftp f;

	start_session(&f, port, "I");
	begin = now();
	do {
		snprintf(remote, sizeof(remote), "%s/f%03u", arg[2], n % count);
		fetch_and_compare(&f, remote, &files[n % count]);
		n++;
		end = now();
	} while (n < max && end - begin < seconds);
	ftp_quit(&f);
	printf("{\"files\": %u, \"seconds\": %.6f}\n", n, end - begin);
}

static void
store(struct ftp *f, const char *remote, const struct blob *local)
{
	int data = ftp_passive(f);

	ftp_send(f, "STOR %s", remote);
	ftp_expect(f, '1');
	for (size_t at = 0; at < local->len;) {
		ssize_t n = send(data, local->bytes + at, local->len - at, MSG_NOSIGNAL);

		if (n <= 0)
			fail("STOR of %s: %s", remote, strerror(errno));
		at += (size_t)n;
	}
	close(data);
	ftp_expect(f, '2');
}

static void
verify_stored(const char *dir, unsigned n, const struct blob *files, unsigned count)
{
	char path[4096];

	for (unsigned i = 0; i < n; i++) {
		const struct blob *want = &files[i % count];
		struct blob got;

		snprintf(path, sizeof(path), "%s/n%06u", dir, i);
		got = load(path);
		if (got.len != want->len || memcmp(got.bytes, want->bytes, got.len) != 0)
			fail("STOR of n%06u: not what was sent", i);
		free(got.bytes);
		unlink(path);
	}
}

/* up SECONDS MAX REMOTEDIR LOCALDIR COUNT STOREDDIR: new names, removed afterwards. */
void
do_up(unsigned port, char **arg)
{
	double seconds = atof(arg[0]), begin, end;
	unsigned max = (unsigned)atoi(arg[1]), count = (unsigned)atoi(arg[4]), n = 0;
	struct blob *files = load_files(arg[3], count);
	char remote[512];
	struct ftp f;

	start_session(&f, port, "I");
	begin = now();
	do {
		snprintf(remote, sizeof(remote), "%s/n%06u", arg[2], n);
		store(&f, remote, &files[n % count]);
		n++;
		end = now();
	} while (n < max && end - begin < seconds);
	ftp_quit(&f);
	verify_stored(arg[5], n, files, count);
	printf("{\"files\": %u, \"seconds\": %.6f}\n", n, end - begin);
}

/* Names of our listings begin so; "total", "." and ".." do not. */
#define NAME "file-"

/* What a set of names amounts to, in any order. */
struct names {
	unsigned n;
	uint64_t sum;
};

static void
add_name(struct names *names, const char *name, size_t len)
{
	struct hash h;

	if (len < strlen(NAME) || memcmp(name, NAME, strlen(NAME)) != 0)
		return;
	hash_begin(&h);
	hash_add(&h, name, len);
	names->n++;
	names->sum += hash_end(&h);
}

static struct names
names_in(const char *path)
{
	struct names names = { 0 };
	DIR *dir = opendir(path);
	struct dirent *d;

	if (dir == NULL)
		fail("%s: %s", path, strerror(errno));
	while ((d = readdir(dir)) != NULL)
		add_name(&names, d->d_name, strlen(d->d_name));
	closedir(dir);
	return names;
}

/* The name is what stands behind the last blank or slash of a row. */
static struct names
names_of(const char *rows, size_t len)
{
	struct names names = { 0 };
	const char *end;

	for (const char *row = rows; row < rows + len; row = end + 1) {
		const char *last, *name = row;

		end = memchr(row, '\n', (size_t)(rows + len - row));
		if (end == NULL || end == row || end[-1] != '\r')
			fail("a row of the listing does not end with CR LF");
		last = end - 1;
		for (const char *p = row; p < last; p++)
			if (*p == ' ' || *p == '/')
				name = p + 1;
		add_name(&names, name, (size_t)(last - name));
	}
	return names;
}

/* list VERB REMOTEDIR LOCALDIR: to the last reply, and to the first byte. */
void
do_list(unsigned port, char **arg)
{
	struct names want = names_in(arg[2]), got;
	size_t n, len = 0, room = (size_t)want.n * 256 + (1 << 20);
	char *rows = malloc(room);
	double begin, first = 0, seconds;
	struct ftp f;
	int data;

	if (rows == NULL)
		fail("memory");
	memset(rows, 0, room); /* its page faults are not the server's */
	start_session(&f, port, "A");
	ftp_send(&f, "CWD %s", arg[1]);
	ftp_expect(&f, '2');
	data = ftp_passive(&f);
	begin = now();
	ftp_send(&f, "%s", arg[0]);
	ftp_expect(&f, '1');
	while ((n = receive(data)) > 0) {
		if (first == 0)
			first = now() - begin;
		if (n > room - len)
			fail("%s: more than %zu bytes", arg[0], room);
		memcpy(rows + len, buffer, n);
		len += n;
	}
	close(data);
	ftp_expect(&f, '2');
	seconds = now() - begin;
	got = names_of(rows, len);
	if (got.n != want.n || got.sum != want.sum)
		fail("%s: %u of %u names came, or wrong ones", arg[0], got.n, want.n);
	printf(
	    "{\"seconds\": %.6f, \"first_ms\": %.3f, \"bytes\": %zu}\n", seconds, first * 1e3, len);
	hold();
	ftp_quit(&f);
}
