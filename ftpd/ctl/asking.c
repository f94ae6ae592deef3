/*
 * genkan-ftpd-gateway, started by genkanctl.
 */
#include "asking.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"
#include "pwfile.h"

#define PROGRAM  "genkan-ftpd-gateway"
#define STATE_FD 3
#define ARGS_MAX 64
#define END_MS   10000 /* it takes its mappings back meanwhile */

int64_t
asking_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
open_program(const char *program)
{
	char path[PATH_MAX];

	if (program == NULL) {
		program_path(PROGRAM, path);
		program = path;
	}
	return open(program, O_RDONLY);
}

/* In the child. A script needs its descriptor open, so the program's stays. */
static void
become(int program, uid_t uid, gid_t gid, int state, int sock, const char *const args[])
{
	const char *argv[ARGS_MAX + 2] = { PROGRAM };

	for (unsigned i = 0; i < ARGS_MAX && args[i] != NULL; i++)
		argv[i + 1] = args[i];
	signal(SIGPIPE, SIG_DFL);
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
		setresuid(uid, uid, uid) == -1))
		_exit(126);
	/* out of the way of the numbers that the program expects */
	if ((program = fcntl(program, F_DUPFD, 10)) == -1 ||
	    (sock = fcntl(sock, F_DUPFD_CLOEXEC, 10)) == -1 ||
	    (state != -1 && (state = fcntl(state, F_DUPFD_CLOEXEC, 10)) == -1) ||
	    dup2(sock, 0) == -1 || dup2(sock, 1) == -1 ||
	    (state != -1 && dup2(state, STATE_FD) == -1))
		_exit(126);
	/* libraries that miss something tell nobody; what matters comes as a line */
	if (dup2(open("/dev/null", O_RDWR), 2) == -1)
		_exit(126);
	for (int fd = state == -1 ? STATE_FD : STATE_FD + 1; fd < 10; fd++)
		close(fd);
	fexecve(program, (char *const *)(uintptr_t)argv, environ);
	_exit(126);
}

int
asking_start(
    struct asking *a, const char *program, const char *user, int state, const char *const args[])
{
	int pair[2], fd = open_program(program), saved;
	uid_t uid = getuid();
	gid_t gid = getgid();

	*a = (struct asking){ .pid = -1, .fd = -1 };
	if (fd == -1)
		return -1;
	if ((geteuid() == 0 && pwfile_system_user(user, &uid, &gid) == -1 &&
		pwfile_system_user("nobody", &uid, &gid) == -1) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	if ((a->pid = fork()) == 0)
		become(fd, uid, gid, state, pair[1], args);
	saved = errno;
	close(fd);
	close(pair[1]);
	a->fd = pair[0];
	if (a->pid == -1)
		close(a->fd);
	errno = saved;
	return a->pid == -1 ? -1 : 0;
}

int
asking_line(struct asking *a, char line[static ASKING_LINE], int64_t until)
{
	struct pollfd p = { .fd = a->fd, .events = POLLIN };
	size_t len = 0;
	int64_t left;
	int n;

	while (len < ASKING_LINE) {
		left = until - asking_clock();
		n = poll(&p, 1, left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		/* byte by byte: what follows the line is for the next call */
		if (read(a->fd, line + len, 1) != 1)
			return -1;
		if (line[len++] == '\n') {
			line[len - 1] = '\0';
			return 1;
		}
	}
	return -1;
}

int
asking_tell(struct asking *a, const char *line)
{
	const size_t len = strlen(line);

	return send(a->fd, line, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -1;
}

void
asking_end(struct asking *a)
{
	const int64_t until = asking_clock() + END_MS;
	char line[ASKING_LINE];

	if (a->pid == -1)
		return;
	shutdown(a->fd, SHUT_WR);
	while (asking_line(a, line, until) == 1)
		continue;
	close(a->fd);
	if (asking_clock() >= until)
		kill(a->pid, SIGKILL);
	while (waitpid(a->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	a->pid = -1;
}
