/*
 * genkanctl check, the doctor: looks at everything that a connection from outside has to pass, from
 * the configuration to the router, and says for each what there is and what to do about it.
 *
 * check.c has options, order and output; each check_*.c looks at one thing; services.c finds who
 * starts genkan-ftpd; host.c reads files and runs tools; words.c has every sentence that is said.
 */
#ifndef GENKAN_CHECK_H
#define GENKAN_CHECK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "netaddr.h"
#include "portrange.h"

/* The exit status is 0 where all is OK or not to be seen, 1 with warnings, 2 with failures. */
enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL, VERDICT_SKIP };
#define VERDICTS 4

/* Sentences have $1 to $9 where what was found goes. */
struct words {
	const char *id; /* stable; genkanctl(8) explains it. Its first word is the area */
	enum verdict verdict;
	const char *en, *en_advice; /* advice may be NULL: there is nothing to do */
	const char *ja, *ja_advice;
};

/* NULL: there is no such id. */
const struct words *words_find(const char *id);

/* The title of the area that the id belongs to. */
const char *words_area(const char *id, bool japanese);

/* Fills in a sentence; text is cut at size. */
void words_fill(const char *sentence, const char *const *args, unsigned n, char *text, size_t size);

enum starter {
	STARTER_INETD,
	STARTER_XINETD,
	STARTER_SOCKET, /* systemd, a process per connection */
	STARTER_SELF,   /* systemd, --listen */
	STARTER_HAND    /* --listen, nobody knows by whom */
};

#define SERVICES_MAX  16
#define SERVICE_PORTS 8

/* One way in which genkan-ftpd is started. Numbers that are not said are -1. */
struct service {
	enum starter starter;
	char place[PATH_MAX + 16]; /* FILE:LINE, or FILE */
	char name[128];            /* of the unit or the service */
	char command[1024];        /* the program's path, then its options */
	uint16_t ports[SERVICE_PORTS];
	unsigned n_ports;
	bool enabled;
	bool wait;     /* it would be given the listening socket */
	char user[64]; /* "": root */
	/* inetd: a minute; xinetd: a second, else off for so long; socket: triggers */
	int rate, off_seconds;
	int instances, per_source;
	bool trigger_off;      /* socket: no limit of triggers */
	bool stderr_is_client; /* socket: standard error goes to the client */
};

struct check {
	/* the command line */
	const char *root;    /* files and tools are looked for below it; "" */
	const char *file;    /* -f, or NULL */
	const char *gateway; /* --gateway, or NULL */
	bool json, japanese;

	/* what was found */
	struct service services[SERVICES_MAX];
	unsigned n_services;
	char conf_file[PATH_MAX]; /* as it is called, without root */
	struct conf conf;
	bool conf_good, conf_there;   /* it can be used; the file exists */
	bool share;                   /* by --share */
	struct portlist control;      /* the ports of the control connection */
	struct netaddr router, wan;   /* the router, and its address outside as it says */
	struct netaddr local, local6; /* our own: towards the router; of IPv6, for the world */
	struct netaddr announced;     /* by MasqueradeAddress */
	struct netaddr outside;       /* under which we should be reached */
	bool natpmp, pcp, upnp;       /* what the router speaks */
	bool service_reached;         /* through the router's hairpin */

	/* what was said */
	unsigned said, count[VERDICTS];
	const char *first; /* the area of the first failure, or else warning */
	enum verdict worst;
	const char *last_area;
};

/* Says a finding: the id of its words, then the strings for $1 and so on, then NULL. */
void check_say(struct check *c, const char *id, ...) __attribute__((sentinel));

/* A number as text, for check_say(); the last 8 results hold. */
const char *check_number(unsigned long n);

/*
 * check_config.c: reads the configuration as the server would that services_find() has found.
 * Returns 0, or -1 with error set.
 */
int config_load(struct check *c, char error[static CONF_ERROR]);

/* In this order. */
void check_config(struct check *c);
void check_launcher(struct check *c);
void check_ports(struct check *c);
void check_firewall(struct check *c);
void check_router(struct check *c);
void check_ddns(struct check *c);
void check_reach(struct check *c);
void check_alg(struct check *c);
void check_tls(struct check *c);

/*
 * check_ddns.c: the name, or else the address, by which the world knows this home, as far as
 * MasqueradeAddress says; false if it does not. size: at least NETADDR_TEXT.
 */
bool ddns_name(const struct check *c, char *name, size_t size);

/* services.c: finds who starts genkan-ftpd, and the options that it gives. */
void services_find(struct check *c);

/* Splits a command line, with quotes; words point into buf. Returns how many. */
unsigned services_split(const char *command, char *buf, size_t size, char **words, unsigned max);

/* host.c: the text of a file below root, to be freed; NULL with errno. */
char *host_read(const struct check *c, const char *path);
bool host_exists(const struct check *c, const char *path);

/* The path below root; false if it is too long. */
bool host_path(const struct check *c, const char *path, char full[static PATH_MAX]);

/*
 * Runs a tool of the system, looked for in the usual directories below root (a path with a slash is
 * one as it is). Returns its exit status, with what it wrote (both standard output and error) in
 * *out, to be freed; -1: it is not installed; -2: it did not end in time or was killed.
 */
int host_run(const struct check *c, const char *const argv[], char **out);

/* The id of a user of the system, by name or number; false if there is none. */
bool host_user(const struct check *c, const char *name);

/* The interface of the default route; false if there is none. */
bool host_interface(const struct check *c, char name[static 32]);

/* Who listens on a TCP port; program "" and pid "": that is not to be seen. */
struct listener {
	uint16_t port;
	char program[64], pid[16];
};

/* Calls found() for each listener. */
void host_listeners(
    const struct check *c, void (*found)(void *arg, const struct listener *l), void *arg);

#endif
