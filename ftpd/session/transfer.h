/*
 * The server-DTP (RFC 959 section 2.2): moves bytes between a file and the data
 * connection: by sendfile or through a buffer, whichever is faster here (trial.h); by splice; or
 * through a buffer that converts NVT-ASCII.
 */
#ifndef GENKAN_TRANSFER_H
#define GENKAN_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "pace.h"

struct session;
struct tls;

enum transfer_result {
	TRANSFER_DONE,
	TRANSFER_ABORTED,     /* ABOR */
	TRANSFER_LOST,        /* the data connection broke; errno */
	TRANSFER_CUT,         /* it ended without TLS's close_notify (TLSStrictEOF) */
	TRANSFER_STALLED,     /* TimeoutStalled without a byte */
	TRANSFER_FILE_ERROR,  /* reading or writing the file failed; errno */
	TRANSFER_SHORT,       /* the file, or what the client sent, ended before size */
	TRANSFER_LONG,        /* the client sent more than size */
	TRANSFER_CLOSED       /* the control connection is gone */
};

enum direction { SEND, RECEIVE };

struct transfer {
	enum direction direction;
	const char *verb, *path; /* for STAT */
	struct tls *tls;         /* of the data connection; NULL: in the clear */
	int file, data;          /* file may be a pipe of rows (a listing) */
	bool pipe;
	bool hidden;  /* RECEIVE: what it replaces stays until all has come */
	bool hashing; /* no data connection: a checksum is computed */
	bool ascii;
	int64_t size;  /* of what is to be moved from where it starts, -1: not known */
	int64_t bytes; /* moved so far, on the wire */
	int64_t began; /* clock_ms() */
	struct pace pace;
	bool shared;     /* the rate is shared, and changes with others' transfers */
	int64_t shares;  /* clock_ms() until which the part of it holds */
	bool abort;    /* set by ABOR */
};

/*
 * Moves everything. Closes neither descriptor. On TRANSFER_FILE_ERROR and
 * TRANSFER_LOST errno says why.
 */
enum transfer_result transfer_run(struct session *s, struct transfer *t);

#endif
