/*
 * PAM. What modules say goes to the log and never to the client; they are asked
 * for a password once and get no answer to anything else.
 */
#include "auth.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static pam_handle_t *handle;
static int last = PAM_SUCCESS; /* what the last function has returned */
static bool in_session;

/* The password, for the one time that it is asked for. */
struct answer_once {
	const char *password;
};

static void
free_answers(struct pam_response *answers, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (answers[i].resp != NULL)
			freezero(answers[i].resp, strlen(answers[i].resp));
	free(answers);
}

static int
converse(int n, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	struct answer_once *once = data;
	struct pam_response *answers;
	int i;

	if (n <= 0 || n > PAM_MAX_NUM_MSG ||
	    (answers = calloc((size_t)n, sizeof(*answers))) == NULL)
		return PAM_CONV_ERR;
	for (i = 0; i < n; i++)
		switch (messages[i]->msg_style) {
		case PAM_PROMPT_ECHO_OFF:
			if (once->password == NULL ||
			    (answers[i].resp = strdup(once->password)) == NULL)
				goto refuse;
			once->password = NULL;
			break;
		case PAM_TEXT_INFO:
		case PAM_ERROR_MSG:
			log_info("PAM: %s", messages[i]->msg);
			break;
		default:
			log_warnx("PAM asks \"%s\": FTP has no answer but the password",
			    messages[i]->msg);
			goto refuse;
		}
	*responses = answers;
	return PAM_SUCCESS;
refuse:
	free_answers(answers, n);
	return PAM_CONV_ERR;
}

/* The server delays failures itself, by the same time for all of them. */
static void
no_delay(int status, unsigned microseconds, void *data)
{
	(void)status;
	(void)microseconds;
	(void)data;
}

/* One word for the log. */
static const char *
word_of(int error)
{
	switch (error) {
	case PAM_USER_UNKNOWN:
		return "unknown-user";
	case PAM_AUTH_ERR:
	case PAM_CRED_INSUFFICIENT:
		return "bad-password";
	case PAM_MAXTRIES:
	case PAM_PERM_DENIED:
		return "pam-denied";
	default:
		return "pam-error";
	}
}

/* What PAM has answered, if it is not what a wrong password gets. */
static void
tell(const char *service)
{
	char path[128];

	if (last != PAM_AUTH_ERR && last != PAM_USER_UNKNOWN)
		log_warnx("PAM, password: %s", pam_strerror(handle, last));
	(void)snprintf(path, sizeof(path), "/etc/pam.d/%s", service);
	if (access(path, F_OK) == -1)
		log_warnx("there is no %s: what PAM has for \"other\" counts", path);
}

/* May the user come in, now that the password is right (or a certificate has stood for it)? */
static void
check_account(struct auth_verdict *v)
{
	last = pam_acct_mgmt(handle, PAM_DISALLOW_NULL_AUTHTOK);
	if (last == PAM_SUCCESS) {
		auth_decide(v, AUTH_RIGHT, "");
	} else if (last == PAM_NEW_AUTHTOK_REQD || last == PAM_AUTHTOK_EXPIRED) {
		auth_decide(v, AUTH_EXPIRED, "password-expired");
	} else if (last == PAM_ACCT_EXPIRED) {
		auth_decide(v, AUTH_EXPIRED, "account-expired");
	} else {
		auth_decide(v, AUTH_WRONG, "pam-account");
		log_warnx("PAM, account: %s", pam_strerror(handle, last));
	}
}

static int
set_items(const struct auth_question *q)
{
	if ((last = pam_set_item(handle, PAM_RHOST, q->rhost)) == PAM_SUCCESS)
		last = pam_set_item(handle, PAM_TTY, "ftp");
	if (last == PAM_SUCCESS)
		last = pam_set_item(handle, PAM_FAIL_DELAY, (const void *)no_delay);
	return last;
}

void
pam_check(const char *service, const struct auth_question *q, struct auth_verdict *v)
{
	static struct answer_once once;
	static struct pam_conv conversation = { converse, &once };
	const void *name = NULL;

	once.password = q->password;
	last = pam_start(service, q->user, &conversation, &handle);
	if (last == PAM_SUCCESS && set_items(q) == PAM_SUCCESS && !q->certified)
		last = pam_authenticate(handle, PAM_DISALLOW_NULL_AUTHTOK);
	once.password = NULL;
	if (last != PAM_SUCCESS) {
		auth_decide(v, AUTH_WRONG, word_of(last));
		tell(service);
		return;
	}
	/* a module may have made another user of it: the rules of the house know the first one */
	last = pam_get_item(handle, PAM_USER, &name);
	if (last != PAM_SUCCESS || name == NULL || strcmp(name, q->user) != 0) {
		log_warnx("PAM has made another user of %s", q->user);
		auth_decide(v, AUTH_WRONG, "other-user");
		return;
	}
	check_account(v);
	if (v->outcome != AUTH_WRONG)
		user_look_up(q->user, v);
}

int
pam_begin_session(void)
{
	last = pam_setcred(handle, PAM_ESTABLISH_CRED);
	if (last == PAM_SUCCESS)
		last = pam_open_session(handle, 0);
	in_session = last == PAM_SUCCESS;
	if (in_session)
		return 0;
	log_warnx("PAM, session: %s", pam_strerror(handle, last));
	return -1;
}

void
pam_finish_session(void)
{
	if (!in_session)
		return;
	in_session = false;
	if ((last = pam_close_session(handle, 0)) != PAM_SUCCESS)
		log_warnx("PAM, end of session: %s", pam_strerror(handle, last));
	(void)pam_setcred(handle, PAM_DELETE_CRED);
}

void
pam_forget(void)
{
	if (handle != NULL)
		(void)pam_end(handle, last);
	handle = NULL;
}
