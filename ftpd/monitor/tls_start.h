/*
 * The session with TLS is a program of its own, genkan-ftpd-tls: it is started here, by the
 * monitor, which reads certificates and keys but never uses them. It takes the place
 * of the session that has asked for it, and with that process ends whatever came behind AUTH TLS.
 */
#ifndef GENKAN_TLS_START_H
#define GENKAN_TLS_START_H

#include <stdbool.h>

struct monitor;
union any_request;
union any_answer;

#define TLS_PROGRAM "genkan-ftpd-tls"

/* REQ_TLS: starts it and waits until it is ready. */
int tls_request(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);

/* The answer has left: from now on its requests are answered. */
void tls_take_over(struct monitor *m);

/* Implicit TLS: it is the first session. False if it cannot be had; the log says why. */
bool tls_begin(struct monitor *m);

/* Closes what is kept for it: after login, and where there is no TLS. */
void tls_forget(struct monitor *m);

#endif
