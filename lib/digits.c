/*
 * Numbers as text, the last digit first.
 */
#include "digits.h"

/* Writes n backwards before end; returns its first digit. */
static char *
decimal(char *end, uintmax_t n)
{
	do {
		*--end = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	return end;
}

char *
digits_right(char *to, uintmax_t n, int width)
{
	char text[DIGITS_MAX], *end = text + sizeof(text), *first = decimal(end, n);
	int len = (int)(end - first);

	for (; width > len; width--)
		*to++ = ' ';
	memcpy(to, first, (size_t)len);
	return to + len;
}

char *
digits_left(char *to, uintmax_t n, int width)
{
	char *begin = to;

	to = digits_right(to, n, 0);
	while (to - begin < width)
		*to++ = ' ';
	return to;
}

char *
digits_fixed(char *to, uintmax_t n, int width)
{
	for (int i = width; i-- > 0; n /= 10)
		to[i] = (char)('0' + n % 10);
	return to + width;
}

char *
digits_hex(char *to, uintmax_t n)
{
	static const char digits[] = "0123456789abcdef";
	int shift = 60;

	while (shift > 0 && n >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*to++ = digits[n >> shift & 15];
	return to;
}
