/*
 * Checksums, against the published test vectors (FIPS 180-4, RFC 1321, ISO 3309).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "hash.h"

static const struct {
	const char *name, *text, *hex;
} vectors[] = {
	{ "SHA-256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "SHA-256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "SHA-1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ "SHA-512", "abc",
	    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ "MD5", "abc", "900150983cd24fb0d6963f7d28e17f72" },
	{ "CRC32", "123456789", "cbf43926" },
	{ "CRC32", "", "00000000" },
};

static void
digests_equal_the_published_ones_in_whatever_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const char *text = vectors[i].text;
		size_t len = strlen(text);

		for (size_t cut = 0; cut <= len; cut++) {
			enum hash_algorithm algorithm;
			char hex[HASH_HEX];
			struct hash *h;

			assert_true(hash_find(vectors[i].name, &algorithm));
			h = hash_begin(algorithm);
			assert_non_null(h);
			hash_add(h, text, cut);
			hash_add(h, text + cut, len - cut);
			hash_end(h, hex);
			assert_string_equal(hex, vectors[i].hex);
		}
	}
}

static void
names_are_found_in_any_case_and_others_are_not(void **state)
{
	enum hash_algorithm algorithm;

	(void)state;
	assert_true(hash_find("sha-512", &algorithm));
	assert_int_equal(algorithm, HASH_SHA512);
	assert_false(hash_find("SHA-999", &algorithm));
	assert_false(hash_find("", &algorithm));
}

static void
feat_line_stars_the_chosen_one(void **state)
{
	char buf[HASH_TEXT];

	(void)state;
	assert_string_equal(hash_feat(buf, HASH_SHA1), "SHA-256;SHA-1*;SHA-512;MD5;CRC32");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_equal_the_published_ones_in_whatever_pieces),
		cmocka_unit_test(names_are_found_in_any_case_and_others_are_not),
		cmocka_unit_test(feat_line_stars_the_chosen_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
