/*
 * Passwords and their crypt(5) hashes.
 */
#ifndef GENKAN_PWHASH_H
#define GENKAN_PWHASH_H

#include <stdbool.h>

/* What is hashed for a name that has no hash, so that it takes the time of one that has. */
#define PWHASH_DUMMY "$y$j9T$nobodyHasThisHash...../"

/* False for what never is one: empty, or locked ("!", "*"). */
bool pwhash_is_one(const char *hash);

/*
 * True if password hashes to hash. It is compared in the same time wherever two
 * hashes differ. An empty password, and an empty or locked hash, match nothing.
 */
bool pwhash_matches(const char *password, const char *hash);

#endif
