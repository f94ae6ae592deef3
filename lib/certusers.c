/*
 * Users and the fingerprints of their certificates.
 */
#include "certusers.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pwfile.h"

#define BLANKS " \t"

/*
 * "AB:CD:…" or "abcd…", all of one kind, into lower case without colons. NULL, or what is wrong.
 */
static const char *
read_print(const char *word, char print[static CERTUSERS_PRINT])
{
	bool colons = strlen(word) > 2 && word[2] == ':';
	size_t n = 0;

	for (; *word != '\0'; word++) {
		if (colons && n > 0 && n % 2 == 0 && *word == ':')
			word++;
		else if (colons && n > 0 && n % 2 == 0)
			return "colons stand between all bytes of a fingerprint or between none";
		if (!isxdigit((unsigned char)*word))
			return "a fingerprint has hexadecimal digits and colons between them, "
			       "nothing else";
		if (n == CERTUSERS_PRINT - 1)
			return "a fingerprint of SHA-256 has 64 hexadecimal digits, not more";
		print[n++] = (char)tolower((unsigned char)*word);
	}
	print[n] = '\0';
	if (n == 40)
		return "this is a fingerprint of SHA-1: openssl x509 -noout -fingerprint -sha256";
	return n == CERTUSERS_PRINT - 1 ? NULL
					: "a fingerprint of SHA-256 has 64 hexadecimal digits";
}

/*
 * True if the line, which is cut up, gives this user this certificate. *wrong is what is
 * wrong with it, or NULL.
 */
static bool
line_has(char *line, const char *user, const char *print, const char **wrong)
{
	char *rest = line, *word, found[CERTUSERS_PRINT];
	const char *name = NULL;
	bool has = false, any = false;

	*wrong = NULL;
	while ((word = strsep(&rest, BLANKS)) != NULL && *word != '#') {
		if (*word == '\0')
			continue;
		if (name == NULL) {
			name = word;
			if (!pwfile_name_ok(name))
				*wrong = "this is no user's name";
			continue;
		}
		any = true;
		if (*wrong == NULL && (*wrong = read_print(word, found)) == NULL)
			has |= strcmp(found, print) == 0;
	}
	if (name != NULL && !any && *wrong == NULL)
		*wrong = "no fingerprint stands behind the user";
	return *wrong == NULL && has && strcmp(name, user) == 0;
}

bool
certusers_have(FILE *file, const char *user, const char print[static CERTUSERS_PRINT],
    char error[static CERTUSERS_ERROR])
{
	char *line = NULL;
	const char *wrong;
	size_t size = 0;
	unsigned n = 0;
	bool has = false;
	ssize_t len;

	error[0] = '\0';
	while ((len = getline(&line, &size, file)) != -1) {
		n++;
		if (memchr(line, '\0', (size_t)len) != NULL) {
			wrong = "a byte 0 is in it";
		} else {
			line[strcspn(line, "\r\n")] = '\0';
			has |= line_has(line, user, print, &wrong);
		}
		if (wrong != NULL && error[0] == '\0')
			snprintf(error, CERTUSERS_ERROR, "line %u: %s", n, wrong);
	}
	if (error[0] == '\0' && ferror(file))
		snprintf(error, CERTUSERS_ERROR, "%s", strerror(errno));
	free(line);
	return has;
}
