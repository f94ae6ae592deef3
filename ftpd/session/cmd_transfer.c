/*
 * The commands that use the data connection: RETR STOR APPE STOU LIST NLST MLSD.
 */
#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "dataconn.h"
#include "log.h"
#include "session.h"
#include "tls.h"
#include "transfer.h"
#include "vpath.h"

/* True if something is left that can still go wrong at the monitor's side: the client is told after it. */
static bool
is_undecided(const struct session *s, const struct transfer *t)
{
	return t->pipe || t->hidden || (t->direction == RECEIVE && s->conf->sync_uploads);
}

/* The monitor logs the transfer; what was undecided is known then, an errno if it has failed. */
static int
tell_monitor(struct session *s, const struct transfer *t, int64_t end, bool complete)
{
	struct req_done done = {
		.complete = complete,
		.upload = t->direction == RECEIVE,
		.ascii = t->ascii,
		.listing = t->pipe,
		.bytes = t->bytes,
		.duration_ms = end - t->began,
	};

	strlcpy(done.path, t->path, sizeof(done.path));
	if (is_undecided(s, t))
		return ask_done(s, &done);
	ask_ended(s, &done);
	return 0;
}

void
cmd_done_reading(struct session *s, const char *path)
{
	struct req_done done = { .listing = true };

	strlcpy(done.path, path, sizeof(done.path));
	(void)ask_done(s, &done);
}

/* RFC 959 section 5.4: no room now, more than is allowed, all else. */
static int
file_error_code(const struct transfer *t)
{
	if (t->direction == RECEIVE && errno == ENOSPC)
		return 452;
	if (t->direction == RECEIVE && (errno == EDQUOT || errno == EFBIG))
		return 552;
	return 451;
}

/* The last word about a transfer. errno belongs to the result. */
static void
reply_result(struct session *s, const struct transfer *t, enum transfer_result result)
{
	/* HiddenStores: what was there is there still */
	const char *old = t->hidden ? " The file that was to be replaced is as it was." : "";

	switch (result) {
	case TRANSFER_DONE:
		reply(s, 226, "Transfer complete.");
		break;
	case TRANSFER_ABORTED:
		reply(s, 426, "Transfer aborted after %lld bytes.%s", (long long)t->bytes, old);
		reply(s, 226, "ABOR: done.");
		break;
	case TRANSFER_LOST:
		reply(s, 426, "The data connection broke after %lld bytes: %s.%s",
		    (long long)t->bytes, strerror(errno), old);
		break;
	case TRANSFER_CUT:
		reply(s, 426, "The data connection ended without TLS's own end after %lld bytes: what was "
		              "sent may be cut off.%s", (long long)t->bytes, old);
		break;
	case TRANSFER_STALLED:
		reply(s, 426, "No byte moved for %u seconds, after %lld: transfer given up.%s",
		    s->conf->timeout_stalled, (long long)t->bytes, old);
		break;
	case TRANSFER_SHORT:
		reply(s, 451, t->direction == SEND ? "The file became shorter while it was sent."
		                                   : "Less came than RANG announced.");
		break;
	case TRANSFER_LONG:
		reply(s, 552, "More came than RANG announced; the rest was not stored.");
		break;
	case TRANSFER_FILE_ERROR:
		reply(s, file_error_code(t), "%s: %s.%s", t->path, control_reason(errno), old);
		break;
	case TRANSFER_CLOSED:
		break;
	}
}

/*
 * Data connection, 150, the bytes, both ends closed, the last word. file is
 * closed in any case. greeting is the text of the 150.
 */
static void
run(struct session *s, struct transfer *t, const char *greeting)
{
	enum transfer_result result = TRANSFER_CLOSED;
	bool undecided, closed;
	int64_t end;
	int error = 0;

	t->began = clock_ms();
	s->xfer = t;
	t->data = dataconn_open(s);
	if (t->data != -1) {
		reply(s, 150, "%s", greeting);
		if (s->params.private && (t->tls = dataconn_secure(s, t->data)) == NULL) {
			close(t->data);
			t->data = -1;
		} else {
			result = transfer_run(s, t);
			error = errno;
		}
	}
	tls_free(t->tls);
	/* a client that is killed in the middle closes both: that is no end of a file */
	if (result == TRANSFER_DONE && t->direction == RECEIVE && session_client_gone(s))
		result = TRANSFER_CLOSED;
	s->xfer = NULL;
	if (close(t->file) == -1 && result == TRANSFER_DONE && t->direction == RECEIVE) {
		result = TRANSFER_FILE_ERROR; /* the last bytes did not reach the disk */
		error = errno;
	}
	if (t->data == -1 && t->direction == SEND) {
		cmd_done_reading(s, t->path);
		return;
	}
	/* who has sent all has closed its end and waits for the word alone; all others wait for ours */
	closed = t->direction == RECEIVE && result == TRANSFER_DONE;
	if (t->data != -1 && !closed)
		close(t->data);
	end = clock_ms();
	undecided = is_undecided(s, t);
	if (undecided && tell_monitor(s, t, end, result == TRANSFER_DONE) == -1 &&
	    result == TRANSFER_DONE) {
		result = TRANSFER_FILE_ERROR;
		error = errno;
	}
	if (t->data != -1) {
		errno = error;
		reply_result(s, t, result);
		s->last_transfer = end;
	}
	/* the client's next command is on its way while the monitor is told */
	if (closed)
		close(t->data);
	if (!undecided)
		(void)tell_monitor(s, t, end, result == TRANSFER_DONE);
}

/* TransferRate, as it is for this file. */
static void
take_rate(struct transfer *t, const struct ans_open *answer)
{
	t->pace.rate = answer->rate;
	t->shared = answer->shared;
}

void
cmd_retr(struct session *s, char *arg)
{
	struct transfer t = { .direction = SEND, .verb = "RETR", .ascii = s->params.type == TYPE_ASCII };
	struct ans_open answer;
	char path[REQ_PATH], greeting[128];

	if (!cmd_may(s, RIGHT_READ, "read files") || !cmd_path(s, arg, path))
		return;
	t.file = ask_open(s, path, OPEN_READ, s->params.restart, &answer);
	if (t.file == -1 && errno == ERANGE) {
		reply(s, 554, "REST %lld lies beyond the end of %s.", (long long)s->params.restart, arg);
		return;
	}
	if (t.file == -1) {
		reply_errno(s, 550, arg);
		return;
	}
	t.path = path;
	take_rate(&t, &answer);
	t.size = answer.st.st_size - s->params.restart;
	if (s->params.length >= 0 && s->params.length < t.size)
		t.size = s->params.length;
	snprintf(greeting, sizeof(greeting), "Sending %lld bytes%s.", (long long)t.size,
	    t.ascii ? ", more with line ends" : "");
	run(s, &t, greeting);
}

/* Why the file of an upload could not be opened, which errno tells. */
static void
refuse_upload(struct session *s, const char *arg, enum open_mode mode)
{
	if (errno == ERANGE)
		reply(s, 554, "REST %lld lies beyond the end of %s: that would leave a hole.",
		    (long long)s->params.restart, arg);
	else if (errno == EPERM && !s->conf->allow_store_restart &&
	         (mode == OPEN_APPEND || s->params.restart != 0))
		reply(s, 451, "%s: Uploads are not resumed or appended to here (AllowStoreRestart).",
		    arg);
	else
		reply_errno(s, errno == ENOSPC || errno == EDQUOT ? 452 : 553, arg);
}

/* STOR, APPE and STOU: what differs is how the file is opened. */
static void
receive(struct session *s, const char *verb, const char *arg, enum open_mode mode)
{
	struct transfer t = { .direction = RECEIVE, .verb = verb, .size = s->params.length,
		.ascii = s->params.type == TYPE_ASCII };
	struct ans_open answer;
	char path[REQ_PATH], greeting[sizeof(answer.name) + 32] = "Ready to receive.";

	if (!cmd_may(s, RIGHT_STORE, "store files") || !cmd_path(s, arg, path))
		return;
	if ((s->params.restart != 0 || s->params.length >= 0) && mode != OPEN_STORE) {
		reply(s, 501, "REST and RANG do not go with %s.", verb);
		return;
	}
	/* agreed: else an empty file would be left behind; begun: a file without a name cannot be
	 * given one by a process whose capabilities have changed since (port 20) */
	if (!dataconn_agreed(s) || !dataconn_begin(s))
		return;
	t.file = ask_open(s, path, mode, s->params.restart, &answer);
	if (t.file == -1) {
		refuse_upload(s, arg, mode);
		if (s->port.kind == PORT_ACTIVE)
			dataconn_forget(s); /* it has begun already */
		return;
	}
	t.path = path;
	take_rate(&t, &answer);
	t.hidden = answer.hidden;
	if (mode == OPEN_UNIQUE) /* RFC 1123 section 4.1.2.9 */
		snprintf(greeting, sizeof(greeting), "FILE: %s", answer.name);
	run(s, &t, greeting);
}

void
cmd_stor(struct session *s, char *arg)
{
	receive(s, "STOR", arg, OPEN_STORE);
}

void
cmd_appe(struct session *s, char *arg)
{
	receive(s, "APPE", arg, OPEN_APPEND);
}

void
cmd_stou(struct session *s, char *arg)
{
	receive(s, "STOU", arg != NULL && *arg != '\0' ? arg : "ftp", OPEN_UNIQUE);
}

/* Which options of ls(1) mean something here; all others are ignored. */
static unsigned
list_option(char letter)
{
	switch (letter) {
	case 'a':
		return LIST_ALL;
	case 'A':
		return LIST_ALMOST_ALL;
	case 'd':
		return LIST_DIRECTORY;
	case 'R':
		return LIST_RECURSIVE;
	case 't':
		return LIST_BY_TIME;
	case 'S':
		return LIST_BY_SIZE;
	case 'r':
		return LIST_REVERSE;
	case 'F':
		return LIST_CLASSIFY;
	default:
		return 0;
	}
}

/* What holds for every LIST and NLST: ShowDotFiles, ListOptions. */
static unsigned
default_options(const struct conf *conf)
{
	unsigned options = conf->show_dot_files ? LIST_ALMOST_ALL : 0;

	for (const char *p = conf->list_options.letters; *p != '\0'; p++)
		options |= list_option(*p);
	return options;
}

/*
 * Takes "-la -t " from the front of arg, as clients pass on what was typed for
 * ls. Returns the rest: the path, whose own blanks stay. *kind becomes
 * LIST_LONG for NLST -l.
 */
static const char *
take_options(const char *arg, unsigned *options, enum list_kind *kind)
{
	while (arg[0] == '-' && arg[1] != '\0' && arg[1] != ' ') {
		const char *next = arg + strcspn(arg, " ");

		for (const char *p = arg + 1; p < next && arg[1] != '-'; p++) {
			*options |= list_option(*p);
			if (*p == 'l' && *kind == LIST_NAMES)
				*kind = LIST_LONG;
		}
		bool end = next - arg == 2 && arg[1] == '-'; /* "--": what follows is a name */

		arg = next[0] == ' ' ? next + 1 : next;
		if (end)
			break;
	}
	return arg;
}

/*
 * What stands before each name: the directory part of a file or pattern, as ls(1)
 * shows it, and "dir/" for the names of a directory in NLST (RFC 959 section 4.1.3: names
 * for further use).
 */
static void
names_prefix(struct session *s, const char *arg, const char *path, unsigned options,
    enum list_kind kind, char *shown)
{
	struct ans_stat answer;
	size_t len = strlen(arg);

	while (len > 0 && arg[len - 1] == '/')
		len--;
	if (*arg != '\0' && !(options & LIST_DIRECTORY) && ask_stat(s, path, true, &answer) == 0 &&
	    S_ISDIR(answer.st.st_mode)) {
		if (kind == LIST_NAMES)
			snprintf(shown, REQ_PATH, "%.*s/", (int)len, arg);
		return;
	}
	while (len > 0 && arg[len - 1] != '/')
		len--;
	if (len < REQ_PATH)
		snprintf(shown, REQ_PATH, "%.*s", (int)len, arg);
}

/* True if path is a directory, or nothing that would be anything else. */
static bool
is_folder(struct session *s, const char *path)
{
	struct ans_stat answer;

	return ask_stat(s, path, true, &answer) == -1 || S_ISDIR(answer.st.st_mode);
}

/*
 * Opens a listing; -1 after the refusal has been sent. path is for the log. From
 * here on the monitor is busy with the rows and answers nothing until they are read or
 * the pipe is closed: all that has to be asked is asked before; *folder, if it is wanted.
 */
static int
open_listing(struct session *s, const char *arg, enum list_kind kind, char *path, bool *folder)
{
	unsigned options = 0, ignored = 0;
	char shown[REQ_PATH] = "";
	int fd;

	if (!cmd_may(s, RIGHT_LIST, "list directories"))
		return -1;
	if (arg == NULL)
		arg = "";
	if (kind != LIST_FACTS) {
		options = default_options(s->conf);
		arg = take_options(arg, s->conf->list_options.strict ? &ignored : &options, &kind);
	}
	if (!cmd_place(s, arg, path))
		return -1;
	if (kind == LIST_NAMES || (kind == LIST_LONG && strchr(arg, '/') != NULL))
		names_prefix(s, arg, path, options, kind, shown);
	if (folder != NULL)
		*folder = is_folder(s, path);
	fd = ask_list(s, kind, options, path, shown);
	if (fd == -1 && errno == ENOTDIR && kind == LIST_FACTS)
		reply(s, 501, "%s: Not a directory. MLST tells about a file.", arg);
	else if (fd == -1) /* 450, as clients expect it of LIST and NLST */
		reply_errno(s, kind == LIST_FACTS ? 550 : 450, *arg != '\0' ? arg : path);
	return fd;
}

static void
list(struct session *s, const char *verb, const char *arg, enum list_kind kind)
{
	char path[REQ_PATH];
	/* rows end with CR LF as they come, whatever the type (RFC 959 4.1.3) */
	struct transfer t = { .direction = SEND, .verb = verb, .path = path, .pipe = true, .size = -1 };

	if ((s->rights & RIGHT_LIST) && !dataconn_begin(s))
		return;
	t.file = open_listing(s, arg, kind, path, NULL);
	if (t.file != -1)
		run(s, &t, "Here comes the listing.");
	else if (s->port.kind == PORT_ACTIVE)
		dataconn_forget(s); /* it has begun already */
}

void
cmd_list(struct session *s, char *arg)
{
	list(s, "LIST", arg, LIST_LONG);
}

void
cmd_nlst(struct session *s, char *arg)
{
	list(s, "NLST", arg, LIST_NAMES);
}

void
cmd_mlsd(struct session *s, char *arg)
{
	list(s, "MLSD", arg, LIST_FACTS);
}

void
cmd_abor(struct session *s, char *arg)
{
	(void)arg;
	if (s->xfer != NULL)
		s->xfer->abort = true; /* the transfer answers: 426 and 226 */
	else
		reply(s, 226, "There is nothing to abort.");
}

/* Rows on the control connection: 0xFF is doubled there (RFC 854). */
static void
send_rows(struct session *s, const char *rows, size_t n)
{
	static char converted[NAMES_ROWS_OUT];
	char out[2 * PIPE_BUF];

	if (names_convert(s)) {
		n = names_rows(s, rows, n, converted);
		rows = converted;
	}
	while (n > 0) {
		size_t len = 0;

		for (; n > 0 && len + 2 <= sizeof(out); n--, rows++) {
			out[len++] = *rows;
			if ((unsigned char)*rows == 0xff)
				out[len++] = *rows;
		}
		control_send(s, out, len);
	}
}

void
cmd_list_reply(struct session *s, char *arg)
{
	struct req_done done = { .listing = true };
	char path[REQ_PATH], rows[PIPE_BUF];
	bool folder = true;
	int fd = open_listing(s, arg, LIST_LONG, path, &folder);
	int code = folder ? 212 : 213; /* RFC 959 section 5.4 */
	ssize_t n;

	if (fd == -1)
		return;
	reply_begin(&s->ctl.reply, code, "Status of %s:", path);
	control_send_reply(s);
	names_rows_begin();
	while ((n = read(fd, rows, sizeof(rows))) > 0)
		send_rows(s, rows, (size_t)n); /* they begin with a letter or a dash */
	close(fd);
	strlcpy(done.path, path, sizeof(done.path));
	if (ask_done(s, &done) == -1)
		reply(s, code, "The listing is not complete: %s.", control_reason(errno));
	else
		reply(s, code, "That was all.");
}
