/*
 * The kinds of values of directives about who may do what: DefaultRoot,
 * AuthSystem, UploadOnly, RequireValidShell, PathDeny.
 */
#include "confvalue.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pwfile.h"

static const char *const system_words[] = { [AUTH_SYSTEM_OFF] = "off", [AUTH_SYSTEM_PAM] = "pam",
	[AUTH_SYSTEM_SHADOW] = "shadow", [AUTH_SYSTEM_SHADOW + 1] = NULL };

const struct kind confaccess_auth_systems = { confvalue_parse_word, confvalue_print_word,
	.words = system_words };

/* The name of a file in /etc/pam.d. */
static int
parse_service(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	static const char known[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-_.";

	if (value[0] == '-' || value[0] == '.' || value[strspn(value, known)] != '\0' ||
	    strlen(value) > 63)
		return confvalue_wrong(why, "\"%.64s\" is no name of a file in /etc/pam.d", value);
	return confvalue_string(field_of(d, conf), value, why);
}

const struct kind confaccess_services = { parse_service, confvalue_print_string,
	.string = true };

static const char *const upload_words[] = { [UPLOAD_ONLY_OFF] = "off", [UPLOAD_ONLY_ON] = "on",
	[UPLOAD_ONLY_FILES] = "files", [UPLOAD_ONLY_FILES + 1] = NULL };

const struct kind confaccess_upload_only = { confvalue_parse_word, confvalue_print_word,
	.words = upload_words };

static const char *const shell_words[] = { [VALID_SHELL_OFF] = "off", [VALID_SHELL_ON] = "on",
	[VALID_SHELL_SYSTEM] = "system", [VALID_SHELL_SYSTEM + 1] = NULL };

const struct kind confaccess_valid_shells = { confvalue_parse_word, confvalue_print_word,
	.words = shell_words };

/* Cuts the path, with its quotes if it has them, off value; returns what follows. */
static char *
cut_path(char *value)
{
	char *end = value;

	if (*value != '"') {
		end += strcspn(value, BLANKS);
	} else {
		for (end++; *end != '\0' && *end != '"'; end++)
			if (*end == '\\' && end[1] != '\0')
				end++;
		end += *end == '"';
	}
	if (*end != '\0') {
		/* what clings to a closing quote is left to confvalue_unquote() */
		if (strchr(BLANKS, *end) == NULL)
			return strchr(end, '\0');
		*end++ = '\0';
	}
	return end + strspn(end, BLANKS);
}

/* "staff,!guests": names between commas, nothing that means something else in a line. */
static int
check_groups(const char *groups, char why[static WHY])
{
	char copy[256], *rest = copy, *word;

	if (strlcpy(copy, groups, sizeof(copy)) >= sizeof(copy))
		return confvalue_wrong(why, "the groups take more than %zu bytes", sizeof(copy) - 1);
	while ((word = strsep(&rest, ",")) != NULL) {
		word += *word == '!';
		if (!pwfile_name_ok(word) || strpbrk(word, BLANKS "!\"#") != NULL ||
		    word[strlen(word) - 1] == '\\')
			return confvalue_wrong(why,
			    "\"%.64s\" are no groups such as staff,!guests (a path with blanks "
			    "stands in double quotes)",
			    groups);
	}
	return 0;
}

void
confaccess_free_roots(struct root_rules *roots)
{
	while (roots->n > 0) {
		roots->n--;
		free(roots->rule[roots->n].path);
		free(roots->rule[roots->n].groups);
	}
}

/* ProFTPD's: ~ or a path, then groups that the rule is for. */
static int
add_root(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct root_rules *roots = field_of(d, conf);
	char *groups = cut_path(value);
	struct root_rule rule = { .path = NULL };

	if (confvalue_unquote(value, why) == -1)
		return -1;
	if (strcmp(value, "~") != 0 && value[0] != '/')
		return confvalue_wrong(why, "\"%.64s\" is neither ~ nor a path that begins with /", value);
	if (strlen(value) >= PATH_MAX)
		return confvalue_wrong(why, "the path is longer than %d bytes", PATH_MAX - 1);
	if (*groups != '\0' && check_groups(groups, why) == -1)
		return -1;
	if (roots->n == ROOTS_MAX)
		return confvalue_wrong(why, "there are more than %d lines of it", ROOTS_MAX);
	if ((rule.path = strdup(value)) == NULL || (rule.groups = strdup(groups)) == NULL) {
		free(rule.path);
		return confvalue_wrong(why, "out of memory");
	}
	roots->rule[roots->n++] = rule;
	return 0;
}

/* The first line takes the place of all that was. */
static int
parse_root(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct root_rules *roots = field_of(d, conf), old = *roots;

	roots->n = 0;
	if (add_root(d, conf, value, why) == -1) {
		*roots = old;
		return -1;
	}
	confaccess_free_roots(&old);
	return 0;
}

static void
print_roots(const struct directive *d, const struct conf *conf, FILE *out)
{
	const struct root_rules *roots = value_of(d, conf);
	unsigned i;

	for (i = 0; i < roots->n; i++) {
		const struct root_rule *rule = &roots->rule[i];

		if (i > 0)
			fprintf(out, "\n%s ", d->name);
		if (strpbrk(rule->path, "\"#\\" BLANKS) != NULL)
			confvalue_put_quoted(rule->path, out);
		else
			fputs(rule->path, out);
		if (rule->groups[0] != '\0')
			fprintf(out, " %s", rule->groups);
	}
}

const struct kind confaccess_roots = { parse_root, print_roots, .raw = true, .add = add_root };

/* Patterns with a blank between them; of one line, or behind those of the lines before. */
static int
take_patterns(char **field, const char *before, char *value, char why[static WHY])
{
	char text[PATTERNS_MAX], *word;

	(void)strlcpy(text, before, sizeof(text));
	while ((word = strsep(&value, BLANKS)) != NULL) {
		if (*word == '\0')
			continue;
		if (strchr(word, '/') != NULL)
			return confvalue_wrong(why,
			    "\"%.64s\": a pattern is for the names between slashes, so it has none",
			    word);
		if (text[0] != '\0')
			(void)strlcat(text, " ", sizeof(text));
		if (strlcat(text, word, sizeof(text)) >= sizeof(text))
			return confvalue_wrong(
			    why, "the patterns take more than %d bytes", PATTERNS_MAX - 1);
	}
	return confvalue_string(field, text, why);
}

static int
parse_patterns(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	if (strcasecmp(value, "none") == 0)
		return confvalue_string(field_of(d, conf), "", why);
	return take_patterns(field_of(d, conf), "", value, why);
}

static int
add_patterns(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	char **field = field_of(d, conf);

	return take_patterns(field, *field, value, why);
}

const struct kind confaccess_patterns = { parse_patterns, confvalue_print_string, .string = true,
	.add = add_patterns };
