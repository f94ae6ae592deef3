/*
 * Letters with marks: macOS takes a voiced kana or an accented letter apart
 * (NFD: U+304B U+3099), others have it whole (NFC: U+304C), and no legacy
 * charset has the mark alone. Latin, Greek, Cyrillic and kana, by a table; not
 * Hangul, and no reordering of marks: a library for all of Unicode would cost
 * each connection more than it gives.
 */
#ifndef GENKAN_NFC_H
#define GENKAN_NFC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Takes the code point at *text, before end, and steps over it. A byte that is
 * not UTF-8 is stepped over alone and gives -1.
 */
int32_t utf8_take(const char **text, const char *end);

/* True if all of it is UTF-8. */
bool utf8_is_valid(const char *text, size_t len);

/* True if there is a mark that could be put together with what is before it. */
bool nfc_has_marks(const char *text, size_t len);

/*
 * Puts marks and letters together, or takes them apart. Writes at most size
 * bytes; returns how many, or 0 if they do not fit. Composing never makes text
 * longer, taking apart never makes it more than three times as long. Bytes that
 * are not UTF-8 stay as they are.
 */
size_t nfc_compose(const char *text, size_t len, char *out, size_t size);
size_t nfc_decompose(const char *text, size_t len, char *out, size_t size);

#endif
