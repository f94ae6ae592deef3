/*
 * genkanctl: looks after what genkan-ftpd serves by. Finds the command, and for
 * the commands what the configuration says.
 */
#include "ctl.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "conf.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *title; /* argv[0] of the command */
	const char *help;
} commands[] = {
	{ "check", ctl_check, "genkanctl check", "look at what a client from outside has to pass" },
	{ "map", ctl_map, "genkanctl map", "ask the router to forward ports to this machine" },
	{ "passwd", ctl_passwd, "genkanctl passwd", "add, change or delete a user" },
	{ "who", ctl_who, "genkanctl who", "show who is connected and what they do" },
	{ "kick", ctl_kick, "genkanctl kick", "end connections" },
	{ "ban", ctl_ban, "genkanctl ban", "refuse a host or network" },
	{ "unban", ctl_unban, "genkanctl unban", "let it in again" },
	{ "bans", ctl_bans, "genkanctl bans", "list what is banned" },
};

static void
usage(FILE *out)
{
	fprintf(out, "usage: genkanctl command [argument ...]\n\nCommands:\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fprintf(out, "  %-10s this text; genkanctl command -h tells more\n", "help");
}

/* Reads the configuration, or the defaults where there is none. Returns 0 or an exit status. */
static int
load(struct conf *conf)
{
	char error[CONF_ERROR];
	FILE *in = fopen(CTL_CONF_FILE, "re");
	int r = 0;

	if ((in == NULL && errno != ENOENT) || conf_init(conf) == -1) {
		warn("%s", CTL_CONF_FILE);
		if (in != NULL)
			fclose(in);
		return EX_CONFIG;
	}
	if (in != NULL && conf_read(conf, in, CTL_CONF_FILE, error) == -1) {
		warnx("%s", error);
		conf_free(conf);
		r = EX_CONFIG;
	}
	if (in != NULL)
		fclose(in);
	return r;
}

int
ctl_auth_user_file(char path[static PATH_MAX])
{
	struct conf conf;
	int r = load(&conf);

	if (r != 0)
		return r;
	if (conf.auth_user_file[0] == '\0') {
		warnx("%s: AuthUserFile is none; name a file by -f", CTL_CONF_FILE);
		r = EX_CONFIG;
	} else {
		snprintf(path, PATH_MAX, "%s", conf.auth_user_file);
	}
	conf_free(&conf);
	return r;
}

int
ctl_run_directory(char path[static PATH_MAX])
{
	struct conf conf;
	int r = load(&conf);

	if (r != 0)
		return r;
	snprintf(path, PATH_MAX, "%s", conf.run_directory);
	conf_free(&conf);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *name = argc < 2 ? NULL : argv[1];

	if (name == NULL) {
		usage(stderr);
		return EX_USAGE;
	}
	if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0) {
		printf("genkanctl %s\n", PACKAGE_VERSION);
		return 0;
	}
	if (strcmp(name, "help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) {
		usage(stdout);
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(name, commands[i].name) == 0) {
			char title[32];

			snprintf(title, sizeof(title), "%s", commands[i].title);
			argv[1] = title;
			return commands[i].run(argc - 1, argv + 1);
		}
	warnx("there is no command \"%s\"", name);
	usage(stderr);
	return EX_USAGE;
}
