/*
 * In the place of tls.c where no TLS library is linked: there is never a struct tls.
 */
#include <errno.h>
#include <poll.h>

#include "log.h"
#include "tls.h"

struct tls *
tls_new(int fd, bool data)
{
	(void)fd;
	(void)data;
	errno = ENOSYS;
	return NULL;
}

void
tls_free(struct tls *t)
{
	(void)t;
}

static int __attribute__((noreturn))
impossible(void)
{
	fatalx("TLS in a program without it");
}

int
tls_handshake(struct tls *t)
{
	(void)t;
	return impossible();
}

ssize_t
tls_read(struct tls *t, void *bytes, size_t len)
{
	(void)t;
	(void)bytes;
	(void)len;
	return impossible();
}

ssize_t
tls_write(struct tls *t, const void *bytes, size_t len)
{
	(void)t;
	(void)bytes;
	(void)len;
	return impossible();
}

int
tls_flush(struct tls *t)
{
	(void)t;
	return impossible();
}

int
tls_close(struct tls *t)
{
	(void)t;
	return impossible();
}

short
tls_wants(const struct tls *t)
{
	(void)t;
	return POLLIN;
}

bool
tls_pending(const struct tls *t)
{
	(void)t;
	return false;
}

bool
tls_resumed(const struct tls *t)
{
	(void)t;
	return false;
}

void
tls_ticket(struct tls *t)
{
	(void)t;
}

const char *
tls_text(const struct tls *t)
{
	(void)t;
	return "";
}

const char *
tls_client_name(const struct tls *t)
{
	(void)t;
	return NULL;
}

size_t
tls_certificate(const struct tls *t, unsigned char *der, size_t size)
{
	(void)t;
	(void)der;
	(void)size;
	return 0;
}

const char *
tls_reason(void)
{
	return "";
}
