/*
 * Privileges of this process: capabilities, securebits, uids. Only caps.c knows
 * libcap. The order in which these are called is in ftpd/monitor/login.c and
 * ftpd/session/sandbox.c; each verifies what it did and fails rather than go on.
 */
#ifndef GENKAN_CAPS_H
#define GENKAN_CAPS_H

#include <sys/types.h>

/* Sets of capabilities, as bits of our own. */
enum {
	CAPS_SETUID = 1 << 0,
	CAPS_SETGID = 1 << 1,
	CAPS_SYS_CHROOT = 1 << 2,
	CAPS_NET_BIND_SERVICE = 1 << 3
};

/*
 * Before the fork of the session, as root: empties the bounding set, locks the
 * securebits NOROOT, NO_SETUID_FIXUP and NO_CAP_AMBIENT_RAISE, sets
 * no_new_privs, and keeps only the set keep in permitted, nothing in
 * effective. What has been taken away before does no harm, as long as keep is
 * there and CAP_SETPCAP, if anything is left to do for it. Returns 0, or -1 with
 * errno (EPERM).
 */
int caps_confine(unsigned keep);

/* Which of the capabilities above are permitted; 0 also if that cannot be told. */
unsigned caps_permitted(void);

/* Raises the set in effective (it must be permitted), or 0 to lower all; 0 or -1. */
int caps_raise(unsigned set);

/* Reduces permitted to set and empties effective and inheritable; 0 or -1. */
int caps_keep(unsigned set);

/*
 * Becomes uid and gid for good, with these supplementary groups: setgroups,
 * setresgid, setresuid. CAPS_SETUID and CAPS_SETGID must be permitted, and are
 * given up after the switch; what else is permitted stays so (after
 * caps_confine(), whose securebits see to it), nothing in effective: so
 * caps_chroot() works as the user. Then proves that the ids and groups are
 * these and that uid 0 cannot come back. Returns 0, or -1 with errno: EINVAL
 * for uid 0 and for ids of -1; after any failure the process must end.
 */
int caps_become(uid_t uid, gid_t gid, const gid_t *groups, size_t ngroups);

/* chroot(2) to dirfd (O_PATH will do) with CAP_SYS_CHROOT raised around it, cwd "/"; 0 or -1. */
int caps_chroot(int dirfd);

/* No_new_privs and non-dumpable, for every process of ours; 0 or -1. */
int caps_no_new_privs(void);

#endif
