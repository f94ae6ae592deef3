/*
 * Anonymous FTP (RFC 1635): two well-known names, no password to check.
 */
#include "auth.h"

#include <string.h>
#include <strings.h>

#include "conf.h"
#include "log.h"
#include "pwfile.h"
#include "request.h"

/* The kernel's overflow id, which every distribution calls nobody. */
#define NOBODY 65534

enum auth
auth_anonymous(const struct conf *conf, const struct req_login *r, struct grant *g)
{
	if (!conf->anonymous ||
	    (strcasecmp(r->user, "anonymous") != 0 && strcasecmp(r->user, "ftp") != 0))
		return AUTH_PASS_ON;
	if (pwfile_system_user(conf->anonymous_user, &g->uid, &g->gid) == -1) {
		g->uid = NOBODY;
		g->gid = NOBODY;
	}
	if (g->uid == 0 || g->gid == 0) {
		log_warnx("AnonymousUser %s has uid or gid 0: anonymous users are refused",
		    conf->anonymous_user);
		g->reason = "root";
		return AUTH_DENIED;
	}
	if (strlcpy(g->home, conf->anonymous_root, sizeof(g->home)) >= sizeof(g->home)) {
		g->reason = "no-home";
		return AUTH_DENIED;
	}
	g->anonymous = true;
	return AUTH_GRANTED;
}
