/*
 * The session's side of request.h.
 */
#include "ask.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "facts.h"
#include "log.h"
#include "msg.h"
#include "session.h"

/* How long, in milliseconds, the end of a transfer may wait for a request to go along with. */
#define LATER 50

static const char *const names[REQ_END] = {
	[REQ_LOGIN] = "LOGIN",
	[REQ_CHDIR] = "CHDIR",
	[REQ_STAT] = "STAT",
	[REQ_OPEN] = "OPEN",
	[REQ_LIST] = "LIST",
	[REQ_MKDIR] = "MKDIR",
	[REQ_RMDIR] = "RMDIR",
	[REQ_UNLINK] = "UNLINK",
	[REQ_RENAME] = "RENAME",
	[REQ_SETATTR] = "SETATTR",
	[REQ_LISTEN] = "LISTEN",
	[REQ_CONNECT] = "CONNECT",
	[REQ_DONE] = "DONE",
	[REQ_SPACE] = "SPACE",
	[REQ_SYMLINK] = "SYMLINK",
	[REQ_TLS] = "TLS",
	[REQ_ENDED] = "ENDED",
	[REQ_RATE] = "RATE",
	[REQ_CERTIFICATE] = "CERTIFICATE",
};

/* What is sent of a request whose last member is path: all up to its NUL. */
static size_t
up_to_nul(const void *request, const char *path)
{
	return (size_t)(path + strlen(path) + 1 - (const char *)request);
}

/* Tells the monitor of the transfer that has ended. If it has gone itself, others will notice. */
static void
tell_ended(struct session *s, bool more)
{
	if (s->ended_due == NEVER)
		return;
	s->ended_due = NEVER;
	s->ended.more = more;
	if (msg_send(s->monitor, REQ_ENDED, &s->ended, up_to_nul(&s->ended, s->ended.path), -1) == -1 &&
	    errno != EPIPE && errno != ECONNRESET)
		fatal("request %s", names[REQ_ENDED]);
}

/*
 * Sends a request and takes its answer, alen bytes that begin with the errno. fd
 * NULL: no descriptor comes with it.
 */
static int
ask(struct session *s, enum request type, const void *request, size_t rlen, void *answer,
    size_t alen, int *fd)
{
	struct answer *plain = answer;
	uint32_t got;
	ssize_t n;

	tell_ended(s, type == REQ_OPEN); /* of files in a row the logs can wait, of all else not */
	if (msg_send(s->monitor, type, request, rlen, -1) == -1) {
		if (errno == EPIPE || errno == ECONNRESET)
			session_monitor_gone(s);
		fatal("request %s", names[type]);
	}
	n = msg_recv(s->monitor, &got, answer, alen, fd);
	if (n == -1 && errno == ECONNRESET)
		session_monitor_gone(s);
	if (n == -1)
		fatal("answer to %s", names[type]);
	if ((size_t)n != alen || got != (uint32_t)type)
		fatalx("answer to %s: type %u, %zd bytes", names[type], got, n);
	log_debug("request %s: %s", names[type], plain->error == 0 ? "done" : strerror(plain->error));
	if (plain->error == 0)
		return 0;
	errno = plain->error;
	return -1;
}

/* A request whose answer is an errno alone. */
static int
ask_plain(struct session *s, enum request type, const void *request, size_t len)
{
	struct answer answer;

	return ask(s, type, request, len, &answer, sizeof(answer), NULL);
}

/* Paths have been measured by cmd_path(); a longer one is a mistake of ours. */
static void
copy_path(char to[static REQ_PATH], const char *path)
{
	if (strlcpy(to, path, REQ_PATH) >= REQ_PATH)
		fatalx("a path of %zu bytes", strlen(path));
}

static int
ask_path(struct session *s, enum request type, const char *path)
{
	struct req_path request = { 0 };

	copy_path(request.path, path);
	return ask_plain(s, type, &request, up_to_nul(&request, request.path));
}

int
ask_login(struct session *s, const char *user, const char *password, struct ans_login *answer,
    int *display)
{
	struct req_login request = { 0 };
	int result;

	*display = -1;
	if (strlcpy(request.user, user, sizeof(request.user)) >= sizeof(request.user) ||
	    strlcpy(request.password, password, sizeof(request.password)) >=
	        sizeof(request.password))
		request.user[0] = request.password[0] = '\0'; /* counts as a failed try */
	result = ask(s, REQ_LOGIN, &request, sizeof(request), answer, sizeof(*answer), display);
	explicit_bzero(&request, sizeof(request));
	return result;
}

int
ask_certificate(struct session *s, const struct req_certificate *request,
    struct ans_login *answer, int *display)
{
	return ask(s, REQ_CERTIFICATE, request, sizeof(*request), answer, sizeof(*answer), display);
}

int
ask_chdir(struct session *s, const char *path)
{
	return ask_path(s, REQ_CHDIR, path);
}

int
ask_stat(struct session *s, const char *path, bool follow, struct ans_stat *answer)
{
	struct req_stat request = { .follow = follow };

	copy_path(request.path, path);
	return ask(s, REQ_STAT, &request, up_to_nul(&request, request.path), answer, sizeof(*answer),
	    NULL);
}

int
ask_facts(struct session *s, const char *path, bool follow, struct ans_stat *answer)
{
	struct req_stat request = { .follow = follow, .more = (s->params.facts & FACT_MORE) != 0 };
	int result;

	copy_path(request.path, path);
	result = ask(s, REQ_STAT, &request, up_to_nul(&request, request.path), answer,
	    sizeof(*answer), NULL);
	answer->user[sizeof(answer->user) - 1] = answer->group[sizeof(answer->group) - 1] = '\0';
	return result;
}

int
ask_open(struct session *s, const char *path, enum open_mode mode, int64_t restart,
    struct ans_open *answer)
{
	struct req_open request = {
		.mode = mode,
		.permissions = 0666 & ~s->params.umask_file,
		.restart = restart,
	};
	int fd = -1;

	copy_path(request.path, path);
	if (ask(s, REQ_OPEN, &request, up_to_nul(&request, request.path), answer, sizeof(*answer),
	        &fd) == -1)
		return -1;
	return fd;
}

int
ask_list(struct session *s, enum list_kind kind, unsigned options, const char *path,
    const char *shown)
{
	struct req_list request = { .kind = kind, .options = options, .facts = s->params.facts };
	struct answer answer;
	int fd = -1;

	copy_path(request.path, path);
	copy_path(request.shown, shown);
	if (ask(s, REQ_LIST, &request, up_to_nul(&request, request.shown), &answer, sizeof(answer),
	        &fd) == -1)
		return -1;
	return fd;
}

int
ask_mkdir(struct session *s, const char *path)
{
	struct req_mkdir request = { .permissions = 0777 & ~s->params.umask_dir };

	copy_path(request.path, path);
	return ask_plain(s, REQ_MKDIR, &request, up_to_nul(&request, request.path));
}

int
ask_rmdir(struct session *s, const char *path)
{
	return ask_path(s, REQ_RMDIR, path);
}

int
ask_unlink(struct session *s, const char *path)
{
	return ask_path(s, REQ_UNLINK, path);
}

int
ask_rename(struct session *s, const char *from, const char *to)
{
	struct req_rename request = { 0 };

	copy_path(request.from, from);
	copy_path(request.to, to);
	return ask_plain(s, REQ_RENAME, &request, up_to_nul(&request, request.to));
}

int
ask_set_mode(struct session *s, const char *path, unsigned mode)
{
	struct req_setattr request = { .set_mode = true, .mode = mode };

	copy_path(request.path, path);
	return ask_plain(s, REQ_SETATTR, &request, up_to_nul(&request, request.path));
}

int
ask_set_time(struct session *s, const char *path, const struct timespec *modified)
{
	struct req_setattr request = { .set_time = true, .modified = *modified };

	copy_path(request.path, path);
	return ask_plain(s, REQ_SETATTR, &request, up_to_nul(&request, request.path));
}

int
ask_listen(struct session *s, bool extended, struct netaddr *announce, uint16_t *here)
{
	struct req_listen request = { .extended = extended };
	struct ans_listen answer;
	int fd = -1;

	if (ask(s, REQ_LISTEN, &request, sizeof(request), &answer, sizeof(answer), &fd) == -1)
		return -1;
	*announce = answer.announce;
	*here = answer.port;
	return fd;
}

int
ask_connect(struct session *s, uint16_t port)
{
	struct req_connect request = { .port = port };
	struct answer answer;
	int fd = -1;

	if (ask(s, REQ_CONNECT, &request, sizeof(request), &answer, sizeof(answer), &fd) == -1)
		return -1;
	return fd;
}

int
ask_done(struct session *s, const struct req_done *done)
{
	return ask_plain(s, REQ_DONE, done, up_to_nul(done, done->path));
}

void
ask_ended(struct session *s, const struct req_done *done)
{
	ask_flush(s);
	memcpy(&s->ended, done, up_to_nul(done, done->path));
	s->ended_due = clock_ms() + LATER;
}

int64_t
ask_keeps(struct session *s)
{
	if (clock_ms() >= s->ended_due)
		ask_flush(s);
	return s->ended_due;
}

void
ask_flush(struct session *s)
{
	tell_ended(s, false);
}

int
ask_set_group(struct session *s, const char *path, gid_t group)
{
	struct req_setattr request = { .set_group = true, .group = group };

	copy_path(request.path, path);
	return ask_plain(s, REQ_SETATTR, &request, up_to_nul(&request, request.path));
}

int
ask_space(struct session *s, const char *path, int64_t *bytes)
{
	struct req_path request = { 0 };
	struct ans_space answer;
	int result;

	copy_path(request.path, path);
	result = ask(s, REQ_SPACE, &request, up_to_nul(&request, request.path), &answer,
	    sizeof(answer), NULL);
	*bytes = answer.bytes;
	return result;
}

int64_t
ask_rate(struct session *s, bool sends)
{
	struct req_rate request = { .sends = sends };
	struct ans_rate answer;

	if (ask(s, REQ_RATE, &request, sizeof(request), &answer, sizeof(answer), NULL) == -1)
		fatal("answer to %s", names[REQ_RATE]);
	return answer.rate;
}

int
ask_symlink(struct session *s, const char *target, const char *path)
{
	struct req_symlink request = { 0 };

	copy_path(request.target, target);
	copy_path(request.path, path);
	return ask_plain(s, REQ_SYMLINK, &request, up_to_nul(&request, request.path));
}

int
ask_tls(struct session *s, bool private)
{
	struct req_tls request = {
		.names_told = s->names.told,
		.names_legacy = s->names.legacy,
		.private = private,
		.type = s->params.type,
	};

	strlcpy(request.host, s->host, sizeof(request.host));
	return ask_plain(s, REQ_TLS, &request, sizeof(request));
}
