/*
 * What the doctor reads of this machine, below a root of its choice: files, tools, listeners.
 */
#include "check.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pwfile.h"

#define FILE_MAX    (4 << 20)
#define RUN_SECONDS 20

bool
host_path(const struct check *c, const char *path, char full[static PATH_MAX])
{
	return snprintf(full, PATH_MAX, "%s%s", c->root, path) < PATH_MAX;
}

/* All that can be read of fd until its end or the time, at most FILE_MAX; NULL with errno. */
static char *
read_all(int fd, int seconds)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = 0, size = 4096;
	char *text = malloc(size), *more;
	const time_t end = time(NULL) + seconds;
	ssize_t n = 1;

	while (text != NULL && len < FILE_MAX && n > 0) {
		time_t left = end - time(NULL);

		if (len + 1 == size) {
			if ((more = realloc(text, size *= 2)) == NULL)
				break;
			text = more;
		}
		if (poll(&p, 1, left > 0 ? (int)left * 1000 : 0) <= 0) {
			errno = ETIMEDOUT;
			break;
		}
		n = read(fd, text + len, size - len - 1);
		len += n > 0 ? (size_t)n : 0;
	}
	if (text != NULL && n == 0) {
		text[len] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

char *
host_read(const struct check *c, const char *path)
{
	char full[PATH_MAX], *text;
	int fd;

	if (!host_path(c, path, full)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	if ((fd = open(full, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1)
		return NULL;
	text = read_all(fd, 1);
	close(fd);
	return text;
}

bool
host_exists(const struct check *c, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	/* a link may lead to what is somewhere else below root */
	return host_path(c, path, full) && lstat(full, &st) == 0;
}

/* Where the tool is; not by PATH, which may be anybody's. */
static bool
find_tool(const struct check *c, const char *name, char full[static PATH_MAX])
{
	static const char *const places[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

	if (strchr(name, '/') != NULL)
		return strlcpy(full, name, PATH_MAX) < PATH_MAX && access(full, X_OK) == 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (snprintf(full, PATH_MAX, "%s%s/%s", c->root, places[i], name) < PATH_MAX &&
		    access(full, X_OK) == 0)
			return true;
	return false;
}

static void
execute(const char *path, const char *const argv[], int out)
{
	char language[] = "LC_ALL=C", search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = { language, search, NULL };
	int null = open("/dev/null", O_RDONLY);

	if (null == -1 || dup2(null, 0) == -1 || dup2(out, 1) == -1 || dup2(out, 2) == -1)
		_exit(127);
	closefrom(3);
	execve(path, (char *const *)(uintptr_t)argv, environment);
	_exit(127);
}

int
host_run(const struct check *c, const char *const argv[], char **out)
{
	char path[PATH_MAX];
	int ends[2], status = 0;
	pid_t pid;

	*out = NULL;
	if (!find_tool(c, argv[0], path))
		return -1;
	if (pipe2(ends, O_CLOEXEC) == -1)
		return -2;
	if ((pid = fork()) == 0)
		execute(path, argv, ends[1]);
	close(ends[1]);
	if (pid != -1)
		*out = read_all(ends[0], RUN_SECONDS);
	close(ends[0]);
	if (pid == -1)
		return -2;
	if (*out == NULL)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (*out != NULL && WIFEXITED(status))
		return WEXITSTATUS(status);
	free(*out);
	*out = NULL;
	return -2;
}

bool
host_user(const struct check *c, const char *name)
{
	char line[PWFILE_LINE], full[PATH_MAX];
	struct pwentry entry;
	FILE *file;
	bool found = false;

	if (name[0] != '\0' && name[strspn(name, "0123456789")] == '\0')
		return true;
	/* the server reads this file and nothing else */
	if (host_path(c, "/etc/passwd", full) && (file = fopen(full, "re")) != NULL) {
		found = pwfile_find(file, name, line, &entry) == 1;
		fclose(file);
	}
	return found;
}

bool
host_interface(const struct check *c, char name[static 32])
{
	char *text = host_read(c, "/proc/net/route"), *line, *rest = text;
	unsigned long destination;
	bool found = false;

	while (!found && (line = strsep(&rest, "\n")) != NULL)
		found = sscanf(line, "%31s %lx", name, &destination) == 2 && destination == 0;
	free(text);
	return found;
}

/* True if the process has the socket open. */
static bool
has_socket(const struct check *c, const char *pid, const char *wanted)
{
	char dir[PATH_MAX], link[PATH_MAX * 2], target[64];
	struct dirent *e;
	bool found = false;
	ssize_t n;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/proc/%.32s/fd", c->root, pid);
	if ((d = opendir(dir)) == NULL)
		return false;
	while (!found && (e = readdir(d)) != NULL) {
		snprintf(link, sizeof(link), "%s/%s", dir, e->d_name);
		n = readlink(link, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	closedir(d);
	return found;
}

/* The program that has the socket open, if it is to be seen. */
static void
find_owner(const struct check *c, unsigned long inode, struct listener *l)
{
	char wanted[64], path[PATH_MAX], *text;
	struct dirent *e;
	DIR *d;

	l->program[0] = l->pid[0] = '\0';
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	snprintf(path, sizeof(path), "%s/proc", c->root);
	if (inode == 0 || (d = opendir(path)) == NULL)
		return;
	while (l->program[0] == '\0' && (e = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)e->d_name[0]) || !has_socket(c, e->d_name, wanted))
			continue;
		snprintf(path, sizeof(path), "/proc/%.15s/comm", e->d_name);
		if ((text = host_read(c, path)) == NULL)
			continue;
		text[strcspn(text, "\n")] = '\0';
		(void)strlcpy(l->program, text, sizeof(l->program));
		(void)strlcpy(l->pid, e->d_name, sizeof(l->pid));
		free(text);
	}
	closedir(d);
}

void
host_listeners(const struct check *c, void (*found)(void *, const struct listener *), void *arg)
{
	static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char *text = host_read(c, tables[i]), *line, *rest = text;
		struct listener l;
		unsigned port, state;
		unsigned long inode;

		while ((line = strsep(&rest, "\n")) != NULL)
			if (sscanf(line,
				" %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x "
				"%*u %*u %lu",
				&port, &state, &inode) == 3 &&
			    state == 10) {
				l.port = (uint16_t)port;
				find_owner(c, inode, &l);
				found(arg, &l);
			}
		free(text);
	}
}
