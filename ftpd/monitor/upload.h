/*
 * Uploads lose nothing (HiddenStores): what replaces a file is written beside it
 * and takes its place when it is complete. An upload that breaks leaves the old
 * file as it was.
 *
 * The hidden file has no name while it is written (O_TMPFILE), so nothing is
 * left of it whoever is killed. Where the file system or the kernel cannot do
 * that it is called ".in.NAME.xxxxxxxx." and removed by the monitor.
 *
 * The session gains nothing by lying: what is put in place is what REQ_OPEN has
 * opened, under the name that REQ_OPEN has resolved, with the rights of then.
 */
#ifndef GENKAN_UPLOAD_H
#define GENKAN_UPLOAD_H

#include <sys/stat.h>
#include <sys/types.h>

struct monitor;

/*
 * A file to be written instead of path, which is open as file for writing and
 * is old. *fd is it, or -1 where the file has to be written in its place: it is
 * empty, has other names, another owner, attributes that would be lost, it is a
 * symbolic link's target, its directory may not be written. 0 or errno.
 */
int upload_replace(
    struct monitor *m, const char *path, int file, const struct stat *old, int *fd);

/* The same for a file that is not there yet and gets this mode. */
int upload_new(struct monitor *m, const char *path, mode_t mode, int *fd);

/* A file that is written in its place, for SyncUploads. 0 or errno. */
int upload_in_place(struct monitor *m, const char *path, int file);

/*
 * Before capabilities are raised: Linux links a file without a name only with
 * the credentials that have opened it, and capset(2) makes new ones. So it gets
 * its hidden name now.
 */
void upload_name(const struct monitor *m);

/* The upload is complete: on the disk with SyncUploads, and in its place. 0 or errno. */
int upload_complete(struct monitor *m);

/* Forgets the upload, if there is one; its hidden file is gone. */
void upload_discard(struct monitor *m);

#endif
