/*
 * The client of the comparison:
 *
 *	bench_client [-w] [-u USER -p PASSWORD] COMMAND PORT [ARGUMENT ...]
 *	bench_tls -s [...]                        the same through TLS
 *
 * A command measures one thing once and prints one JSON object; the commands
 * are listed at the end. bench_client make and hash prepare and check files.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Seconds that any measurement may take: a server that creeps is a server that failed. */
#define LIMIT 300

#define SAMPLES_MAX 10000

static bool wait_for_line;

void
hold(void)
{
	char c;

	fflush(stdout);
	while (wait_for_line && read(0, &c, 1) == 1 && c != '\n')
		;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
print_median(double *ms, unsigned n)
{
	qsort(ms, n, sizeof(*ms), by_value);
	printf("{\"ms\": %.4f, \"n\": %u}\n", ms[n / 2] * 1e3, n);
}

static unsigned
samples(const char *text)
{
	int n = atoi(text);

	if (n < 1 || n > SAMPLES_MAX)
		fail("1 to %d times", SAMPLES_MAX);
	return (unsigned)n;
}

/* greet N: from connect to the whole 220. */
static void
do_greet(unsigned port, char **arg)
{
	unsigned n = samples(arg[0]);
	static double ms[SAMPLES_MAX];

	for (unsigned i = 0; i < n; i++) {
		struct ftp f;
		double begin = now();

		ftp_connect(&f, port);
		ms[i] = now() - begin;
		ftp_quit(&f);
	}
	print_median(ms, n);
}

/* login N: from USER to the 230. */
static void
do_login(unsigned port, char **arg)
{
	unsigned n = samples(arg[0]);
	static double ms[SAMPLES_MAX];

	for (unsigned i = 0; i < n; i++) {
		struct ftp f;
		double begin;

		ftp_connect(&f, port);
		begin = now();
		ftp_login(&f);
		ms[i] = now() - begin;
		ftp_quit(&f);
	}
	print_median(ms, n);
}

/* logins N: whole sessions that do nothing else. */
static void
do_logins(unsigned port, char **arg)
{
	unsigned n = samples(arg[0]);
	double begin = now();

	for (unsigned i = 0; i < n; i++) {
		struct ftp f;

		ftp_connect(&f, port);
		ftp_login(&f);
		ftp_quit(&f);
	}
	printf("{\"seconds\": %.6f, \"n\": %u}\n", now() - begin, n);
}

static void
one_session(unsigned port, const char *remote, const struct blob *local)
{
	struct ftp f;

	ftp_connect(&f, port);
	ftp_login(&f);
	ftp_command(&f, '2', "TYPE I");
	fetch_and_compare(&f, remote, local);
	ftp_quit(&f);
}

/* session N REMOTE LOCAL: whole sessions, one after the other. */
static void
do_session(unsigned port, char **arg)
{
	unsigned n = samples(arg[0]);
	struct blob local = load(arg[2]);
	double begin = now();

	for (unsigned i = 0; i < n; i++)
		one_session(port, arg[1], &local);
	printf("{\"seconds\": %.6f, \"n\": %u}\n", now() - begin, n);
}

static unsigned
work(unsigned port, const char *remote, const struct blob *local, double end)
{
	unsigned n = 0;

	while (now() < end) {
		one_session(port, remote, local);
		n++;
	}
	return n;
}

/* rate WORKERS SECONDS REMOTE LOCAL: whole sessions, so many at once. */
static void
do_rate(unsigned port, char **arg)
{
	unsigned workers = samples(arg[0]), total = 0;
	struct blob local = load(arg[3]);
	unsigned *done = mmap(NULL, workers * sizeof(*done), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double begin = now(), end = begin + atof(arg[1]);
	bool good = true;
	int status;

	if (done == MAP_FAILED)
		fail("memory");
	for (unsigned i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid == -1)
			fail("fork: %s", strerror(errno));
		if (pid == 0) {
			alarm(LIMIT);
			done[i] = work(port, arg[2], &local, end);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		good = good && status == 0;
	if (!good)
		exit(1); /* the worker has said why */
	for (unsigned i = 0; i < workers; i++)
		total += done[i];
	printf("{\"seconds\": %.6f, \"n\": %u}\n", now() - begin, total);
}

/* idle N: so many sessions, logged in, until a line comes in. */
static void
do_idle(unsigned port, char **arg)
{
	unsigned n = samples(arg[0]);
	struct ftp *f = calloc(n, sizeof(*f));
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (f == NULL)
		fail("memory");
	for (unsigned i = 0; i < n; i++) {
		ftp_connect(&f[i], port);
		ftp_login(&f[i]);
	}
	printf("{\"n\": %u}\n", n);
	wait_for_line = true;
	hold();
	for (unsigned i = 0; i < n; i++) {
		ftp_command(&f[i], '2', "NOOP"); /* all were served to the end */
		ftp_quit(&f[i]);
	}
}

/* make PATH SIZE binary|text: bytes that repeat nowhere, or lines of various lengths. */
static void
do_make(char **arg)
{
	static char block[1 << 20];
	uint64_t x = 88172645463325252u, left = strtoull(arg[1], NULL, 10);
	bool text = strcmp(arg[2], "text") == 0;
	int fd = open(arg[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	while (left > 0) {
		size_t len = left < sizeof(block) ? (size_t)left : sizeof(block);

		for (size_t i = 0; i < sizeof(block); i += 8) {
			uint64_t word;

			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			/* printable, and in one word of eight a line's end: 64 bytes a line on
			 * average */
			word = text ? (x & 0x1f1f1f1f1f1f1f1fu) + 0x4141414141414141u : x;
			if (text && (x >> 40) % 8 == 0)
				word = (word & ~(uint64_t)0xff) | '\n';
			memcpy(block + i, &word, 8);
		}
		if (fd == -1 || write(fd, block, len) != (ssize_t)len)
			fail("%s: %s", arg[0], strerror(errno));
		left -= len;
	}
	close(fd);
	printf("{}\n");
}

/* hash PATH binary|text: of the file, or of what type A makes of it. */
static void
do_hash(char **arg)
{
	static char in[1 << 16], out[2 << 16];
	bool text = strcmp(arg[1], "text") == 0;
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	struct hash h;
	ssize_t n;

	if (fd == -1)
		fail("%s: %s", arg[0], strerror(errno));
	hash_begin(&h);
	while ((n = read(fd, in, sizeof(in))) > 0) {
		size_t len = 0;

		for (ssize_t i = 0; i < n; i++) {
			if (text && in[i] == '\n')
				out[len++] = '\r';
			out[len++] = in[i];
		}
		hash_add(&h, out, len);
	}
	close(fd);
	printf("{\"hash\": \"%016" PRIx64 "\", \"bytes\": %" PRIu64 "}\n", hash_end(&h), h.len);
}

static const struct command {
	const char *name;
	int arguments;
	void (*run)(unsigned port, char **arg);
	void (*prepare)(char **arg);
} commands[] = {
	{ "greet", 1, do_greet, NULL },
	{ "login", 1, do_login, NULL },
	{ "logins", 1, do_logins, NULL },
	{ "session", 3, do_session, NULL },
	{ "rate", 4, do_rate, NULL },
	{ "idle", 1, do_idle, NULL },
	{ "retr", 3, do_retr, NULL },
	{ "stor", 4, do_stor, NULL },
	{ "down", 5, do_down, NULL },
	{ "up", 6, do_up, NULL },
	{ "list", 3, do_list, NULL },
	{ "make", 3, NULL, do_make },
	{ "hash", 2, NULL, do_hash },
};

int
main(int argc, char **argv)
{
	int c;

	signal(SIGPIPE, SIG_IGN);
	alarm(LIMIT);
	while ((c = getopt(argc, argv, "swu:p:")) != -1) {
		if (c == 'w')
			wait_for_line = true;
		else if (c == 's')
			ftp_wants_tls = 1;
		else if (c == 'u')
			ftp_user = optarg;
		else if (c == 'p')
			ftp_password = optarg;
		else
			return 64;
	}
	argc -= optind;
	argv += optind;
	for (size_t i = 0; argc > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *cmd = &commands[i];

		if (strcmp(argv[0], cmd->name) != 0)
			continue;
		if (cmd->run != NULL && argc == 2 + cmd->arguments)
			cmd->run((unsigned)atoi(argv[1]), argv + 2);
		else if (cmd->prepare != NULL && argc == 1 + cmd->arguments)
			cmd->prepare(argv + 1);
		else
			break;
		return 0;
	}
	fprintf(
	    stderr, "usage: bench_client [-sw] [-u USER -p PASSWORD] COMMAND PORT [ARGUMENT ...]\n");
	return 64;
}
