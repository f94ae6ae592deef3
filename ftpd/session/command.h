/*
 * The command table: arity, state, policy flags and help of every verb. FEAT,
 * HELP, the masking of passwords in the log and the rules about RNFR and REST
 * derive from it.
 */
#ifndef GENKAN_COMMAND_H
#define GENKAN_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct session;

enum arity { ARG_NONE, ARG_MAY, ARG_MUST };
enum when { WHEN_ANY, WHEN_LOGGED_IN };

/* Effects */
enum {
	SECRET = 1 << 0,      /* the argument is not for the log */
	DATA = 1 << 1,        /* uses the data connection */
	WRITES = 1 << 2,      /* changes files */
	IN_TRANSFER = 1 << 3, /* served while data flows or stalls */
	KEEPS_RESTART = 1 << 4, /* may stand between REST and its transfer */
	KEEPS_RENAME = 1 << 5,  /* may stand between RNFR and RNTO */
	FEATURE = 1 << 6,       /* listed by FEAT (RFC 2389) */
	ALIAS = 1 << 7          /* an old name: not listed by HELP */
};

struct command {
	const char *verb;
	void (*run)(struct session *s, char *arg); /* arg is NULL if there is none */
	enum arity arity;
	enum when when;
	unsigned effect;
	const char *help; /* the argument's syntax */
};

/* The table, ended by a row without verb. */
extern const struct command commands[];

/* Looks a verb up, case-insensitively; NULL if it is unknown. */
const struct command *command_find(const char *verb, size_t len);

/* Runs one line: exactly one final reply, unless it is ABOR of a transfer. */
void command_dispatch(struct session *s, char *line);

/* True if the line (len bytes, not NUL-terminated) may be served during a transfer. */
bool command_in_transfer(const char *line, size_t len);

#endif
