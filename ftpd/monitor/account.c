/*
 * Rules about accounts.
 */
#include "account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth.h"
#include "conf.h"
#include "log.h"
#include "rights.h"

#define SHELLS "/etc/shells"

FILE *
account_open_file(const char *directive, const char *name)
{
	struct stat st;
	FILE *file;
	mode_t others = geteuid() == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;

	if ((file = fopen(name, "re")) == NULL) {
		log_warn("%s %s", directive, name);
		return NULL;
	}
	if (fstat(fileno(file), &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0) &&
	    (st.st_mode & others) == 0)
		return file;
	log_warnx("%s %s: other users may write it: it cannot be believed", directive, name);
	fclose(file);
	return NULL;
}

bool
account_closed(const struct conf *conf)
{
	/* a file that root may not even look at closes as well */
	return conf->nologin_file[0] != '\0' &&
	    (access(conf->nologin_file, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR));
}

/* AuthGroupFile: 0, or -1 when somebody's groups cannot be known. */
static int
add_groups(const struct conf *conf, const char *user, struct grant *g)
{
	FILE *file;
	int r;

	if (conf->auth_group_file[0] == '\0' || g->anonymous || g->system)
		return 0;
	if ((file = account_open_file("AuthGroupFile", conf->auth_group_file)) == NULL)
		return -1;
	if ((r = groups_read(&g->groups, file, user, g->gid)) == -1)
		log_warn("AuthGroupFile %s: groups of %s", conf->auth_group_file, user);
	fclose(file);
	return r;
}

/*
 * The first word of a line of FtpUsers: a user or, behind an @, a group. Guests
 * are either of their names.
 */
static bool
line_names(char *line, const char *user, const struct grant *g)
{
	const char *word;

	line[strcspn(line, "#\r\n")] = '\0';
	line += strspn(line, " \t");
	word = strsep(&line, " \t");
	if (word[0] == '@')
		return groups_has(&g->groups, word + 1);
	if (g->anonymous)
		return strcasecmp(word, "anonymous") == 0 || strcasecmp(word, "ftp") == 0;
	return word[0] != '\0' && strcmp(word, user) == 0;
}

/* True if FtpUsers has the user, or cannot tell. */
static bool
is_unwanted(const struct conf *conf, const char *user, const struct grant *g)
{
	char *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *file;

	if (conf->ftp_users[0] == '\0')
		return false;
	if ((file = fopen(conf->ftp_users, "re")) == NULL) {
		if (errno == ENOENT)
			return false;
		log_warn("FtpUsers %s: nobody is let in", conf->ftp_users);
		return true;
	}
	while (!found && getline(&line, &size, file) != -1)
		found = line_names(line, user, g);
	if (ferror(file))
		found = true;
	free(line);
	fclose(file);
	return found;
}

/* shells(5); where there is no such file, the two that getusershell(3) assumes. */
static bool
has_valid_shell(const struct conf *conf, const struct grant *g)
{
	const char *shell = g->shell[0] != '\0' ? g->shell : "/bin/sh";
	char *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *file;

	if (g->anonymous || conf->require_valid_shell == VALID_SHELL_OFF ||
	    (conf->require_valid_shell == VALID_SHELL_SYSTEM && !g->system))
		return true;
	if ((file = fopen(SHELLS, "re")) == NULL)
		return errno == ENOENT &&
		    (strcmp(shell, "/bin/sh") == 0 || strcmp(shell, "/bin/csh") == 0);
	while (!found && getline(&line, &size, file) != -1) {
		line[strcspn(line, "# \t\r\n")] = '\0';
		found = line[0] == '/' && strcmp(line, shell) == 0;
	}
	free(line);
	fclose(file);
	return found;
}

const char *
account_admit(const struct conf *conf, const char *user, struct grant *g, unsigned *rights)
{
	if (add_groups(conf, user, g) == -1)
		return "no-groups";
	if (is_unwanted(conf, user, g))
		return "ftpusers";
	if (!has_valid_shell(conf, g))
		return "shell";
	if (rights_of(conf, user, g->anonymous, &g->groups, rights) == -1)
		return "no-rights";
	return NULL;
}

const char *
account_root(const struct conf *conf, const struct grant *g)
{
	unsigned i;

	if (g->anonymous)
		return g->home;
	for (i = 0; i < conf->default_root.n; i++) {
		const struct root_rule *rule = &conf->default_root.rule[i];

		if (groups_fit(&g->groups, rule->groups))
			return strcmp(rule->path, "~") == 0 ? g->home : rule->path;
	}
	return "/";
}
