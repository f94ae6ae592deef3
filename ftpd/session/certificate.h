/*
 * Certificates and keys, as PEM: read, looked at, chosen. A part of tls.c, with OpenSSL's types.
 */
#ifndef GENKAN_CERTIFICATE_H
#define GENKAN_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "conf.h"

struct handover;

struct certificate {
	X509 *leaf;
	STACK_OF(X509) *chain; /* what stands behind it in the file */
	EVP_PKEY *key;
};

struct certificates {
	unsigned n;
	struct certificate of[TLS_FILES];
};

/*
 * Takes all certificates of the handover that can be used, in the order of
 * TLSCertificateFile; what is wrong with the others is logged. Returns how many there are.
 */
unsigned certificates_load(
    struct certificates *c, const struct handover *h, const struct conf *conf);

/* Tells about a certificate and its key, on standard output and error; an exit status (sysexits). */
int certificates_check(const char *file, const char *pem, size_t len, const char *keyfile,
    const char *keypem, size_t keylen);

/*
 * Gives ssl those for a host name, one of each kind of key; the first of each kind
 * where none is for it. 1, or 0 if the library refuses all.
 */
int certificates_use(const struct certificates *c, SSL *ssl, const char *host);

bool certificates_is_first(const struct certificates *c, const X509 *leaf);

/* Takes authorities, in PEM form, that verify clients; false if there is none. */
bool certificates_trust(SSL_CTX *context, const char *pem, size_t len);

#endif
