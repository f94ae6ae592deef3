/*
 * Security commands, RFC 2228 as RFC 4217 uses them: AUTH PBSZ PROT CCC.
 */
#include "cmd.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ask.h"
#include "log.h"
#include "session.h"

/* The mechanisms that mean TLS; private: the older ones, which encrypt data connections unasked. */
static bool
is_tls(const char *mechanism, bool *private)
{
	static const struct {
		const char *name;
		bool private;
	} known[] = { { "TLS", false }, { "TLS-C", false }, { "SSL", true }, { "TLS-P", true } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(mechanism, known[i].name) == 0) {
			*private = known[i].private;
			return true;
		}
	return false;
}

void
cmd_auth(struct session *s, char *arg)
{
	bool private = false;

	if (s->conf->tls == TLS_OFF) {
		reply(s, 504, "%s: this server speaks plain FTP only.", arg);
	} else if (!is_tls(arg, &private)) {
		reply(s, 504, "%s is unknown here: AUTH TLS is known.", arg);
	} else if (s->ctl.tls != NULL) {
		reply(s, 503, "This connection is encrypted already.");
	} else if (s->login == LOGIN_DONE) {
		reply(s, 503, "AUTH must come before USER: open a new connection.");
	} else if (ask_tls(s, private) == 0) {
		_exit(0); /* another process answers; what came behind AUTH ends here */
	} else if (errno == EOPNOTSUPP) {
		reply(s, 431, "TLS needs a network connection.");
	} else {
		reply(s, 431, "TLS cannot be had now: the server's log says why.");
	}
}

void
cmd_pbsz(struct session *s, char *arg)
{
	if (s->ctl.tls == NULL) {
		reply(s, 503, "PBSZ comes after AUTH TLS.");
	} else if (arg[strspn(arg, "0123456789")] != '\0') {
		reply(s, 501, "PBSZ wants a number: 0.");
	} else {
		s->pbsz = true;
		reply(s, 200, "PBSZ=0"); /* TLS needs no buffer size: RFC 4217 section 8 */
	}
}

void
cmd_prot(struct session *s, char *arg)
{
	char level = arg[0] >= 'a' && arg[0] <= 'z' ? (char)(arg[0] - 32) : arg[0];

	if (s->ctl.tls == NULL || !s->pbsz) {
		reply(s, 503, "PROT comes after AUTH TLS and PBSZ 0.");
	} else if (arg[1] != '\0' || strchr("CPSE", level) == NULL) {
		reply(s, 504, "PROT %s is unknown: P (private) and C (clear) are known.", arg);
	} else if (level == 'S' || level == 'E') {
		reply(s, 536, "TLS knows P (private) and C (clear) only.");
	} else if (level == 'C' && s->conf->tls == TLS_REQUIRED) {
		reply(s, 534, "Data connections must be encrypted here: PROT P.");
	} else {
		s->params.private = level == 'P';
		reply(s, 200, "Data connections are %s from now on.",
		    level == 'P' ? "encrypted" : "in the clear");
	}
}

void
cmd_ccc(struct session *s, char *arg)
{
	(void)arg;
	if (s->ctl.tls == NULL)
		reply(s, 533, "The control connection is in the clear already.");
	else
		reply(s, 534, "The control connection stays encrypted: passive mode needs no help from "
		              "routers here.");
}

bool
cmd_encrypted(struct session *s)
{
	if (s->conf->tls < TLS_CONTROL || s->ctl.tls != NULL)
		return true;
	reply(s, 530, "This server wants an encrypted connection: send AUTH TLS first (in the client's "
	              "settings: explicit FTP over TLS).");
	return false;
}
