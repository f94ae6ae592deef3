/*
 * Who a user of the system is, by NSS: the only part of the house that asks it.
 */
#include "auth.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* Room for what NSS has to say; more than this no user and no group is worth. */
#define ROOM (1 << 20)

/* All groups, with their names where they have some; false if that cannot be had. */
static bool
look_up_groups(const char *name, struct auth_verdict *v, char *room)
{
	gid_t list[GROUPS_MAX + 1];
	struct group group, *found;
	int n = GROUPS_MAX + 1, i;

	if (getgrouplist(name, v->gid, list, &n) == -1)
		return false;
	for (i = 0; i < n; i++) {
		found = NULL;
		(void)getgrgid_r(list[i], &group, room, ROOM, &found);
		/* a supplementary group 0 would be half of root */
		if (list[i] == 0)
			continue;
		if (list[i] != v->gid && groups_add(&v->groups, NULL, list[i]) == -1)
			return false;
		if (found != NULL && groups_add_name(&v->groups, group.gr_name) == -1)
			return false;
	}
	return true;
}

void
user_look_up(const char *name, struct auth_verdict *v)
{
	struct passwd user, *found = NULL;
	char *room = malloc(ROOM);
	int error;

	if (room == NULL)
		fatal("memory");
	error = getpwnam_r(name, &user, room, ROOM, &found);
	if (found == NULL) {
		if (error != 0)
			log_warnx("looking up %s: %s", name, strerror(error));
		auth_decide(v, AUTH_WRONG, "unknown-user");
		goto out;
	}
	v->uid = user.pw_uid;
	v->gid = user.pw_gid;
	if (strlcpy(v->home, user.pw_dir, sizeof(v->home)) >= sizeof(v->home) ||
	    strlcpy(v->shell, user.pw_shell, sizeof(v->shell)) >= sizeof(v->shell)) {
		auth_decide(v, AUTH_WRONG, "no-home");
		goto out;
	}
	if (!look_up_groups(name, v, room)) {
		log_warnx("%s is in more than %d groups, or they cannot be told", name, GROUPS_MAX);
		auth_decide(v, AUTH_WRONG, "no-groups");
	}
out:
	freezero(room, ROOM);
}
