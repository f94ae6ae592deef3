/*
 * Users of the system without PAM: shadow(5).
 */
#include "auth.h"

#include <pwd.h>
#include <shadow.h>
#include <string.h>
#include <time.h>

#include "pwhash.h"

#define DAY 86400

/* What shadow(5) says of the days; NULL, or why the right password does not do any more. */
static const char *
expiry(const struct spwd *s, long today)
{
	if (s->sp_expire > 0 && today >= s->sp_expire)
		return "account-expired";
	if (s->sp_lstchg == 0) /* it must be changed at the first login */
		return "password-expired";
	if (s->sp_lstchg > 0 && s->sp_max >= 0 && today > s->sp_lstchg + s->sp_max)
		return "password-expired";
	return NULL;
}

/* NULL, or why the password is not this account's. */
static const char *
wrong_password(const struct auth_question *q, const char *hash)
{
	/* "x" of passwd(5) is for a shadow entry, which is missing */
	if (pwhash_is_one(hash) && strcmp(hash, "x") != 0)
		return pwhash_matches(q->password, hash) ? NULL : "bad-password";
	(void)pwhash_matches(q->password, PWHASH_DUMMY);
	return "locked";
}

/* NULL, or why who needs no password stays out: "!" locks the account, "*" only has no password. */
static const char *
locked(const char *hash)
{
	return hash[0] == '!' || strcmp(hash, "x") == 0 ? "locked" : NULL;
}

void
shadow_check(const struct auth_question *q, struct auth_verdict *v)
{
	const struct passwd *user = getpwnam(q->user);
	const struct spwd *shadow = user == NULL ? NULL : getspnam(q->user);
	const char *hash = shadow != NULL ? shadow->sp_pwdp : user != NULL ? user->pw_passwd : "!";
	const char *why = q->certified ? locked(hash) : wrong_password(q, hash);

	if (why != NULL) {
		auth_decide(v, AUTH_WRONG, user == NULL ? "unknown-user" : why);
		return;
	}
	why = shadow == NULL ? NULL : expiry(shadow, (long)(time(NULL) / DAY));
	if (why != NULL)
		auth_decide(v, AUTH_EXPIRED, why);
	else
		auth_decide(v, AUTH_RIGHT, "");
	user_look_up(q->user, v);
}
