/*
 * One stub per request of request.h. Each sends the request, waits for the
 * answer, and returns 0 (or a descriptor) or -1 with the monitor's errno. A
 * monitor that has gone ends the session.
 *
 * Descriptors that come back are close-on-exec and the caller's to close.
 */
#ifndef GENKAN_ASK_H
#define GENKAN_ASK_H

#include "request.h"

struct session;

/*
 * *display is the DisplayLogin text or -1. EACCES: denied. EPERM: denied for good. EUSERS: too many.
 * ESHUTDOWN: closed. EKEYEXPIRED: too old.
 */
int ask_login(struct session *s, const char *user, const char *password, struct ans_login *answer,
    int *display);

/* The same with the client's certificate. EACCES: a password is wanted. */
int ask_certificate(struct session *s, const struct req_certificate *request,
    struct ans_login *answer, int *display);

/* AUTH TLS: once it is 0 this session is over, another one goes on. */
int ask_tls(struct session *s, bool private);

int ask_chdir(struct session *s, const char *path);
int ask_stat(struct session *s, const char *path, bool follow, struct ans_stat *answer);

/* The same, with the names of owner and group where OPTS MLST has chosen them. */
int ask_facts(struct session *s, const char *path, bool follow, struct ans_stat *answer);

/* Returns the file. */
int ask_open(struct session *s, const char *path, enum open_mode mode, int64_t restart,
    struct ans_open *answer);

/* Returns the pipe that the rows come out of; how it ended is told by ask_done(). */
int ask_list(struct session *s, enum list_kind kind, unsigned options, const char *path,
    const char *shown);

int ask_mkdir(struct session *s, const char *path);
int ask_rmdir(struct session *s, const char *path);
int ask_unlink(struct session *s, const char *path);
int ask_rename(struct session *s, const char *from, const char *to);
int ask_set_mode(struct session *s, const char *path, unsigned mode);
int ask_set_group(struct session *s, const char *path, gid_t group);

/* How many bytes the user may still write where path is, into *bytes. */
int ask_space(struct session *s, const char *path, int64_t *bytes);

/* The present part of a TransferRate that is shared, in bytes per second, of a download or an upload. */
int64_t ask_rate(struct session *s, bool sends);

/* Makes path a link to target. EXDEV: that is not in the link's directory or below. */
int ask_symlink(struct session *s, const char *target, const char *path);
int ask_set_time(struct session *s, const char *path, const struct timespec *modified);

/* Returns a listening socket; *announce is what to tell the client, *here our own port. */
int ask_listen(struct session *s, bool extended, struct netaddr *announce, uint16_t *here);

/* Returns a socket that is connecting to the client's port. */
int ask_connect(struct session *s, uint16_t port);

int ask_done(struct session *s, const struct req_done *done);

/*
 * Tells the same where there is nothing to wait for: no listing, no upload to be put in its place. Together
 * with the next request, or somewhat later: a message of its own costs a tenth of a small file's time.
 */
void ask_ended(struct session *s, const struct req_done *done);

/*
 * Tells what ask_ended() has put off, if its time has come. Returns when that will be (clock_ms() time),
 * NEVER if there is nothing.
 */
int64_t ask_keeps(struct session *s);

/* … at once: the session ends. */
void ask_flush(struct session *s);

#endif
