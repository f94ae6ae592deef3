/*
 * NVT-ASCII: whole runs between line ends are copied at once, since text files
 * are long and line ends are few.
 */
#include "ascii.h"

#include <string.h>

size_t
ascii_to_net(struct ascii *a, const char *in, size_t n, char *out)
{
	const char *end = in + n;
	char *to = out;

	while (in < end) {
		const char *lf = memchr(in, '\n', (size_t)(end - in));
		size_t run = (size_t)((lf == NULL ? end : lf) - in);

		if (run > 0) {
			memcpy(to, in, run);
			to += run;
			in += run;
			a->cr = in[-1] == '\r';
		}
		if (lf == NULL)
			break;
		if (!a->cr)
			*to++ = '\r';
		*to++ = '\n';
		a->cr = false;
		in++;
	}
	return (size_t)(to - out);
}

size_t
ascii_from_net(struct ascii *a, const char *in, size_t n, char *out)
{
	const char *end = in + n;
	char *to = out;

	while (in < end) {
		const char *cr;
		size_t run;

		/* The CR that waits is data unless its LF comes now. */
		if (a->cr && *in != '\n')
			*to++ = '\r';
		a->cr = false;
		cr = memchr(in, '\r', (size_t)(end - in));
		run = (size_t)((cr == NULL ? end : cr) - in);
		memcpy(to, in, run);
		to += run;
		in += run;
		if (cr != NULL) {
			a->cr = true;
			in++;
		}
	}
	return (size_t)(to - out);
}

size_t
ascii_from_net_end(struct ascii *a, char *out)
{
	if (!a->cr)
		return 0;
	a->cr = false;
	out[0] = '\r';
	return 1;
}
