/*
 * The commands of genkanctl(8). Each gets its own argv (argv[0] is for messages)
 * and returns an exit status, of sysexits(3) unless told: 0, EX_USAGE …; what is wrong is
 * said on stderr already.
 */
#ifndef GENKAN_CTL_H
#define GENKAN_CTL_H

#include <limits.h>

#define CTL_CONF_FILE SYSCONFDIR "/genkan-ftpd.conf"

/* The doctor, check.h. Returns 0, 1 with warnings, 2 with failures, or EX_USAGE. */
int ctl_check(int argc, char **argv);

/* Asks the router to forward ports, lists what is forwarded, and takes it back: map.c. */
int ctl_map(int argc, char **argv);

/* Adds, changes and deletes users of the AuthUserFile. */
int ctl_passwd(int argc, char **argv);

/* Shows the connections; ends some; refuses hosts, no longer does, lists them. */
int ctl_who(int argc, char **argv);
int ctl_kick(int argc, char **argv);
int ctl_ban(int argc, char **argv);
int ctl_unban(int argc, char **argv);
int ctl_bans(int argc, char **argv);

/*
 * The AuthUserFile that the configuration names, or the default where there is no
 * configuration. Returns 0 or an exit status.
 */
int ctl_auth_user_file(char path[static PATH_MAX]);

/* The same for RunDirectory. */
int ctl_run_directory(char path[static PATH_MAX]);

#endif
