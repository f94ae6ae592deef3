/*
 * The whole program, as inetd starts it: all its processes, walls and waits, with a
 * socketpair for the client's connection. Whatever a client sends, the connection
 * ends, the replies are whole lines, the program exits with 0, and neither it nor a
 * child of it was killed.
 *
 * Input: what the client sends before it closes its side. make check replays
 * the corpus (replay.c); ./afl lets AFL++ look for more (aflmain.c), which sees the
 * branches of all the processes. For libFuzzer, which sees one process, there is fuzz_session.
 */
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "session/session.h"

const char fuzz_name[] = "program";

#define MAX    20000 /* a socket takes so much at once */
#define NOBODY 65534

/* ftpd/main.c's main(). */
int genkan_main(int argc, char **argv);

struct monitor;
void __wrap_monitor_delay(const struct monitor *m, int ms);
int64_t __wrap_deadline_in(unsigned seconds);

/* Wrong passwords cost seconds: not here. */
void
__wrap_monitor_delay(const struct monitor *m, int ms)
{
	(void)m;
	(void)ms;
}

/* Nobody comes to a passive port, and it is not waited for: 20 ms. */
int64_t
__wrap_deadline_in(unsigned seconds)
{
	(void)seconds;
	return clock_ms() + 20;
}

static char base[64], shared[80];
static pid_t maker;

static const char *
at(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	return where->level == 0 ? 0 : remove(path);
}

static void
clear_share(void)
{
	nftw(shared, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void
remove_world(void)
{
	if (getpid() != maker)
		return;
	nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	rmdir(base);
}

static void
give_away(const char *path)
{
	CHECK(geteuid() != 0 || chown(path, NOBODY, NOBODY) == 0);
}

static void
make_file(const char *name)
{
	int fd = open(at(name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd != -1 && write(fd, "content\n", 8) == 8);
	close(fd);
	give_away(at(name));
}

static void
make_world(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(base, sizeof(base), "%.30s/fuzz-program.XXXXXX", tmp != NULL ? tmp : "/tmp");
	CHECK(mkdtemp(base) != NULL && chmod(base, 0755) == 0 && atexit(remove_world) == 0);
	maker = getpid();
	snprintf(shared, sizeof(shared), "%s/share", base);
	CHECK(mkdir(shared, 0755) == 0 && mkdir(at("run"), 0755) == 0);
	give_away(shared);
	give_away(at("run"));
}

/* What an input finds, whatever the ones before it did. */
static void
fill_share(void)
{
	clear_share();
	make_file("share/a");
	CHECK(mkdir(at("share/dir"), 0755) == 0 && symlink("a", at("share/link")) == 0);
	give_away(at("share/dir"));
	make_file("share/dir/b");
}

/* The child: the program, not as root. */
static void
become_program(int sock, int log)
{
	char run[128], state[128], name[] = "genkan-ftpd", e[] = "-e", share[] = "--share", o[] = "-o",
	     ban[] = "BanAfter none", many[] = "MaxConnectionsPerHost none", level[] = "LogLevel warn";
	char *argv[] = { name, e, share, shared, o, run, o, state, o, ban, o, many, o, level, NULL };

	if (geteuid() == 0 && (setgroups(0, NULL) == -1 || setresgid(NOBODY, NOBODY, NOBODY) == -1 ||
	                          setresuid(NOBODY, NOBODY, NOBODY) == -1))
		_exit(90);
	snprintf(run, sizeof(run), "RunDirectory %s/run", base);
	snprintf(state, sizeof(state), "StateDirectory %s/run/state", base);
	if (dup2(sock, STDIN_FILENO) == -1 || dup2(sock, STDOUT_FILENO) == -1 ||
	    dup2(log, STDERR_FILENO) == -1)
		_exit(91);
	_exit(genkan_main(sizeof(argv) / sizeof(argv[0]) - 1, argv));
}

/* All that is said, which ends with a line's end. */
static void
check_replies(int sock)
{
	char buf[4096], last[2] = "\r\n";
	ssize_t n;

	while ((n = recv(sock, buf, sizeof(buf), 0)) > 0) {
		CHECK(memchr(buf, '\0', (size_t)n) == NULL);
		last[0] = n > 1 ? buf[n - 2] : last[1];
		last[1] = buf[n - 1];
	}
	/* a reset: what the client sent behind the end was never read */
	CHECK(n == 0 || errno == ECONNRESET);
	CHECK(memcmp(last, "\r\n", 2) == 0);
}

static void
check_log(int log)
{
	char text[8192];
	ssize_t n = pread(log, text, sizeof(text) - 1, 0);

	CHECK(n >= 0);
	text[n] = '\0';
	if (strstr(text, "was killed by") != NULL || strstr(text, "Sanitizer") != NULL) {
		fputs(text, stderr);
		CHECK(!"a process was killed");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2], log = memfd_create("log", MFD_CLOEXEC), status;
	pid_t pid;

	if (base[0] == '\0')
		make_world();
	if (size > MAX)
		size = MAX;
	fill_share();
	CHECK(log != -1 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	fflush(NULL);
	CHECK((pid = fork()) != -1);
	if (pid == 0)
		become_program(pair[1], log);
	close(pair[1]);
	/* a program that has ended already takes nothing */
	(void)!send(pair[0], data, size, MSG_NOSIGNAL);
	shutdown(pair[0], SHUT_WR);
	check_replies(pair[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	check_log(log);
	close(pair[0]);
	close(log);
	return 0;
}
