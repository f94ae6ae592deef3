/*
 * What our slot tells of this connection (slots.h, genkanctl who): who is logged in
 * and which file is read or written, how far. How far is the offset of the file,
 * which the monitor shares with the session: so nobody has to send it, the
 * session cannot lie about it, and a connection without a transfer is never woken.
 */
#ifndef GENKAN_PRESENCE_H
#define GENKAN_PRESENCE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "slots.h"

struct monitor;
struct req_open;

/* The user is in. */
void presence_login(struct monitor *m);

/*
 * A file that stands at its offset was opened. Keeps the descriptor until
 * presence_done() if presence_keeps() says so; else the caller closes it.
 */
void presence_file(struct monitor *m, const struct req_open *r, const struct stat *st, int fd);

bool presence_keeps(const struct monitor *m, int fd);

/* How many other connections of the user have this state now; 0 without slots. */
unsigned presence_alike(const struct monitor *m, enum slot_state state);

/* A listing has begun. */
void presence_listing(struct monitor *m, const char *path);

/* REQ_DONE: it is over. */
void presence_done(struct monitor *m);

/* Milliseconds until presence_tick() is due, -1: there is nothing to tell. */
int presence_due(const struct monitor *m);

/* Writes down what has changed, and how far the transfer is. */
void presence_tick(struct monitor *m);

#endif
