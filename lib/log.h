/*
 * The log: syslog (facility ftp) or stderr. Levels as in syslog(3), LOG_ERR to
 * LOG_DEBUG. The syslog socket is opened once and never again, because the
 * session may not open sockets; libc's syslog(3) would try.
 *
 * Every line is made harmless: control bytes become '?'.
 */
#ifndef GENKAN_LOG_H
#define GENKAN_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

/*
 * Opens the log. to_stderr: lines go to descriptor 2 with ident and pid in
 * front. Otherwise to /dev/log; where there is none, to descriptor 2 if
 * stderr_ok (it is not the client's), else nowhere.
 */
void log_open(const char *ident, bool to_stderr, bool stderr_ok);

/* Goes on with a log that another process of ours has opened: descriptor fd, syslog's or text. */
void log_adopt(const char *ident, int fd, bool text);

/* The descriptor of the log that a process must keep open, or -1. */
int log_fd(void);

/* Lines above this level are dropped; LOG_INFO unless told. */
void log_set_level(int level);
int log_level(void);

/* The process's role, shown in stderr lines: "session", "monitor"; kept, not copied. */
void log_set_role(const char *role);

void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same at LOG_WARNING: log_warn() adds ": " and the text of errno. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_errorx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* log_error(), then the process ends with EX_OSERR (71) or EX_SOFTWARE (70). */
void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void fatalx(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
