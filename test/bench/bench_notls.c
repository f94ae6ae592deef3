/*
 * In the place of bench_tls.c, so that the client of all other rows needs no library.
 */
#include "bench.h"

void *
tls_begin(int fd, void *control)
{
	(void)fd;
	(void)control;
	fail("this client has no TLS: bench_tls has");
}

long
tls_read(void *tls, void *buf, size_t len)
{
	(void)buf;
	(void)len;
	tls_end(tls);
	return 0;
}

long
tls_write(void *tls, const void *buf, size_t len)
{
	(void)buf;
	(void)len;
	tls_end(tls);
	return 0;
}

void
tls_end(void *tls)
{
	(void)tls;
	fail("this client has no TLS: bench_tls has");
}
