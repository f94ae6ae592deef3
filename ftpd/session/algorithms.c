/*
 * A provider that shows a part of the default one, and little else.
 */
#include "algorithms.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#ifdef HAVE_OPENSSL_INSIDE

/* In no header, but what OSSL_PROVIDER_load(3) calls for "default", and what loads all words. */
OSSL_provider_init_fn ossl_default_provider_init;
int ossl_err_load_crypto_strings(void);
int ossl_err_load_SSL_strings(void);

#define OPERATIONS (OSSL_OP_STORE + 1) /* the numbers of operations end there */
#define MOST       40                  /* algorithms of one operation, its last entry included */
#define FUNCTIONS  16                  /* of a provider, likewise */

/*
 * By the first of an algorithm's names. Operations that are not here are left out: nothing is
 * encoded or stored.
 */
static const char *const wanted[OPERATIONS][16] = {
	/* sigalgs and certificates of clients, Ed448 (SHAKE); before any protocol is known, MD5, SHA1 */
	[OSSL_OP_DIGEST] = { "SHA2-256", "SHA2-384", "SHA2-512", "SHA2-224", "SHA1", "MD5", "MD5-SHA1",
	    "SHAKE-256" },
	/* the suites; tickets (CBC); random numbers (CTR, ECB) */
	[OSSL_OP_CIPHER] = { "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-256-CBC",
	    "AES-256-CTR", "AES-256-ECB" },
	[OSSL_OP_MAC] = { "HMAC" },
	[OSSL_OP_KDF] = { "HKDF", "TLS13-KDF", "TLS1-PRF" },
	[OSSL_OP_RAND] = { "CTR-DRBG", "SEED-SRC" },
	[OSSL_OP_KEYMGMT] = { "RSA", "RSA-PSS", "EC", "X25519", "ED25519", "ED448", "HMAC" },
	[OSSL_OP_KEYEXCH] = { "ECDH", "X25519" },
	/* HMAC: so OpenSSL makes the binders of resumption */
	[OSSL_OP_SIGNATURE] = { "RSA", "ECDSA", "ED25519", "ED448", "HMAC" },
	/* of certificates; private keys are read in the older way, which is the shorter one */
	[OSSL_OP_DECODER] = { "RSA", "RSA-PSS", "EC", "ED25519", "ED448" },
};

static OSSL_FUNC_provider_query_operation_fn *query_default;

static bool
is_wanted(int operation, const OSSL_ALGORITHM *a)
{
	size_t len = strcspn(a->algorithm_names, ":");
	const char *const *name = wanted[operation];

	while (*name != NULL &&
	    (strlen(*name) != len || strncasecmp(*name, a->algorithm_names, len) != 0))
		name++;
	return *name != NULL && (operation != OSSL_OP_DECODER ||
	                            strstr(a->property_definition, "SubjectPublicKeyInfo") != NULL);
}

/* Asked again for each algorithm that is not there. */
static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
	static OSSL_ALGORITHM found[OPERATIONS][MOST];
	OSSL_ALGORITHM *to = operation < 0 || operation >= OPERATIONS ? NULL : found[operation];
	const OSSL_ALGORITHM *from;

	*no_cache = 0;
	if (to == NULL || to->algorithm_names != NULL || *wanted[operation] == NULL)
		return to;
	from = query_default(provider, operation, no_cache);
	for (; from != NULL && from->algorithm_names != NULL; from++)
		if (to < &found[operation][MOST - 1] && is_wanted(operation, from))
			*to++ = *from;
	return found[operation];
}

/* The default provider, with a query of ours before its own. */
static int
begin(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
    void **provider)
{
	static OSSL_DISPATCH functions[FUNCTIONS];
	size_t i;

	if (ossl_default_provider_init(core, in, out, provider) != 1)
		return 0;
	for (i = 0; (*out)[i].function_id != 0 && i < FUNCTIONS - 1; i++) {
		functions[i] = (*out)[i];
		if (functions[i].function_id != OSSL_FUNC_PROVIDER_QUERY_OPERATION)
			continue;
		query_default = OSSL_FUNC_provider_query_operation(&functions[i]);
		functions[i].function = (void (*)(void))query;
	}
	*out = functions;
	return query_default != NULL;
}

void
algorithms_load(void)
{
	/* each of these is decided once, by the first call that says anything about it */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
	        OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
	    NULL);
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_SSL_STRINGS, NULL);
	/* what certificates are signed with is looked for by these names */
	EVP_add_digest(EVP_sha1());
	EVP_add_digest(EVP_sha224());
	EVP_add_digest(EVP_sha256());
	EVP_add_digest(EVP_sha384());
	EVP_add_digest(EVP_sha512());
	if (OSSL_PROVIDER_add_builtin(NULL, "genkan", begin) != 1 ||
	    OSSL_PROVIDER_load(NULL, "genkan") == NULL)
		ERR_clear_error();
}

const char *
algorithms_error(unsigned long code)
{
	ossl_err_load_crypto_strings();
	ossl_err_load_SSL_strings();
	return ERR_reason_error_string(code);
}

#else

void
algorithms_load(void)
{
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

const char *
algorithms_error(unsigned long code)
{
	return ERR_reason_error_string(code);
}

#endif
