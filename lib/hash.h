/*
 * Checksums of files, by one interface: SHA-256, SHA-1, SHA-512, MD5 (libmd,
 * which is the other half of libbsd) and CRC32 (ISO 3309, as zip and XCRC have it).
 */
#ifndef GENKAN_HASH_H
#define GENKAN_HASH_H

#include <stdbool.h>
#include <stddef.h>

enum hash_algorithm { HASH_SHA256, HASH_SHA1, HASH_SHA512, HASH_MD5, HASH_CRC32, HASH_END };

/* The longest digest in hexadecimal, with NUL. */
#define HASH_HEX 129

/* Room for all names in the form of FEAT. */
#define HASH_TEXT 64

struct hash; /* a computation under way */

/* Begins one, or returns NULL with ENOMEM. hash_end() frees it. */
struct hash *hash_begin(enum hash_algorithm algorithm);

void hash_add(struct hash *h, const void *bytes, size_t len);

/* Writes the digest in lower-case hexadecimal and frees h; hex may be NULL. */
void hash_end(struct hash *h, char *hex);

/* The registered name: "SHA-256". */
const char *hash_name(enum hash_algorithm algorithm);

/* Looks a name up, case-insensitively; false if it is unknown. */
bool hash_find(const char *name, enum hash_algorithm *algorithm);

/* Writes "SHA-256*;SHA-1;…", a star behind the chosen one; returns buf. */
const char *hash_feat(char buf[static HASH_TEXT], enum hash_algorithm chosen);

#endif
