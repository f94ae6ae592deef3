/*
 * TLS by OpenSSL. One context, made anew for each client: so its tickets, whose key is made
 * with it, prove that a data connection belongs to this control connection.
 */
#include "tls.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "algorithms.h"
#include "certificate.h"
#include "conf.h"
#include "handover.h"
#include "log.h"

/* What is received at once, and what is sent at once: several records of 16 KiB. */
#define WIRE (72 << 10)

/* A record with all that is put around it. */
#define RECORD      (16 << 10)
#define RECORD_WIRE (RECORD + 512)

/* A session's data connections may resume it for as long as it lives; seconds. */
#define SESSION_SECONDS (24 * 60 * 60)

struct tls {
	SSL *ssl;
	int fd;
	bool ended;  /* nothing more comes, for the reason last (an errno, 0: the peer's end) */
	int last;
	bool more;   /* tls_read() has not come to the end of what is here */
	bool eof;    /* the peer has closed its side of the socket */
	int error;   /* of the socket */
	short wants; /* POLLIN, POLLOUT */
	size_t from, to; /* out[from] to out[to] wait to be sent */
	char out[WIRE];
};

static SSL_CTX *context;
static BIO_METHOD *wire;
static struct tls control, data;
static struct certificates certificates;
static char reason[256];
static char host[REQ_NAME]; /* HOST, where the client's TLS names none */
static const struct part *ocsp;
static bool trusted; /* TLSClientCA is there: what it has not signed lets nobody in */
static bool doubtful; /* as the client's certificate is */

/* Where AES is done by the processor it is the fastest, else ChaCha20 is. */
static bool
has_aes(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("aes") != 0;
#else
	return true; /* arm64 of the last ten years */
#endif
}

static const char *
ciphers_of_1_3(void)
{
	return has_aes() ? "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
	                 : "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";
}

static const char *
ciphers_of_1_2(void)
{
	return has_aes() ? "ECDHE+AES128+AESGCM:ECDHE+AES256+AESGCM:ECDHE+CHACHA20"
	                 : "ECDHE+CHACHA20:ECDHE+AES128+AESGCM:ECDHE+AES256+AESGCM";
}

/* Keeps the library's own words for tls_reason(). */
static void
keep_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *words = code == 0 ? NULL : algorithms_error(code);

	(void)strlcpy(reason, words != NULL ? words : "the handshake was broken off", sizeof(reason));
}

const char *
tls_reason(void)
{
	return reason;
}

/* The socket, for OpenSSL: reads without waiting, writes into out. */

static int
wire_read(BIO *bio, char *bytes, int len)
{
	struct tls *t = BIO_get_data(bio);
	/* O_NONBLOCK would be shared with whoever started us */
	ssize_t n = recv(t->fd, bytes, (size_t)len, MSG_DONTWAIT);

	BIO_clear_retry_flags(bio);
	if (n == 0)
		t->eof = true;
	else if (n == -1 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	else if (n == -1)
		t->error = errno;
	return (int)n;
}

static int
flush(struct tls *t)
{
	while (t->from < t->to) {
		ssize_t n = send(t->fd, t->out + t->from, t->to - t->from, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0)
			t->from += (size_t)n;
		else if (errno != EINTR)
			return -1;
	}
	t->from = t->to = 0;
	return 0;
}

static int
wire_write(BIO *bio, const char *bytes, int len)
{
	struct tls *t = BIO_get_data(bio);
	size_t n = (size_t)len;

	BIO_clear_retry_flags(bio);
	if (n > sizeof(t->out) - t->to && flush(t) == -1 && errno != EAGAIN) {
		t->error = errno;
		return -1;
	}
	memmove(t->out, t->out + t->from, t->to - t->from);
	t->to -= t->from;
	t->from = 0;
	if (n > sizeof(t->out) - t->to) {
		BIO_set_retry_write(bio);
		return -1;
	}
	memcpy(t->out + t->to, bytes, n);
	t->to += n;
	return len;
}

static long
wire_ctrl(BIO *bio, int what, long number, void *pointer)
{
	const struct tls *t = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	switch (what) {
	case BIO_CTRL_EOF:
		return t->eof;
	case BIO_CTRL_FLUSH: /* tls_handshake() and the others do */
		return 1;
	default:
		return 0;
	}
}

/* Callbacks of the handshake. */

/* RFC 7301: a client that names protocols must name FTP, or it means another server (ALPACA). */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
    unsigned inlen, void *arg)
{
	(void)ssl;
	(void)arg;
	for (unsigned i = 0; i < inlen; i += 1u + in[i])
		if (in[i] == 3 && inlen - i > 3 && memcmp(in + i + 1, "ftp", 3) == 0) {
			*out = in + i + 1;
			*outlen = 3;
			return SSL_TLSEXT_ERR_OK;
		}
	log_notice("TLS: the client wants to speak another protocol than FTP here");
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* The certificates for the name that the client wants to see, one of each kind of key. */
static int
choose_certificate(SSL *ssl, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)arg;
	return certificates_use(&certificates, ssl, name != NULL ? name : host);
}

static int
staple(SSL *ssl, void *arg)
{
	unsigned char *copy;

	(void)arg;
	if (ocsp == NULL || !certificates_is_first(&certificates, SSL_get_certificate(ssl)) ||
	    (copy = OPENSSL_memdup(ocsp->bytes, ocsp->len)) == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)ocsp->len);
	return SSL_TLSEXT_ERR_OK;
}

/* TLSVerifyClient off: any certificate will do for the handshake, tls_certificate() looks at it. */
static int
let_pass(int good, X509_STORE_CTX *chain)
{
	(void)chain;
	doubtful |= good != 1;
	return 1;
}

/* Are clients asked for certificates, and who signs them? False after a line in the log. */
static bool
load_client_ca(const struct handover *h, const struct conf *conf)
{
	const struct part *part = handover_find(h, PART_CLIENT_CA, 0);
	int mode = SSL_VERIFY_PEER;

	if (conf->tls_verify_client == TLS_VERIFY_OFF && conf->tls_user_certificates[0] == '\0')
		return true;
	trusted = part != NULL && certificates_trust(context, part->bytes, part->len);
	if (!trusted && conf->tls_client_ca[0] != '\0') {
		log_errorx("TLSClientCA %s: there is no certificate in PEM form", conf->tls_client_ca);
		return false;
	}
	if (conf->tls_verify_client == TLS_VERIFY_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(
	    context, mode, conf->tls_verify_client == TLS_VERIFY_OFF ? let_pass : NULL);
	return true;
}

static bool
set_up(const struct conf *conf)
{
	static const unsigned char name[] = "genkan-ftpd";

	SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION |
	        SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_timeout(context, SESSION_SECONDS);
	/* tickets, and for clients of TLS 1.2 that take none (curl) sessions that we remember */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
	SSL_CTX_sess_set_cache_size(context, 4);
	SSL_CTX_set_num_tickets(context, 1);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	SSL_CTX_set_cert_cb(context, choose_certificate, NULL);
	SSL_CTX_set_tlsext_status_cb(context, staple);
	return SSL_CTX_set_min_proto_version(context,
	           conf->tls_protocol == TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_ciphersuites(context, ciphers_of_1_3()) == 1 &&
	    SSL_CTX_set_cipher_list(context, ciphers_of_1_2()) == 1 &&
	    SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1 &&
	    SSL_CTX_set_session_id_context(context, name, sizeof(name) - 1) == 1;
}

static bool
make_wire(void)
{
	wire = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client");
	return wire != NULL && BIO_meth_set_read(wire, wire_read) == 1 &&
	    BIO_meth_set_write(wire, wire_write) == 1 && BIO_meth_set_ctrl(wire, wire_ctrl) == 1;
}

int
tls_load(const struct handover *h, const struct conf *conf)
{
	algorithms_load();
	(void)strlcpy(host, h->said.host, sizeof(host));
	ocsp = handover_find(h, PART_OCSP, 0);
	context = SSL_CTX_new(TLS_server_method());
	if (context == NULL || !make_wire() || !set_up(conf)) {
		keep_reason();
		log_errorx("TLS: %s", reason);
		return -1;
	}
	if (certificates_load(&certificates, h, conf) == 0) {
		log_errorx("TLS: no certificate can be used, see genkan-ftpd -t");
		return -1;
	}
	return load_client_ca(h, conf) ? 0 : -1;
}

struct tls *
tls_new(int fd, bool is_data)
{
	struct tls *t = is_data ? &data : &control;
	BIO *bio = BIO_new(wire);

	t->ssl = SSL_new(context);
	if (t->ssl == NULL || bio == NULL) {
		SSL_free(t->ssl);
		BIO_free(bio);
		t->ssl = NULL;
		errno = ENOMEM;
		return NULL;
	}
	t->fd = fd;
	t->eof = t->more = t->ended = false;
	t->error = 0;
	t->from = t->to = 0;
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_accept_state(t->ssl);
	if (is_data) {
		SSL_set_num_tickets(t->ssl, 0); /* the control connection sends them */
		SSL_set_read_ahead(t->ssl, 1);
		SSL_set_default_read_buffer_len(t->ssl, WIRE);
	}
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	(void)flush(t);
	SSL_free(t->ssl);
	t->ssl = NULL;
}

/* What an unsuccessful call means: 0 the peer's end, else -1 with errno. */
static int
outcome(struct tls *t, int result)
{
	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		t->wants = POLLIN;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		t->wants = POLLOUT;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		errno = t->error != 0 ? t->error : ECONNRESET;
		(void)strlcpy(reason, strerror(errno), sizeof(reason));
		return -1;
	default:
		keep_reason();
		errno = t->eof && ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
		    ? ENODATA : EPROTO;
		return -1;
	}
}

int
tls_flush(struct tls *t)
{
	if (flush(t) == 0)
		return 0;
	t->wants = POLLOUT;
	return -1;
}

int
tls_handshake(struct tls *t)
{
	int result, saved;

	ERR_clear_error();
	result = SSL_accept(t->ssl);
	t->more = result == 1; /* bytes may have come with the client's last words of it */
	if (result == 1)
		return tls_flush(t);
	(void)outcome(t, result);
	saved = errno;
	if (tls_flush(t) == -1 && errno == EAGAIN && saved == EAGAIN)
		t->wants |= POLLIN;
	errno = saved;
	return -1;
}

ssize_t
tls_read(struct tls *t, void *bytes, size_t len)
{
	size_t total = 0, n;
	int result = 1;

	ERR_clear_error();
	while (!t->ended && total < len &&
	    (result = SSL_read_ex(t->ssl, (char *)bytes + total, len - total, &n)) == 1)
		total += n;
	t->more = true;
	if (!t->ended && result != 1) {
		result = outcome(t, result);
		t->more = t->ended = result == 0 || errno != EAGAIN;
		t->last = result == 0 ? 0 : errno;
	}
	(void)flush(t); /* an answer of TLS itself, if there is one */
	if (total > 0)
		return (ssize_t)total;
	errno = t->last; /* the library says it once, we until it is heard */
	return t->last == 0 ? 0 : -1;
}

ssize_t
tls_write(struct tls *t, const void *bytes, size_t len)
{
	size_t total = 0, n;
	int result = 1;

	if (t->to > 0 && tls_flush(t) == -1)
		return -1;
	ERR_clear_error();
	while (total < len && result == 1 && sizeof(t->out) - t->to >= RECORD_WIRE) {
		n = len - total < RECORD ? len - total : RECORD;
		result = SSL_write_ex(t->ssl, (const char *)bytes + total, n, &n);
		total += result == 1 ? n : 0;
	}
	if (result != 1)
		return outcome(t, result);
	if (tls_flush(t) == -1 && errno != EAGAIN)
		return -1;
	return (ssize_t)total;
}

int
tls_close(struct tls *t)
{
	ERR_clear_error();
	if (!(SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
		(void)SSL_shutdown(t->ssl);
	return tls_flush(t);
}

short
tls_wants(const struct tls *t)
{
	return t->wants;
}

bool
tls_pending(const struct tls *t)
{
	return t->more;
}

bool
tls_resumed(const struct tls *t)
{
	return SSL_session_reused(t->ssl) == 1;
}

void
tls_ticket(struct tls *t)
{
	if (SSL_version(t->ssl) == TLS1_3_VERSION)
		(void)SSL_new_session_ticket(t->ssl);
}

const char *
tls_text(const struct tls *t)
{
	static char text[96];

	snprintf(text, sizeof(text), "%s %s", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl));
	return text;
}

const char *
tls_client_name(const struct tls *t)
{
	static char name[128];
	X509 *peer = SSL_get0_peer_certificate(t->ssl);

	if (peer == NULL || SSL_get_verify_result(t->ssl) != X509_V_OK ||
	    X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name,
	        sizeof(name)) == -1)
		return NULL;
	return name;
}

size_t
tls_certificate(const struct tls *t, unsigned char *der, size_t size)
{
	static bool told;
	X509 *peer = SSL_get0_peer_certificate(t->ssl);
	int len = peer == NULL ? 0 : i2d_X509(peer, NULL);
	const char *why = NULL;

	if (len <= 0)
		return 0;
	if ((size_t)len > size)
		why = "it is too large";
	else if (trusted && (doubtful || SSL_get_verify_result(t->ssl) != X509_V_OK))
		why = "TLSClientCA has not signed it";
	else if (X509_cmp_timeframe(NULL, X509_get0_notBefore(peer), X509_get0_notAfter(peer)) != 0)
		why = "it has expired, or its time has not come";
	if (why == NULL && i2d_X509(peer, &der) == len)
		return (size_t)len;
	if (why != NULL && !told)
		log_info("the client's certificate does not count for TLSUserCertificates: %s", why);
	told = true;
	return 0;
}
