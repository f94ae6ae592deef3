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
#include <sys/syscall.h>
#include <unistd.h>

#include "facts.h"
#include "monitor.h"

/* fchmodat2(2) of Linux 6.6, the same number everywhere. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

/* How often a name is resolved anew because a directory on its way was just being moved. */
#define RESOLVE_TRIES 32

/* How many names OPEN_UNIQUE tries. */
#define UNIQUE_TRIES 1000

/*
 * Opening must not wait for the other end of a FIFO nor take a terminal; what
 * is no regular file is closed again.
 */
#define OPEN_SOFTLY (O_NONBLOCK | O_NOCTTY)

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

int
files_open(const struct monitor *m, const char *path, int flags, mode_t mode)
{
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

/* For operations that take no resolve flags: the directory (O_PATH) and the last component. */
static int
open_parent(const struct monitor *m, const char *path, char last[static NAME_MAX + 1])
{
	char dir[REQ_PATH];

	if (files_split(path, dir, last) == -1)
		return -1;
	return files_open(m, dir, O_PATH | O_DIRECTORY, 0);
}

/* True if the mode gives the account these bits of rwx. */
static bool
mode_gives(const struct account *account, const struct stat *st, unsigned bits)
{
	unsigned shift = st->st_uid == account->uid ? 6 : st->st_gid == account->gid ? 3 : 0;

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
	if ((at = files_open(m, r->path, O_PATH | (r->follow ? 0 : O_NOFOLLOW), 0)) == -1)
		return errno;
	if (fstat(at, &a->st) == -1)
		error = errno;
	close(at);
	if (error != 0)
		return error;
	dir = open_parent(m, r->path, last);
	known = dir != -1 && fstat(dir, &parent) == 0;
	a->may = files_may(&m->account, &a->st, known ? &parent : NULL);
	if (dir != -1)
		close(dir);
	return 0;
}

/* Opens what the request names; a descriptor, or -1 with errno. */
static int
open_named(struct monitor *m, const struct req_open *r)
{
	bool overwrite = (m->account.rights & RIGHT_OVERWRITE) != 0;
	int flags = O_WRONLY | OPEN_SOFTLY;

	if (r->mode == OPEN_READ)
		return files_open(m, r->path, O_RDONLY | OPEN_SOFTLY, 0);
	/* what is resumed is there already */
	if (r->restart == 0)
		return files_open(
		    m, r->path, flags | O_CREAT | (overwrite ? 0 : O_EXCL), r->permissions & 0777);
	if (!overwrite) {
		errno = EACCES;
		return -1;
	}
	return files_open(m, r->path, flags, 0);
}

/* OPEN_UNIQUE: path, path.1, path.2 … whichever is new; its name into a->name. */
static int
open_unique(struct monitor *m, const struct req_open *r, struct ans_open *a)
{
	char last[NAME_MAX + 1], name[NAME_MAX + 1];
	int dir, fd = -1, i, n;

	if ((dir = open_parent(m, r->path, last)) == -1)
		return -1;
	for (i = 0; i < UNIQUE_TRIES && fd == -1; i++) {
		n = i == 0 ? snprintf(name, sizeof(name), "%s", last)
			   : snprintf(name, sizeof(name), "%s.%d", last, i);
		if (n < 0 || (size_t)n >= sizeof(name)) {
			errno = ENAMETOOLONG;
			break;
		}
		fd = files_open_at(
		    m, dir, name, O_WRONLY | O_CREAT | O_EXCL | OPEN_SOFTLY, r->permissions & 0777);
		if (fd == -1 && errno != EEXIST)
			break;
	}
	close_quietly(dir);
	if (fd != -1)
		memcpy(a->name, name, strlen(name) + 1);
	return fd;
}

/*
 * Only regular files are handed out, at the place where the transfer begins.
 * No O_APPEND: splice(2) refuses files that are opened so.
 */
static int
prepare_file(int fd, const struct req_open *r, struct stat *st)
{
	off_t at = r->restart;

	if (fstat(fd, st) == -1)
		return errno;
	if (!S_ISREG(st->st_mode))
		return S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
	if (r->restart > st->st_size)
		return ERANGE;
	if (r->mode == OPEN_STORE && r->restart == 0 && st->st_size > 0) {
		if (ftruncate(fd, 0) == -1)
			return errno;
		st->st_size = 0;
	}
	if (r->mode == OPEN_APPEND)
		at = st->st_size;
	if (at > 0 && lseek(fd, at, SEEK_SET) == -1)
		return errno;
	if (fcntl(fd, F_SETFL, 0) == -1)
		return errno;
	return 0;
}

int
files_request_open(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	const struct req_open *r = &req->open;
	struct ans_open *a = &ans->open;
	unsigned need = r->mode == OPEN_READ ? RIGHT_READ : RIGHT_STORE;
	int file, error;

	if (r->mode > OPEN_UNIQUE || r->restart < 0)
		return EINVAL;
	if (r->restart > 0 && (r->mode == OPEN_APPEND || r->mode == OPEN_UNIQUE))
		return EINVAL;
	if ((m->account.rights & need) != need)
		return EACCES;
	file = r->mode == OPEN_UNIQUE ? open_unique(m, r, a) : open_named(m, r);
	if (file == -1)
		/* sockets, and FIFOs that nobody reads, cannot be opened at all */
		return errno == ENXIO || errno == ENODEV ? EINVAL : errno;
	if ((error = prepare_file(file, r, &a->st)) != 0) {
		close(file);
		return error;
	}
	*fd = file;
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
	if ((dir = open_parent(m, r->path, last)) == -1)
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

	if ((dir = open_parent(m, path, last)) == -1)
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

/* Renames, over an existing name only with the right to. */
static int
rename_entry(const struct monitor *m, int from, const char *old, int to, const char *new)
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
	if ((from = open_parent(m, r->from, old)) == -1)
		return errno;
	if ((to = open_parent(m, r->to, new)) == -1) {
		error = errno;
	} else {
		if (rename_entry(m, from, old, to, new) == -1)
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
	int fd = files_open(m, path, O_RDONLY | OPEN_SOFTLY, 0);

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
	if (r->set_mode)
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
	if ((r->set_mode && (r->mode & ~0777U) != 0) ||
	    (r->set_time && (r->modified.tv_nsec < 0 || r->modified.tv_nsec > 999999999)))
		return EINVAL;
	if ((file = open_for_attributes(m, r->path, &by_path)) == -1)
		return errno == ENXIO || errno == ENODEV ? EINVAL : errno;
	error = set_attributes(file, by_path, r);
	close(file);
	return error;
}
