/*
 * The kinds of values of the TLS directives.
 */
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "confvalue.h"

/* Files, a blank between them, in the order in which they are given. */
static int
parse_files(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	/* the text is put together where it is: it does not grow */
	char *rest = strcasecmp(value, "none") == 0 ? NULL : value, *to = value, *file;
	unsigned n = 0;

	while ((file = strsep(&rest, BLANKS)) != NULL) {
		if (*file == '\0')
			continue;
		if (*file != '/')
			return confvalue_wrong(why, "\"%.64s\" is neither a path that begins with / nor none",
			    file);
		if (strlen(file) >= PATH_MAX)
			return confvalue_wrong(why, "the path is longer than %d bytes", PATH_MAX - 1);
		if (++n > TLS_FILES)
			return confvalue_wrong(why, "%d files are the most", TLS_FILES);
		if (n > 1)
			*to++ = ' ';
		memmove(to, file, strlen(file));
		to += strlen(file);
	}
	*to = '\0';
	return confvalue_string(field_of(d, conf), value, why);
}

static void
print_files(const struct directive *d, const struct conf *conf, FILE *out)
{
	const char *text = *(char *const *)value_of(d, conf);

	fputs(*text != '\0' ? text : "none", out);
}

const struct kind conftls_files = { parse_files, print_files, .string = true };

bool
conf_tls_file(const char *files, unsigned i, char path[static PATH_MAX])
{
	for (;; i--) {
		size_t len = strcspn(files, " ");

		if (len == 0 || len >= PATH_MAX)
			return false;
		if (i == 0) {
			memcpy(path, files, len);
			path[len] = '\0';
			return true;
		}
		files += len + (files[len] == ' ');
	}
}

bool
conf_tls_key(const struct conf *conf, unsigned i, char path[static PATH_MAX])
{
	const char *keys = conf->tls_key_file;

	return conf_tls_file(*keys != '\0' ? keys : conf->tls_certificate_file, i, path);
}

static const char *const tls_words[] = { [TLS_OFF] = "off", [TLS_ON] = "on",
	[TLS_CONTROL] = "control", [TLS_REQUIRED] = "required", [TLS_REQUIRED + 1] = NULL };
static const char *const reuse_words[] = { [TLS_REUSE_OFF] = "off", [TLS_REUSE_PREFER] = "prefer",
	[TLS_REUSE_REQUIRED] = "required", [TLS_REUSE_REQUIRED + 1] = NULL };
static const char *const verify_words[] = { [TLS_VERIFY_OFF] = "off",
	[TLS_VERIFY_OPTIONAL] = "optional", [TLS_VERIFY_REQUIRED] = "required",
	[TLS_VERIFY_REQUIRED + 1] = NULL };
static const char *const protocol_words[] = { [TLS_1_2] = "TLSv1.2", [TLS_1_3] = "TLSv1.3",
	[TLS_1_3 + 1] = NULL };

const struct kind conftls_modes = { confvalue_parse_word, confvalue_print_word,
	.words = tls_words };
const struct kind conftls_reuses = { confvalue_parse_word, confvalue_print_word,
	.words = reuse_words };
const struct kind conftls_verifies = { confvalue_parse_word, confvalue_print_word,
	.words = verify_words };
const struct kind conftls_protocols = { confvalue_parse_word, confvalue_print_word,
	.words = protocol_words };
