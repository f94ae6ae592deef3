/*
 * One request of HTTP (RFC 9112) as a browser sends it, and nothing more of it than a small page
 * needs.
 */
#ifndef GENKAN_HTTPGET_H
#define GENKAN_HTTPGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest header that is read. */
#define HTTPGET_MAX 4096

struct httpget {
	char path[128];    /* without a query */
	char host[256];    /* without a port; letters, digits and "-._[]:" alone, or "" */
	char language[32]; /* what Accept-Language begins with, or "" */
};

/*
 * Reads n bytes. Returns 1 when the header is complete, 0 while it may become a GET request,
 * -1 if it is none: another method, TLS, a NUL byte, too long.
 */
int httpget_read(const char *text, size_t n, struct httpget *get);

/* False for a port that browsers refuse to go to ("bad port" of the Fetch standard), as 21 is. */
bool httpget_is_for_browsers(uint16_t port);

#endif
