/*
 * ClientCharset: names are UTF-8 inside, and in the client's charset on the
 * wire: arguments of commands, replies, rows of listings. Without ClientCharset
 * nothing here touches a byte.
 */
#ifndef GENKAN_NAMES_H
#define GENKAN_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"

struct session;

/* How names of this client are written. */
struct names {
	bool legacy; /* in ClientCharset */
	bool told;   /* OPTS UTF8 has decided */
};

/* Loads the charset, before the sandbox. False, with the reason in words: names stay UTF-8. */
bool names_load(const struct conf *conf, char why[static CONF_ERROR]);

/* True if names are converted now. */
bool names_convert(const struct session *s);

/* The session begins. */
void names_begin(struct session *s);

/*
 * The argument of a command in UTF-8: arg itself, or a buffer that holds until
 * the next call. ClientCharset auto learns from it.
 */
char *names_argument(struct session *s, char *arg);

/* OPTS UTF8: the charset that names have now. */
const char *names_utf8(struct session *s, bool on);

/* A reply in the client's charset; bytes itself if nothing is converted. 0xFF stays doubled. */
const char *names_reply(const struct session *s, const char *bytes, size_t *len);

/* The most that names_rows() takes, and the room that it needs. */
#define NAMES_ROWS     (16 << 10)
#define NAMES_ROWS_OUT (128 << 10)

/* A listing begins. */
void names_rows_begin(void);

/* Rows of a listing as they come, cut anywhere; gives the rows that are whole, converted. */
size_t names_rows(const struct session *s, const char *rows, size_t len,
    char out[static NAMES_ROWS_OUT]);

#endif
