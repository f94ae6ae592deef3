/*
 * Certificates and keys.
 */
#include "certificate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "handover.h"
#include "log.h"

#define WHY 512

static const char *wrong(char why[static WHY], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static const char *
wrong(char why[static WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, WHY, fmt, ap);
	va_end(ap);
	ERR_clear_error();
	return why;
}

/* A server cannot be asked for a passphrase. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* By its words, PKCS #8 or the older ones: OpenSSL does not get as far as to ask (algorithms.c). */
static bool
is_encrypted(const char *pem, size_t len)
{
	static const char words[] = "BEGIN ENCRYPTED PRIVATE KEY", older[] = "Proc-Type: 4,ENCRYPTED";

	return memmem(pem, len, words, sizeof(words) - 1) != NULL ||
	    memmem(pem, len, older, sizeof(older) - 1) != NULL;
}

static void
forget(struct certificate *c)
{
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	EVP_PKEY_free(c->key);
	*c = (struct certificate){ 0 };
}

static EVP_PKEY *
read_key(const char *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

	BIO_free(bio);
	return key;
}

/* The first certificate, and those behind it in chain. */
static X509 *
read_chain(const char *pem, size_t len, STACK_OF(X509) *chain)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	X509 *leaf = NULL, *next;

	if (bio != NULL && chain != NULL)
		leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	while (leaf != NULL && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(chain, next) == 0)
			X509_free(next);
	ERR_clear_error(); /* the end of the file is one */
	BIO_free(bio);
	return leaf;
}

/* Reads a certificate and its key; NULL, or what is wrong with them. */
static const char *
load(struct certificate *c, const char *file, const char *pem, size_t len, const char *keyfile,
    const char *keypem, size_t keylen, char why[static WHY])
{
	const char *bad = NULL;

	c->chain = sk_X509_new_null();
	c->leaf = read_chain(pem, len, c->chain);
	c->key = read_key(keypem, keylen);
	if (c->leaf == NULL)
		bad = wrong(why, "%s: there is no certificate in PEM form", file);
	else if (c->key == NULL && is_encrypted(keypem, keylen))
		bad = wrong(why, "%s: the key wants a passphrase, and nobody is there to give it: "
		                 "openssl pkey takes it off", keyfile);
	else if (c->key == NULL)
		bad = wrong(why, "%s: there is no private key in PEM form", keyfile);
	else if (X509_check_private_key(c->leaf, c->key) != 1)
		bad = wrong(why, "%s: the key is not that of the certificate %s", keyfile, file);
	if (bad != NULL)
		forget(c);
	return bad;
}

/* Days until the certificate ends, negative behind it. */
static int
days_left(const X509 *leaf)
{
	int days = 0, seconds = 0;

	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(leaf)) != 1)
		return -1;
	return days > 0 || (days == 0 && seconds > 0) ? days : days - 1;
}

unsigned
certificates_load(struct certificates *c, const struct handover *h, const struct conf *conf)
{
	char file[PATH_MAX], keyfile[PATH_MAX], why[WHY];

	for (unsigned i = 0; conf_tls_file(conf->tls_certificate_file, i, file) &&
	     conf_tls_key(conf, i, keyfile); i++) {
		const struct part *leaf = handover_find(h, PART_CERTIFICATE, i);
		const struct part *key = handover_find(h, PART_KEY, i);
		struct certificate *next = &c->of[c->n];

		if (leaf == NULL || key == NULL)
			continue; /* the monitor has said why */
		if (load(next, file, leaf->bytes, leaf->len, keyfile, key->bytes, key->len, why) != NULL) {
			log_errorx("TLS: %s", why);
			continue;
		}
		if (days_left(next->leaf) < 0)
			log_warnx("TLS: %s has expired: clients will refuse it. Renew it", file);
		c->n++;
	}
	return c->n;
}

bool
certificates_is_first(const struct certificates *c, const X509 *leaf)
{
	return c->n > 0 && leaf != NULL && c->of[0].leaf == leaf;
}

int
certificates_use(const struct certificates *c, SSL *ssl, const char *host)
{
	bool taken[TLS_FILES] = { false }; /* a kind of key that has its certificate, by who has it */
	unsigned used = 0;

	/* first those for the name, then, if there was none, all */
	for (int any = host[0] == '\0'; any < 2 && used == 0; any++)
		for (unsigned i = 0; i < c->n; i++) {
			const struct certificate *x = &c->of[i];
			bool same = false;

			for (unsigned j = 0; j < i; j++)
				same |= taken[j] &&
				    EVP_PKEY_get_base_id(c->of[j].key) == EVP_PKEY_get_base_id(x->key);
			if (same || (!any && X509_check_host(x->leaf, host, 0, 0, NULL) != 1))
				continue;
			taken[i] = SSL_use_cert_and_key(ssl, x->leaf, x->key, x->chain, 1) == 1;
			used += taken[i];
		}
	return used > 0;
}

bool
certificates_trust(SSL_CTX *context, const char *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	unsigned n = 0;
	X509 *next;

	while (bio != NULL && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (X509_STORE_add_cert(store, next) == 1 && SSL_CTX_add_client_CA(context, next) == 1)
			n++;
		X509_free(next);
	}
	ERR_clear_error();
	BIO_free(bio);
	return n > 0;
}

/* Tells for whom it is, by which key, and how long; an exit status. */
static int
tell(const char *file, const struct certificate *c)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(c->leaf, NID_subject_alt_name, NULL, NULL);
	int days = days_left(c->leaf);

	printf("%s: %s, for", file, EVP_PKEY_get_base_id(c->key) == EVP_PKEY_RSA ? "RSA" : "ECDSA");
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			printf(" %s", (const char *)ASN1_STRING_get0_data(name->d.dNSName));
	}
	if (sk_GENERAL_NAME_num(names) <= 0)
		printf(" no host name (clients will not accept it)");
	GENERAL_NAMES_free(names);
	if (days < 0)
		printf(", EXPIRED: renew it\n");
	else
		printf(", %d days left\n", days);
	return days < 0 ? EX_CONFIG : 0;
}

int
certificates_check(const char *file, const char *pem, size_t len, const char *keyfile,
    const char *keypem, size_t keylen)
{
	struct certificate c = { 0 };
	char why[WHY];
	int status = EX_CONFIG;

	if (load(&c, file, pem, len, keyfile, keypem, keylen, why) != NULL)
		fprintf(stderr, "%s\n", why);
	else
		status = tell(file, &c);
	forget(&c);
	return status;
}
