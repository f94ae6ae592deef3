/*
 * Names in the charset of an old client: UTF-8 here, CP932 or the like there.
 *
 * What the client's charset lacks goes out as %XX for each byte of UTF-8, and
 * comes back as that byte; a name that holds such text itself has its % written
 * %25. So decoding what was encoded always gives the same bytes: a character
 * whose way back would be another one (U+301C in CP932) is escaped as well, and
 * so is a byte that is not UTF-8. Letters that macOS took apart are put together
 * where that can be undone (nfc.h).
 */
#ifndef GENKAN_CHARSET_H
#define GENKAN_CHARSET_H

#include <iconv.h>
#include <stddef.h>

struct charset {
	iconv_t to_utf8, from_utf8;
};

/* Neither direction needs more than this many bytes for one. */
#define CHARSET_GROWTH 3

/*
 * Loads a charset's tables, which takes files of the system: do it before a
 * sandbox. Returns 0, or -1 with EINVAL: iconv(3) does not know it; EILSEQ: it does
 * not contain ASCII as it is (UTF-16, ISO-2022-JP); ENOSYS: no charset can be loaded.
 * *c is to be closed if 0.
 */
int charset_open(struct charset *c, const char *name);

/* What such an errno means, and what to do about it. */
const char *charset_why(int error);

void charset_close(struct charset *c);

/*
 * Client's bytes to UTF-8, and back. Writes at most size bytes and returns how
 * many, all of them if size is CHARSET_GROWTH * len. A byte that means nothing
 * in the client's charset comes through as it is.
 */
size_t charset_decode(const struct charset *c, const char *in, size_t len, char *out, size_t size);
size_t charset_encode(const struct charset *c, const char *in, size_t len, char *out, size_t size);

#endif
