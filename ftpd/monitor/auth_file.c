/*
 * AuthUserFile: passwd(5) lines with crypt(5) hashes.
 */
#include "auth.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"
#include "log.h"
#include "pwfile.h"
#include "request.h"

/* What is hashed for an unknown name when the file has no hash to take the time from. */
#define DUMMY "$y$j9T$nobodyHasThisHash...../"

/* Takes the same time wherever two hashes differ. */
static bool
is_same(const char *a, const char *b)
{
	size_t len = strlen(a), i;
	unsigned char differ = 0;

	if (strlen(b) != len)
		return false;
	for (i = 0; i < len; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

/*
 * True if password hashes to hash. A hash that is empty or locked ("!", "*")
 * matches nothing; neither does an empty password.
 */
static bool
matches(const char *password, const char *hash)
{
	struct crypt_data *data;
	const char *got;
	bool same;

	if ((data = calloc(1, sizeof(*data))) == NULL)
		return false;
	got = crypt_r(password, hash, data);
	same = got != NULL && got[0] != '*' && password[0] != '\0' && hash[0] != '\0' &&
	    is_same(got, hash);
	freezero(data, sizeof(*data));
	return same;
}

static bool
is_hash(const char *hash)
{
	return hash[0] != '\0' && hash[0] != '!' && hash[0] != '*';
}

/* The first real hash of the file: its kind and cost are taken for the others' too. */
static const char *
first_hash(FILE *file, char buf[static PWFILE_LINE])
{
	struct pwentry entry;

	rewind(file);
	while (fgets(buf, PWFILE_LINE, file) != NULL) {
		buf[strcspn(buf, "\r\n")] = '\0';
		if (buf[0] != '#' && pwfile_parse(buf, &entry) == 0 && is_hash(entry.hash))
			return entry.hash;
	}
	return DUMMY;
}

/* A file of hashes that others may write is an open door. */
static FILE *
open_file(const char *name)
{
	struct stat st;
	FILE *file;
	mode_t others = geteuid() == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;

	if ((file = fopen(name, "re")) == NULL) {
		/* a house that shares a folder only has no such file */
		if (errno == ENOENT)
			log_debug("AuthUserFile %s: %s", name, strerror(errno));
		else
			log_warn("AuthUserFile %s", name);
		return NULL;
	}
	if (fstat(fileno(file), &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0) &&
	    (st.st_mode & others) == 0)
		return file;
	log_warnx("AuthUserFile %s: other users may write it; nobody of it is let in", name);
	fclose(file);
	return NULL;
}

static enum auth
deny(struct grant *g, const char *reason)
{
	g->reason = reason;
	return AUTH_DENIED;
}

/* The entry of a user whose password is right: may it be let in? */
static enum auth
accept_entry(const struct pwentry *entry, struct grant *g)
{
	if (entry->uid == 0 || entry->gid == 0)
		return deny(g, "root");
	if (entry->home[0] != '/' ||
	    strlcpy(g->home, entry->home, sizeof(g->home)) >= sizeof(g->home))
		return deny(g, "no-home");
	if (strlcpy(g->shell, entry->shell, sizeof(g->shell)) >= sizeof(g->shell))
		return deny(g, "shell");
	g->uid = entry->uid;
	g->gid = entry->gid;
	return AUTH_GRANTED;
}

static enum auth
check(FILE *file, const struct req_login *r, char buf[static PWFILE_LINE], struct grant *g)
{
	struct pwentry entry;
	bool found;

	found = pwfile_find(file, r->user, buf, &entry) == 1;
	if (!found || !is_hash(entry.hash)) {
		matches(r->password, first_hash(file, buf));
		return deny(g, found ? "locked" : "unknown-user");
	}
	if (!matches(r->password, entry.hash))
		return deny(g, r->password[0] == '\0' ? "empty-password" : "bad-password");
	return accept_entry(&entry, g);
}

enum auth
auth_file(const struct conf *conf, const struct req_login *r, struct grant *g)
{
	char buf[PWFILE_LINE];
	enum auth result;
	FILE *file;

	if (conf->auth_user_file[0] == '\0' || (file = open_file(conf->auth_user_file)) == NULL)
		return deny(g, "no-accounts");
	result = check(file, r, buf, g);
	explicit_bzero(buf, sizeof(buf));
	fclose(file);
	return result;
}
