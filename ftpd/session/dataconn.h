/*
 * The data connection: made by a passive accept or an active connect, to the
 * host of the control connection only.
 */
#ifndef GENKAN_DATACONN_H
#define GENKAN_DATACONN_H

#include <stdbool.h>
#include <stdint.h>

struct session;
struct tls;

/* How long a client may take to come, or to answer our connect, in seconds. */
#define DATACONN_SECONDS 30

/*
 * Begins an active connection before dataconn_open(): while the rows of a listing
 * come, the monitor answers no request. False after the refusal (425) has been sent.
 */
bool dataconn_begin(struct session *s);

/*
 * Opens the data connection that PASV, EPSV, PORT or EPRT agreed on, which is
 * then used up. Returns its descriptor (non-blocking), or -1 after the reply
 * (425, or 426 and 226 after ABOR) has been sent.
 */
int dataconn_open(struct session *s);

/* True if PASV, EPSV, PORT or EPRT agreed on one; otherwise the 425 has been sent. */
bool dataconn_agreed(struct session *s);

/*
 * PROT P: the handshake, on a connection whose 150 has been sent (RFC 4217 section 12.4). NULL after
 * the reply has been sent.
 */
struct tls *dataconn_secure(struct session *s, int fd);

/*
 * PASV and EPSV: a listener, announced as s->port.passive.announce says. Where there are enough
 * ports for all clients, a listener that has just served a transfer serves the next ones as well:
 * of many small files only some are worth a question to the monitor. False with errno.
 */
bool dataconn_listen(struct session *s, bool extended);

/*
 * Closes the listener that waits for a next PASV or EPSV, if that has not come in time. Returns when
 * its time will be over (clock_ms() time), NEVER if there is none.
 */
int64_t dataconn_keeps(struct session *s);

/* Forgets what was agreed on and closes a listener. */
void dataconn_forget(struct session *s);

/* The session ends: no listener is left, kept or not. */
void dataconn_end(struct session *s);

#endif
