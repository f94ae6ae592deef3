/*
 * The groups of a user, and files of group(5) lines (AuthGroupFile, as ProFTPD's
 * ftpasswd writes it): name:password:gid:member,member.
 */
#ifndef GENKAN_GROUPS_H
#define GENKAN_GROUPS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#define GROUPS_MAX   256
#define GROUPS_NAMES 8192

/* It begins as zeros. */
struct groups {
	unsigned n;
	gid_t gid[GROUPS_MAX];
	char names[GROUPS_NAMES]; /* a comma before and behind each; those of gids without name are missing */
};

/*
 * Adds a group; name may be NULL. A gid that is there is not added twice, a name
 * with a comma not at all. Returns 0, or -1 with EOVERFLOW: a user in a group too
 * many must not come in without it, because groups also take rights away.
 */
int groups_add(struct groups *g, const char *name, gid_t gid);

/* Adds a name without a number: that of the primary group. As above. */
int groups_add_name(struct groups *g, const char *name);

bool groups_has(const struct groups *g, const char *name);

/* True if all of "one,!other" hold: in group one, and not in other. */
bool groups_fit(const struct groups *g, const char *expression);

/*
 * Adds the groups that file has user in, and the name of primary. Lines that are
 * no group(5) lines are skipped, and group 0 always is: nobody gets root's rights
 * here. Returns 0, or -1 with EOVERFLOW or the error of reading.
 */
int groups_read(struct groups *g, FILE *file, const char *user, gid_t primary);

#endif
