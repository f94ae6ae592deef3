/*
 * Privileges of this process; the only file that knows libcap.
 */
#include "caps.h"

#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

/*
 * For good: uid 0 gives no capabilities, leaving it takes none away, and none
 * survives execve(2).
 */
#define SECUREBITS                                                                                 \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
	    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |                          \
	    SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static const struct {
	unsigned bit;
	cap_value_t cap;
} known[] = {
	{ CAPS_SETUID,           CAP_SETUID           },
	{ CAPS_SETGID,           CAP_SETGID           },
	{ CAPS_SYS_CHROOT,       CAP_SYS_CHROOT       },
	{ CAPS_NET_BIND_SERVICE, CAP_NET_BIND_SERVICE },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

/* Adds the set to one flag of caps; 0 or -1. */
static int
add_set(cap_t caps, cap_flag_t flag, unsigned set)
{
	size_t i;

	for (i = 0; i < KNOWN; i++)
		if ((set & known[i].bit) != 0 &&
		    cap_set_flag(caps, flag, 1, &known[i].cap, CAP_SET) == -1)
			return -1;
	return 0;
}

/* Sets to fill in, one to look with and one to ask with; NULL without memory. Made once: each costs heap. */
static cap_t
room(bool to_ask)
{
	static cap_t sets[2];

	if (sets[to_ask] == NULL)
		sets[to_ask] = cap_init();
	return sets[to_ask];
}

/* What this process has at present, to be looked at and changed; NULL with errno. */
static cap_t
present(void)
{
	cap_t caps = room(false);

	return caps == NULL || capgetp(0, caps) == -1 ? NULL : caps;
}

/* The part of permitted that we know by name; -1 with errno. */
static int
permitted_set(unsigned *set)
{
	cap_flag_value_t value;
	cap_t caps;
	size_t i;

	*set = 0;
	if ((caps = present()) == NULL)
		return -1;
	for (i = 0; i < KNOWN; i++)
		if (cap_get_flag(caps, known[i].cap, CAP_PERMITTED, &value) == 0 &&
		    value == CAP_SET)
			*set |= known[i].bit;
	return 0;
}

unsigned
caps_permitted(void)
{
	unsigned set;

	return permitted_set(&set) == -1 ? 0 : set;
}

/* Sets effective, with nothing inheritable; capset(2) does all of it or fails. */
int
caps_raise(unsigned set)
{
	cap_t caps = present();

	if (caps == NULL || cap_clear_flag(caps, CAP_EFFECTIVE) == -1 ||
	    add_set(caps, CAP_EFFECTIVE, set) == -1)
		return -1;
	return cap_set_proc(caps);
}

int
caps_keep(unsigned set)
{
	cap_t want = room(true), have;

	if (want == NULL || cap_clear(want) == -1 || add_set(want, CAP_PERMITTED, set) == -1 ||
	    cap_set_proc(want) == -1 || (have = present()) == NULL)
		return -1;
	if (cap_compare(want, have) == 0)
		return 0;
	errno = EPERM;
	return -1;
}

/* CAP_SETPCAP in effective is what the bounding set and the securebits ask for. */
static int
raise_setpcap(void)
{
	static const cap_value_t setpcap = CAP_SETPCAP;
	cap_t caps = present();

	if (caps == NULL || cap_clear_flag(caps, CAP_EFFECTIVE) == -1 ||
	    cap_set_flag(caps, CAP_EFFECTIVE, 1, &setpcap, CAP_SET) == -1)
		return -1;
	return cap_set_proc(caps);
}

/* Up to the last capability the kernel knows, which may be beyond our headers'. */
static bool
bounding_set_is_empty(void)
{
	cap_value_t cap;
	int bound;

	for (cap = 0; (bound = cap_get_bound(cap)) == 0; cap++)
		continue;
	return cap > 0 && bound == -1;
}

/* 0 is proof: every drop has succeeded, or the set was looked at. */
static int
empty_bounding_set(void)
{
	cap_value_t cap;

	for (cap = 0; cap_drop_bound(cap) == 0; cap++)
		continue;
	/* EINVAL: beyond the last one. Without the right to it, it may have been done before */
	return (errno == EINVAL && cap > 0) || bounding_set_is_empty() ? 0 : -1;
}

static int
lock_securebits(void)
{
	int have = prctl(PR_GET_SECUREBITS);

	if (have == -1)
		return -1;
	if ((have & SECUREBITS) == SECUREBITS)
		return 0;
	return prctl(PR_SET_SECUREBITS, (unsigned long)(have | SECUREBITS), 0, 0, 0);
}

int
caps_confine(unsigned keep)
{
	int bits;

	/* Without CAP_SETPCAP it works only if somebody has done it all before. */
	if (raise_setpcap() == -1 && errno != EPERM)
		return -1;
	if (empty_bounding_set() == -1 || lock_securebits() == -1)
		return -1;
	/* With nothing inheritable, nothing stays ambient either. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || caps_keep(keep) == -1)
		return -1;

	bits = prctl(PR_GET_SECUREBITS);
	if (bits == -1 || (bits & SECUREBITS) != SECUREBITS ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

/* Real, effective and saved id are all the new ones, and the groups these. */
static bool
is_now(uid_t uid, gid_t gid, const gid_t *groups, size_t ngroups)
{
	gid_t *have, r, e, s;
	uid_t ru, eu, su;
	size_t i, j;
	bool same;

	if (getresuid(&ru, &eu, &su) == -1 || ru != uid || eu != uid || su != uid)
		return false;
	if (getresgid(&r, &e, &s) == -1 || r != gid || e != gid || s != gid)
		return false;
	if (getgroups(0, NULL) != (int)ngroups)
		return false;
	if (ngroups == 0)
		return true;

	/* The kernel sorts them. */
	if ((have = reallocarray(NULL, ngroups, sizeof(*have))) == NULL)
		return false;
	same = getgroups((int)ngroups, have) == (int)ngroups;
	for (i = 0; same && i < ngroups; i++) {
		for (j = 0; j < ngroups && have[j] != groups[i]; j++)
			continue;
		same = j < ngroups;
	}
	free(have);
	return same;
}

/* Tries to undo it in every way there is. */
static bool
root_comes_back(gid_t gid)
{
	if (setuid(0) == 0 || seteuid(0) == 0 || setresuid(0, 0, 0) == 0)
		return true;
	return gid != 0 && (setgid(0) == 0 || setresgid(0, 0, 0) == 0);
}

int
caps_become(uid_t uid, gid_t gid, const gid_t *groups, size_t ngroups)
{
	unsigned have;
	int saved;

	/* -1 means "leave it as it is" to setresuid(2). */
	if (uid == 0 || uid == (uid_t)-1 || gid == (gid_t)-1) {
		errno = EINVAL;
		return -1;
	}
	if (caps_raise(CAPS_SETUID | CAPS_SETGID) == -1)
		return -1;
	if (setgroups(ngroups, groups) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1) {
		saved = errno;
		(void)caps_raise(0);
		errno = saved;
		return -1;
	}
	if (permitted_set(&have) == -1 || caps_keep(have & ~(CAPS_SETUID | CAPS_SETGID)) == -1)
		return -1;
	if (!is_now(uid, gid, groups, ngroups) || root_comes_back(gid)) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

int
caps_chroot(int dirfd)
{
	int error, saved;

	/* chroot(".") and not by name: then the working directory is "/" as well. */
	if (fchdir(dirfd) == -1 || caps_raise(CAPS_SYS_CHROOT) == -1)
		return -1;
	error = chroot(".");
	saved = errno;
	if (caps_raise(0) == -1)
		return -1;
	errno = saved;
	return error;
}

int
caps_no_new_privs(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || prctl(PR_SET_DUMPABLE, 0) == -1)
		return -1;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE) != 0) {
		errno = EPERM;
		return -1;
	}
	return 0;
}
