/*
 * What the user does with files and directories by name. Every path goes
 * through one resolver, which never leaves the root: neither by "..", nor by a
 * symbolic link in any component, nor by the magic links of /proc.
 */
#ifndef GENKAN_FILES_H
#define GENKAN_FILES_H

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "request.h"

struct account;
struct monitor;

/*
 * Finds out how names are resolved: by openat2(2), or, where the kernel is
 * older than 5.6, by a walk that follows no symbolic link at all. Call it once,
 * with m->root_fd set and before the system call filter is on.
 */
void files_begin(struct monitor *m);

/*
 * open(2) beneath the root; close-on-exec. flags as in openat2(2), mode only
 * with O_CREAT. Returns a descriptor, or -1 with errno; EKEYREJECTED: a name of
 * PathDeny is in path.
 */
int files_open(const struct monitor *m, const char *path, int flags, mode_t mode);

/*
 * The same for name, one component that is ours and not the client's, in a
 * directory that is open; no link is followed, and PathDeny is not asked.
 */
int files_open_at(const struct monitor *m, int dir, const char *name, int flags, mode_t mode);

/*
 * Splits path into the directory ("/" at least) and the last component, which
 * is a plain name without '/', never "." or "..". Returns 0, or -1 with
 * ENAMETOOLONG, or EBUSY when there is no such name.
 */
int files_split(const char *path, char dir[static REQ_PATH], char last[static NAME_MAX + 1]);

/*
 * Opening must not wait for the other end of a FIFO nor take a terminal; what
 * is no regular file is closed again.
 */
#define FILES_SOFTLY (O_NONBLOCK | O_NOCTTY)

/* For what takes no resolve flags: path's directory (O_PATH), and its last component; as above. */
int files_open_parent(const struct monitor *m, const char *path, char last[static NAME_MAX + 1]);

/* Renames, over an existing name only with the right to: 0, or -1 with errno (EEXIST). */
int files_rename_at(
    const struct monitor *m, int from, const char *old, int to, const char *new);

/* FACTS_MAY_… on an entry; parent is its directory, or NULL where that is not asked. */
unsigned files_may(
    const struct account *account, const struct stat *entry, const struct stat *parent);

/* The requests, as in request.h. */
int files_chdir(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);
int files_stat(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);
int files_mkdir(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);
int files_rmdir(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);
int files_unlink(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);
int files_rename(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);
int files_setattr(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);
int files_space(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);
int files_symlink(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);

/* When name in dir (or dir itself, by "") was made; 0 where the file system does not know. */
time_t files_created(int dir, const char *name);

#endif
