/*
 * Checksums.
 */
#include "hash.h"

#include <md5.h>
#include <sha.h>
#include <sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct hash {
	enum hash_algorithm algorithm;
	union {
		SHA1_CTX sha1;
		SHA2_CTX sha2;
		MD5_CTX md5;
		uint32_t crc;
	};
};

static const char *const names[HASH_END] = {
	[HASH_SHA256] = "SHA-256",
	[HASH_SHA1] = "SHA-1",
	[HASH_SHA512] = "SHA-512",
	[HASH_MD5] = "MD5",
	[HASH_CRC32] = "CRC32",
};

/* The polynomial of ISO 3309, bits reversed. */
#define CRC_POLYNOMIAL 0xedb88320U

/* Four bits at a time: the table is small enough to be made of the polynomial here. */
static uint32_t
crc_add(uint32_t crc, const unsigned char *bytes, size_t len)
{
	uint32_t table[16];

	for (uint32_t i = 0; i < 16; i++) {
		table[i] = i;
		for (int bit = 0; bit < 4; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? CRC_POLYNOMIAL : 0);
	}
	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

struct hash *
hash_begin(enum hash_algorithm algorithm)
{
	struct hash *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->algorithm = algorithm;
	switch (algorithm) {
	case HASH_SHA256:
		SHA256Init(&h->sha2);
		break;
	case HASH_SHA1:
		SHA1Init(&h->sha1);
		break;
	case HASH_SHA512:
		SHA512Init(&h->sha2);
		break;
	case HASH_MD5:
		MD5Init(&h->md5);
		break;
	case HASH_CRC32:
	case HASH_END:
		h->crc = ~0U;
		break;
	}
	return h;
}

void
hash_add(struct hash *h, const void *bytes, size_t len)
{
	switch (h->algorithm) {
	case HASH_SHA256:
		SHA256Update(&h->sha2, bytes, len);
		break;
	case HASH_SHA1:
		SHA1Update(&h->sha1, bytes, len);
		break;
	case HASH_SHA512:
		SHA512Update(&h->sha2, bytes, len);
		break;
	case HASH_MD5:
		MD5Update(&h->md5, bytes, len);
		break;
	case HASH_CRC32:
	case HASH_END:
		h->crc = crc_add(h->crc, bytes, len);
		break;
	}
}

/* Finishes into digest; returns its length in bytes. */
static size_t
finish(struct hash *h, unsigned char digest[static SHA512_DIGEST_LENGTH])
{
	switch (h->algorithm) {
	case HASH_SHA256:
		SHA256Final(digest, &h->sha2);
		return SHA256_DIGEST_LENGTH;
	case HASH_SHA1:
		SHA1Final(digest, &h->sha1);
		return SHA1_DIGEST_LENGTH;
	case HASH_SHA512:
		SHA512Final(digest, &h->sha2);
		return SHA512_DIGEST_LENGTH;
	case HASH_MD5:
		MD5Final(digest, &h->md5);
		return MD5_DIGEST_LENGTH;
	case HASH_CRC32:
	case HASH_END:
		break;
	}
	for (int i = 0; i < 4; i++)
		digest[i] = (unsigned char)(~h->crc >> (24 - 8 * i));
	return 4;
}

void
hash_end(struct hash *h, char *hex)
{
	unsigned char digest[SHA512_DIGEST_LENGTH];
	size_t n = finish(h, digest);

	for (size_t i = 0; hex != NULL && i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	free(h);
}

const char *
hash_name(enum hash_algorithm algorithm)
{
	return names[algorithm];
}

bool
hash_find(const char *name, enum hash_algorithm *algorithm)
{
	for (int i = 0; i < HASH_END; i++) {
		if (strcasecmp(names[i], name) == 0) {
			*algorithm = (enum hash_algorithm)i;
			return true;
		}
	}
	return false;
}

const char *
hash_feat(char buf[static HASH_TEXT], enum hash_algorithm chosen)
{
	buf[0] = '\0';
	for (int i = 0; i < HASH_END; i++) {
		if (i > 0)
			strlcat(buf, ";", HASH_TEXT);
		strlcat(buf, names[i], HASH_TEXT);
		if (i == (int)chosen)
			strlcat(buf, "*", HASH_TEXT);
	}
	return buf;
}
