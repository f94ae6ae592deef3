/*
 * What genkan-ftpd-tls is started with: a memory file that the monitor fills and the new
 * session reads before it talks. It holds this struct and then parts: the configuration
 * as text, certificates, keys. So the new session needs no file system, and nothing that the
 * client sent before AUTH comes along but what stands here.
 */
#ifndef GENKAN_HANDOVER_H
#define GENKAN_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "request.h"

/* The descriptors that the program finds; the client's are 3, or 3 and 4. */
enum { HANDOVER_MONITOR = 5, HANDOVER_FILE = 6, HANDOVER_LOG = 7 };

enum part_kind { PART_CONF, PART_CERTIFICATE, PART_KEY, PART_CLIENT_CA, PART_OCSP };

#define HANDOVER_PARTS 24

struct part {
	uint32_t kind;  /* enum part_kind */
	uint32_t index; /* of TLSCertificateFile */
	size_t len;
	char *bytes; /* allocated; a NUL stands behind them */
};

struct handover {
	struct client client;
	struct req_tls said; /* what the client has said before AUTH */
	bool implicit;       /* no AUTH and no greeting came before */
	bool log_to_stderr;
	int log_level;
	int64_t began; /* of the session, milliseconds of CLOCK_MONOTONIC: its deadlines go on */

	unsigned nparts;
	struct part parts[HANDOVER_PARTS];
};

/* Takes bytes (allocated) as a part; false, and bytes are freed, if there is no room. */
bool handover_add(struct handover *h, enum part_kind kind, unsigned index, char *bytes, size_t len);

/* The part, or NULL. */
const struct part *handover_find(const struct handover *h, enum part_kind kind, unsigned index);

/* A sealed memory file with all of it (close-on-exec), or -1 with errno. */
int handover_write(const struct handover *h);

/* Reads it back; 0, or -1 with errno: EBADMSG for what handover_write() did not write. */
int handover_read(int fd, struct handover *h);

/* Wipes and frees the parts. */
void handover_free(struct handover *h);

#endif
