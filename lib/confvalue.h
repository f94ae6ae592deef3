/*
 * The kinds of values that directives have: how each is read, printed and
 * freed. Between conf.c, which has the table, and confvalue.c; for nobody else.
 */
#ifndef GENKAN_CONFVALUE_H
#define GENKAN_CONFVALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "conf.h"

#define BLANKS " \t"
#define WHY    768 /* room for what is wrong with a value */

struct directive;

struct kind {
	/* Reads value (may change it); 0, or -1 with why, and then the field is as it was. */
	int (*parse)(
	    const struct directive *d, struct conf *conf, char *value, char why[static WHY]);
	void (*print)(const struct directive *d, const struct conf *conf, FILE *out);
	/* parse for one more line of the file; NULL: the directive stands there once */
	int (*add)(const struct directive *d, struct conf *conf, char *value, char why[static WHY]);
	bool string;       /* the field is an allocated string */
	bool raw;          /* parse takes off quotes itself */
	unsigned min, max; /* of a number */
	const char *const *words; /* of an enum, by its values; NULL behind the last */
};

struct directive {
	const char *name;
	const struct kind *kind;
	size_t offset;
	const char *defaults;
};

/* Where a directive's value is. */
static inline void *
field_of(const struct directive *d, struct conf *conf)
{
	return (char *)conf + d->offset;
}

static inline const void *
value_of(const struct directive *d, const struct conf *conf)
{
	return (const char *)conf + d->offset;
}

extern const struct kind confvalue_switches;
extern const struct kind confvalue_seconds;
extern const struct kind confvalue_lookup_seconds;
extern const struct kind confvalue_clients;
extern const struct kind confvalue_attempts;
extern const struct kind confvalue_uids;
extern const struct kind confvalue_paths;
extern const struct kind confvalue_users;
extern const struct kind confvalue_idents;
extern const struct kind confvalue_port_lists;
extern const struct kind confvalue_active_ports;
extern const struct kind confvalue_network_lists;
extern const struct kind confvalue_umasks;
extern const struct kind confvalue_hidden_stores;
extern const struct kind confvalue_log_levels;

/* Of the world outside: confnet.c */
extern const struct kind confnet_masquerades;
extern const struct kind confnet_resolvers;
extern const struct kind confnet_private_ports;
extern const struct kind confnet_announced_ports;
extern const struct kind confnet_port_mappings;

/* Of listings and names: conflist.c */
extern const struct kind conflist_options;
extern const struct kind conflist_charsets;

/* Of TLS: conftls.c */
extern const struct kind conftls_files;
extern const struct kind conftls_modes;
extern const struct kind conftls_reuses;
extern const struct kind conftls_verifies;
extern const struct kind conftls_protocols;

/* Of limits across processes: conflimit.c */
extern const struct kind conflimit_counts;
extern const struct kind conflimit_rates;
extern const struct kind conflimit_bans;
extern const struct kind conflimit_speeds;
/* Of who may do what: confaccess.c */
extern const struct kind confaccess_roots;
extern const struct kind confaccess_auth_systems;
extern const struct kind confaccess_services;
extern const struct kind confaccess_upload_only;
extern const struct kind confaccess_valid_shells;
extern const struct kind confaccess_patterns;

void confaccess_free_roots(struct root_rules *roots);

/* Says what is wrong; returns -1. */
int confvalue_wrong(char why[static WHY], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The parser and the printer of kinds with words. */
int confvalue_parse_word(
    const struct directive *d, struct conf *conf, char *value, char why[static WHY]);
void confvalue_print_word(const struct directive *d, const struct conf *conf, FILE *out);

/* Prints a string so that it is read back as it is; an empty one is "none". */
void confvalue_print_string(const struct directive *d, const struct conf *conf, FILE *out);
void confvalue_put_quoted(const char *text, FILE *out);

/* Puts a copy of value into *field; 0, or -1 with why. */
int confvalue_string(char **field, const char *value, char why[static WHY]);

/*
 * Takes the quotes off a value, and the backslash before ", # and \. (The
 * unescaped # of a comment is gone already.) Returns 0, or -1 with why.
 */
int confvalue_unquote(char *value, char why[static WHY]);

#endif
