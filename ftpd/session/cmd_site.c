/*
 * SITE: what RFC 959 section 4.1.3 leaves to each site, as other servers have it.
 */
#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ask.h"
#include "facts.h"
#include "modetext.h"
#include "session.h"

/* The shortest idle limit that SITE IDLE sets, in seconds. */
#define IDLE_MIN 30

static void
site_chmod(struct session *s, char *arg)
{
	char *name = strchr(arg, ' '), path[REQ_PATH];
	struct ans_stat answer;
	mode_t mode;

	if (!cmd_may(s, RIGHT_ATTR, "change files' modes"))
		return;
	if (name != NULL)
		*name++ = '\0';
	if (name == NULL || *name == '\0' || modetext_parse(arg, 0, &mode) == -1) {
		reply(s, 501, "SITE CHMOD wants a mode, a blank and a name: SITE CHMOD 644 file.");
		return;
	}
	if (!cmd_path(s, name, path))
		return;
	if (ask_stat(s, path, true, &answer) == -1) {
		reply_errno(s, 550, name);
		return;
	}
	modetext_parse(arg, answer.st.st_mode & (S_IFMT | 0777), &mode);
	if (mode > 0777)
		reply(s, 504, "Set-user-id, set-group-id and sticky bits are not set here.");
	else if (ask_set_mode(s, path, mode) == 0)
		reply(s, 200, "Mode %03o.", (unsigned)mode);
	else
		reply_errno(s, 550, name);
}

static void
site_chgrp(struct session *s, char *arg)
{
	char *name = strchr(arg, ' '), path[REQ_PATH];
	gid_t group;

	if (!cmd_may(s, RIGHT_ATTR, "change files' groups"))
		return;
	if (name != NULL)
		*name++ = '\0';
	if (name == NULL || *name == '\0' || !cmd_group(arg, &group)) {
		reply(s, 501, "SITE CHGRP wants a group's number, a blank and a name: SITE CHGRP 100 file.");
		return;
	}
	if (!cmd_path(s, name, path))
		return;
	if (ask_set_group(s, path, group) == 0)
		reply(s, 200, "Group %u.", (unsigned)group);
	else
		reply_errno(s, 550, name);
}

/* Cuts the first name off *rest: up to a blank, or in quotes. NULL if there is none. */
static char *
cut_name(char **rest)
{
	char *name = *rest, end = ' ';

	if (*name == '"') {
		name++;
		end = '"';
	}
	if ((*rest = strchr(name, end)) == NULL)
		return NULL;
	*(*rest)++ = '\0';
	*rest += strspn(*rest, " ");
	return *name == '\0' || **rest == '\0' ? NULL : name;
}

static void
site_symlink(struct session *s, char *arg)
{
	char target[REQ_PATH], path[REQ_PATH], *link = arg, *name = cut_name(&link);
	size_t len;

	if (!cmd_may(s, RIGHT_STORE, "make links"))
		return;
	if (name == NULL) {
		reply(s, 501, "SITE SYMLINK wants what there is and the link's name, in quotes where there "
		              "are blanks.");
		return;
	}
	len = strlen(link);
	if (len > 1 && link[0] == '"' && link[len - 1] == '"') {
		link[len - 1] = '\0';
		link++;
	}
	if (!cmd_path(s, name, target) || !cmd_path(s, link, path))
		return;
	if (ask_symlink(s, target, path) == 0)
		reply(s, 200, "The link was made.");
	else if (errno == EXDEV)
		reply(s, 550, "%s: A link may lead to its own directory and below, and nowhere else.", link);
	else
		reply_errno(s, 550, errno == ENOENT ? name : link);
}

static void
site_idle(struct session *s, char *arg)
{
	unsigned max = s->conf->timeout_idle > 0 ? s->conf->timeout_idle : INT_MAX;
	unsigned min = max < IDLE_MIN ? max : IDLE_MIN, seconds;
	const char *why;

	if (*arg == '\0') {
		reply(s, 200, "The idle limit is %u seconds, at most %u.", s->idle, max);
		return;
	}
	seconds = (unsigned)strtonum(arg, min, max, &why);
	if (why != NULL) {
		reply(s, 501, "SITE IDLE wants %u to %u seconds.", min, max);
		return;
	}
	s->idle = seconds;
	reply(s, 200, "The idle limit is %u seconds.", seconds);
}

/* "name atime mtime ctime UTC", with the times as MFMT has them: all but mtime is ignored. */
static bool
cut_four_words(char *arg, struct timespec *modified)
{
	char *word[4];
	const char *rest;

	for (int i = 3; i >= 0; i--) {
		if ((word[i] = strrchr(arg, ' ')) == NULL)
			return false;
		*word[i]++ = '\0';
	}
	return strcasecmp(word[3], "UTC") == 0 &&
	       facts_time_parse(word[1], modified, &rest) == 0 && *rest == '\0' && *arg != '\0';
}

/* Both forms that clients send: "YYYYMMDDhhmm[ss] name", and "name atime mtime ctime UTC". */
static void
site_utime(struct session *s, char *arg)
{
	struct timespec modified;
	const char *name = arg, *rest;
	char stamp[16], path[REQ_PATH];
	size_t digits = strspn(arg, "0123456789");

	if (!cmd_may(s, RIGHT_ATTR, "change files' times"))
		return;
	if ((digits == 12 || digits == 14) && arg[digits] == ' ' && arg[digits + 1] != '\0') {
		snprintf(stamp, sizeof(stamp), "%.*s%s", (int)digits, arg, digits == 12 ? "00" : "");
		name = arg + digits + 1;
		if (facts_time_parse(stamp, &modified, &rest) == -1)
			name = NULL;
	} else if (!cut_four_words(arg, &modified)) {
		name = NULL;
	}
	if (name == NULL) {
		reply(s, 501, "SITE UTIME wants YYYYMMDDHHMMSS (UTC), a blank and a name.");
		return;
	}
	if (!cmd_path(s, name, path))
		return;
	if (ask_set_time(s, path, &modified) == 0)
		reply(s, 200, "The time is set.");
	else
		reply_errno(s, 550, name);
}

/* Like MKD, with the directories on the way. */
static void
site_mkdir(struct session *s, char *arg)
{
	char path[REQ_PATH];
	int made = 0;

	if (*arg == '\0') {
		reply(s, 501, "SITE MKDIR wants the name of a directory.");
		return;
	}
	if (!cmd_may(s, RIGHT_MKDIR, "make directories") || !cmd_path(s, arg, path))
		return;
	for (char *p = path + 1;; p++) {
		char end = *p;

		if (end != '/' && end != '\0')
			continue;
		*p = '\0';
		if (ask_mkdir(s, path) == 0) {
			made++;
		} else if (errno != EEXIST) {
			reply_errno(s, 550, path);
			return;
		}
		*p = end;
		if (end == '\0')
			break;
	}
	if (made > 0)
		reply(s, 200, "Made.");
	else
		reply(s, 550, "%s: It exists already.", arg);
}

static void
site_rmdir(struct session *s, char *arg)
{
	if (*arg == '\0')
		reply(s, 501, "SITE RMDIR wants the name of an empty directory.");
	else
		cmd_rmd(s, arg);
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
	reply_line(r, "CHGRP number file");
	reply_line(r, "CHMOD mode file");
	reply_line(r, "HELP");
	reply_line(r, "IDLE [seconds]");
	reply_line(r, "MKDIR directory");
	reply_line(r, "RMDIR directory");
	reply_line(r, "SYMLINK file link");
	reply_line(r, "UMASK [mask]");
	reply_line(r, "UTIME YYYYMMDDHHMMSS file");
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
		{ "CHGRP", site_chgrp },
		{ "CHMOD", site_chmod },
		{ "HELP", site_help },
		{ "IDLE", site_idle },
		{ "MKDIR", site_mkdir },
		{ "RMDIR", site_rmdir },
		{ "SYMLINK", site_symlink },
		{ "UMASK", site_umask },
		{ "UTIME", site_utime },
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
