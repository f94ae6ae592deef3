/*
 * What genkanctl map has asked the router for: a file "mappings" in StateDirectory, so that a later
 * call can list it, renew it and take it back.
 */
#ifndef GENKAN_MAPSTATE_H
#define GENKAN_MAPSTATE_H

#include <stdint.h>

#define MAPSTATE_MAX 64

struct mapped {
	uint16_t port, external;
	char method[8];   /* natpmp, pcp, upnp */
	char address[16]; /* outside, "-": not told */
	int64_t until;    /* seconds since 1970; 0: for ever */
};

struct mapstate {
	char nonce[25]; /* of PCP mappings, hexadecimal digits */
	unsigned n;
	struct mapped at[MAPSTATE_MAX];
};

/*
 * Reads the file; without one, or with one that is broken, the state is empty with a fresh nonce.
 * What is over is left out. Returns 0, or -1 with errno.
 */
int mapstate_read(struct mapstate *s, const char *directory);

/* Writes the file anew (temporary file, rename). Returns 0, or -1 with errno. */
int mapstate_write(const struct mapstate *s, const char *directory);

/* The entry of a port, or NULL. */
struct mapped *mapstate_find(struct mapstate *s, uint16_t port);

/* Adds an entry or replaces that of its port; forgets one. */
void mapstate_set(struct mapstate *s, const struct mapped *m);
void mapstate_forget(struct mapstate *s, uint16_t port);

#endif
