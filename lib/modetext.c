/*
 * Modes as people write them.
 */
#include "modetext.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The bits that a permission letter means for these classes (0700, 0070, 0007). */
static int
letter_bits(char letter, mode_t who, mode_t old)
{
	switch (letter) {
	case 'r':
		return (int)(who & 0444);
	case 'w':
		return (int)(who & 0222);
	case 'x':
		return (int)(who & 0111);
	case 'X': /* only for directories and what is a program for somebody already */
		return S_ISDIR(old) || (old & 0111) != 0 ? (int)(who & 0111) : 0;
	case 's':
		return (int)((who & 0700 ? S_ISUID : 0) | (who & 0070 ? S_ISGID : 0));
	case 't':
		return S_ISVTX;
	default:
		return -1;
	}
}

/* "ugo" in front of an operator; all of them if there is none. */
static mode_t
take_who(const char **text)
{
	mode_t who = 0;

	for (;; (*text)++) {
		if (**text == 'u')
			who |= 0700;
		else if (**text == 'g')
			who |= 0070;
		else if (**text == 'o')
			who |= 0007;
		else if (**text == 'a')
			who |= 0777;
		else
			return who == 0 ? 0777 : who;
	}
}

/* One "u+rw-x" of a list; -1 if it is none. */
static int
take_clause(const char **text, mode_t *mode)
{
	mode_t who = take_who(text);

	if (**text == '\0' || strchr("+-=", **text) == NULL)
		return -1;
	while (**text != '\0' && strchr("+-=", **text) != NULL) {
		char op = *(*text)++;
		mode_t bits = 0;
		int more;

		for (; **text != '\0' && strchr(",+-=", **text) == NULL; (*text)++) {
			if ((more = letter_bits(**text, who, *mode)) == -1)
				return -1;
			bits |= (mode_t)more;
		}
		if (op == '=')
			*mode &= ~who;
		if (op == '-')
			*mode &= ~bits;
		else
			*mode |= bits;
	}
	return 0;
}

int
modetext_parse(const char *text, mode_t old, mode_t *mode)
{
	char *end;
	unsigned long octal;

	errno = EINVAL;
	if (*text >= '0' && *text <= '7') {
		octal = strtoul(text, &end, 8);
		*mode = (mode_t)octal;
		return *end == '\0' && octal <= 07777 ? 0 : -1;
	}
	*mode = old;
	do {
		if (take_clause(&text, mode) == -1)
			return -1;
	} while (*text++ == ',');
	*mode &= 07777;
	return text[-1] == '\0' ? 0 : -1;
}
