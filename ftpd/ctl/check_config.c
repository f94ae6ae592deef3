/*
 * The configuration, as the command line of the super-server has it, and the users it names.
 */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl.h"
#include "options.h"
#include "pwfile.h"

#define WORDS_MAX 64

/* The options that matter here, of the first service that was found. */
static void
take_command(struct check *c, struct options *o, char *buf, size_t size)
{
	char *words[WORDS_MAX];
	unsigned n = 0;

	if (c->n_services > 0)
		n = services_split(c->services[0].command, buf, size, words, WORDS_MAX);
	for (unsigned i = 1; i < n; i++) {
		if (strcmp(words[i], "--share") == 0 && i + 1 < n)
			o->share = words[++i];
		else if (strcmp(words[i], "--share-writable") == 0 && i + 1 < n) {
			o->share = words[++i];
			o->share_writable = true;
		} else if (strcmp(words[i], "-f") == 0 && i + 1 < n)
			o->file = words[++i];
		else if (strcmp(words[i], "-o") == 0 && i + 1 < n && o->nset < OVERRIDES_MAX)
			o->set[o->nset++] = words[++i];
	}
	if (c->file != NULL)
		*o = (struct options){ .file = c->file };
}

int
config_load(struct check *c, char error[static CONF_ERROR])
{
	char buf[sizeof(c->services[0].command)], full[PATH_MAX];
	struct options o = { 0 };

	take_command(c, &o, buf, sizeof(buf));
	(void)strlcpy(c->conf_file, o.file != NULL ? o.file : CTL_CONF_FILE, sizeof(c->conf_file));
	c->conf_there = host_exists(c, c->conf_file);
	if (!host_path(c, c->conf_file, full))
		full[0] = '\0';
	/* --share needs no file, and without one the defaults hold */
	if (c->conf_there || o.file != NULL)
		o.file = full;
	else
		o.file = "/dev/null";
	c->share = o.share != NULL;
	c->conf_good = options_load_conf(&o, &c->conf, error) == 0;
	return c->conf_good ? 0 : -1;
}

/* Reads the configuration as the server would; false if there is none that can be used. */
static bool
load(struct check *c)
{
	char error[CONF_ERROR];

	if (config_load(c, error) == -1) {
		check_say(c, "config-wrong", error, NULL);
		return false;
	}
	if (c->share && !c->conf_there)
		check_say(c, "config-share", c->conf.anonymous_root, NULL);
	else if (!c->conf_there)
		check_say(c, "config-none", c->conf_file, NULL);
	else {
		unsigned n = 0;

		for (size_t i = 0; conf_directive(i, NULL) != NULL; i++)
			n += c->conf.set[i];
		check_say(c, "config-ok", c->conf_file, check_number(n), NULL);
	}
	return true;
}

static void
look_at_home(struct check *c, const struct pwentry *user)
{
	struct stat st;
	char full[PATH_MAX];

	/* root may be asked not to follow a home on the network; then this says nothing */
	if (!host_path(c, user->home, full) || (stat(full, &st) == 0 && S_ISDIR(st.st_mode)) ||
	    errno == EACCES)
		return;
	check_say(c, "config-home", user->home, user->name, check_number(user->uid),
	    check_number(user->gid), NULL);
}

/* True if nobody could log in without a user in AuthUserFile. */
static bool
needs_file(const struct check *c)
{
	return !c->conf.anonymous && c->conf.auth_system == AUTH_SYSTEM_OFF;
}

static void
look_at_users(struct check *c)
{
	const char *path = c->conf.auth_user_file;
	char full[PATH_MAX], line[PWFILE_LINE];
	struct pwentry user;
	unsigned n = 0;
	struct stat st;
	FILE *file;

	if (path[0] == '\0')
		return;
	if (!host_path(c, path, full) || (file = fopen(full, "re")) == NULL) {
		if (errno == EACCES)
			check_say(c, "config-users-unread", path, NULL);
		else if (needs_file(c))
			check_say(c, "config-users-none", path, NULL);
		return;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || pwfile_parse(line, &user) == -1)
			continue;
		n++;
		look_at_home(c, &user);
	}
	if (n > 0)
		check_say(c, "config-users", check_number(n), path, NULL);
	else if (needs_file(c))
		check_say(c, "config-users-none", path, NULL);
	if (fstat(fileno(file), &st) == 0 && (st.st_mode & 04) != 0)
		check_say(c, "config-users-open", path, NULL);
	fclose(file);
}

static void
look_at_guests(struct check *c)
{
	struct stat st;
	char full[PATH_MAX];

	if (!c->conf.anonymous)
		return;
	if (!host_path(c, c->conf.anonymous_root, full) || stat(full, &st) == -1 ||
	    !S_ISDIR(st.st_mode))
		check_say(c, "config-guest-root", c->conf.anonymous_root, NULL);
	if (!host_user(c, c->conf.anonymous_user))
		check_say(c, "config-guest-user", c->conf.anonymous_user, NULL);
}

void
check_config(struct check *c)
{
	if (!load(c))
		return;
	look_at_users(c);
	look_at_guests(c);
	if (!host_user(c, c->conf.session_user))
		check_say(c, "config-role", "SessionUser", c->conf.session_user, NULL);
	if (!host_user(c, c->conf.gateway_user))
		check_say(c, "config-role", "GatewayUser", c->conf.gateway_user, NULL);
}
