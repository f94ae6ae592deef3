/*
 * Between the monitor and genkan-ftpd-auth, over one SOCK_SEQPACKET socketpair
 * (msg.h): one question and its verdict. If the program is to keep the session,
 * the monitor then says AUTH_OPEN and gets one answer; the end of the socket is
 * the end of the connection.
 */
#ifndef GENKAN_AUTH_REQUEST_H
#define GENKAN_AUTH_REQUEST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "groups.h"
#include "netaddr.h"
#include "request.h"

enum auth_message {
	AUTH_CHECK = 1, /* auth_question -> auth_verdict */
	AUTH_OPEN       /* nothing -> auth_opened */
};

struct auth_question {
	char user[REQ_NAME];
	char password[REQ_PASS];
	char rhost[NETADDR_TEXT];
	bool certified; /* who it is has been proved already: no password is asked for */
};

enum auth_outcome {
	AUTH_RIGHT,
	AUTH_WRONG,  /* or not allowed by PAM; only reason is set */
	AUTH_EXPIRED /* the password is right, and it or the account has expired */
};

struct auth_verdict {
	uint32_t outcome;
	char reason[32]; /* one word for the log */
	uid_t uid;
	gid_t gid;
	struct groups groups; /* without the primary one, but for its name */
	char home[PATH_MAX];
	char shell[256];
};

struct auth_opened {
	int32_t error; /* errno; 0 = done */
};

#endif
