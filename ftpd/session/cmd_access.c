/*
 * Access control commands, RFC 959 section 4.1.1.
 */
#include "cmd.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ask.h"
#include "log.h"
#include "session.h"

/* DisplayLogin's text goes in front of the 230, as much as fits. */
#define DISPLAY_MAX 4096

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
	else
		reply(s, 331, "Password, please.");
}

/* 230 with DisplayLogin's text, if there is one. */
static void
welcome(struct session *s, int display)
{
	struct reply *r = &s->ctl.reply;
	char text[DISPLAY_MAX + 1], *next = text, *line;
	ssize_t n = display == -1 ? 0 : read(display, text, DISPLAY_MAX);

	if (n <= 0) {
		reply(s, 230, "%s.", s->anonymous ? "Welcome, guest" : "Welcome");
		return;
	}
	text[n] = '\0';
	line = strsep(&next, "\n");
	reply_begin(r, 230, "%s", line);
	while ((line = strsep(&next, "\n")) != NULL && reply_line(r, "%s", line))
		continue;
	reply_end(r, 230, "%s.", s->anonymous ? "Welcome, guest" : "Welcome");
	control_send_reply(s);
}

void
cmd_pass(struct session *s, char *arg)
{
	struct ans_login answer;
	int display;

	if (s->login == LOGIN_DONE) {
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
			return;
		}
		if (errno == EUSERS) {
			reply(s, 530,
			    "You are logged in %u times already, all that is allowed (MaxClientsPerUser): "
			    "close one of these connections first.",
			    s->conf->max_clients_per_user);
			return;
		}
		if (errno == ESHUTDOWN) {
			reply(s, 530, "Nobody can log in at present: the server is being looked after.");
			return;
		}
		if (errno == EKEYEXPIRED) {
			reply(s, 530, "The password or the account has expired: it has to be renewed, "
				      "which cannot be done here.");
			return;
		}
		reply(s, 530, "Login incorrect: check name and password, then send USER again.");
		return;
	}
	if (arg != NULL)
		explicit_bzero(arg, strlen(arg));
	s->login = LOGIN_DONE;
	s->rights = answer.rights;
	s->anonymous = answer.anonymous;
	s->last_transfer = clock_ms();
	strlcpy(s->directory, answer.directory, sizeof(s->directory));
	strlcpy(s->home, answer.directory, sizeof(s->home));
	welcome(s, display);
	if (display != -1)
		close(display);
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
