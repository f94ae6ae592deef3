/*
 * Strings of JSON.
 */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nfc.h"

void
json_string(const char *text)
{
	const char *p = text, *end;

	if (text == NULL) {
		fputs("null", stdout);
		return;
	}
	putchar('"');
	for (end = text + strlen(text); p < end;) {
		const char *from = p;
		int32_t code = utf8_take(&p, end);

		if (code == -1) {
			fputs("\\ufffd", stdout);
		} else if (code < 0x20 || code == 0x7f) {
			printf("\\u%04x", (unsigned)code);
		} else {
			if (code == '"' || code == '\\')
				putchar('\\');
			fwrite(from, 1, (size_t)(p - from), stdout);
		}
	}
	putchar('"');
}
