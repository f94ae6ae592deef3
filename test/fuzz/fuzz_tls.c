/*
 * The handshake entry: whatever a client sends instead of TLS, and behind the first bytes of it,
 * the server's side neither crashes nor waits nor believes it. The first byte chooses the control or a
 * data connection, the second how the rest is cut.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf.h"
#include "fuzz.h"
#include "handover.h"
#include "log.h"
#include "session/tls.h"

/* Of nobody, for nothing; ECDSA on P-256. */
static const char key[] = "-----BEGIN PRIVATE KEY-----\n"
			  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsC9JN8ZnsleAyGgX\n"
			  "N6jkaq2lNfbGYYcvoj9IBeLl+4ehRANCAATvUwwKq4vvPOhaKCAwB98W/4mgL3uN\n"
			  "5UsprxpM6uajV/VPQ3IRaEXoTpWio0wbmsweUH55uX0cHXH9uShZOkNf\n"
			  "-----END PRIVATE KEY-----\n";
static const char certificate[] = "-----BEGIN CERTIFICATE-----\n"
				  "MIIBnjCCAUSgAwIBAgIUOeUkM39ViJ+VnxJtsv/gVRSxxEMwCgYIKoZIzj0EAwIw\n"
				  "FzEVMBMGA1UEAwwMZnV6ei5pbnZhbGlkMCAXDTI2MTEyNDE1MTEzOFoYDzIxMjYx\n"
				  "MDMxMTUxMTM4WjAXMRUwEwYDVQQDDAxmdXp6LmludmFsaWQwWTATBgcqhkjOPQIB\n"
				  "BggqhkjOPQMBBwNCAATvUwwKq4vvPOhaKCAwB98W/4mgL3uN5UsprxpM6uajV/VP\n"
				  "Q3IRaEXoTpWio0wbmsweUH55uX0cHXH9uShZOkNfo2wwajAdBgNVHQ4EFgQUItJJ\n"
				  "Gd4dj2MzyXj+lc9p5awZOF8wHwYDVR0jBBgwFoAUItJJGd4dj2MzyXj+lc9p5awZ\n"
				  "OF8wDwYDVR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggxmdXp6LmludmFsaWQwCgYI\n"
				  "KoZIzj0EAwIDSAAwRQIhAL14tOATxuQfbbxKngZSobukx1a2qRMHbPat+DJz6syo\n"
				  "AiBa3PJLJjr7/Ij1xwmyxT7Yejbi7k1LAWnuVZpSVAam/Q==\n"
				  "-----END CERTIFICATE-----\n";

const char fuzz_name[] = "tls";

static struct conf conf;
static struct handover handover;

static void
add(enum part_kind kind, const char *text)
{
	CHECK(handover_add(&handover, kind, 0, strdup(text), strlen(text)));
}

static void
begin(void)
{
	char error[CONF_ERROR];

	log_open("fuzz_tls", true, true);
	log_set_level(LOG_EMERG);
	CHECK(conf_init(&conf) == 0);
	CHECK(conf_set(&conf, "fuzz", "TLS on", error) == 0);
	CHECK(conf_set(&conf, "fuzz", "TLSCertificateFile /c.pem", error) == 0);
	add(PART_CERTIFICATE, certificate);
	add(PART_KEY, key);
	CHECK(tls_load(&handover, &conf) == 0);
}

/* The handshake, and then what comes; false when the connection is over. */
static bool
listen_to(struct tls *t)
{
	char bytes[512];
	ssize_t n = -1;

	if (tls_handshake(t) == -1) {
		n = errno;
		CHECK(n == EAGAIN || tls_reason()[0] != '\0');
		return n == EAGAIN;
	}
	while ((n = tls_read(t, bytes, sizeof(bytes))) > 0)
		CHECK(tls_write(t, bytes, (size_t)n) == n);
	return n == -1 && errno == EAGAIN;
}

/* The server's bytes are not to fill the socket. */
static void
drop(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static bool begun;
	struct tls *t;
	size_t piece;
	bool data;
	int pair[2];

	if (!begun)
		begin();
	begun = true;
	data = fuzz_byte(&bytes, &size) & 1;
	piece = 1 + fuzz_byte(&bytes, &size) * 16u;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK((t = tls_new(pair[0], data)) != NULL);
	CHECK(listen_to(t)); /* nothing has come: it must not wait */
	while (size > 0) {
		size_t n = size < piece ? size : piece;

		CHECK(send(pair[1], bytes, n, MSG_DONTWAIT) == (ssize_t)n);
		bytes += n;
		size -= n;
		if (!listen_to(t))
			break;
		drop(pair[1]);
	}
	shutdown(pair[1], SHUT_WR);
	CHECK(!listen_to(t));
	tls_free(t);
	close(pair[0]);
	close(pair[1]);
	return 0;
}
