/*
 * Files and directories by name, beneath the root.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "facts.h"
#include "monitor.h"
#include "owners.h"
#include "pattern.h"

/* fchmodat2(2) of Linux 6.6, the same number everywhere. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

/* How often a name is resolved anew because a directory on its way was just being moved. */
#define RESOLVE_TRIES 32

static int
beneath(int dir, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int i, fd = -1;

	for (i = 0; i < RESOLVE_TRIES; i++) {
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
		if (fd != -1 || errno != EAGAIN)
			break;
	}
	return fd;
}

/* Takes the next component of *path, which has one, and the slashes behind it. */
static int
next_part(const char **path, char part[static NAME_MAX + 1])
{
	size_t len = strcspn(*path, "/");

	if (len > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(part, *path, len);
	part[len] = '\0';
	*path += len;
	*path += strspn(*path, "/");
	return 0;
}

static void
close_quietly(int fd)
{
	int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
}

/* Without openat2(2): one component, where a symbolic link is an error unless the caller wants it.
 */
static int
open_part(int dir, const char *name, int flags, mode_t mode)
{
	struct stat st;
	int fd;

	if (strcmp(name, "..") == 0) {
		errno = EACCES;
		return -1;
	}
	fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd == -1 || (flags & O_PATH) == 0 || (flags & O_NOFOLLOW) != 0)
		return fd;
	if (fstat(fd, &st) == 0 && !S_ISLNK(st.st_mode))
		return fd;
	close(fd);
	errno = ELOOP;
	return -1;
}

/* Without openat2(2): component by component from root. */
static int
walk(int root, const char *path, int flags, mode_t mode)
{
	char part[NAME_MAX + 1];
	int at = root, next;

	path += strspn(path, "/");
	if (*path == '\0')
		return open_part(root, ".", flags, mode);
	while (*path != '\0') {
		if (next_part(&path, part) == -1)
			next = -1;
		else if (*path == '\0')
			next = open_part(at, part, flags, mode);
		else
			next = open_part(at, part, O_PATH | O_DIRECTORY, 0);
		if (at != root)
			close_quietly(at);
		if ((at = next) == -1)
			return -1;
	}
	return at;
}

void
files_begin(struct monitor *m)
{
	int fd = beneath(m->root_fd, "/", O_PATH | O_DIRECTORY, 0);

	/* EPERM is what filters of old container programs say of calls they do not know */
	m->walk = fd == -1 && (errno == ENOSYS || errno == EPERM);
	close_quietly(fd);
}

/* PathDeny: also of what is not there, so that nobody finds out. */
static bool
is_denied(const struct monitor *m, const char *path)
{
	if (!pattern_denies(m->conf->path_deny, path))
		return false;
	errno = EKEYREJECTED;
	return true;
}

int
files_open(const struct monitor *m, const char *path, int flags, mode_t mode)
{
	if (is_denied(m, path))
		return -1;
	if (m->walk)
		return walk(m->root_fd, path, flags, mode);
	return beneath(m->root_fd, path, flags, mode);
}

int
files_open_at(const struct monitor *m, int dir, const char *name, int flags, mode_t mode)
{
	if (m->walk)
		return open_part(dir, name, flags, mode);
	return beneath(dir, name, flags | O_NOFOLLOW, mode);
}

int
files_split(const char *path, char dir[static REQ_PATH], char last[static NAME_MAX + 1])
{
	size_t end = strlen(path), begin;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (begin = end; begin > 0 && path[begin - 1] != '/';)
		begin--;
	if (end - begin > NAME_MAX || begin >= REQ_PATH) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(last, path + begin, end - begin);
	last[end - begin] = '\0';
	if (last[0] == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
		errno = EBUSY; /* the root, or a name that is a way and not an entry */
		return -1;
	}
	memcpy(dir, path, begin);
	dir[begin] = '\0';
	if (begin == 0)
		memcpy(dir, "/", 2);
	return 0;
}

int
files_open_parent(const struct monitor *m, const char *path, char last[static NAME_MAX + 1])
{
	char dir[REQ_PATH];

	if (files_split(path, dir, last) == -1 || is_denied(m, last))
		return -1;
	return files_open(m, dir, O_PATH | O_DIRECTORY, 0);
}

static bool
is_in_group(const struct account *account, gid_t gid)
{
	unsigned i;

	for (i = 0; i < account->ngroups; i++)
		if (account->groups[i] == gid)
			return true;
	return account->gid == gid;
}

/* True if the mode gives the account these bits of rwx. */
static bool
mode_gives(const struct account *account, const struct stat *st, unsigned bits)
{
	unsigned shift = st->st_uid == account->uid ? 6 : is_in_group(account, st->st_gid) ? 3 : 0;

	return account->uid == 0 || (st->st_mode >> shift & bits) == bits;
}

unsigned
files_may(const struct account *account, const struct stat *entry, const struct stat *parent)
{
	bool dir = S_ISDIR(entry->st_mode);
	unsigned have = account->rights, may = 0;
	unsigned read = dir ? RIGHT_LIST : RIGHT_READ;
	unsigned write = dir ? RIGHT_STORE : RIGHT_STORE | RIGHT_OVERWRITE;

	if ((have & read) == read && mode_gives(account, entry, dir ? 5 : 4))
		may |= FACTS_MAY_READ;
	if ((have & write) == write && mode_gives(account, entry, dir ? 3 : 2))
		may |= FACTS_MAY_WRITE;
	if (parent == NULL || !mode_gives(account, parent, 3))
		return may;
	/* in a sticky directory only the owners take entries away */
	if ((parent->st_mode & S_ISVTX) != 0 && account->uid != 0 &&
	    account->uid != entry->st_uid && account->uid != parent->st_uid)
		return may;
	if ((have & RIGHT_DELETE) != 0)
		may |= FACTS_MAY_DELETE;
	if ((have & RIGHT_RENAME) != 0)
		may |= FACTS_MAY_RENAME;
	return may;
}

int
files_chdir(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	int dir, inside, error;

	(void)ans;
	(void)fd;
	if ((dir = files_open(m, req->path.path, O_PATH | O_DIRECTORY, 0)) == -1)
		return errno;
	/* O_PATH asks for no right on the directory itself; "." in it does */
	inside = files_open_at(m, dir, ".", O_PATH | O_DIRECTORY, 0);
	error = inside == -1 ? errno : 0;
	if (inside != -1)
		close(inside);
	close(dir);
	return error;
}

static void
tell_names(const struct monitor *m, struct ans_stat *a)
{
	const char *user = owners_user(m, &a->st), *group = owners_group(m, &a->st);

	(void)strlcpy(a->user, user != NULL ? user : "", sizeof(a->user));
	(void)strlcpy(a->group, group != NULL ? group : "", sizeof(a->group));
}

time_t
files_created(int dir, const char *name)
{
	struct statx x;

	if (statx(dir, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BTIME, &x) == -1 ||
	    (x.stx_mask & STATX_BTIME) == 0)
		return 0;
	return x.stx_btime.tv_sec;
}

int
files_stat(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	const struct req_stat *r = &req->stat;
	struct ans_stat *a = &ans->stat;
	char last[NAME_MAX + 1];
	struct stat parent;
	int at, dir, error = 0;
	bool known;

	(void)fd;
	/* into a drop box nobody looks, not even whether a name is there */
	if ((m->account.rights & (RIGHT_READ | RIGHT_LIST)) == 0)
		return EACCES;
	if ((at = files_open(m, r->path, O_PATH | (r->follow ? 0 : O_NOFOLLOW), 0)) == -1)
		return errno;
	if (fstat(at, &a->st) == -1)
		error = errno;
	if (r->more)
		a->created = files_created(at, "");
	close(at);
	if (error != 0)
		return error;
	dir = files_open_parent(m, r->path, last);
	known = dir != -1 && fstat(dir, &parent) == 0;
	a->may = files_may(&m->account, &a->st, known ? &parent : NULL);
	if (dir != -1)
		close(dir);
	if (r->more)
		tell_names(m, a);
	return 0;
}

int
files_mkdir(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	const struct req_mkdir *r = &req->mkdir;
	char last[NAME_MAX + 1];
	int dir, error = 0;

	(void)ans;
	(void)fd;
	if ((dir = files_open_parent(m, r->path, last)) == -1)
		return errno == EBUSY ? EEXIST : errno;
	if (mkdirat(dir, last, r->permissions & 0777) == -1)
		error = errno;
	close(dir);
	return error;
}

static int
remove_entry(const struct monitor *m, const char *path, int flags)
{
	char last[NAME_MAX + 1];
	int dir, error = 0;

	if ((dir = files_open_parent(m, path, last)) == -1)
		return errno;
	if (unlinkat(dir, last, flags) == -1)
		error = errno;
	close(dir);
	return error;
}

int
files_rmdir(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	(void)ans;
	(void)fd;
	return remove_entry(m, req->path.path, AT_REMOVEDIR);
}

int
files_unlink(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	(void)ans;
	(void)fd;
	return remove_entry(m, req->path.path, 0);
}

/* glibc's renameat2(3) without flags is renameat(2), which the filter does not know. */
static int
call_renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

int
files_rename_at(const struct monitor *m, int from, const char *old, int to, const char *new)
{
	struct stat st;

	if ((m->account.rights & RIGHT_OVERWRITE) != 0)
		return call_renameat2(from, old, to, new, 0);
	if (call_renameat2(from, old, to, new, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	/* a file system that does not know the flag; the user alone could run into the gap */
	if (fstatat(to, new, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return call_renameat2(from, old, to, new, 0);
}

int
files_rename(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	const struct req_rename *r = &req->rename;
	char old[NAME_MAX + 1], new[NAME_MAX + 1];
	int from, to, error = 0;

	(void)ans;
	(void)fd;
	if ((from = files_open_parent(m, r->from, old)) == -1)
		return errno;
	if ((to = files_open_parent(m, r->to, new)) == -1) {
		error = errno;
	} else {
		if (files_rename_at(m, from, old, to, new) == -1)
			error = errno;
		close(to);
	}
	close(from);
	return error;
}

/*
 * Opens what attributes are set of. A file that its owner may not read cannot
 * be opened but by O_PATH, which newer kernels take for attributes as well.
 */
static int
open_for_attributes(const struct monitor *m, const char *path, bool *by_path)
{
	int fd = files_open(m, path, O_RDONLY | FILES_SOFTLY, 0);

	*by_path = fd == -1 && errno == EACCES;
	return *by_path ? files_open(m, path, O_PATH, 0) : fd;
}

static int
set_attributes(int fd, bool by_path, const struct req_setattr *r)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, r->modified };
	struct stat st;
	long result = 0;

	if (fstat(fd, &st) == -1)
		return errno;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return EINVAL;
	if (r->set_group && by_path)
		return EACCES;
	if (r->set_group) /* first: it takes off bits of the mode */
		result = fchown(fd, (uid_t)-1, r->group);
	if (result == 0 && r->set_mode)
		result = by_path ? syscall(__NR_fchmodat2, fd, "", r->mode, AT_EMPTY_PATH)
				 : fchmod(fd, r->mode);
	if (result == 0 && r->set_time)
		result = by_path ? utimensat(fd, "", times, AT_EMPTY_PATH) : futimens(fd, times);
	if (result == 0)
		return 0;
	return by_path && (errno == ENOSYS || errno == EINVAL) ? EACCES : errno;
}

int
files_setattr(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	const struct req_setattr *r = &req->setattr;
	bool by_path;
	int file, error;

	(void)ans;
	(void)fd;
	/* the special nanoseconds of utimensat(2) are beyond a second */
	if ((r->set_mode && (r->mode & ~0777U) != 0) || (r->set_group && r->group == UINT32_MAX) ||
	    (r->set_time && (r->modified.tv_nsec < 0 || r->modified.tv_nsec > 999999999)))
		return EINVAL;
	if ((file = open_for_attributes(m, r->path, &by_path)) == -1)
		return errno == ENXIO || errno == ENODEV ? EINVAL : errno;
	error = set_attributes(file, by_path, r);
	close(file);
	return error;
}

int
files_space(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	struct statfs fs;
	int at, error = 0;
	int64_t unit;

	(void)fd;
	if ((at = files_open(m, req->path.path, O_PATH | O_DIRECTORY, 0)) == -1)
		return errno;
	if (fstatfs(at, &fs) == -1)
		error = errno;
	close(at);
	if (error != 0)
		return error;
	unit = fs.f_frsize > 0 ? fs.f_frsize : fs.f_bsize;
	/* what is reserved for root is not the user's */
	if (__builtin_mul_overflow((int64_t)fs.f_bavail, unit, &ans->space.bytes) ||
	    ans->space.bytes < 0)
		ans->space.bytes = fs.f_bavail > 0 ? INT64_MAX : 0;
	return 0;
}

/* True if a path has ".." as a component. */
static bool
goes_up(const char *path)
{
	for (; *path != '\0'; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += len;
	}
	return false;
}

/*
 * The text of a link that leads from path to target: relative and never upwards,
 * so that it stays in the root for every program and wherever the link is moved.
 * NULL with errno.
 */
static const char *
link_text(const char *target, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash + 1 - path);

	if (len == 0 || strncmp(target, path, len) != 0 || target[len] == '\0' ||
	    target[len] == '/' || goes_up(target + len)) {
		errno = EXDEV;
		return NULL;
	}
	return target + len;
}

int
files_symlink(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	const struct req_symlink *r = &req->symlink;
	const char *text = link_text(r->target, r->path);
	char last[NAME_MAX + 1];
	int dir, at, error = 0;

	(void)ans;
	(void)fd;
	if (text == NULL)
		return errno;
	if ((dir = files_open_parent(m, r->path, last)) == -1)
		return errno;
	/* it must be there: a link into nothing would be a trap for whoever makes that name */
	if ((at = files_open(m, r->target, O_PATH, 0)) == -1 || symlinkat(text, dir, last) == -1)
		error = errno;
	if (at != -1)
		close(at);
	close(dir);
	return error;
}
