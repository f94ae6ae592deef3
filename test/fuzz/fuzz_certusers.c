/*
 * TLSUserCertificates: whoever comes in stands in the file, with each digit of the
 * certificate, before the first comment of a line; lines behind change nothing but mistakes.
 *
 * Input: a user's name, NUL, a fingerprint, NUL, a file.
 */
#include <ctype.h>
#include <stdbool.h>

#include "certusers.h"
#include "fuzz.h"

const char fuzz_name[] = "certusers";

static bool
have(const void *bytes, size_t size, const char *user, const char *print, char *error)
{
	FILE *file = fmemopen((void *)(uintptr_t)bytes, size, "r");
	bool has;

	CHECK(file != NULL);
	has = certusers_have(file, user, print, error);
	fclose(file);
	CHECK(error[0] == '\0' || strncmp(error, "line ", 5) == 0);
	CHECK(memchr(error, '\0', CERTUSERS_ERROR) != NULL);
	return has;
}

/* True if some line begins with the user and holds the fingerprint, colons and case aside. */
static bool
is_there(const char *text, size_t size, const char *user, const char *print)
{
	char *line = malloc(size + 1), *to;
	bool found = false;

	CHECK(line != NULL);
	while (size > 0 && !found) {
		const char *lf = memchr(text, '\n', size);
		size_t len = lf == NULL ? size : (size_t)(lf - text);

		to = line;
		for (size_t i = 0; i < len && text[i] != '\0'; i++)
			if (text[i] != ':')
				*to++ = text[i];
		*to = '\0';
		to = line + strspn(line, " \t");
		if (strncmp(to, user, strlen(user)) == 0)
			found = strcasestr(to + strlen(user), print) != NULL;
		text += len + (lf != NULL);
		size -= len + (lf != NULL);
	}
	free(line);
	return found;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char more[] = "\n\nsomebody\n";
	char *user = fuzz_text(&data, &size), *given = fuzz_text(&data, &size);
	char print[CERTUSERS_PRINT] = "", error[CERTUSERS_ERROR], again[CERTUSERS_ERROR], *text;
	bool has;

	(void)strlcpy(print, given, sizeof(print));
	if (size > 0) {
		has = have(data, size, user, print, error);
		if (has) {
			CHECK(strlen(print) == CERTUSERS_PRINT - 1 && user[0] != '\0' &&
			    user[0] != '#');
			CHECK(strspn(print, "0123456789abcdef") == strlen(print));
			CHECK(is_there((const char *)data, size, user, print));
		}
		CHECK((text = malloc(size + sizeof(more))) != NULL);
		memcpy(text, data, size);
		memcpy(text + size, more, sizeof(more) - 1);
		CHECK(have(text, size + sizeof(more) - 1, user, print, again) == has);
		CHECK(again[0] != '\0' && (error[0] == '\0' || strcmp(error, again) == 0));
		free(text);
	}
	free(given);
	free(user);
	return 0;
}
