/*
 * Names in a legacy charset: what is encoded comes back, byte for byte, in CP932
 * and in EUC-JP-MS; nothing grows beyond its room; marks that are joined come
 * apart again.
 *
 * Input: a name, any bytes.
 */
#include "charset.h"
#include "fuzz.h"
#include "nfc.h"

const char fuzz_name[] = "charset";

#define MAX 2000

static void
there_and_back(const char *charset, const char *name, size_t len)
{
	size_t room = CHARSET_GROWTH * len, n, m;
	char *wire = fuzz_room(room + 1), *back = fuzz_room(CHARSET_GROWTH * room + 1);
	struct charset c;

	CHECK(charset_open(&c, charset) == 0);
	n = charset_encode(&c, name, len, wire, room);
	m = charset_decode(&c, wire, n, back, CHARSET_GROWTH * room);
	/* joined marks come back as whole letters */
	if (!nfc_has_marks(name, len))
		CHECK(m == len && memcmp(back, name, len) == 0);
	/* and bytes of a client never overflow either */
	CHECK(charset_decode(&c, name, len, back, room) <= room);
	charset_close(&c);
	free(back);
	free(wire);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *name = (const char *)data;
	char *out = fuzz_room(CHARSET_GROWTH * MAX + 16), *again = fuzz_room(CHARSET_GROWTH * MAX + 16);
	size_t n;

	if (size <= MAX) {
		there_and_back("CP932", name, size);
		there_and_back("EUC-JP-MS", name, size);
		CHECK(nfc_compose(name, size, again, size) <= size);
		n = nfc_decompose(name, size, out, CHARSET_GROWTH * MAX + 16);
		CHECK(n >= size && utf8_is_valid(out, n) == utf8_is_valid(name, size));
	}
	free(again);
	free(out);
	return 0;
}
