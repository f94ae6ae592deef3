/*
 * What a client, and the router before it, may rely on in replies.
 */
#include <ctype.h>
#include <stdbool.h>

#include "fuzz.h"

static bool
has_code(const char *line, size_t len, char mark)
{
	return len >= 4 && isdigit((unsigned char)line[0]) && isdigit((unsigned char)line[1]) &&
	    isdigit((unsigned char)line[2]) && line[3] == mark;
}

static void
check_text(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		CHECK(c >= ' ' && c != 0x7f);
		if (c != 0xff)
			continue;
		CHECK(i + 1 < len && line[i + 1] == '\xff'); /* RFC 854: a lone one is a command */
		i++;
	}
}

unsigned
fuzz_replies(const char *bytes, size_t len, int *code)
{
	unsigned final = 0;
	bool inside = false; /* between "ccc-" and "ccc " */

	*code = 0;
	while (len > 0) {
		const char *lf = memchr(bytes, '\n', len);
		size_t n;

		CHECK(lf != NULL && lf > bytes && lf[-1] == '\r');
		n = (size_t)(lf - bytes) - 1;
		check_text(bytes, n);
		if (has_code(bytes, n, ' ')) {
			CHECK(!inside || atoi(bytes) == *code);
			inside = false;
			*code = atoi(bytes);
			if (*code >= 200)
				final++;
		} else if (!inside) {
			CHECK(has_code(bytes, n, '-'));
			inside = true;
			*code = atoi(bytes);
		}
		len -= n + 2;
		bytes += n + 2;
	}
	CHECK(!inside);
	return final;
}
