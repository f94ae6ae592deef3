/*
 * Where the small programs are.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"

int
program_open(const char *name)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;
	int fd = -1;

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		if (slash != NULL && (size_t)(slash + 1 - path) + strlen(name) < sizeof(path)) {
			strlcpy(slash + 1, name, sizeof(path) - (size_t)(slash + 1 - path));
			fd = open(path, O_PATH | O_CLOEXEC);
		}
	}
	if (fd == -1 && (size_t)snprintf(path, sizeof(path), "%s/%s", PKGLIBEXECDIR, name) < sizeof(path))
		fd = open(path, O_PATH | O_CLOEXEC);
	if (fd == -1)
		log_warn("%s/%s", PKGLIBEXECDIR, name);
	return fd;
}

int
program_run(const char *name, char *const argv[])
{
	int program = program_open(name), status;
	pid_t pid;

	if (program == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		fexecve(program, argv, environ);
		_exit(EX_OSERR);
	}
	close(program);
	if (pid == -1)
		return -1;
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
