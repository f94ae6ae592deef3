/*
 * TLSUserCertificates: is it this user's certificate?
 *
 * The session has seen that the client has the certificate's key, and a session may be anybody's.
 * So what it has to show here is the certificate itself: the file holds only hashes, from which
 * nobody gets it, and the client sends it encrypted.
 */
#include "auth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "account.h"
#include "certusers.h"
#include "conf.h"
#include "hash.h"
#include "log.h"
#include "monitor.h"
#include "request.h"

#define DIRECTIVE "TLSUserCertificates"

static bool
hash_of(const struct req_certificate *r, char print[static CERTUSERS_PRINT])
{
	char hex[HASH_HEX] = "";
	struct hash *h = hash_begin(HASH_SHA256);

	if (h == NULL)
		return false;
	hash_add(h, r->der, r->len);
	hash_end(h, hex);
	return strlcpy(print, hex, CERTUSERS_PRINT) == CERTUSERS_PRINT - 1;
}

bool
auth_certificate(struct monitor *m, const struct req_certificate *r)
{
	char print[CERTUSERS_PRINT], error[CERTUSERS_ERROR], word[64];
	const char *name = m->conf->tls_user_certificates;
	bool has;
	FILE *file;

	if (!hash_of(r, print) || (file = account_open_file(DIRECTIVE, name)) == NULL)
		return false;
	has = certusers_have(file, r->user, print, error);
	fclose(file);
	if (error[0] != '\0')
		log_warnx(DIRECTIVE " %s: %s: this line lets nobody in", name, error);
	if (!has && !m->certificate_told)
		log_info(DIRECTIVE " %s: %s has no certificate with the fingerprint %s", name,
		    monitor_word(word, sizeof(word), r->user), print);
	m->certificate_told = true; /* a client may say USER often */
	return has;
}

int
auth_certificate_check(const struct conf *conf, char *error, size_t size)
{
	char wrong[CERTUSERS_ERROR], none[CERTUSERS_PRINT] = "";
	const char *name = conf->tls_user_certificates;
	FILE *file;

	if (name[0] == '\0')
		return 0;
	if ((file = fopen(name, "re")) == NULL) {
		snprintf(error, size, DIRECTIVE " %.200s: %s", name, strerror(errno));
		return -1;
	}
	(void)certusers_have(file, "", none, wrong);
	fclose(file);
	if (wrong[0] == '\0')
		return 0;
	snprintf(error, size, DIRECTIVE " %.200s: %s", name, wrong);
	return -1;
}
