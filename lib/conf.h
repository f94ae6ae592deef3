/*
 * The configuration: "Directive value" lines, one table of directives in
 * conf.c (name, parser, field, default as text through the same parser).
 * genkan-ftpd.conf(5) describes them; a unit test compares it with the table.
 */
#ifndef GENKAN_CONF_H
#define GENKAN_CONF_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "hosts.h"
#include "netaddr.h"
#include "portrange.h"

#define NETWORKS_MAX 32

/* LocalNetworks: "auto" stands for the networks of the own interfaces. */
struct networks {
	bool automatic;
	unsigned n;
	struct netprefix net[NETWORKS_MAX];
};

/* MasqueradeAddress */
enum masquerade_kind {
	MASQUERADE_NONE,
	MASQUERADE_ADDRESS, /* an IPv4 address: addr */
	MASQUERADE_ASK      /* sources that genkan-ftpd-gateway asks anew for every connection */
};

#define MASQUERADE_SOURCES 8
#define MASQUERADE_TEXT    1024

struct masquerade {
	enum masquerade_kind kind;
	char *name; /* the sources in order, a blank between them */
	struct netaddr addr;
};

/* PrivatePort: a public client announces a private address. */
enum private_port {
	PRIVATE_PORT_REJECT,
	PRIVATE_PORT_PEER /* the address it comes from is used */
};

/* PortMapping: how the router is asked to forward a passive port. */
enum port_mapping {
	PORT_MAPPING_OFF,
	PORT_MAPPING_NATPMP,
	PORT_MAPPING_UPNP,
	PORT_MAPPING_AUTO
};

/* HiddenStores: which uploads are written to a file beside their own. */
enum hidden_stores {
	HIDDEN_STORES_AUTO, /* those that replace a file */
	HIDDEN_STORES_ON,   /* new files as well */
	HIDDEN_STORES_OFF
};

/* ListOptions */
struct list_options {
	char letters[16];              /* of ls(1), for listings that do not say their own */
	bool strict;                   /* the client's own options count for nothing */
	unsigned max_files, max_depth; /* 0: only the bounds of listing.h */
};

/* ClientCharset; an empty name is UTF-8. */
struct client_charset {
	bool guess; /* auto: UTF-8 for a client that sends it */
	char name[32];
};

/* TLS: who has to encrypt what. */
enum tls_mode {
	TLS_OFF,
	TLS_ON,      /* who wants to */
	TLS_CONTROL, /* everybody the control connection */
	TLS_REQUIRED /* and the data connections */
};

/* TLSSessionReuse: a data connection resumes the control connection's TLS session. */
enum tls_reuse { TLS_REUSE_OFF, TLS_REUSE_PREFER, TLS_REUSE_REQUIRED };

/* TLSVerifyClient */
enum tls_verify { TLS_VERIFY_OFF, TLS_VERIFY_OPTIONAL, TLS_VERIFY_REQUIRED };

/* TLSProtocol: the oldest that is spoken. */
enum tls_protocol { TLS_1_2, TLS_1_3 };

/* As many certificates are the most. */
#define TLS_FILES 8

/* BanAfter: so many failures ban a host for so long. */
struct ban_rule {
	struct hosts_rate rate;
	unsigned seconds; /* 0: for good */
};

#define BAN_SECONDS 600 /* where BanAfter names no time */

/* TransferRate */
#define RATES_MAX 8

struct rate_rule {
	bool sends, receives;
	int64_t rate;    /* bytes per second, 0: as many as there are */
	bool shared;     /* by a user's transfers in that direction; else each has it */
	char users[120]; /* a comma between them; empty: everybody */
};
struct rate_rules {
	unsigned n;
	struct rate_rule rule[RATES_MAX];
};

/* DefaultRoot: the first rule that fits counts. */
#define ROOTS_MAX 32

struct root_rule {
	char *path;   /* "~" or an absolute path */
	char *groups; /* as in groups_fit(); empty: everybody */
};
struct root_rules {
	unsigned n;
	struct root_rule rule[ROOTS_MAX];
};

/* AuthSystem: who knows the passwords of the system's users. */
enum auth_system {
	AUTH_SYSTEM_OFF,
	AUTH_SYSTEM_PAM,
	AUTH_SYSTEM_SHADOW
};

/* UploadOnly: a drop box. */
enum upload_only {
	UPLOAD_ONLY_OFF,
	UPLOAD_ONLY_ON,
	UPLOAD_ONLY_FILES /* no directories */
};

/* RequireValidShell: whose shell must be in /etc/shells. */
enum valid_shell {
	VALID_SHELL_OFF,
	VALID_SHELL_ON,
	VALID_SHELL_SYSTEM /* users of the system */
};

/* PathDeny: room for all patterns. */
#define PATTERNS_MAX 4096

/* Strings are never NULL: a directive that is off is the empty string. Times are seconds, 0 never. */
struct conf {
	struct masquerade masquerade;
	unsigned masquerade_timeout;
	char *masquerade_resolver; /* DNS servers, a blank between them; empty: the system's */
	unsigned masquerade_cache_age;
	struct portlist passive_ports;
	struct portlist passive_announced; /* port by port for passive_ports; empty: the same */
	enum port_mapping port_mapping;
	int active_port; /* activeport.h */
	enum private_port private_port;
	struct networks local_networks;

	struct root_rules default_root;
	char *auth_user_file;
	char *auth_group_file;
	enum auth_system auth_system;
	char *auth_pam_config;
	bool pam_session;
	bool wtmp_log;
	unsigned min_uid;
	char *user_rights;
	char *ftp_users;
	char *nologin_file;
	enum valid_shell require_valid_shell;
	enum upload_only upload_only;
	char *path_deny; /* patterns, a blank between them */
	bool anonymous;
	char *anonymous_root;
	char *anonymous_user;
	bool anonymous_upload;
	bool read_only;
	bool allow_overwrite;
	bool allow_store_restart;
	enum hidden_stores hidden_stores;
	bool sync_uploads;
	mode_t umask_file, umask_dir;
	bool show_dot_files;
	bool show_symlinks;
	struct list_options list_options;
	struct client_charset client_charset;

	enum tls_mode tls;
	bool tls_implicit;
	char *tls_certificate_file; /* paths, a blank between them */
	char *tls_key_file;         /* one for each certificate; empty: in the certificates' files */
	enum tls_protocol tls_protocol;
	enum tls_reuse tls_session_reuse;
	bool tls_strict_eof;
	enum tls_verify tls_verify_client;
	char *tls_client_ca;
	char *tls_user_certificates; /* certusers.h */
	char *tls_ocsp_file; /* for the first certificate */

	unsigned max_clients; /* 1..SLOTS_MAX */
	unsigned max_login_attempts;
	unsigned max_clients_per_host, max_clients_per_user; /* 0: no limit, as below */
	struct hosts_rate max_connections_per_host;
	struct ban_rule ban_after;
	struct rate_rules transfer_rate;
	unsigned timeout_login;
	unsigned timeout_idle;
	unsigned timeout_no_transfer;
	unsigned timeout_stalled;
	unsigned timeout_session;

	char *server_ident; /* the text of the greeting */
	char *display_login;
	char *transfer_log;
	int log_level; /* syslog(3) */

	char *session_user; /* name or number; without such a user: nobody */
	char *gateway_user;
	char *state_directory; /* what outlives a connection: the last known address */
	char *run_directory; /* slots and the session's empty root */

	bool set[128]; /* per table row: given explicitly (repeated directives are refused) */
};

/* Room for "FILE:LINE: Directive: what is wrong". */
#define CONF_ERROR 1024

/* Fills *conf with the defaults. Returns 0, or -1 with ENOMEM. */
int conf_init(struct conf *conf);

void conf_free(struct conf *conf);

/*
 * Reads a file of directives; comments begin with #, a line goes on behind a
 * backslash. Returns 0, or -1 with error set: "file:line: PassivePorts: 40000
 * is above 39999".
 */
int conf_read(struct conf *conf, FILE *file, const char *name, char error[static CONF_ERROR]);

/*
 * Sets one directive from "Directive value"; where names the place in error
 * messages ("-o"). It overrides what a file said; said twice by -o, the last one holds.
 * Returns 0, or -1 with error set.
 */
int conf_set(struct conf *conf, const char *where, const char *line, char error[static CONF_ERROR]);

/*
 * What no single directive shows: Anonymous without AnonymousRoot and the like.
 * Returns 0, or -1 with error set.
 */
int conf_check(const struct conf *conf, char error[static CONF_ERROR]);

/*
 * What is allowed but seldom meant: PassivePorts fewer than MaxClients, or among the ports
 * first..last that the kernel gives to outgoing connections (0..0: not known). Returns how many
 * pieces of advice stand in text.
 */
#define CONF_ADVICE 2
unsigned conf_advise(const struct conf *conf, unsigned first, unsigned last,
    char text[static CONF_ADVICE][CONF_ERROR]);

/* True if clients outside may be told anything but the local address and port. */
bool conf_has_outside(const struct conf *conf);

/* The seconds of "90", "90s", "10m", "1h" or "2d"; -1 if text, which may be changed, is something else. */
long long conf_interval(char *text);

/*
 * The TransferRate of a user's downloads (sends) or uploads; NULL: none. A line with the
 * user's name comes before one for everybody. Guests are both "anonymous" and "ftp".
 */
const struct rate_rule *conf_transfer_rate(const struct conf *conf, const char *user, bool anonymous,
    bool sends);

/* PortMapping's word, which is the gateway's too. */
const char *conf_port_mapping(enum port_mapping mapping);

/* The path of file i of a list of files; false behind the last. */
bool conf_tls_file(const char *files, unsigned i, char path[static PATH_MAX]);

/* The path of the key that belongs to TLSCertificateFile i; false behind the last. */
bool conf_tls_key(const struct conf *conf, unsigned i, char path[static PATH_MAX]);

/* Prints every directive with its effective value, one a line, as conf_read() reads it. */
void conf_print(const struct conf *conf, FILE *out);

/* The name of row i of the table and its default as text; NULL behind the last. */
const char *conf_directive(size_t i, const char **defaults);

#endif
