/*
 * The limit of everything behind the greeting: one process that speaks just
 * enough FTP for the client of the comparison, moves bytes by sendfile and
 * splice, and checks nothing. Never let it near a network.
 *
 *	bench_bare DIRECTORY
 */
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CHUNK  (4 << 20)
#define PIPE   (1 << 20)
#define BUFFER (64 << 10)

static int listener = -1;
static bool ascii;
static char in[BUFFER], out[2 * BUFFER];
static size_t nout;

static void
say(const char *line)
{
	if (write(1, line, strlen(line)) == -1)
		_exit(0);
}

static void
passive(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	char line[64];
	unsigned port;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener == -1 || bind(listener, (struct sockaddr *)&sin, len) == -1 ||
	    listen(listener, 1) == -1 || getsockname(listener, (struct sockaddr *)&sin, &len) == -1)
		_exit(1);
	port = ntohs(sin.sin_port);
	snprintf(line, sizeof(line), "227 (127,0,0,1,%u,%u)\r\n", port >> 8, port & 255);
	say(line);
}

static int
begin_data(void)
{
	int fd = accept(listener, NULL, NULL);

	close(listener);
	say("150 go\r\n");
	return fd;
}

static void
end_data(int data)
{
	close(data);
	say("226 done\r\n");
}

static void
put_all(int data, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(data, bytes, len);

		if (n <= 0)
			_exit(1);
		bytes += n;
		len -= (size_t)n;
	}
}

static void
send_ascii(int data, int file)
{
	ssize_t n;

	while ((n = read(file, in, sizeof(in))) > 0) {
		const char *p = in, *end = in + n, *eol;

		nout = 0;
		while ((eol = memchr(p, '\n', (size_t)(end - p))) != NULL) {
			memcpy(out + nout, p, (size_t)(eol - p));
			nout += (size_t)(eol - p);
			out[nout++] = '\r';
			out[nout++] = '\n';
			p = eol + 1;
		}
		memcpy(out + nout, p, (size_t)(end - p));
		put_all(data, out, nout + (size_t)(end - p));
	}
}

static void
retrieve(const char *path)
{
	int file = open(path, O_RDONLY), data;

	if (file == -1) {
		say("550 no\r\n");
		return;
	}
	data = begin_data();
	if (ascii)
		send_ascii(data, file);
	else
		while (sendfile(data, file, NULL, CHUNK) > 0)
			;
	close(file);
	end_data(data);
}

static void
store(const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644), data, between[2];
	ssize_t n, m;

	if (file == -1 || pipe(between) == -1) {
		say("553 no\r\n");
		return;
	}
	fcntl(between[1], F_SETPIPE_SZ, PIPE);
	data = begin_data();
	while ((n = splice(data, NULL, between[1], NULL, PIPE, SPLICE_F_MOVE)) > 0)
		for (; n > 0; n -= m)
			if ((m = splice(between[0], NULL, file, NULL, (size_t)n, SPLICE_F_MOVE)) <=
			    0)
				_exit(1);
	close(between[0]);
	close(between[1]);
	close(file);
	end_data(data);
}

static char *
put_text(char *p, const char *text)
{
	size_t len = strlen(text);

	memcpy(p, text, len);
	return p + len;
}

static char *
put_number(char *p, uint64_t n)
{
	char digits[20];
	int i = 0;

	do
		digits[i++] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	while (i > 0)
		*p++ = digits[--i];
	return p;
}

/* The form of a time, made anew only when the second changes. */
static const char *
time_text(time_t when, const char *form)
{
	static char text[32];
	static time_t last = -1;
	struct tm tm;

	if (when != last && gmtime_r(&when, &tm) != NULL)
		strftime(text, sizeof(text), form, &tm);
	last = when;
	return text;
}

static char *
put_row(char *p, char verb, int dir, const char *name)
{
	struct statx st;

	if (verb != 'N' &&
	    syscall(SYS_statx, dir, name, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
		STATX_BASIC_STATS, &st) == -1)
		return p;
	if (verb == 'L') {
		p = put_text(p, S_ISDIR(st.stx_mode) ? "drwxr-xr-x 1 0 0 " : "-rw-r--r-- 1 0 0 ");
		p = put_number(p, st.stx_size);
		*p++ = ' ';
		p = put_text(p, time_text(st.stx_mtime.tv_sec, "%b %d %H:%M"));
		*p++ = ' ';
	} else if (verb == 'M') {
		p = put_text(p, S_ISDIR(st.stx_mode) ? "type=dir;modify=" : "type=file;modify=");
		p = put_text(p, time_text(st.stx_mtime.tv_sec, "%Y%m%d%H%M%S"));
		p = put_text(p, ";size=");
		p = put_number(p, st.stx_size);
		p = put_text(p, "; ");
	}
	p = put_text(p, name);
	return put_text(p, "\r\n");
}

/* verb: L, N or M, for the kinds of listing. */
static void
list(char verb)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY), data = begin_data();
	char *p = out;
	long n;

	while ((n = syscall(SYS_getdents64, dir, in, sizeof(in))) > 0)
		for (long at = 0; at < n;) {
			struct dirent64 *d = (struct dirent64 *)(in + at);

			at += d->d_reclen;
			if (p - out > (long)sizeof(out) - 512) {
				put_all(data, out, (size_t)(p - out));
				p = out;
			}
			p = put_row(p, verb, dir, d->d_name);
		}
	put_all(data, out, (size_t)(p - out));
	close(dir);
	end_data(data);
}

static void
set_type(char type)
{
	ascii = type == 'A';
	say("200 yes\r\n");
}

static void
leave(void)
{
	say("221 bye\r\n");
	_exit(0);
}

static void
serve(char *line)
{
	char *arg = strchr(line, ' ');

	arg = arg == NULL ? line + strlen(line) : arg + 1;
	if (strncmp(line, "USER", 4) == 0)
		say("331 go on\r\n");
	else if (strncmp(line, "PASS", 4) == 0)
		say("230 hello\r\n");
	else if (strncmp(line, "TYPE", 4) == 0)
		set_type(*arg);
	else if (strncmp(line, "NOOP", 4) == 0)
		say("200 yes\r\n");
	else if (strncmp(line, "CWD", 3) == 0)
		say(chdir(arg) == 0 ? "250 yes\r\n" : "550 no\r\n");
	else if (strncmp(line, "PASV", 4) == 0)
		passive();
	else if (strncmp(line, "RETR", 4) == 0)
		retrieve(arg);
	else if (strncmp(line, "STOR", 4) == 0)
		store(arg);
	else if (strcmp(line, "LIST") == 0 || strcmp(line, "NLST") == 0 ||
	    strcmp(line, "MLSD") == 0)
		list(line[0]);
	else if (strncmp(line, "QUIT", 4) == 0)
		leave();
	else
		say("502 no\r\n");
}

int
main(int argc, char **argv)
{
	char line[4096];
	int on = 1;
	ssize_t n;

	say("220 bare\r\n");
	setsockopt(0, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (argc != 2 || chdir(argv[1]) == -1)
		return 1;
	/* our own client sends a line at a time */
	while ((n = read(0, line, sizeof(line) - 1)) > 2 && line[n - 1] == '\n') {
		line[n - 2] = '\0';
		serve(line);
	}
	return 0;
}
