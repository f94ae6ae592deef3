/*
 * Checksums: HASH (draft-bryan-ftpext-hash, over the range that REST or RANG
 * has set) and the older X commands, which name an algorithm and a range.
 */
#include "cmd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "hash.h"
#include "session.h"
#include "transfer.h"

#define CHUNK (256 << 10)

struct range {
	int64_t from, length; /* length -1: to the end */
};

static enum wait_result
add_file(struct session *s, struct transfer *t, struct hash *h, bool *failed)
{
	static char bytes[CHUNK];

	while (t->bytes != t->size) {
		int64_t left = t->size - t->bytes;
		/* a file is always ready: this serves ABOR, STAT and NOOP in between */
		enum wait_result w = session_wait(s, t->file, POLLIN, NEVER);
		ssize_t n;

		if (w != WAIT_READY)
			return w;
		n = read(t->file, bytes, left < CHUNK ? (size_t)left : CHUNK);
		if (n <= 0) {
			*failed = true;
			return WAIT_READY;
		}
		hash_add(h, bytes, (size_t)n);
		t->bytes += n;
	}
	return WAIT_READY;
}

/*
 * The checksum of a range of a file, in hex. *range becomes what was taken.
 * False after the refusal has been sent.
 */
static bool
compute(struct session *s, const char *verb, const char *name, enum hash_algorithm algorithm,
    struct range *range, char hex[static HASH_HEX])
{
	struct transfer t = { .direction = SEND, .verb = verb, .data = -1, .hashing = true };
	struct ans_open answer;
	enum wait_result w;
	bool failed = false;
	struct hash *h;
	char path[REQ_PATH];

	if (!cmd_may(s, RIGHT_READ, "read files") || !cmd_path(s, name, path))
		return false;
	t.file = ask_open(s, path, OPEN_READ, range->from, &answer);
	if (t.file == -1) {
		if (errno == ERANGE)
			reply(s, 501, "%s: The range begins beyond its end.", name);
		else
			reply_errno(s, 550, name);
		return false;
	}
	t.path = path;
	t.size = answer.st.st_size - range->from;
	if (range->length >= 0 && range->length < t.size)
		t.size = range->length;
	range->length = t.size;
	t.began = clock_ms();
	if ((h = hash_begin(algorithm)) == NULL) {
		close(t.file);
		cmd_done_reading(s, path);
		reply_errno(s, 451, name);
		return false;
	}
	s->xfer = &t;
	w = add_file(s, &t, h, &failed);
	s->xfer = NULL;
	close(t.file);
	cmd_done_reading(s, path);
	hash_end(h, hex);
	if (w == WAIT_ABORTED) {
		reply(s, 426, "%s aborted.", verb);
		reply(s, 226, "ABOR: done.");
	} else if (failed) {
		reply(s, 451, "%s could not be read to its end.", name);
	}
	return w == WAIT_READY && !failed;
}

void
cmd_hash(struct session *s, char *arg)
{
	struct range range = { s->params.restart, s->params.length };
	char hex[HASH_HEX];

	if (compute(s, "HASH", arg, s->params.hash, &range, hex))
		reply(s, 213, "%s %lld-%lld %s %s", hash_name(s->params.hash), (long long)range.from,
		    (long long)(range.from + (range.length > 0 ? range.length - 1 : 0)), hex, arg);
	cmd_forget_restart(s);
}

/* Takes a number from the end of text, behind a blank; false if there is none. */
static bool
cut_number(char *text, int64_t *n)
{
	char *blank = strrchr(text, ' ');
	const char *why;

	if (blank == NULL || blank == text || blank[1] < '0' || blank[1] > '9')
		return false;
	*n = strtonum(blank + 1, 0, INT64_MAX, &why);
	if (why != NULL)
		return false;
	*blank = '\0';
	return true;
}

/* "name", "name from end" or "\"name\" from end"; end is the first byte that is not taken. */
static bool
take_range(struct session *s, char **arg, struct range *range)
{
	int64_t end = -1, from = 0;
	size_t len;

	*range = (struct range){ 0, -1 };
	/* a file whose name ends with numbers is meant first */
	if (!cmd_exists(s, *arg) && cut_number(*arg, &end) && !cut_number(*arg, &from)) {
		from = end;
		end = -1;
	}
	len = strlen(*arg);
	if (len >= 2 && (*arg)[0] == '"' && (*arg)[len - 1] == '"') {
		(*arg)[len - 1] = '\0';
		(*arg)++;
	}
	if (end != -1 && end < from) {
		reply(s, 501, "The range ends before it begins.");
		return false;
	}
	range->from = from;
	range->length = end == -1 ? -1 : end - from;
	return true;
}

static void
old_form(struct session *s, const char *verb, char *arg, enum hash_algorithm algorithm)
{
	struct range range;
	char hex[HASH_HEX];

	if (take_range(s, &arg, &range) && compute(s, verb, arg, algorithm, &range, hex))
		reply(s, 250, "%s", hex);
}

void
cmd_xcrc(struct session *s, char *arg)
{
	old_form(s, "XCRC", arg, HASH_CRC32);
}

void
cmd_xmd5(struct session *s, char *arg)
{
	old_form(s, "XMD5", arg, HASH_MD5);
}

void
cmd_xsha1(struct session *s, char *arg)
{
	old_form(s, "XSHA1", arg, HASH_SHA1);
}

void
cmd_xsha256(struct session *s, char *arg)
{
	old_form(s, "XSHA256", arg, HASH_SHA256);
}

void
cmd_xsha512(struct session *s, char *arg)
{
	old_form(s, "XSHA512", arg, HASH_SHA512);
}

void
cmd_opts_hash(struct session *s, const char *value)
{
	enum hash_algorithm algorithm;

	if (value == NULL || *value == '\0') {
		reply(s, 200, "%s", hash_name(s->params.hash));
	} else if (hash_find(value, &algorithm)) {
		s->params.hash = algorithm;
		reply(s, 200, "%s", hash_name(algorithm));
	} else {
		reply(s, 501, "%s is unknown: SHA-256, SHA-1, SHA-512, MD5 and CRC32 are known.", value);
	}
}
