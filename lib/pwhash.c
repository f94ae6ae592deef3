/*
 * Passwords are checked here and nowhere else.
 */
#include "pwhash.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

static bool
is_same(const char *a, const char *b)
{
	size_t len = strlen(a), i;
	unsigned char differ = 0;

	if (strlen(b) != len)
		return false;
	for (i = 0; i < len; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

bool
pwhash_is_one(const char *hash)
{
	return hash[0] != '\0' && hash[0] != '!' && hash[0] != '*';
}

bool
pwhash_matches(const char *password, const char *hash)
{
	struct crypt_data *data;
	const char *got;
	bool same;

	if ((data = calloc(1, sizeof(*data))) == NULL)
		return false;
	got = crypt_r(password, hash, data);
	same = got != NULL && got[0] != '*' && password[0] != '\0' && hash[0] != '\0' &&
	    is_same(got, hash);
	freezero(data, sizeof(*data));
	return same;
}
