/*
 * NVT-ASCII (RFC 959 section 3.1.1.1): on the wire lines end with CRLF, on disk
 * with LF. The state carries a CR over the edge of a buffer.
 */
#ifndef GENKAN_ASCII_H
#define GENKAN_ASCII_H

#include <stdbool.h>
#include <stddef.h>

struct ascii {
	bool cr; /* to_net: the last byte was CR. from_net: a CR waits for its LF */
};

/*
 * Disk to wire: LF becomes CRLF, an existing CRLF stays one. out has room for
 * 2 * n bytes. Returns how many were written.
 */
size_t ascii_to_net(struct ascii *a, const char *in, size_t n, char *out);

/*
 * Wire to disk: CRLF becomes LF, a lone CR stays. out has room for n + 1 bytes.
 * Returns how many were written.
 */
size_t ascii_from_net(struct ascii *a, const char *in, size_t n, char *out);

/* The end of from_net: writes a CR that still waits; returns 0 or 1. */
size_t ascii_from_net_end(struct ascii *a, char *out);

#endif
