/*
 * Commands about files and directories: RFC 959 section 4.1.3, RFC 3659.
 */
#include "cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ask.h"
#include "facts.h"
#include "nfc.h"
#include "session.h"
#include "vpath.h"

/* Takes the first n bytes of other for path if they are another name that is there. */
static bool
take_spelling(struct session *s, char path[static REQ_PATH], char *other, size_t n)
{
	struct ans_stat answer;

	other[n] = '\0';
	if (strcmp(other, path) == 0 || ask_stat(s, other, false, &answer) == -1)
		return false;
	strlcpy(path, other, REQ_PATH);
	return true;
}

/*
 * Where ClientCharset makes clients of different kinds meet, "ga" of one may be
 * "ka" and a mark of the other (nfc.h): a name that is not there is looked for in
 * the other spelling. One that is not there either is made with whole letters.
 */
static void
find_spelling(struct session *s, char path[static REQ_PATH])
{
	size_t last = (size_t)(strrchr(path, '/') + 1 - path), len = strlen(path), n;
	char other[REQ_PATH];
	struct ans_stat answer;

	if (ask_stat(s, path, false, &answer) == 0 || errno != ENOENT)
		return;
	memcpy(other, path, last);
	n = nfc_decompose(path + last, len - last, other + last, sizeof(other) - last - 1);
	if (n > 0 && take_spelling(s, path, other, last + n))
		return;
	n = nfc_decompose(path, len, other, sizeof(other) - 1);
	if (n > 0 && take_spelling(s, path, other, n))
		return;
	n = nfc_compose(path + last, len - last, other, sizeof(other) - 1);
	memcpy(path + last, other, n);
	path[last + n] = '\0';
}

bool
cmd_path(struct session *s, const char *arg, char *path)
{
	if (strchr(arg, '\r') != NULL) {
		/* it could never be named in a listing, whose lines end with it */
		reply(s, 553, "A name must not hold a carriage return.");
		return false;
	}
	if (vpath_join(s->directory, arg, path, REQ_PATH) == 0) {
		if (s->conf->client_charset.name[0] != '\0')
			find_spelling(s, path);
		return true;
	}
	reply(s, 553, "This name is longer than %d bytes.", REQ_PATH - 1);
	return false;
}

bool
cmd_place(struct session *s, const char *arg, char *path)
{
	size_t len = strcspn(arg, "/");
	bool own = len > 0 && strlen(s->user) == len - 1 && strncmp(arg + 1, s->user, len - 1) == 0;

	if (arg[0] != '~' || !(len == 1 || own) || cmd_exists(s, arg))
		return cmd_path(s, arg, path);
	arg += len;
	arg += strspn(arg, "/"); /* what follows is seen from there */
	if (strchr(arg, '\r') == NULL && vpath_join(s->home, arg, path, REQ_PATH) == 0)
		return true;
	reply(s, 553, "This name is too long or holds a carriage return.");
	return false;
}

bool
cmd_exists(struct session *s, const char *arg)
{
	struct ans_stat answer;
	char path[REQ_PATH];

	return vpath_join(s->directory, arg, path, sizeof(path)) == 0 &&
	       ask_stat(s, path, true, &answer) == 0;
}

bool
cmd_may(struct session *s, unsigned right, const char *what)
{
	if (s->rights & right)
		return true;
	reply(s, 550, "You may not %s here.", what);
	return false;
}

/* For the replies that quote a name: 257 doubles its quotes (RFC 959 appendix II). */
static void
reply_name(struct session *s, int code, const char *name, const char *words)
{
	char quoted[2 * REQ_PATH];

	reply(s, code, "\"%s\" %s", reply_quote(quoted, sizeof(quoted), name), words);
}

void
cmd_cwd(struct session *s, char *arg)
{
	char path[REQ_PATH];

	if (!cmd_place(s, arg, path))
		return;
	if (ask_chdir(s, path) == -1) {
		reply_errno(s, 550, arg);
		return;
	}
	strlcpy(s->directory, path, sizeof(s->directory));
	reply_name(s, 250, path, "is the current directory.");
}

void
cmd_cdup(struct session *s, char *arg)
{
	char up[] = "..";

	(void)arg;
	cmd_cwd(s, up);
}

void
cmd_pwd(struct session *s, char *arg)
{
	(void)arg;
	reply_name(s, 257, s->directory, "is the current directory.");
}

void
cmd_mkd(struct session *s, char *arg)
{
	char path[REQ_PATH];

	if (!cmd_may(s, RIGHT_MKDIR, "make directories") || !cmd_path(s, arg, path))
		return;
	if (ask_mkdir(s, path) == 0)
		reply_name(s, 257, path, "was made.");
	else if (errno == EEXIST)
		reply(s, 550, "%s: It exists already.", arg);
	else
		reply_errno(s, 550, arg);
}

void
cmd_rmd(struct session *s, char *arg)
{
	char path[REQ_PATH];

	if (!cmd_may(s, RIGHT_DELETE, "remove directories") || !cmd_path(s, arg, path))
		return;
	if (ask_rmdir(s, path) == 0)
		reply(s, 250, "The directory was removed.");
	else
		reply_errno(s, 550, arg);
}

void
cmd_dele(struct session *s, char *arg)
{
	char path[REQ_PATH];

	if (!cmd_may(s, RIGHT_DELETE, "delete files") || !cmd_path(s, arg, path))
		return;
	if (ask_unlink(s, path) == 0)
		reply(s, 250, "The file was deleted.");
	else
		reply_errno(s, 550, arg);
}

void
cmd_rnfr(struct session *s, char *arg)
{
	struct ans_stat answer;
	char path[REQ_PATH];

	s->renames = false;
	if (!cmd_may(s, RIGHT_RENAME, "rename") || !cmd_path(s, arg, path))
		return;
	if (ask_stat(s, path, false, &answer) == -1) {
		reply_errno(s, 550, arg);
		return;
	}
	strlcpy(s->rename_from, path, sizeof(s->rename_from));
	s->renames = true;
	reply(s, 350, "And the new name? Send RNTO.");
}

void
cmd_rnto(struct session *s, char *arg)
{
	char path[REQ_PATH];

	if (!s->renames) {
		reply(s, 503, "Send RNFR first.");
		return;
	}
	if (cmd_path(s, arg, path)) {
		if (ask_rename(s, s->rename_from, path) == 0)
			reply(s, 250, "Renamed.");
		else /* RFC 959 section 5.4 has no 550 here */
			reply_errno(s, 553, arg);
	}
	s->renames = false;
}

/* The file that SIZE or MDTM names; false after the refusal has been sent. */
static bool
stat_file(struct session *s, const char *arg, struct ans_stat *answer)
{
	char path[REQ_PATH];

	if (!cmd_may(s, RIGHT_READ | RIGHT_LIST, "look at files") || !cmd_path(s, arg, path))
		return false;
	if (ask_stat(s, path, true, answer) == -1) {
		reply_errno(s, 550, arg);
		return false;
	}
	return true;
}

void
cmd_size(struct session *s, char *arg)
{
	struct ans_stat answer;

	/* RFC 3659 section 4: the size on the wire, which in ASCII takes reading the file */
	if (s->params.type == TYPE_ASCII)
		reply(s, 550, "SIZE is not known in ASCII: set TYPE I first.");
	else if (!stat_file(s, arg, &answer))
		return;
	else if (!S_ISREG(answer.st.st_mode))
		reply(s, 550, "%s: Not a regular file.", arg);
	else
		reply(s, 213, "%lld", (long long)answer.st.st_size);
}

/* Sets a file's time; false after the refusal has been sent. */
static bool
set_time(struct session *s, const char *name, const struct timespec *modified)
{
	char path[REQ_PATH];

	if (!cmd_may(s, RIGHT_ATTR, "change files' times") || !cmd_path(s, name, path))
		return false;
	if (ask_set_time(s, path, modified) == 0)
		return true;
	reply_errno(s, 550, name);
	return false;
}

/*
 * Splits "YYYYMMDDHHMMSS file". The name is NULL if the time is none, or no
 * name follows.
 */
static const char *
time_and_name(const char *arg, struct timespec *modified)
{
	const char *name;

	if (facts_time_parse(arg, modified, &name) == -1 || name[0] != ' ' || name[1] == '\0')
		return NULL;
	return name + 1;
}

void
cmd_mdtm(struct session *s, char *arg)
{
	struct ans_stat answer;
	struct timespec modified;
	char text[16];
	const char *name = time_and_name(arg, &modified);

	/* the setting form that came before MFMT, unless a file has such a name */
	if (name != NULL && !cmd_exists(s, arg)) {
		if (set_time(s, name, &modified))
			reply(s, 213, "%s", facts_time_text(text, modified.tv_sec));
	} else if (stat_file(s, arg, &answer)) {
		reply(s, 213, "%s", facts_time_text(text, answer.st.st_mtime));
	}
}

void
cmd_mfmt(struct session *s, char *arg)
{
	struct timespec modified;
	const char *name = time_and_name(arg, &modified);
	char text[16];

	if (name == NULL)
		reply(s, 501, "MFMT wants YYYYMMDDHHMMSS (UTC), a blank and the file's name.");
	else if (set_time(s, name, &modified))
		reply(s, 213, "Modify=%s; %s", facts_time_text(text, modified.tv_sec), name);
}

void
cmd_mfct(struct session *s, char *arg)
{
	(void)arg;
	reply(s, 502, "The time of creation cannot be set on this system; MFMT sets the last change.");
}

bool
cmd_group(const char *text, gid_t *group)
{
	const char *why;

	*group = (gid_t)strtonum(text, 0, INT32_MAX, &why);
	return why == NULL && text[strspn(text, "0123456789")] == '\0';
}

/* What MFF is to set. */
struct wish {
	bool set_time, set_mode, set_group;
	struct timespec modified;
	unsigned mode;
	gid_t group;
};

/* Reads one "fact=value" of MFF; false after the refusal has been sent. */
static bool
read_fact(struct session *s, const char *fact, struct wish *wish)
{
	const char *value = strchr(fact, '='), *rest;
	char *end;

	if (value == NULL) {
		reply(s, 501, "MFF: %s has no value.", fact);
		return false;
	}
	value++;
	if (strncasecmp(fact, "modify=", 7) == 0) {
		wish->set_time = true;
		if (facts_time_parse(value, &wish->modified, &rest) == 0 && *rest == '\0')
			return true;
		reply(s, 501, "MFF: modify=YYYYMMDDHHMMSS, in UTC.");
		return false;
	}
	if (strncasecmp(fact, "unix.mode=", 10) == 0) {
		wish->set_mode = true;
		wish->mode = (unsigned)strtoul(value, &end, 8);
		if (*value >= '0' && *value <= '7' && *end == '\0' && wish->mode <= 0777)
			return true;
		reply(s, 501, "MFF: UNIX.mode=0644, octal, 0777 at most.");
		return false;
	}
	if (strncasecmp(fact, "unix.group=", 11) == 0) {
		wish->set_group = true;
		if (cmd_group(value, &wish->group))
			return true;
		reply(s, 501, "MFF: UNIX.group=1000, a number.");
		return false;
	}
	reply(s, 504, "MFF: %s cannot be set; Modify, UNIX.group and UNIX.mode can.", fact);
	return false;
}

void
cmd_mff(struct session *s, char *arg)
{
	char *name = strstr(arg, "; "), *facts = arg, *fact;
	char path[REQ_PATH], told[256];
	struct wish wish = { 0 };

	if (name == NULL || name[2] == '\0' || name - arg >= (ptrdiff_t)sizeof(told) - 1) {
		reply(s, 501, "MFF wants facts, a blank and a name: MFF Modify=20260101000000; file.");
		return;
	}
	*name = '\0';
	name += 2;
	if (!cmd_may(s, RIGHT_ATTR, "change files' facts") || !cmd_path(s, name, path))
		return;
	strlcpy(told, arg, sizeof(told));
	/* all are read before any is set */
	while ((fact = strsep(&facts, ";")) != NULL)
		if (!read_fact(s, fact, &wish))
			return;
	if ((wish.set_group && ask_set_group(s, path, wish.group) == -1) ||
	    (wish.set_mode && ask_set_mode(s, path, wish.mode) == -1))
		reply_errno(s, 550, name);
	else if (!wish.set_time || set_time(s, name, &wish.modified))
		reply(s, 213, "%s; %s", told, name);
}

void
cmd_mlst(struct session *s, char *arg)
{
	struct reply *r = &s->ctl.reply;
	struct ans_stat answer;
	char path[REQ_PATH], facts[FACTS_TEXT];
	struct facts_more more;

	if (!cmd_may(s, RIGHT_READ | RIGHT_LIST, "look at files") ||
	    !cmd_path(s, arg != NULL ? arg : "", path))
		return;
	if (ask_facts(s, path, !s->conf->show_symlinks, &answer) == -1) {
		reply_errno(s, 550, arg != NULL ? arg : path);
		return;
	}
	more = (struct facts_more){ .user = answer.user, .group = answer.group,
		.created = answer.created };
	facts_format(facts, &answer.st, FACTS_DIR, answer.may, s->params.facts, &more);
	reply_begin(r, 250, "Facts of %s", path);
	reply_line(r, "%s %s", facts, path);
	reply_end(r, 250, "That was all.");
	control_send_reply(s);
}
