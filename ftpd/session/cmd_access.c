/*
 * Access control commands, RFC 959 section 4.1.1.
 */
#include "cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ask.h"
#include "log.h"
#include "session.h"
#include "tls.h"

/* DisplayLogin's text goes in front of the 230, as much as fits. */
#define DISPLAY_MAX 4096

/* 230 or 232 with DisplayLogin's text, if there is one. */
static void
welcome(struct session *s, int code, int display)
{
	struct reply *r = &s->ctl.reply;
	char text[DISPLAY_MAX + 1], *next = text, *line;
	ssize_t n = display == -1 ? 0 : read(display, text, DISPLAY_MAX);

	if (n <= 0) {
		reply(s, code, "%s.", s->anonymous ? "Welcome, guest" : "Welcome");
		return;
	}
	text[n] = '\0';
	line = strsep(&next, "\n");
	reply_begin(r, code, "%s", line);
	while ((line = strsep(&next, "\n")) != NULL && reply_line(r, "%s", line))
		continue;
	reply_end(r, code, "%s.", s->anonymous ? "Welcome, guest" : "Welcome");
	control_send_reply(s);
}

/* From here on somebody is logged in. */
static void
begin(struct session *s, int code, const struct ans_login *answer, int display)
{
	s->login = LOGIN_DONE;
	s->rights = answer->rights;
	s->anonymous = answer->anonymous;
	s->last_transfer = clock_ms();
	strlcpy(s->directory, answer->directory, sizeof(s->directory));
	strlcpy(s->home, answer->directory, sizeof(s->home));
	welcome(s, code, display);
	if (display != -1)
		close(display);
}

/* Why somebody who has proved who it is stays out; false if errno is another reason. */
static bool
told_why(struct session *s)
{
	if (errno == EUSERS)
		reply(s, 530,
		    "You are logged in %u times already, all that is allowed (MaxClientsPerUser): "
		    "close one of these connections first.",
		    s->conf->max_clients_per_user);
	else if (errno == EKEYEXPIRED)
		reply(s, 530, "The password or the account has expired: it has to be renewed, "
			      "which cannot be done here.");
	else
		return false;
	return true;
}

/* Asks the monitor whose the client's certificate is; 0, or -1 with errno. */
static int
show_certificate(struct session *s, struct ans_login *answer, int *display)
{
	struct req_certificate *shown = calloc(1, sizeof(*shown));
	int result = -1, error = EACCES;

	if (shown != NULL)
		shown->len = (uint32_t)tls_certificate(s->ctl.tls, shown->der, sizeof(shown->der));
	if (shown != NULL && shown->len > 0) {
		strlcpy(shown->user, s->user, sizeof(shown->user));
		result = ask_certificate(s, shown, answer, display);
		error = errno;
	}
	free(shown);
	errno = error;
	return result;
}

/* RFC 2228, 232: the certificate stands for the password. False: the password has to come. */
static bool
certified(struct session *s)
{
	struct ans_login answer;
	int display;

	if (s->ctl.tls == NULL || s->conf->tls_user_certificates[0] == '\0' || s->user[0] == '\0')
		return false;
	if (show_certificate(s, &answer, &display) == 0) {
		s->certified = true;
		begin(s, 232, &answer, display);
	} else if (told_why(s)) {
		s->login = LOGIN_NONE;
	} else {
		return false;
	}
	return true;
}

void
cmd_user(struct session *s, char *arg)
{
	if (s->login == LOGIN_DONE) {
		/* the monitor has become this user for good */
		if (strcmp(arg, s->user) == 0)
			reply(s, 230, "You are logged in already.");
		else
			reply(s, 501, "You are logged in as %s; for another user open a new connection.",
			    s->user);
		return;
	}
	if (!cmd_encrypted(s))
		return;
	/* the same words whoever exists; a name too long for anyone is refused at PASS */
	strlcpy(s->user, arg, sizeof(s->user));
	if (strlen(arg) >= sizeof(s->user))
		s->user[0] = '\0';
	s->login = LOGIN_USER_GIVEN;
	if (s->conf->anonymous && (strcasecmp(arg, "anonymous") == 0 || strcasecmp(arg, "ftp") == 0))
		reply(s, 331, "Guests are welcome: send your mail address, or anything, as password.");
	else if (!certified(s))
		reply(s, 331, "Password, please.");
}

void
cmd_pass(struct session *s, char *arg)
{
	struct ans_login answer;
	int display;

	if (s->login == LOGIN_DONE) {
		if (s->certified)
			reply(s, 202, "Your certificate has logged you in: no password is needed.");
		else
			reply(s, 503, "You are logged in already.");
		return;
	}
	if (s->login == LOGIN_NONE) {
		reply(s, 503, "Send USER first.");
		return;
	}
	s->login = LOGIN_NONE;
	if (ask_login(s, s->user, arg != NULL ? arg : "", &answer, &display) == -1) {
		if (errno == EPERM) {
			reply(s, 421, "Too many failed logins. Goodbye.");
			s->quit = true;
		} else if (errno == ESHUTDOWN) {
			reply(s, 530, "Nobody can log in at present: the server is being looked after.");
		} else if (!told_why(s)) {
			reply(s, 530, "Login incorrect: check name and password, then send USER again.");
		}
		return;
	}
	if (arg != NULL)
		explicit_bzero(arg, strlen(arg));
	begin(s, 230, &answer, display);
}

void
cmd_acct(struct session *s, char *arg)
{
	(void)arg;
	reply(s, 202, "No account is needed here: USER and PASS are all.");
}

void
cmd_quit(struct session *s, char *arg)
{
	(void)arg;
	reply(s, 221, "Goodbye.");
	s->quit = true;
}

void
cmd_host(struct session *s, char *arg)
{
	/* RFC 7151: every name leads to the one host that is here */
	if (s->login != LOGIN_NONE)
		reply(s, 503, "HOST must come before USER.");
	else if (strlen(arg) >= sizeof(s->host))
		reply(s, 501, "No host has a name that long.");
	else {
		strlcpy(s->host, arg, sizeof(s->host)); /* TLS chooses its certificate by it */
		reply(s, 220, "Welcome to %s.", arg);
	}
}
