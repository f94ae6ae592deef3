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
#include "session.h"
#include "vpath.h"

bool
cmd_path(struct session *s, const char *arg, char *path)
{
	if (vpath_join(s->directory, arg, path, REQ_PATH) == 0)
		return true;
	reply(s, 553, "This name is longer than %d bytes.", REQ_PATH - 1);
	return false;
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

	if (!cmd_path(s, arg, path))
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

	s->rename_from[0] = '\0';
	if (!cmd_may(s, RIGHT_RENAME, "rename") || !cmd_path(s, arg, path))
		return;
	if (ask_stat(s, path, false, &answer) == -1) {
		reply_errno(s, 550, arg);
		return;
	}
	strlcpy(s->rename_from, path, sizeof(s->rename_from));
	reply(s, 350, "And the new name? Send RNTO.");
}

void
cmd_rnto(struct session *s, char *arg)
{
	char path[REQ_PATH];

	if (s->rename_from[0] == '\0') {
		reply(s, 503, "Send RNFR first.");
		return;
	}
	if (cmd_path(s, arg, path)) {
		if (ask_rename(s, s->rename_from, path) == 0)
			reply(s, 250, "Renamed.");
		else
			reply_errno(s, 550, arg);
	}
	s->rename_from[0] = '\0';
}

/* The file that SIZE or MDTM names; false after the refusal has been sent. */
static bool
stat_file(struct session *s, const char *arg, struct ans_stat *answer)
{
	char path[REQ_PATH];

	if (!cmd_path(s, arg, path))
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

void
cmd_mdtm(struct session *s, char *arg)
{
	struct ans_stat answer;
	char text[16];

	if (stat_file(s, arg, &answer))
		reply(s, 213, "%s", facts_time_text(text, answer.st.st_mtime));
}

void
cmd_mfmt(struct session *s, char *arg)
{
	struct timespec modified;
	const char *name;
	char path[REQ_PATH], text[16];

	if (!cmd_may(s, RIGHT_ATTR, "change files' times"))
		return;
	if (facts_time_parse(arg, &modified, &name) == -1 || name[0] != ' ' || name[1] == '\0') {
		reply(s, 501, "MFMT wants YYYYMMDDHHMMSS (UTC), a blank and the file's name.");
		return;
	}
	name++;
	if (!cmd_path(s, name, path))
		return;
	if (ask_set_time(s, path, &modified) == 0)
		reply(s, 213, "Modify=%s; %s", facts_time_text(text, modified.tv_sec), name);
	else
		reply_errno(s, 550, name);
}

void
cmd_mlst(struct session *s, char *arg)
{
	struct reply *r = &s->ctl.reply;
	struct ans_stat answer;
	char path[REQ_PATH], facts[FACTS_TEXT];

	if (!cmd_path(s, arg != NULL ? arg : "", path))
		return;
	if (ask_stat(s, path, false, &answer) == -1) {
		reply_errno(s, 550, arg != NULL ? arg : path);
		return;
	}
	facts_format(facts, &answer.st, FACTS_DIR, answer.may, s->params.facts);
	reply_begin(r, 250, "Facts of %s", path);
	reply_line(r, "%s %s", facts, path);
	reply_end(r, 250, "That was all.");
	control_send_reply(s);
}

static void
site_chmod(struct session *s, char *arg)
{
	char *name = strchr(arg, ' '), *end, path[REQ_PATH];
	unsigned long mode;

	if (!cmd_may(s, RIGHT_ATTR, "change files' modes"))
		return;
	if (name != NULL)
		*name++ = '\0';
	mode = strtoul(arg, &end, 8);
	if (name == NULL || *name == '\0' || *arg < '0' || *arg > '7' || *end != '\0' || mode > 07777) {
		reply(s, 501, "SITE CHMOD wants an octal mode, a blank and a name: SITE CHMOD 644 file.");
		return;
	}
	if (mode > 0777) {
		reply(s, 504, "Set-user-id, set-group-id and sticky bits are not set here.");
		return;
	}
	if (!cmd_path(s, name, path))
		return;
	if (ask_set_mode(s, path, (unsigned)mode) == 0)
		reply(s, 200, "Mode %03lo.", mode);
	else
		reply_errno(s, 550, name);
}

static void
site_umask(struct session *s, char *arg)
{
	char *end;
	unsigned long mask;

	if (*arg == '\0') {
		reply(s, 200, "The umask is %03o.", (unsigned)s->params.umask_file);
		return;
	}
	mask = strtoul(arg, &end, 8);
	if (*arg < '0' || *arg > '7' || *end != '\0' || mask > 0777) {
		reply(s, 501, "SITE UMASK wants an octal mask, 000 to 777.");
		return;
	}
	reply(s, 200, "The umask is %03lo, it was %03o.", mask, (unsigned)s->params.umask_file);
	s->params.umask_file = s->params.umask_dir = (mode_t)mask;
}

static void
site_help(struct session *s, char *arg)
{
	struct reply *r = &s->ctl.reply;

	(void)arg;
	reply_begin(r, 214, "SITE commands:");
	reply_line(r, "CHMOD mode file");
	reply_line(r, "UMASK [mask]");
	reply_line(r, "HELP");
	reply_end(r, 214, "That was all.");
	control_send_reply(s);
}

void
cmd_site(struct session *s, char *arg)
{
	static const struct {
		const char *verb;
		void (*run)(struct session *s, char *arg);
	} sites[] = {
		{ "CHMOD", site_chmod },
		{ "UMASK", site_umask },
		{ "HELP", site_help },
	};
	size_t verb = strcspn(arg, " ");

	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
		if (strlen(sites[i].verb) == verb && strncasecmp(sites[i].verb, arg, verb) == 0) {
			sites[i].run(s, arg + verb + (arg[verb] == ' '));
			return;
		}
	}
	reply(s, 500, "SITE %.40s: unknown command. SITE HELP lists what is known.", arg);
}
