/*
 * TLS (RFC 4217), for the control connection and one data connection at a time. Behind this header
 * stands OpenSSL, in genkan-ftpd-tls alone; notls.c stands there in genkan-ftpd.
 *
 * Nothing here waits. What cannot go on returns -1 with EAGAIN, and tls_wants() says what to
 * wait for. Other errors: EPROTO, with tls_reason() for people; ENODATA: the peer has closed without
 * TLS's own end (close_notify), so what it sent may be cut off; else errno of the socket.
 */
#ifndef GENKAN_TLS_H
#define GENKAN_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct conf;
struct handover;
struct tls;

/*
 * Makes the context from the handover's certificates, before the sandbox. A certificate that cannot be
 * used is left out and logged with its file; 0, or -1 if none is left.
 */
int tls_load(const struct handover *h, const struct conf *conf);

/* Begins TLS in the server's role; data: the data connection. NULL with errno. */
struct tls *tls_new(int fd, bool data);

/* Sends what waits, as far as it goes, and forgets the connection. NULL is nobody. */
void tls_free(struct tls *t);

int tls_handshake(struct tls *t);
ssize_t tls_read(struct tls *t, void *bytes, size_t len); /* 0: the peer's end */

/* Takes bytes and may keep some of them back: tls_flush() sends them. */
ssize_t tls_write(struct tls *t, const void *bytes, size_t len);
int tls_flush(struct tls *t);

/* Sends TLS's end behind all that was written. */
int tls_close(struct tls *t);

/* POLLIN, POLLOUT or both. */
short tls_wants(const struct tls *t);

/* True if tls_read() may have something to say that poll(2) does not know of: bytes, an end. */
bool tls_pending(const struct tls *t);

/* True if the handshake has resumed a session of this process's control connection. */
bool tls_resumed(const struct tls *t);

/* TLS 1.3: one more ticket, for the next data connection, in front of what is written next. */
void tls_ticket(struct tls *t);

/*
 * The certificate that the client has shown, with its key and in DER form, where it may count for
 * TLSUserCertificates. Returns its length, or 0: there is none, TLSClientCA has not signed it, it
 * has expired, or it does not fit.
 */
size_t tls_certificate(const struct tls *t, unsigned char *der, size_t size);

/* "TLSv1.3 TLS_AES_128_GCM_SHA256"; the client's certificate, or NULL; the last failure. */
const char *tls_text(const struct tls *t);
const char *tls_client_name(const struct tls *t);
const char *tls_reason(void);

#endif
