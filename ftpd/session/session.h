/*
 * The session: talks, never opens. It reads every byte that comes from the
 * client and asks the monitor (ask.h) for whatever has to be opened.
 */
#ifndef GENKAN_SESSION_H
#define GENKAN_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "conf.h"
#include "control.h"
#include "hash.h"
#include "names.h"
#include "request.h"

struct handover;
struct transfer;

enum login { LOGIN_NONE, LOGIN_USER_GIVEN, LOGIN_DONE };

enum rep_type { TYPE_ASCII, TYPE_IMAGE };

/* Transfer parameters, RFC 959 section 4.1.2. */
struct params {
	enum rep_type type;
	int64_t restart; /* REST or RANG: bytes to skip; for the next transfer only */
	int64_t length;  /* RANG: bytes to move, -1 all; likewise */
	bool epsv_all;   /* RFC 2428 section 4: only EPSV may open data connections */
	bool private;    /* PROT P */
	unsigned facts;  /* OPTS MLST, facts.h */
	enum hash_algorithm hash; /* OPTS HASH */
	mode_t umask_file, umask_dir;
};

/* What PASV or EPSV has got of the monitor. */
struct passive {
	bool extended;           /* EPSV */
	struct netaddr announce; /* address (not for EPSV) and port, as the client is told */
	uint16_t here;           /* the port at our side */
	unsigned served;         /* data connections that have come in */
	int kept;                /* its listener between two transfers, or -1; see dataconn_listen() */
	int64_t until;           /* kept no longer than this, clock_ms() time */
};

struct data_port {
	enum { PORT_NONE, PORT_PASSIVE, PORT_ACTIVE } kind;
	int fd;        /* PORT_PASSIVE: the listener; PORT_ACTIVE: what dataconn_begin() made, or -1 */
	uint16_t port; /* PORT_ACTIVE: the client's, at the control peer's address */
	struct passive passive;
};

/* What is small stands first and together: each page of memory that is touched costs. */
struct session {
	const struct conf *conf;
	const struct client *client;
	struct names names;
	struct params params;
	struct data_port port;
	struct transfer *xfer; /* the one that runs now, or NULL */
	int monitor;           /* socketpair */
	int64_t ended_due;     /* clock_ms() time when the monitor is to be told of ended, or NEVER */

	char host[REQ_NAME]; /* HOST; else empty */
	bool pbsz;           /* PBSZ has been said */
	bool reuse_told;     /* that data connections do not resume TLS stands in the log */

	enum login login;
	bool certified;          /* by a certificate, without a password */
	unsigned rights;         /* RIGHT_… */
	bool anonymous;
	unsigned idle; /* seconds, SITE IDLE; TimeoutIdle until then */
	unsigned bad_commands; /* before login: scanners are sent away */
	bool quit;             /* say no more and end */
	bool speechless;       /* a reply is half sent: no other one may come in between */

	int64_t began;         /* clock_ms() of the start */
	int64_t last_transfer; /* clock_ms() of login or the last transfer's end */

	bool renames; /* rename_from is set, by RNFR, for the next command alone */
	char user[REQ_NAME];
	struct control ctl;
	char directory[REQ_PATH]; /* current directory, a name in the client's root */
	char home[REQ_PATH];      /* where the session began, "~" */
	char rename_from[REQ_PATH];
	struct req_done ended; /* the last transfer, if ended_due tells that the monitor does not know of it */
};

enum wait_result {
	WAIT_READY,    /* fd is ready */
	WAIT_ABORTED,  /* the client sent ABOR */
	WAIT_CLOSED,   /* the control connection is gone, or the session's time is up */
	WAIT_TIMED_OUT /* the deadline passed */
};

/* No deadline. */
#define NEVER INT64_MAX

/* Milliseconds of the monotonic clock. */
int64_t clock_ms(void);

/* The deadline that lies seconds from now; 0 seconds is NEVER. */
int64_t deadline_in(unsigned seconds);

/*
 * Serves the client until the end; called in a process of its own that has not
 * yet read a byte. monitor is the session's end of the socketpair. from: what went before, and
 * TLS begins; NULL: the client has been greeted and nothing else.
 */
void session_run(const struct conf *conf, const struct client *client, int monitor,
    const struct handover *from);

/*
 * Waits for events (poll(2)) on fd and meanwhile serves the control
 * connection: commands flagged IN_TRANSFER are answered at once, all others
 * stay queued in order. deadline is absolute, clock_ms() time. The only wait of
 * a transfer.
 */
enum wait_result session_wait(struct session *s, int fd, short events, int64_t deadline);

/* True if fd has something to read, or a listener somebody to accept; looks and does not wait. */
bool session_is_ready(struct session *s, int fd);

/*
 * Takes the next command line, waiting for it. NULL when the session is over
 * (closed, or timed out and told so).
 */
char *session_line(struct session *s);

/*
 * True if the client has closed the control connection and no command of its is
 * left; looks and does not wait.
 */
bool session_client_gone(struct session *s);

/* Without its monitor a session is over: tells the client so, if that can be told, and exits. */
void session_monitor_gone(struct session *s) __attribute__((noreturn));

/* Waits until the control connection takes more bytes; false when it will not. */
bool session_wait_writable(struct session *s);

#endif
