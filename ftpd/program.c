/*
 * Where the small programs are.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"

void
program_path(const char *name, char path[static PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		if (slash != NULL && (size_t)(slash + 1 - path) + strlen(name) < PATH_MAX) {
			strlcpy(slash + 1, name, PATH_MAX - (size_t)(slash + 1 - path));
			if (access(path, X_OK) == 0)
				return;
		}
	}
	snprintf(path, PATH_MAX, "%s/%s", PKGLIBEXECDIR, name);
}

int
program_open(const char *name)
{
	char path[PATH_MAX];
	int fd;

	program_path(name, path);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd == -1)
		log_warn("%s", path);
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
