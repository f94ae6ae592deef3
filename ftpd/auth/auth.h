/*
 * genkan-ftpd-auth: checks one password of a user of the system, tells who that
 * is, and, if PAM sessions or wtmp are wanted, stays until the connection is
 * over. The parts of the program.
 */
#ifndef GENKAN_AUTH_AUTH_H
#define GENKAN_AUTH_AUTH_H

#include <stdbool.h>

#include "auth_request.h"

struct auth_options {
	const char *service; /* of PAM; NULL: the shadow file is asked */
	bool session;        /* of PAM */
	bool wtmp;
};

/* Fills in verdict: the outcome and one word why. */
void auth_decide(struct auth_verdict *v, enum auth_outcome outcome, const char *reason);

/* user.c: uid, gid, groups, home and shell by NSS; the outcome becomes AUTH_WRONG if that fails. */
void user_look_up(const char *name, struct auth_verdict *v);

/* shadow.c: by shadow(5) and crypt(3). */
void shadow_check(const struct auth_question *q, struct auth_verdict *v);

/* pam.c, or nopam.c in a build without PAM. The session is that of the last check. */
void pam_check(const char *service, const struct auth_question *q, struct auth_verdict *v);
int pam_begin_session(void); /* 0, or -1 after logging why */
void pam_finish_session(void);
void pam_forget(void);

/* walls.c: what is left of root's power; ends the process if that cannot be had. */
void walls_enter(void);

#endif
