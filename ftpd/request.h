/*
 * THE boundary between session (talks, never opens) and monitor (opens, never
 * talks): every request, its fixed struct, its answer.
 *
 * Over one SOCK_SEQPACKET socketpair the session sends a request and waits; the
 * monitor answers exactly once (REQ_ENDED: never) with the same type: an errno
 * (0 = done) first, the struct, and a descriptor where one is named below. A type that is unknown
 * or not for this state, a size that is not the struct's, a string without its NUL: the monitor
 * logs it and ends the connection. A string at the end of a request may be sent without what
 * follows its NUL: paths are short, and their room is long.
 *
 * Paths are absolute names in the client's own root ("/dir/file"); `..` has
 * been removed by the session, and the monitor resolves them beneath the root
 * whatever they hold. EKEYREJECTED: a name of PathDeny is in one.
 */
#ifndef GENKAN_REQUEST_H
#define GENKAN_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "netaddr.h"

#define REQ_PATH 4096 /* with NUL */
#define REQ_NAME 256  /* a user's name, with NUL */
#define REQ_PASS 512
#define REQ_DER 7936  /* a client's certificate; no request is larger than others by it */
#define REQ_OWNER 33 /* a name that a file's owner is shown by, with NUL */

enum request {
	REQ_LOGIN = 1, /* req_login   -> ans_login, fd: DisplayLogin text, if any   state LOGIN */
	REQ_CHDIR,     /* req_path    -> answer                                     state USER, as all below */
	REQ_STAT,      /* req_stat    -> ans_stat */
	REQ_OPEN,      /* req_open    -> ans_open, fd: the file, at its offset */
	REQ_LIST,      /* req_list    -> answer, fd: a pipe that the rows come out of */
	REQ_MKDIR,     /* req_mkdir   -> answer */
	REQ_RMDIR,     /* req_path    -> answer */
	REQ_UNLINK,    /* req_path    -> answer */
	REQ_RENAME,    /* req_rename  -> answer */
	REQ_SETATTR,   /* req_setattr -> answer */
	REQ_LISTEN,    /* req_listen  -> ans_listen, fd: a listening socket */
	REQ_CONNECT,   /* req_connect -> answer, fd: a socket, connecting (non-blocking) */
	REQ_DONE,      /* req_done    -> answer: how the listing or transfer ended at the monitor's side */
	REQ_SPACE,     /* req_path    -> ans_space */
	REQ_SYMLINK,   /* req_symlink -> answer: EXDEV: leads out of the link's directory */
	REQ_TLS,       /* req_tls     -> answer: 0: genkan-ftpd-tls goes on, this session ends; state LOGIN */
	REQ_ENDED,     /* req_done    -> no answer: REQ_DONE where nothing is left to be done or told; it
	                  comes together with the next request, or somewhat later */
	REQ_RATE,      /* req_rate    -> ans_rate: a transfer's present part of a shared TransferRate */
	REQ_CERTIFICATE, /* req_certificate -> as REQ_LOGIN; state LOGIN, and with TLS alone */
	REQ_END
};

/* What an account may do; the monitor enforces it, the session words it. */
enum {
	RIGHT_READ = 1 << 0,
	RIGHT_LIST = 1 << 1,
	RIGHT_STORE = 1 << 2,     /* create files */
	RIGHT_OVERWRITE = 1 << 3, /* also change files that exist */
	RIGHT_DELETE = 1 << 4,
	RIGHT_RENAME = 1 << 5,
	RIGHT_MKDIR = 1 << 6,
	RIGHT_ATTR = 1 << 7 /* mode, group and time */
};

struct answer {
	int32_t error; /* errno; 0 = done */
};

struct req_login {
	char user[REQ_NAME];
	char password[REQ_PASS];
};
struct ans_login { /* EACCES: not granted, whatever the reason; EPERM: that was the last try, or the
		      host is banned; EUSERS: granted, but MaxClientsPerUser others are logged in;
		      ESHUTDOWN: nobody is let in at present (NologinFile); EKEYEXPIRED: the
		      password is right, but it or the account has expired */
	int32_t error;
	uint32_t rights;
	bool anonymous;
	char directory[REQ_PATH]; /* where the session begins, in the client's root */
};

/*
 * TLSUserCertificates: the certificate, in DER form, that a client of this name has shown. That it has
 * its key, and what TLSClientCA says of it, the session has seen; whose it is, the monitor finds out by
 * hashing it. EACCES: nobody's or not that user's, or not let in: a password may still come.
 */
struct req_certificate {
	uint32_t len; /* of der */
	char user[REQ_NAME];
	uint8_t der[REQ_DER];
};

/* AUTH TLS: what of the session the new one, in a process of its own, goes on with (RFC 4217). */
struct req_tls { /* EALREADY: it is encrypted; EOPNOTSUPP: TLS off; else: it cannot be had, see the log */
	bool names_told, names_legacy; /* ClientCharset, names.h */
	bool private;                  /* PROT P without being asked for, as AUTH SSL means it */
	uint32_t type;                 /* enum rep_type */
	char host[REQ_NAME];           /* HOST, RFC 7151 */
};

struct req_path {
	char path[REQ_PATH];
};

struct req_stat { /* EACCES: who may neither read nor list learns nothing of names */
	bool follow; /* a symbolic link's target instead of the link */
	bool more;   /* the names of its owner and group, and when it was made, are wanted */
	char path[REQ_PATH];
};
struct ans_stat {
	int32_t error;
	uint32_t may; /* FACTS_MAY_… on this entry */
	struct stat st;
	char user[REQ_OWNER], group[REQ_OWNER]; /* names, empty: not known or not wanted */
	int64_t created; /* seconds since the epoch, 0: likewise */
};

enum open_mode {
	OPEN_READ,
	OPEN_STORE,  /* create or truncate; with a restart offset: not truncated */
	OPEN_APPEND, /* create or at the end */
	OPEN_UNIQUE  /* create a name that is new: path, path.1, path.2 … */
};
struct req_open { /* ERANGE: restart lies beyond the end; EISDIR, EINVAL: not a regular file;
		     EPERM: also AllowStoreRestart off */
	uint32_t mode;
	uint32_t permissions; /* of a new file, umask applied */
	int64_t restart;      /* bytes to skip */
	char path[REQ_PATH];
};
struct ans_open {
	int32_t error;
	struct stat st;
	int64_t rate;        /* TransferRate, bytes per second; 0: none */
	bool shared;         /* with the user's other transfers: REQ_RATE tells how it changes */
	bool hidden;         /* what is there stays until REQ_DONE says that all has come */
	char name[REQ_NAME]; /* OPEN_UNIQUE: the name chosen, without directory */
};

enum list_kind {
	LIST_LONG,  /* LIST, STAT: lsline.h */
	LIST_NAMES, /* NLST */
	LIST_FACTS  /* MLSD: facts.h, with cdir and pdir */
};
enum {
	LIST_ALL = 1 << 0,        /* -a: names that begin with a dot, . and .. */
	LIST_ALMOST_ALL = 1 << 1, /* -A: without . and .. */
	LIST_DIRECTORY = 1 << 2,  /* -d: the entry itself */
	LIST_RECURSIVE = 1 << 3,  /* -R: depth and count are bounded */
	LIST_BY_TIME = 1 << 4,    /* -t */
	LIST_BY_SIZE = 1 << 5,    /* -S */
	LIST_REVERSE = 1 << 6,    /* -r */
	LIST_CLASSIFY = 1 << 7    /* -F: / behind directories, * behind programs, @ behind links */
};
struct req_list { /* ENOENT: nothing there or nothing matches; ENOTDIR: MLSD of a file */
	uint32_t kind;
	uint32_t options;
	uint32_t facts;      /* LIST_FACTS: FACT_… */
	char path[REQ_PATH]; /* its last component may be a pattern (LIST, NLST) */
	char shown[REQ_PATH]; /* what stands before each name, "dir/": NLST names are for RETR */
};

struct req_mkdir {
	uint32_t permissions;
	char path[REQ_PATH];
};

struct req_rename {
	char from[REQ_PATH];
	char to[REQ_PATH];
};

struct req_setattr {
	bool set_mode, set_time, set_group;
	uint32_t mode; /* 0..0777 */
	uint32_t group;
	struct timespec modified;
	char path[REQ_PATH];
};

struct ans_space {
	int32_t error;
	int64_t bytes; /* that the user may still write where path is */
};

/* target is there, and in the link's directory or below: so the link leads nowhere else, ever. */
struct req_symlink {
	char target[REQ_PATH];
	char path[REQ_PATH]; /* the link */
};

struct req_listen { /* EADDRINUSE: the passive range is full; EAFNOSUPPORT: PASV over IPv6 */
	bool extended; /* EPSV: only the port matters */
};
struct ans_listen {
	int32_t error;
	struct netaddr announce; /* address (not for EPSV) and port to tell the client */
	uint16_t port;           /* the one it listens on, which the router forwards to */
};

/* The monitor connects to the control connection's peer only, so the port is all it takes. */
struct req_connect { /* EINVAL: port below 1024 */
	uint16_t port;
};

/* An upload is put in its place here, if it is complete; an errno if it could not be. */
struct req_done {
	bool complete;
	bool upload, ascii;
	bool listing;     /* nothing for the transfer log; the answer tells how the listing ended */
	bool more;        /* REQ_ENDED: an OPEN is right behind it, which the logs need not delay */
	int64_t bytes;    /* on the wire */
	int64_t duration_ms;
	char path[REQ_PATH];
};

struct req_rate {
	bool sends; /* a download; else an upload */
};
struct ans_rate {
	int32_t error;
	int64_t rate; /* as in ans_open */
};

/* Any request and any answer, for buffers. */
union any_request {
	struct req_login login;
	struct req_path path;
	struct req_stat stat;
	struct req_open open;
	struct req_list list;
	struct req_mkdir mkdir;
	struct req_rename rename;
	struct req_setattr setattr;
	struct req_listen listen;
	struct req_connect connect;
	struct req_done done;
	struct req_symlink symlink;
	struct req_tls tls;
	struct req_rate rate;
	struct req_certificate certificate;
};
_Static_assert(sizeof(struct req_certificate) <= sizeof(struct req_list), "a request is too large");

union any_answer {
	struct answer plain;
	struct ans_login login;
	struct ans_stat stat;
	struct ans_open open;
	struct ans_listen listen;
	struct ans_space space;
	struct ans_rate rate;
};

#endif
