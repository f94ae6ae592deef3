/*
 * What the programs of the comparison share: a little FTP client that gives up
 * at once, and the hash by which transfers are verified.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Seconds without a byte after which a measurement has failed. */
#define BENCH_PATIENCE 30

/* Prints {"error": "..."} and exits 1: there is nothing to go on with. */
void fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

double now(void); /* seconds, monotonic */

/* A file's bytes in memory, ended by the process's end. */
struct blob {
	char *bytes;
	size_t len;
};
struct blob load(const char *path);

/* Position-dependent, 64 bits, several GB/s, so that it does not slow a transfer down. */
#define HASH_BLOCK 64
struct hash {
	uint64_t lane[HASH_BLOCK / 8];
	unsigned char rest[HASH_BLOCK];
	size_t nrest;
	uint64_t len;
};
void hash_begin(struct hash *h);
void hash_add(struct hash *h, const void *bytes, size_t len);
uint64_t hash_end(struct hash *h);

/*
 * TLS on a connected socket, by OpenSSL in bench_tls, not at all in bench_client.
 * control: the connection whose session is resumed, or NULL. Everything fails at once.
 */
void *tls_begin(int fd, void *control);
long tls_read(void *tls, void *buf, size_t len); /* 0 at the end */
long tls_write(void *tls, const void *buf, size_t len);
void tls_end(void *tls);

/* A control connection. */
struct ftp {
	int fd;
	void *tls; /* NULL: in the clear */
	char in[8192];
	size_t at, len;
};
extern const char *ftp_user, *ftp_password;
extern int ftp_wants_tls; /* AUTH TLS; data connections likewise */

void ftp_connect(struct ftp *f, unsigned port); /* and the whole greeting, AUTH TLS if wanted */
/* Sends one command line. */
void ftp_send(struct ftp *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Reads one whole reply, of which the last line stays in line; returns its code. */
int ftp_reply(struct ftp *f, char line[static 1024]);
/* Fails if the reply's first digit is not this one. */
void ftp_expect(struct ftp *f, char digit);
void ftp_command(struct ftp *f, char digit, const char *command);
void ftp_login(struct ftp *f);
int ftp_passive(struct ftp *f); /* a connected data connection */
void *ftp_secure(struct ftp *f, int data); /* TLS of a data connection, behind the 150; or NULL */
void ftp_quit(struct ftp *f);   /* until the server has closed */

/* Commands of bench_client that move data, in bench_transfer.c. */
void do_retr(unsigned port, char **arg);
void do_stor(unsigned port, char **arg);
void do_down(unsigned port, char **arg);
void do_up(unsigned port, char **arg);
void do_list(unsigned port, char **arg);

/* Fetches one file and compares it; type I must have been set. */
void fetch_and_compare(struct ftp *f, const char *remote, const struct blob *local);

/* With -w: the result is out, but the session stays until a line or the end comes in. */
void hold(void);

#endif
