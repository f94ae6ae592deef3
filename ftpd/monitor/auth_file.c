/*
 * AuthUserFile: passwd(5) lines with crypt(5) hashes.
 */
#include "auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"
#include "log.h"
#include "pwfile.h"
#include "pwhash.h"
#include "request.h"

/* The first real hash of the file: its kind and cost are taken for the others' too. */
static const char *
first_hash(FILE *file, char buf[static PWFILE_LINE])
{
	struct pwentry entry;

	rewind(file);
	while (fgets(buf, PWFILE_LINE, file) != NULL) {
		buf[strcspn(buf, "\r\n")] = '\0';
		if (buf[0] != '#' && pwfile_parse(buf, &entry) == 0 && pwhash_is_one(entry.hash))
			return entry.hash;
	}
	return PWHASH_DUMMY;
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

/* The entry of a user who is who he says: may it be let in? */
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
check(const struct conf *conf, FILE *file, const struct req_login *r, char buf[static PWFILE_LINE],
    struct grant *g)
{
	struct pwentry entry;
	bool found;

	found = pwfile_find(file, r->user, buf, &entry) == 1;
	if (!found && conf->auth_system != AUTH_SYSTEM_OFF)
		return AUTH_PASS_ON;
	if (g->certified) { /* "!" locks an account, "*" only has no password */
		if (!found || entry.hash[0] == '!')
			return deny(g, found ? "locked" : "unknown-user");
		return accept_entry(&entry, g);
	}
	if (!found || !pwhash_is_one(entry.hash)) {
		(void)pwhash_matches(r->password, first_hash(file, buf));
		return deny(g, found ? "locked" : "unknown-user");
	}
	if (!pwhash_matches(r->password, entry.hash))
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
		return conf->auth_system != AUTH_SYSTEM_OFF ? AUTH_PASS_ON : deny(g, "no-accounts");
	result = check(conf, file, r, buf, g);
	explicit_bzero(buf, sizeof(buf));
	fclose(file);
	return result;
}
