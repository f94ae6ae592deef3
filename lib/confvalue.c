/*
 * The kinds of values that directives have.
 */
#include "confvalue.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "activeport.h"
#include "pwfile.h"
#include "slots.h"

#define SECONDS   2000000 /* 23 days: as milliseconds it fits an int */
#define IDENT_ON  "Genkan FTP server ready"
#define IDENT_OFF "FTP server ready"
#define IDENT_MAX 255

int
confvalue_wrong(char why[static WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, WHY, fmt, ap);
	va_end(ap);
	return -1;
}

int
confvalue_unquote(char *value, char why[static WHY])
{
	bool quoted = *value == '"', closed = false;
	char *from = value + quoted, *to = value;

	for (; *from != '\0' && !closed; from++) {
		if (*from == '\\' && from[1] != '\0' && strchr("\"#\\", from[1]) != NULL)
			*to++ = *++from;
		else if (quoted && *from == '"')
			closed = true;
		else
			*to++ = *from;
	}
	if (quoted && !closed)
		return confvalue_wrong(why, "the closing quote is missing (a # in quotes is written \\#)");
	if (*from != '\0')
		return confvalue_wrong(why, "there is something behind the closing quote");
	*to = '\0';
	return 0;
}

void
confvalue_put_quoted(const char *text, FILE *out)
{
	putc('"', out);
	for (; *text != '\0'; text++) {
		if (strchr("\"#\\", *text) != NULL)
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

void
confvalue_print_string(const struct directive *d, const struct conf *conf, FILE *out)
{
	const char *text = *(char *const *)value_of(d, conf);
	size_t len = strlen(text);

	if (len == 0)
		fputs("none", out);
	else if (strpbrk(text, "\"#\\") != NULL || strchr(BLANKS, text[len - 1]) != NULL ||
	    strchr(BLANKS, text[0]) != NULL)
		confvalue_put_quoted(text, out);
	else
		fputs(text, out);
}

int
confvalue_string(char **field, const char *value, char why[static WHY])
{
	char *copy = strdup(value);

	if (copy == NULL)
		return confvalue_wrong(why, "out of memory");
	free(*field);
	*field = copy;
	return 0;
}

static int
parse_switch(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	/* ProFTPD's words. */
	static const char *const words[][2] = {
		{ "off",   "on"   },
		{ "no",    "yes"  },
		{ "false", "true" },
		{ "0",     "1"    },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (int on = 0; on < 2; on++)
			if (strcasecmp(value, words[i][on]) == 0) {
				*(bool *)field_of(d, conf) = on;
				return 0;
			}
	return confvalue_wrong(why, "\"%.64s\" is neither on nor off", value);
}

static void
print_switch(const struct directive *d, const struct conf *conf, FILE *out)
{
	fputs(*(const bool *)value_of(d, conf) ? "on" : "off", out);
}

const struct kind confvalue_switches = { parse_switch, print_switch };

int
confvalue_parse_word(
    const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	const char *const *words = d->kind->words;
	size_t len;

	for (int i = 0; words[i] != NULL; i++)
		if (strcasecmp(value, words[i]) == 0) {
			*(int *)field_of(d, conf) = i;
			return 0;
		}
	confvalue_wrong(why, "\"%.64s\" is none of", value);
	for (int i = 0; words[i] != NULL; i++) {
		len = strlen(why);
		snprintf(why + len, WHY - len, "%s %s", i == 0 ? "" : ",", words[i]);
	}
	return -1;
}

void
confvalue_print_word(const struct directive *d, const struct conf *conf, FILE *out)
{
	fputs(d->kind->words[*(const int *)value_of(d, conf)], out);
}

static const char *const hidden_words[] = { [HIDDEN_STORES_AUTO] = "auto",
	[HIDDEN_STORES_ON] = "on", [HIDDEN_STORES_OFF] = "off", [HIDDEN_STORES_OFF + 1] = NULL };

const struct kind confvalue_hidden_stores = { confvalue_parse_word, confvalue_print_word,
	.words = hidden_words };

static int
parse_number(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	const char *error = NULL;
	long long n = strtonum(value, d->kind->min, d->kind->max, &error);

	if (error != NULL || !isdigit((unsigned char)value[0]))
		return confvalue_wrong(why, "\"%.64s\" is not a number from %u to %u", value, d->kind->min,
		    d->kind->max);
	*(unsigned *)field_of(d, conf) = (unsigned)n;
	return 0;
}

static void
print_number(const struct directive *d, const struct conf *conf, FILE *out)
{
	fprintf(out, "%u", *(const unsigned *)value_of(d, conf));
}

const struct kind confvalue_seconds = { parse_number, print_number, .min = 0, .max = SECONDS };
const struct kind confvalue_lookup_seconds = { parse_number, print_number, .min = 1, .max = 60 };
const struct kind confvalue_clients = { parse_number, print_number, .min = 1, .max = SLOTS_MAX };
const struct kind confvalue_uids = { parse_number, print_number, .min = 1, .max = INT_MAX };
const struct kind confvalue_attempts = { parse_number, print_number, .min = 1, .max = 100 };

static int
parse_path(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	char **field = field_of(d, conf);

	if (strcasecmp(value, "none") == 0)
		return confvalue_string(field, "", why);
	if (value[0] != '/')
		return confvalue_wrong(why, "\"%.64s\" is neither a path that begins with / nor none", value);
	if (strlen(value) >= PATH_MAX)
		return confvalue_wrong(why, "the path is longer than %d bytes", PATH_MAX - 1);
	return confvalue_string(field, value, why);
}

const struct kind confvalue_paths = { parse_path, confvalue_print_string, .string = true };

static int
parse_user(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	bool number = strspn(value, "0123456789") == strlen(value);
	const char *error = NULL;

	if (number)
		strtonum(value, 0, INT_MAX, &error);
	if (!pwfile_name_ok(value) || strpbrk(value, BLANKS) != NULL || error != NULL)
		return confvalue_wrong(why, "\"%.64s\" is neither a user's name nor a uid", value);
	if (strcmp(value, "root") == 0 || (number && strspn(value, "0") == strlen(value)))
		return confvalue_wrong(why, "%.64s is not allowed here: take a user without rights", value);
	return confvalue_string(field_of(d, conf), value, why);
}

const struct kind confvalue_users = { parse_user, confvalue_print_string, .string = true };

/* on, off, "text", or as ProFTPD has it: on "text" */
static int
parse_ident(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	char **field = field_of(d, conf);

	if (strcasecmp(value, "on") == 0)
		return confvalue_string(field, IDENT_ON, why);
	if (strcasecmp(value, "off") == 0)
		return confvalue_string(field, IDENT_OFF, why);
	if (strncasecmp(value, "on", 2) == 0 && isblank((unsigned char)value[2]))
		value += 2 + strspn(value + 2, BLANKS);
	if (confvalue_unquote(value, why) == -1)
		return -1;
	if (value[0] == '\0' || strlen(value) > IDENT_MAX)
		return confvalue_wrong(why, "the text must have 1 to %d bytes", IDENT_MAX);
	return confvalue_string(field, value, why);
}

static void
print_ident(const struct directive *d, const struct conf *conf, FILE *out)
{
	/* "on" in front, because the text itself may be "on". */
	fputs("on ", out);
	confvalue_put_quoted(*(char *const *)value_of(d, conf), out);
}

const struct kind confvalue_idents = { parse_ident, print_ident, .string = true, .raw = true };

static int
conf_ports(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct portlist list = { .n = 0 };
	const char *error = NULL;

	if (strcasecmp(value, "any") != 0 && portlist_parse(value, &list, &error) == -1)
		return confvalue_wrong(why, "%s", error);
	*(struct portlist *)field_of(d, conf) = list;
	return 0;
}

static void
print_ports(const struct directive *d, const struct conf *conf, FILE *out)
{
	char text[PORTLIST_TEXT];

	fputs(portlist_text(value_of(d, conf), text), out);
}

const struct kind confvalue_port_lists = { conf_ports, print_ports };

static int
parse_active(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	const char *error = NULL;
	int setting;

	if (activeport_parse(value, &setting, &error) == -1)
		return confvalue_wrong(why, "%s", error);
	*(int *)field_of(d, conf) = setting;
	return 0;
}

static void
print_active(const struct directive *d, const struct conf *conf, FILE *out)
{
	char text[8];

	fputs(activeport_text(*(const int *)value_of(d, conf), text), out);
}

const struct kind confvalue_active_ports = { parse_active, print_active };

static int
parse_networks(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct networks nets = { .n = 0 };
	char *word;

	if (strcasecmp(value, "none") != 0)
		while ((word = strsep(&value, "," BLANKS)) != NULL) {
			if (*word == '\0')
				continue;
			if (strcasecmp(word, "auto") == 0) {
				nets.automatic = true;
				continue;
			}
			if (nets.n == NETWORKS_MAX)
				return confvalue_wrong(why, "there are more than %d networks", NETWORKS_MAX);
			if (netprefix_parse(word, &nets.net[nets.n++]) == -1)
				return confvalue_wrong(why,
				    "\"%.64s\" is neither auto nor a network such as "
				    "192.168.1.0/24 (none stands alone)",
				    word);
		}
	*(struct networks *)field_of(d, conf) = nets;
	return 0;
}

static void
print_networks(const struct directive *d, const struct conf *conf, FILE *out)
{
	const struct networks *nets = value_of(d, conf);
	char text[NETADDR_TEXT];

	if (!nets->automatic && nets->n == 0)
		fputs("none", out);
	if (nets->automatic)
		fputs("auto", out);
	for (unsigned i = 0; i < nets->n; i++)
		fprintf(out, "%s%s/%u", i > 0 || nets->automatic ? "," : "",
		    netaddr_text(&nets->net[i].addr, text), nets->net[i].bits);
}

const struct kind confvalue_network_lists = { parse_networks, print_networks };

/* An octal mask 0..0777; -1 if text is something else. */
static int
octal(const char *text)
{
	if (text[0] == '\0' || strlen(text) > 4 || strspn(text, "01234567") != strlen(text))
		return -1;
	return (int)strtol(text, NULL, 8) <= 0777 ? (int)strtol(text, NULL, 8) : -1;
}

/* For files, and for directories if that is another. */
static int
parse_umask(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	char *file = strsep(&value, BLANKS), *dir = file;
	int file_mask, dir_mask;

	(void)d;
	if (value != NULL)
		dir = value + strspn(value, BLANKS);
	file_mask = octal(file);
	dir_mask = octal(dir);
	if (file_mask == -1 || dir_mask == -1)
		return confvalue_wrong(why, "\"%.64s\" is not an octal mask from 000 to 777",
		    file_mask == -1 ? file : dir);
	conf->umask_file = (mode_t)file_mask;
	conf->umask_dir = (mode_t)dir_mask;
	return 0;
}

static void
print_umask(const struct directive *d, const struct conf *conf, FILE *out)
{
	(void)d;
	fprintf(out, "%03o %03o", (unsigned)conf->umask_file, (unsigned)conf->umask_dir);
}

const struct kind confvalue_umasks = { parse_umask, print_umask };

static const struct {
	const char *name;
	int level;
} levels[] = {
	{ "error",  LOG_ERR     },
	{ "warn",   LOG_WARNING },
	{ "notice", LOG_NOTICE  },
	{ "info",   LOG_INFO    },
	{ "debug",  LOG_DEBUG   },
};

static int
parse_level(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcasecmp(value, levels[i].name) == 0) {
			*(int *)field_of(d, conf) = levels[i].level;
			return 0;
		}
	return confvalue_wrong(why, "\"%.64s\" is none of error, warn, notice, info and debug", value);
}

static void
print_level(const struct directive *d, const struct conf *conf, FILE *out)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (levels[i].level == *(const int *)value_of(d, conf))
			fputs(levels[i].name, out);
}

const struct kind confvalue_log_levels = { parse_level, print_level };
