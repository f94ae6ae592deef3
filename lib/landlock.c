/*
 * Landlock by its system calls: libc has no functions for them, and the headers
 * of a distribution are older than the kernels it runs on.
 */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The rights of the first version; then what later ones added. */
#define VERSION_1   ((1ULL << 13) - 1)
#define REFER       (1ULL << 13) /* 2: move to another directory */
#define TRUNCATE    (1ULL << 14) /* 3 */
#define IOCTL_DEV   (1ULL << 15) /* 5 */
#define SCOPED_UNIX (1ULL << 0)  /* 6: abstract sockets */
#define SCOPED_KILL (1ULL << 1)  /* 6: signals */

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_RIGHTS                                                                               \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                           \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                         \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM | REFER | TRUNCATE)

/* All that can be allowed on what is no directory. */
#define FILE_RIGHTS                                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                              \
	    LANDLOCK_ACCESS_FS_READ_FILE | TRUNCATE | IOCTL_DEV)

/* landlock_ruleset_attr of version 6; older kernels take the part that they know. */
struct attributes {
	uint64_t fs, net, scoped;
};

static uint64_t
rights_of_version(long version)
{
	uint64_t rights = VERSION_1;

	if (version >= 2)
		rights |= REFER;
	if (version >= 3)
		rights |= TRUNCATE;
	if (version >= 5)
		rights |= IOCTL_DEV;
	return rights;
}

static int
add_place(int rules, const struct landlock_place *place, uint64_t handled)
{
	struct landlock_path_beneath_attr beneath = { .parent_fd = place->fd };
	uint64_t rights = 0;
	struct stat st;

	if (fstat(place->fd, &st) == -1)
		return -1;
	if ((place->how & LANDLOCK_READ) != 0)
		rights |= READ_RIGHTS;
	if ((place->how & LANDLOCK_WRITE) != 0)
		rights |= WRITE_RIGHTS;
	if ((place->how & LANDLOCK_EXEC) != 0)
		rights |= LANDLOCK_ACCESS_FS_EXECUTE;
	if (!S_ISDIR(st.st_mode))
		rights &= FILE_RIGHTS;
	beneath.allowed_access = rights & handled;
	return (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

#ifdef SYSFILTER_OFF
static const bool off = true;
#else
static const bool off = false;
#endif

int
landlock_enter(const struct landlock_place *places, size_t n)
{
	struct attributes handled = { 0 };
	long version;
	int rules, r = 0, saved;
	size_t i;

	if (off)
		return 0;
	version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version == -1) {
		/* what filters of container programs say of calls that they do not know */
		errno = errno == EPERM ? ENOSYS : errno;
		return -1;
	}
	handled.fs = rights_of_version(version);
	if (version >= 6)
		handled.scoped = SCOPED_UNIX | SCOPED_KILL;
	rules = (int)syscall(SYS_landlock_create_ruleset, &handled,
	    version >= 6 ? sizeof(handled) : sizeof(handled.fs), 0);
	if (rules == -1)
		return -1;
	for (i = 0; r == 0 && i < n; i++)
		r = add_place(rules, &places[i], handled.fs);
	if (r == 0)
		r = (int)syscall(SYS_landlock_restrict_self, rules, 0);
	saved = errno;
	close(rules);
	errno = saved;
	return r;
}
