/*
 * In the place of pam.c where there is no PAM (configure --without-pam).
 */
#include "auth.h"

#include "log.h"

void
pam_check(const char *service, const struct auth_question *q, struct auth_verdict *v)
{
	(void)service;
	(void)q;
	log_warnx("AuthSystem pam: this program was built without PAM");
	auth_decide(v, AUTH_WRONG, "no-pam");
}

int
pam_begin_session(void)
{
	return -1;
}

void
pam_finish_session(void)
{
}

void
pam_forget(void)
{
}
