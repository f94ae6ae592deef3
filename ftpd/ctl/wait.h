/*
 * genkanctl check --wait: the ports answer by themselves, so that a phone outside is the judge.
 *
 * wait.c has the ports, the loop and the terminal; wait_http.c the answers; wait_page.c the
 * page.
 */
#ifndef GENKAN_WAIT_H
#define GENKAN_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check.h"
#include "httpget.h"

#define WAIT_PORTS 128
#define WAIT_NONCE 33 /* hexadecimal digits and NUL */

struct wait_port {
	uint16_t port, external; /* here, and where the world knows it */
	int listener;            /* -1: somebody else listens there */
	bool browser;            /* browsers go there */
	bool reached;            /* from outside */
};

struct waiting {
	struct check *c;
	char nonce[WAIT_NONCE];
	unsigned n;
	struct wait_port ports[WAIT_PORTS];
};

/* Who has asked for what, at which port. */
struct visit {
	struct netaddr peer, local;
	uint16_t port; /* of ours */
	bool outside;  /* neither LocalNetworks nor another private network */
	struct httpget get;
};

/* The answer with its header, to be freed; NULL: no memory. */
char *wait_http_answer(const struct waiting *w, const struct visit *v, size_t *len);

/* The page, to be freed; NULL: no memory. */
char *wait_page(const struct waiting *w, const struct visit *v, size_t *len);

/* Waits at most so many seconds. Returns the exit status: 0 all reached, 1 some, 2 none. */
int wait_run(struct check *c, unsigned seconds);

#endif
