/*
 * The file of a transfer, opened where it begins.
 */
#include "open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "monitor.h"
#include "pattern.h"
#include "presence.h"
#include "upload.h"

/* How many names OPEN_UNIQUE tries. */
#define UNIQUE_TRIES 1000

/* Opens what the request names; a descriptor, or -1 with errno. */
static int
open_named(struct monitor *m, const struct req_open *r)
{
	bool overwrite = (m->account.rights & RIGHT_OVERWRITE) != 0;
	int flags = O_WRONLY | FILES_SOFTLY;

	if (r->mode == OPEN_READ)
		return files_open(m, r->path, O_RDONLY | FILES_SOFTLY, 0);
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
	int dir, fd = -1, i, n, saved;

	if ((dir = files_open_parent(m, r->path, last)) == -1)
		return -1;
	for (i = 0; i < UNIQUE_TRIES && fd == -1; i++) {
		n = i == 0 ? snprintf(name, sizeof(name), "%s", last)
			   : snprintf(name, sizeof(name), "%s.%d", last, i);
		if (n < 0 || (size_t)n >= sizeof(name)) {
			errno = ENAMETOOLONG;
			break;
		}
		if (pattern_denies(m->conf->path_deny, name)) {
			errno = EKEYREJECTED;
			break;
		}
		fd = files_open_at(
		    m, dir, name, O_WRONLY | O_CREAT | O_EXCL | FILES_SOFTLY, r->permissions & 0777);
		if (fd == -1 && errno != EEXIST)
			break;
	}
	saved = errno;
	close(dir);
	errno = saved;
	if (fd != -1)
		memcpy(a->name, name, strlen(name) + 1);
	return fd;
}

/* AllowStoreRestart off: what is there is not gone on with. */
static bool
is_refused_restart(const struct monitor *m, const struct req_open *r)
{
	struct stat st;
	int at;

	if (m->conf->allow_store_restart || r->mode == OPEN_READ)
		return false;
	if (r->restart > 0)
		return true;
	if (r->mode != OPEN_APPEND || (at = files_open(m, r->path, O_PATH, 0)) == -1)
		return false;
	if (fstat(at, &st) == -1)
		st.st_size = 0;
	close(at);
	return st.st_size > 0;
}

/*
 * Only regular files are handed out, at the place where the transfer begins.
 * No O_APPEND: splice(2) refuses files that are opened so.
 */
static int
prepare_file(int fd, const struct req_open *r, struct stat *st)
{
	off_t at = r->restart;

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

/* What was opened is checked, hidden where that is wanted, prepared; 0 or errno. */
static int
take_file(struct monitor *m, const struct req_open *r, struct ans_open *a, int *file)
{
	int hidden = -1, error;

	if (fstat(*file, &a->st) == -1)
		return errno;
	if (!S_ISREG(a->st.st_mode))
		return S_ISDIR(a->st.st_mode) ? EISDIR : EINVAL;
	if (r->restart > a->st.st_size)
		return ERANGE;
	if (r->mode == OPEN_READ)
		return prepare_file(*file, r, &a->st);
	if (r->mode == OPEN_STORE && r->restart == 0 &&
	    (error = upload_replace(m, r->path, *file, &a->st, &hidden)) != 0)
		return error;
	if (hidden != -1) {
		close(*file);
		*file = hidden;
		a->hidden = true;
		a->st.st_size = 0;
	} else if ((error = upload_in_place(m, r->path, *file)) != 0) {
		return error;
	}
	return prepare_file(*file, r, &a->st);
}

/* HiddenStores on: a file that is not there yet. *file is -1 when it has to be made in its place. */
static int
take_new(struct monitor *m, const struct req_open *r, struct ans_open *a, int *file)
{
	int at;

	*file = -1;
	if (r->mode != OPEN_STORE || r->restart != 0 || m->conf->hidden_stores != HIDDEN_STORES_ON)
		return 0;
	if ((at = files_open(m, r->path, O_PATH | O_NOFOLLOW, 0)) != -1) {
		close(at);
		return 0;
	}
	if (errno != ENOENT)
		return 0;
	a->hidden = true;
	return upload_new(m, r->path, r->permissions & 0777, file);
}

static int
open_file(struct monitor *m, const struct req_open *r, struct ans_open *a, int *fd)
{
	unsigned need = r->mode == OPEN_READ ? RIGHT_READ : RIGHT_STORE;
	int file = -1, error;

	upload_discard(m); /* there is one transfer at a time */
	if (r->mode > OPEN_UNIQUE || r->restart < 0)
		return EINVAL;
	if (r->restart > 0 && (r->mode == OPEN_APPEND || r->mode == OPEN_UNIQUE))
		return EINVAL;
	if ((m->account.rights & need) != need)
		return EACCES;
	if (is_refused_restart(m, r))
		return EPERM;
	if ((error = take_new(m, r, a, &file)) != 0)
		return error;
	if (file != -1) {
		*fd = file;
		return 0;
	}
	a->hidden = false;
	file = r->mode == OPEN_UNIQUE ? open_unique(m, r, a) : open_named(m, r);
	if (file == -1)
		/* sockets, and FIFOs that nobody reads, cannot be opened at all */
		return errno == ENXIO || errno == ENODEV ? EINVAL : errno;
	if ((error = take_file(m, r, a, &file)) != 0) {
		upload_discard(m);
		close(file);
		return error;
	}
	*fd = file;
	return 0;
}

/* TransferRate of a transfer that runs or is about to: its part, if the user's transfers share it. */
static int64_t
transfer_rate(const struct monitor *m, bool sends, bool *shared)
{
	const struct rate_rule *rule = conf_transfer_rate(m->conf, m->account.name,
	    m->account.anonymous, sends);
	int64_t part;

	*shared = rule != NULL && rule->shared && rule->rate > 0;
	if (!*shared)
		return rule == NULL ? 0 : rule->rate;
	part = rule->rate / (1 + presence_alike(m, sends ? SLOT_READS : SLOT_WRITES));
	return part > 0 ? part : 1;
}

int
open_request(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	int error = open_file(m, &req->open, &ans->open, fd);

	if (error != 0)
		return error;
	ans->open.rate = transfer_rate(m, req->open.mode == OPEN_READ, &ans->open.shared);
	presence_file(m, &req->open, &ans->open.st, *fd);
	return 0;
}

int
rate_request(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	bool shared;

	(void)fd;
	ans->rate.rate = transfer_rate(m, req->rate.sends, &shared);
	return 0;
}
