/*
 * The methods of checking a password, or the certificate in its place. Each looks at a user's name and says
 * whether it is the one to decide; login.c asks them in turn.
 */
#ifndef GENKAN_AUTH_H
#define GENKAN_AUTH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "groups.h"

struct conf;
struct monitor;
struct req_certificate;
struct req_login;

enum auth {
	AUTH_PASS_ON, /* not a name of mine */
	AUTH_GRANTED,
	AUTH_DENIED
};

/* What a method says of a user. */
struct grant {
	uid_t uid;
	gid_t gid;
	bool anonymous;
	bool system;  /* a user of the system; its groups are told already */
	bool certified; /* set before: a certificate has proved who it is, no password is looked at */
	bool expired; /* the password is right, but it or the account has expired */
	char word[32]; /* room for a reason that is not ours */
	char home[PATH_MAX];
	char shell[256];
	struct groups groups;
	const char *reason; /* AUTH_DENIED: one word for the log, never for the client */
};

/*
 * "anonymous" and "ftp", any password, when Anonymous is on: the account is
 * AnonymousUser's, or nobody's where there is no such user.
 */
enum auth auth_anonymous(const struct conf *conf, const struct req_login *r, struct grant *g);

/*
 * The users of AuthUserFile. The password is hashed whatever the outcome, so that
 * an unknown name takes the time of a wrong password; with AuthSystem, names that
 * are not in the file are passed on.
 */
enum auth auth_file(const struct conf *conf, const struct req_login *r, struct grant *g);

/*
 * Users of the system (AuthSystem): asks genkan-ftpd-auth, which is started for
 * it and ends again unless the session is to be kept.
 */
enum auth auth_system(struct monitor *m, const struct req_login *r, struct grant *g);

/*
 * True if a line of TLSUserCertificates gives the user of r this certificate. What is wrong with the
 * file, and the fingerprint of a certificate that is nobody's, is told in the log.
 */
bool auth_certificate(struct monitor *m, const struct req_certificate *r);

/* genkan-ftpd -t: 0, or -1 with what is wrong with the file, its name in front. */
int auth_certificate_check(const struct conf *conf, char *error, size_t size);

/* PAMSession, WtmpLog: the login is recorded until m->keeper is closed. 0, or -1: refuse it. */
int auth_system_keep(struct monitor *m);

/* The program is no longer needed. */
void auth_system_end(struct monitor *m);

#endif
