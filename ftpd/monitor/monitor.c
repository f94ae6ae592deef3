/*
 * The request table and the loop over it. The session is not believed: what it
 * sends is checked by the table (known, in this state, of this size, strings
 * with their end, truth values 0 or 1) before a function of ours sees it, and a
 * request that breaks a rule ends the connection.
 */
#include "monitor.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "children.h"
#include "dataport.h"
#include "files.h"
#include "listing.h"
#include "log.h"
#include "login.h"
#include "msg.h"
#include "open.h"
#include "owners.h"
#include "presence.h"
#include "request.h"
#include "tls_start.h"
#include "upload.h"
#include "xferlog.h"

/* The session tells the client that its time is up; this is for a session that does not. */
#define LOGIN_GRACE 5

/* How long, in milliseconds, the next request is taken to come soon: it is received without a poll(2). */
#define SOON 100

/* So many strings are in a request at most. */
#define STRINGS 2

/* A part of a request. */
struct span {
	size_t at, size;
};

struct rule {
	const char *name;
	unsigned states; /* enum monitor_state: when it may be asked */
	unsigned rights; /* RIGHT_…: what the account must have, all of it */
	size_t size, answer; /* answer 0: none is given */
	/* Answers by an errno or 0, and a descriptor of ours to pass along and close. */
	int (*handle)(struct monitor *, const union any_request *, union any_answer *, int *fd);
	void (*then)(struct monitor *); /* what is done once a good answer has left */
	struct span strings[STRINGS];   /* the first one is shown in traces */
	struct span flags;              /* bools, side by side */
};

static int done_request(struct monitor *, const union any_request *, union any_answer *, int *);
static int ended_request(struct monitor *, const union any_request *, union any_answer *, int *);

#define SIZES(r, a) sizeof(struct req_##r), sizeof(struct a)
#define PART(r, m)                                                                                 \
	{                                                                                          \
		offsetof(struct req_##r, m), sizeof(((struct req_##r *)NULL)->m)                   \
	}
#define PARTS(r, first, last)                                                                      \
	{                                                                                          \
		offsetof(struct req_##r, first),                                                   \
		    offsetof(struct req_##r, last) + 1 - offsetof(struct req_##r, first)           \
	}

/* clang-format off */
static const struct rule rules[REQ_END] = {
	[REQ_LOGIN] = { "LOGIN", STATE_LOGIN, 0, SIZES(login, ans_login), login_request,
		login_filter, { PART(login, user), PART(login, password) } },
	[REQ_CHDIR] = { "CHDIR", STATE_USER, 0, SIZES(path, answer), files_chdir, NULL,
		{ PART(path, path) } },
	[REQ_STAT] = { "STAT", STATE_USER, 0, SIZES(stat, ans_stat), files_stat, NULL,
		{ PART(stat, path) }, PARTS(stat, follow, more) },
	[REQ_OPEN] = { "OPEN", STATE_USER, 0, SIZES(open, ans_open), open_request, NULL,
		{ PART(open, path) } },
	[REQ_LIST] = { "LIST", STATE_USER, RIGHT_LIST, SIZES(list, answer), listing_request,
		listing_write, { PART(list, path), PART(list, shown) } },
	[REQ_MKDIR] = { "MKDIR", STATE_USER, RIGHT_MKDIR, SIZES(mkdir, answer), files_mkdir, NULL,
		{ PART(mkdir, path) } },
	[REQ_RMDIR] = { "RMDIR", STATE_USER, RIGHT_DELETE, SIZES(path, answer), files_rmdir, NULL,
		{ PART(path, path) } },
	[REQ_UNLINK] = { "UNLINK", STATE_USER, RIGHT_DELETE, SIZES(path, answer), files_unlink,
		NULL, { PART(path, path) } },
	[REQ_RENAME] = { "RENAME", STATE_USER, RIGHT_RENAME, SIZES(rename, answer), files_rename,
		NULL, { PART(rename, from), PART(rename, to) } },
	[REQ_SETATTR] = { "SETATTR", STATE_USER, RIGHT_ATTR, SIZES(setattr, answer), files_setattr,
		NULL, { PART(setattr, path) }, PARTS(setattr, set_mode, set_group) },
	[REQ_LISTEN] = { "LISTEN", STATE_USER, 0, SIZES(listen, ans_listen), dataport_listen, NULL,
		{ { 0 } }, PART(listen, extended) },
	[REQ_CONNECT] = { "CONNECT", STATE_USER, 0, SIZES(connect, answer), dataport_connect, NULL,
		{ { 0 } } },
	[REQ_DONE] = { "DONE", STATE_USER, 0, SIZES(done, answer), done_request, NULL,
		{ PART(done, path) }, PARTS(done, complete, more) },
	[REQ_SPACE] = { "SPACE", STATE_USER, RIGHT_STORE, SIZES(path, ans_space), files_space, NULL,
		{ PART(path, path) } },
	[REQ_SYMLINK] = { "SYMLINK", STATE_USER, RIGHT_STORE, SIZES(symlink, answer), files_symlink,
		NULL, { PART(symlink, path), PART(symlink, target) } },
	[REQ_TLS] = { "TLS", STATE_LOGIN, 0, SIZES(tls, answer), tls_request, tls_take_over,
		{ PART(tls, host) }, PARTS(tls, names_told, private) },
	[REQ_CERTIFICATE] = { "CERTIFICATE", STATE_LOGIN, 0, SIZES(certificate, ans_login),
		certificate_request, login_filter, { PART(certificate, user) } },
	[REQ_ENDED] = { "ENDED", STATE_USER, 0, sizeof(struct req_done), 0, ended_request, NULL,
		{ PART(done, path) }, PARTS(done, complete, more) },
	[REQ_RATE] = { "RATE", STATE_USER, 0, SIZES(rate, ans_rate), rate_request, NULL,
		{ { 0 } }, PART(rate, sends) },
};
/* clang-format on */

int64_t
monitor_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *
monitor_word(char *dst, size_t size, const char *text)
{
	size_t i;

	for (i = 0; i + 1 < size && text[i] != '\0'; i++) {
		unsigned char c = (unsigned char)text[i];

		dst[i] = c <= ' ' || c == 0x7f || strchr("\"'\\", c) != NULL ? '_' : text[i];
	}
	dst[i] = '\0';
	return dst;
}

/* Milliseconds to the login deadline, 0 when it has passed, -1 when there is none. */
static int
time_left(const struct monitor *m)
{
	int64_t left;

	if (m->state != STATE_LOGIN || m->conf->timeout_login == 0)
		return -1;
	left = m->began + (m->conf->timeout_login + (int64_t)LOGIN_GRACE) * 1000 - monitor_clock();
	return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

/*
 * The monitor's wait: for events on the session's socket, at most ms
 * milliseconds (-1: the deadline alone). Returns what poll(2) says of the
 * socket, 0 when the time has passed.
 */
static short
wait_session(const struct monitor *m, short events, int ms)
{
	struct pollfd p = { .fd = m->sock, .events = events };
	int left = time_left(m), n;

	if (left == -1 || (ms != -1 && ms < left))
		left = ms;
	do
		n = poll(&p, 1, left);
	while (n == -1 && errno == EINTR);
	return n == 0 ? 0 : n == 1 ? p.revents : POLLERR;
}

void
monitor_delay(const struct monitor *m, int ms)
{
	/* no events: the session's end still wakes it */
	(void)wait_session(m, 0, ms);
}

bool
monitor_wait(const struct monitor *m, int fd)
{
	/* no events of the session: its end still wakes us */
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = m->sock } };
	int n;

	do
		n = poll(p, 2, time_left(m));
	while (n == -1 && errno == EINTR);
	return n > 0 && p[0].revents != 0;
}

/* Of the path what there is of it. */
static void
copy_done(struct req_done *to, const struct req_done *from)
{
	memcpy(to, from, offsetof(struct req_done, path) + strlen(from->path) + 1);
}

/* A transfer that has ended, until the request behind it has been answered: then the logs get it. */
static struct req_done unlogged;

static void
log_the_rest(struct monitor *m)
{
	if (m->unlogged)
		xferlog_write(m, &unlogged);
	m->unlogged = false;
}

static int
done_request(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	struct req_done done = req->done;
	int error = 0;

	(void)ans;
	(void)fd;
	dataport_forget(m);
	presence_done(m);
	if (done.listing)
		return m->listing_error;
	if (done.upload && done.complete)
		error = upload_complete(m);
	else
		upload_discard(m);
	done.complete = done.complete && error == 0;
	xferlog_write(m, &done);
	return error;
}

/* Is not answered: an upload that had to be put in its place here cannot end so. */
static int
ended_request(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	struct req_done done;

	(void)ans;
	(void)fd;
	copy_done(&done, &req->done);
	log_the_rest(m);
	dataport_forget(m);
	presence_done(m);
	done.complete = done.complete && !done.listing && m->upload == NULL;
	upload_discard(m);
	m->unlogged = done.more;
	if (done.more)
		copy_done(&unlogged, &done);
	else
		xferlog_write(m, &done);
	return 0;
}

/* Of the struct's size, or cut behind the NUL of the string that is its last member. */
static bool
has_size(const struct rule *rule, const char *bytes, size_t len)
{
	if (len == rule->size)
		return true;
	for (size_t i = 0; i < STRINGS; i++) {
		const struct span *string = &rule->strings[i];

		if (string->at + string->size == rule->size && len > string->at && len < rule->size)
			return bytes[len - 1] == '\0';
	}
	return false;
}

/* What is wrong with a request, or NULL. */
static const char *
broken_rule(const struct rule *rule, const struct monitor *m, const void *req, size_t len)
{
	const char *bytes = req;
	size_t i;

	if ((rule->states & m->state) == 0)
		return "is not for this state";
	if (!has_size(rule, bytes, len))
		return "has the wrong size";
	for (i = 0; i < STRINGS; i++)
		if (rule->strings[i].size != 0 &&
		    memchr(bytes + rule->strings[i].at, '\0', rule->strings[i].size) == NULL)
			return "has a string without end";
	for (i = 0; i < rule->flags.size; i++)
		if ((unsigned char)bytes[rule->flags.at + i] > 1)
			return "has a truth value that is neither 0 nor 1";
	return NULL;
}

static void
trace(const struct rule *rule, const void *req, int error)
{
	const char *text = "";

	if (log_level() < LOG_DEBUG)
		return;
	if (rule->strings[0].size != 0)
		text = (const char *)req + rule->strings[0].at;
	log_debug("%s %s: %s", rule->name, text, error == 0 ? "done" : strerror(error));
}

/* Does what is asked and answers, exactly once. Returns false if the session has gone. */
static bool
answer_request(struct monitor *m, uint32_t type, const union any_request *req)
{
	const struct rule *rule = &rules[type];
	union any_answer ans;
	int fd = -1, error, sent;

	/* also its holes: nothing of this process's memory goes to the session */
	memset(&ans, 0, sizeof(ans));
	if ((m->account.rights & rule->rights) != rule->rights)
		error = EACCES;
	else
		error = rule->handle(m, req, &ans, &fd);
	ans.plain.error = error;
	trace(rule, req, error);
	if (rule->answer == 0)
		return true;
	sent = msg_send(m->sock, type, &ans, rule->answer, fd);
	log_the_rest(m);
	if (sent == -1 && errno != EPIPE && errno != ECONNRESET)
		log_warn("answer to %s", rule->name);
	if (fd != -1 && !presence_keeps(m, fd))
		close(fd);
	if (sent == 0 && error == 0 && rule->then != NULL)
		rule->then(m);
	return sent == 0;
}

/*
 * Receives one request and answers it; false ends the connection. *soon: another one may
 * follow within SOON, which the socket itself waits for.
 */
static bool
serve(struct monitor *m, union any_request *req, bool *soon)
{
	const char *why;
	uint32_t type;
	ssize_t len;
	bool more;

	*soon = false;
	if ((len = msg_recv(m->sock, &type, req, sizeof(*req), NULL)) == -1) {
		if (errno == EAGAIN)
			return true;
		if (errno != ECONNRESET)
			log_warn("request");
		return false;
	}
	if (type >= REQ_END || rules[type].handle == NULL) {
		log_warnx("request %u is unknown: the connection ends", type);
		return false;
	}
	if ((why = broken_rule(&rules[type], m, req, (size_t)len)) != NULL) {
		log_warnx("request %s %s: the connection ends", rules[type].name, why);
		return false;
	}
	more = answer_request(m, type, req);
	if (type == REQ_LOGIN || type == REQ_CERTIFICATE)
		explicit_bzero(req, (size_t)len); /* what has come */
	*soon = m->state == STATE_USER; /* before, there is a deadline */
	return more;
}

void
monitor_stop(struct monitor *m)
{
	m->stopped = 1;
	shutdown(m->sock, SHUT_RDWR);
}

/* From now on receiving waits for SOON at most. */
static bool
be_patient(int sock)
{
	const struct timeval patience = { .tv_usec = SOON * 1000 };

	return setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0;
}

void
monitor_run(struct monitor *m)
{
	static union any_request req; /* its pages are touched when a request fills them */
	bool soon = false, patient = false;
	short events;

	m->state = STATE_LOGIN;
	m->began = monitor_clock();
	m->root_fd = m->keeper = -1;
	m->announce.family = AF_UNSPEC;
	for (;;) {
		if (soon && !patient) /* logged in: TLS does not change the socket any more */
			patient = be_patient(m->sock);
		soon = soon && patient;
		events = soon ? POLLIN : wait_session(m, POLLIN, presence_due(m));
		presence_tick(m);
		children_tell(m->session);
		if (events == 0 && m->state == STATE_LOGIN) {
			log_info("the login deadline has passed");
			break;
		}
		if (events != 0 && ((events & POLLIN) == 0 || !serve(m, &req, &soon)))
			break;
	}
	log_the_rest(m);
	tls_forget(m);
	presence_done(m);
	listing_discard(m);
	upload_discard(m);
	owners_close(m);
	if (m->root_fd != -1)
		close(m->root_fd);
	m->root_fd = -1;
	auth_system_end(m);
	if (events != 0 && m->session != 0) /* it is the session that has gone: how? */
		children_await(m->session);
	children_tell(m->session);
}
