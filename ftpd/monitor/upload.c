/*
 * Files that are written beside those that they replace.
 */
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "files.h"
#include "log.h"
#include "monitor.h"

/* How many hidden names are tried. */
#define NAME_TRIES 16

/* ".in." + "." + 8 digits + "." */
#define NAME_ADDED 14

/* Room for the names of a file's extended attributes; with more it is written in its place. */
#define XATTR_NAMES 1024

/* What REQ_DONE will complete. */
struct upload {
	int file; /* a copy of the session's descriptor */
	int dir;  /* where the file belongs (O_PATH) */
	bool hidden, named;
	char name[NAME_MAX + 1]; /* the hidden one, if it is named */
	char last[NAME_MAX + 1];
};

static void
free_upload(struct upload *u)
{
	if (u->file != -1)
		close(u->file);
	if (u->dir != -1)
		close(u->dir);
	free(u);
}

/* Opens path's directory and remembers the name in it; NULL with errno. */
static struct upload *
new_upload(const struct monitor *m, const char *path)
{
	struct upload *u = calloc(1, sizeof(*u));
	int saved;

	if (u == NULL)
		return NULL;
	u->file = -1;
	if ((u->dir = files_open_parent(m, path, u->last)) == -1) {
		saved = errno;
		free_upload(u);
		errno = saved;
		return NULL;
	}
	return u;
}

/* A copy of fd for the monitor, and the upload stands. 0 or errno. */
static int
keep(struct monitor *m, struct upload *u, int fd)
{
	if ((u->file = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		int saved = errno;

		free_upload(u);
		return saved;
	}
	m->upload = u;
	return 0;
}

static void
hidden_name(struct upload *u)
{
	(void)snprintf(u->name, sizeof(u->name), ".in.%.*s.%08x.", NAME_MAX - NAME_ADDED, u->last,
	    arc4random());
}

/*
 * Can the file be linked later? linkat(2) of "" was for CAP_DAC_READ_SEARCH alone
 * before Linux 6.10. The answer for a name that is there tells, and does nothing.
 */
static bool
can_link(const struct upload *u, int fd)
{
	return linkat(fd, "", u->dir, ".", AT_EMPTY_PATH) == -1 && errno == EEXIST;
}

/* Makes the hidden file; -1 with errno. */
static int
make_hidden(const struct monitor *m, struct upload *u)
{
	int fd = files_open_at(m, u->dir, ".", O_TMPFILE | O_WRONLY, 0600), i;

	u->hidden = true;
	if (fd != -1 && can_link(u, fd))
		return fd;
	if (fd != -1)
		close(fd);
	else if (errno == ENOSPC || errno == EDQUOT || errno == EACCES)
		return -1;
	fd = -1;
	for (i = 0; i < NAME_TRIES && fd == -1; i++) {
		hidden_name(u);
		fd = files_open_at(m, u->dir, u->name, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd == -1 && errno != EEXIST)
			break;
	}
	u->named = fd != -1;
	return fd;
}

static int
remove_name(struct upload *u)
{
	int result = u->named ? unlinkat(u->dir, u->name, 0) : 0;

	u->named = false;
	return result;
}

/* A disk that is full is told, all else is a reason to write in place: 0 or errno. */
static int
give_up(struct upload *u, int error)
{
	(void)remove_name(u);
	free_upload(u);
	return error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE ? error : 0;
}

/* The hidden file with these attributes; old is NULL for a new one. */
static int
hide(struct monitor *m, struct upload *u, mode_t mode, const struct stat *old, int *fd)
{
	struct stat st;
	int error;

	if ((*fd = make_hidden(m, u)) == -1)
		return give_up(u, errno);
	if (fstat(*fd, &st) == -1 ||
	    (old != NULL && st.st_gid != old->st_gid && fchown(*fd, (uid_t)-1, old->st_gid) == -1) ||
	    fchmod(*fd, mode) == -1) {
		error = errno;
		close(*fd);
		*fd = -1;
		return give_up(u, error);
	}
	if ((error = keep(m, u, *fd)) != 0) {
		close(*fd);
		*fd = -1;
	}
	return error;
}

/* True if the file has attributes (ACLs, the user's own) that a new one would not have. */
static bool
has_attributes(int file)
{
	static const char label[] = "security.selinux"; /* each file gets its own */
	char names[XATTR_NAMES];
	ssize_t n = flistxattr(file, names, sizeof(names));

	if (n == -1)
		return errno != ENOTSUP;
	return n != 0 && !(n == (ssize_t)sizeof(label) && memcmp(names, label, sizeof(label)) == 0);
}

/* True if nobody can tell a new file in old's place from old, but by its number. */
static bool
can_be_replaced(const struct monitor *m, const struct upload *u, int file, const struct stat *old)
{
	struct stat entry, dir;

	if (old->st_nlink != 1 || old->st_uid != m->account.uid || (old->st_mode & 07000) != 0)
		return false;
	/* not a link's target, and no mount point */
	if (fstatat(u->dir, u->last, &entry, AT_SYMLINK_NOFOLLOW) == -1 ||
	    entry.st_ino != old->st_ino || entry.st_dev != old->st_dev)
		return false;
	if (fstat(u->dir, &dir) == -1 || dir.st_dev != old->st_dev)
		return false;
	return !has_attributes(file);
}

int
upload_replace(struct monitor *m, const char *path, int file, const struct stat *old, int *fd)
{
	struct upload *u;

	*fd = -1;
	if (m->conf->hidden_stores == HIDDEN_STORES_OFF)
		return 0;
	/* nothing to lose; what has just been made is resumed by its name */
	if (m->conf->hidden_stores == HIDDEN_STORES_AUTO && old->st_size == 0)
		return 0;
	if ((u = new_upload(m, path)) == NULL)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? errno : 0;
	if (can_be_replaced(m, u, file, old))
		return hide(m, u, old->st_mode & 0777, old, fd);
	free_upload(u);
	return 0;
}

int
upload_new(struct monitor *m, const char *path, mode_t mode, int *fd)
{
	struct upload *u;

	*fd = -1;
	if ((u = new_upload(m, path)) == NULL)
		return errno;
	return hide(m, u, mode, NULL, fd);
}

int
upload_in_place(struct monitor *m, const char *path, int file)
{
	struct upload *u;

	if (!m->conf->sync_uploads)
		return 0;
	if ((u = new_upload(m, path)) == NULL)
		return errno;
	return keep(m, u, file);
}

/* Gives the hidden file its hidden name; 0, or -1 with errno. */
static int
link_hidden(struct upload *u)
{
	int i;

	for (i = 0; i < NAME_TRIES && !u->named; i++) {
		hidden_name(u);
		if (linkat(u->file, "", u->dir, u->name, AT_EMPTY_PATH) == 0)
			u->named = true;
		else if (errno != EEXIST)
			return -1;
	}
	return u->named ? 0 : -1;
}

void
upload_name(const struct monitor *m)
{
	struct upload *u = m->upload;

	if (u != NULL && u->hidden && !u->named && link_hidden(u) == -1)
		log_warn("naming the upload of %s", u->last);
}

/* The directory's entry on the disk: not all directories that may be written may be read. */
static int
sync_directory(const struct monitor *m, int dir)
{
	int fd = files_open_at(m, dir, ".", O_RDONLY | O_DIRECTORY, 0), error = 0;

	if (fd == -1)
		return errno == EACCES ? 0 : errno;
	if (fsync(fd) == -1 && errno != EINVAL)
		error = errno;
	close(fd);
	return error;
}

int
upload_complete(struct monitor *m)
{
	struct upload *u = m->upload;
	int error = 0;

	if (u == NULL)
		return 0;
	if (m->conf->sync_uploads && fsync(u->file) == -1)
		error = errno;
	else if (u->hidden && (link_hidden(u) == -1 ||
	    files_rename_at(m, u->dir, u->name, u->dir, u->last) == -1))
		error = errno;
	else
		u->named = false;
	if (error == 0 && m->conf->sync_uploads)
		error = sync_directory(m, u->dir);
	upload_discard(m);
	return error;
}

void
upload_discard(struct monitor *m)
{
	struct upload *u = m->upload;

	m->upload = NULL;
	if (u == NULL)
		return;
	if (remove_name(u) == -1)
		log_warn("removing the broken upload %s", u->name);
	free_upload(u);
}
