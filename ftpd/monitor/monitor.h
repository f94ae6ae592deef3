/*
 * The monitor: opens, never talks. It starts privileged (state LOGIN), becomes
 * the logged-in user for good (state USER), and answers the requests of
 * request.h until the session is gone.
 */
#ifndef GENKAN_MONITOR_H
#define GENKAN_MONITOR_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client.h"
#include "conf.h"
#include "groups.h"
#include "slots.h"

enum monitor_state { STATE_LOGIN = 1 << 0, STATE_USER = 1 << 1 };

/* Who was let in. */
struct account {
	char name[256];
	uid_t uid;
	gid_t gid;
	unsigned ngroups; /* supplementary ones */
	gid_t groups[GROUPS_MAX];
	bool anonymous;
	unsigned rights; /* RIGHT_… of request.h */
};

struct listing;
struct owners;
struct upload;

/* The transfer that presence.h tells of. */
struct watched {
	bool on;
	bool news;   /* the slot does not tell of the present state yet */
	int fd;      /* the file, which the session has as well */
	off_t from;  /* the offset where it began */
	int64_t due; /* monitor_clock() of the next word about it */
};

struct monitor {
	const struct conf *conf;
	const struct client *client;
	int sock;         /* the socketpair to the session */
	pid_t session;    /* its process; 0: not ours */
	int gateway;      /* the socket on which genkan-ftpd-gateway answers, or -1 */
	int slots, slot;  /* the slots file and our index, or -1 */
	int hosts;        /* what is remembered of hosts (hosts.h); -1: nothing, or it is done with */
	struct slot self; /* what our slot tells */
	int transfer_log; /* opened for appending, or -1 */
	bool root;        /* started as root: uid switch and chroot are done */
	uid_t session_uid; /* with TLS and as root: what the next session is made of */
	gid_t session_gid;
	int empty;        /* its root directory, or -1 */
	bool holds_client; /* these and the client's descriptors are open here, for it and nothing else */

	/* The rest is the monitor's own; it begins as zeros. */
	enum monitor_state state;
	int64_t began;     /* monitor_clock() at the start */
	int64_t asked;     /* monitor_clock() when the login that is served came */
	unsigned attempts; /* failed logins */
	int keeper;        /* the socket to genkan-ftpd-auth, or -1 */
	bool spent; /* it became a user whose root it could not enter: nobody else can come in */
	struct account account;
	int root_fd; /* state USER: the directory that is the client's "/" (O_PATH) */
	bool walk;   /* the kernel has no openat2(2) */

	struct netaddr announce; /* masquerade address once known; else AF_UNSPEC */
	bool masquerade_told;    /* its failure stands in the log */
	bool unlogged; /* a transfer has ended that is not in the logs yet */
	bool answered;           /* the gateway has said what it knows of the address */
	uint16_t mapped;         /* the port that the router forwards for us; 0: none */
	uint16_t lease;          /* our passive port among all sessions (leases.h); 0: none */
	bool range_told;         /* that PassivePorts are nearly all in use stands in the log */
	bool port_told;          /* that the active port cannot be had stands in the log */

	bool tls;      /* the session is genkan-ftpd-tls */
	bool certificate_told; /* that a certificate is nobody's stands in the log */
	volatile sig_atomic_t stopped; /* by monitor_stop(): no session is to go on */
	int successor; /* the socket to it, until it takes over; else -1 */
	pid_t succeeds; /* its process */

	struct listing *listing; /* the rows that follow the answer, or NULL */
	int listing_error;       /* errno of the last listing, told by REQ_DONE */
	struct upload *upload;   /* what REQ_DONE puts in its place, or NULL */
	struct owners *owners;   /* names of owners, or NULL: numbers alone */
	struct watched watched;
};

/*
 * Serves the session on m->sock until it is gone; the login deadline is enforced here as well
 * (TimeoutLogin plus a grace of 5 s: the session has its own and is polite).
 * Returns when the connection is over. The caller ignores SIGPIPE and has closed
 * the client's descriptors: this process has no business with them.
 */
void monitor_run(struct monitor *m);

/*
 * The connection ends as if the session had gone: it is told, and what is open is closed. For handlers
 * of signals.
 */
void monitor_stop(struct monitor *m);

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t monitor_clock(void);

/*
 * Waits until fd can be read or has come to its end. False when the session goes,
 * or the login deadline comes, before that.
 */
bool monitor_wait(const struct monitor *m, int fd);

/* Waits ms milliseconds, or less when the session goes or the login deadline comes. */
void monitor_delay(const struct monitor *m, int ms);

/*
 * Copies text into dst with everything that could break a word out of a log
 * line (blanks, quotes, backslashes, control bytes) made '_'; returns dst.
 */
const char *monitor_word(char *dst, size_t size, const char *text);

#endif
