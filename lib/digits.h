/*
 * Numbers as text, for rows that are made by the hundred thousand: printf(3)
 * would take half of their time. Each function writes behind to, without NUL,
 * and returns what lies behind its text; the caller has the room.
 */
#ifndef GENKAN_DIGITS_H
#define GENKAN_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The longest number, in digits. */
#define DIGITS_MAX 20

/* Decimal, at least width characters with blanks in front of it, as %*ju. */
char *digits_right(char *to, uintmax_t n, int width);

/* Decimal, at least width characters with blanks behind it, as %-*ju. */
char *digits_left(char *to, uintmax_t n, int width);

/* Decimal of exactly width digits, the last ones, as %0*ju. */
char *digits_fixed(char *to, uintmax_t n, int width);

/* Hexadecimal, as %jx. */
char *digits_hex(char *to, uintmax_t n);

/* A string without its NUL. */
static inline char *
digits_text(char *to, const char *text)
{
	size_t len = strlen(text);

	memcpy(to, text, len);
	return to + len;
}

#endif
