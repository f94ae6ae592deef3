/*
 * The log: one line, one packet to /dev/log or one write to stderr. The process
 * forks, so the pid is asked for anew with every line.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* The longest line, with its front. rsyslog takes 8 KiB unless told otherwise. */
#define LOG_LINE 8192

static enum { NOWHERE, TO_SYSLOG, TO_STDERR } target = NOWHERE;
static int fd = -1;
static int threshold = LOG_INFO;
static char program[32] = "genkan";
static const char *role = "";

static int
connect_syslog(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = _PATH_LOG };
	int sock, high;

	if ((sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	if (connect(sock, (struct sockaddr *)&to, sizeof(to)) == -1) {
		close(sock);
		return -1;
	}
	if (sock > STDERR_FILENO)
		return sock;

	/* Started with 0, 1 or 2 closed: those numbers are the client's, keep off. */
	high = fcntl(sock, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(sock);
	return high;
}

void
log_open(const char *ident, bool to_stderr, bool stderr_ok)
{
	if (target == TO_SYSLOG)
		close(fd);
	/* Too long an ident is cut, which does no harm. */
	(void)strlcpy(program, ident, sizeof(program));
	tzset(); /* while the real /etc/localtime can be seen */

	target = NOWHERE;
	fd = -1;
	if (!to_stderr && (fd = connect_syslog()) != -1) {
		target = TO_SYSLOG;
	} else if (to_stderr || stderr_ok) {
		target = TO_STDERR;
		fd = STDERR_FILENO;
	}
}

void
log_adopt(const char *ident, int log, bool text)
{
	(void)strlcpy(program, ident, sizeof(program));
	fd = log;
	target = fcntl(log, F_GETFD) == -1 ? NOWHERE : text ? TO_STDERR : TO_SYSLOG;
}

int
log_fd(void)
{
	return fd;
}

void
log_set_level(int level)
{
	threshold = level;
}

int
log_level(void)
{
	return threshold;
}

void
log_set_role(const char *name)
{
	role = name;
}

/* RFC 3164: "<94>Nov 24 05:32:01 genkan-ftpd[123]: "; returns its length. */
static size_t
syslog_front(char *line, size_t size, int level)
{
	char when[24] = "Jan  1 00:00:00";
	struct timespec now;
	struct tm tm;

	if (clock_gettime(CLOCK_REALTIME, &now) == 0 && localtime_r(&now.tv_sec, &tm) != NULL)
		strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	return (size_t)snprintf(
	    line, size, "<%d>%s %s[%d]: ", LOG_FTP | level, when, program, (int)getpid());
}

static size_t
stderr_front(char *line, size_t size)
{
	return (size_t)snprintf(
	    line, size, "%s[%d]%s%s: ", program, (int)getpid(), role[0] != '\0' ? " " : "", role);
}

/* Adds text at *len; what does not fit is cut, and the cut is shown by "...". */
static void __attribute__((format(printf, 4, 0)))
add(char *line, size_t size, size_t *len, const char *fmt, va_list ap)
{
	int n;

	n = vsnprintf(line + *len, size - *len, fmt, ap);
	if (n < 0)
		return;
	if ((size_t)n < size - *len) {
		*len += (size_t)n;
		return;
	}
	*len = size - 1;
	memcpy(line + *len - 3, "...", 3);
}

static void __attribute__((format(printf, 4, 5)))
addf(char *line, size_t size, size_t *len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(line, size, len, fmt, ap);
	va_end(ap);
}

/* A client chooses much of what is logged: it shall not forge lines or steer terminals. */
static void
clean(char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			text[i] = '?';
	}
}

/* Logs one line; error 0 adds nothing. Leaves errno as it was. */
static void __attribute__((format(printf, 3, 0)))
emit(int level, int error, const char *fmt, va_list ap)
{
	static char line[LOG_LINE]; /* not on the stack, where it would cost each line two pages */
	size_t len;
	int saved = errno;

	if (level > threshold || target == NOWHERE)
		return;

	len = target == TO_SYSLOG ? syslog_front(line, sizeof(line), level)
				  : stderr_front(line, sizeof(line));
	add(line, sizeof(line) - 1, &len, fmt, ap);
	if (error != 0)
		addf(line, sizeof(line) - 1, &len, ": %s", strerror(error));
	clean(line, len);

	/* A log that is full or gone costs lines, never the connection. */
	if (target == TO_SYSLOG) {
		(void)!send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else {
		line[len++] = '\n';
		(void)!write(fd, line, len);
	}
	errno = saved;
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_INFO, 0, fmt, ap);
	va_end(ap);
}

void
log_notice(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_NOTICE, 0, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_DEBUG, 0, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_WARNING, errno, fmt, ap);
	va_end(ap);
}

void
log_warnx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_WARNING, 0, fmt, ap);
	va_end(ap);
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_ERR, errno, fmt, ap);
	va_end(ap);
}

void
log_errorx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_ERR, 0, fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_ERR, errno, fmt, ap);
	va_end(ap);
	exit(EX_OSERR);
}

void
fatalx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_ERR, 0, fmt, ap);
	va_end(ap);
	exit(EX_SOFTWARE);
}
