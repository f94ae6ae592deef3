/*
 * TLS of the comparison's client, by OpenSSL. It believes any certificate: what
 * is measured is the server. Data connections resume the session of the
 * control connection, which some servers insist on.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "bench.h"

static SSL_CTX *
context(void)
{
	static SSL_CTX *ctx;

	if (ctx == NULL) {
		ctx = SSL_CTX_new(TLS_client_method());
		if (ctx == NULL)
			fail("TLS: no context");
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
		SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	}
	return ctx;
}

static void __attribute__((noreturn))
fail_tls(const char *what)
{
	char text[256];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	fail("TLS: %s: %s", what, text);
}

void *
tls_begin(int fd, void *control)
{
	SSL *ssl = SSL_new(context());
	SSL_SESSION *session = control == NULL ? NULL : SSL_get1_session(control);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		fail_tls("no connection");
	if (session != NULL && SSL_SESSION_is_resumable(session))
		SSL_set_session(ssl, session);
	SSL_SESSION_free(session);
	if (SSL_connect(ssl) != 1)
		fail_tls("handshake");
	return ssl;
}

long
tls_read(void *tls, void *buf, size_t len)
{
	size_t n;

	if (SSL_read_ex(tls, buf, len, &n) == 1)
		return (long)n;
	if (SSL_get_error(tls, 0) != SSL_ERROR_ZERO_RETURN)
		fail_tls("read");
	return 0;
}

long
tls_write(void *tls, const void *buf, size_t len)
{
	size_t n;

	if (SSL_write_ex(tls, buf, len, &n) != 1)
		fail_tls("write");
	return (long)n;
}

void
tls_end(void *tls)
{
	SSL_shutdown(tls);
	SSL_free(tls);
}
