/*
 * The configuration. Everything about a directive stands in its row of one
 * table: name, kind of value (how to read, print and free it), field, default
 * as text through the same parser, limits.
 */
#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <libutil.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "activeport.h"
#include "pwfile.h"
#include "slots.h"

#define BLANKS    " \t"
#define WHY       768     /* room for what is wrong with a value */
#define SECONDS   2000000 /* 23 days: as milliseconds it fits an int */
#define IDENT_ON  "Genkan FTP server ready"
#define IDENT_OFF "FTP server ready"
#define IDENT_MAX 255

struct directive;

struct kind {
	/* Reads value (may change it); 0, or -1 with why, and then the field is as it was. */
	int (*parse)(
	    const struct directive *d, struct conf *conf, char *value, char why[static WHY]);
	void (*print)(const struct directive *d, const struct conf *conf, FILE *out);
	bool string;       /* the field is an allocated string */
	bool raw;          /* parse takes off quotes itself */
	unsigned min, max; /* of a number */
};

struct directive {
	const char *name;
	const struct kind *kind;
	size_t offset;
	const char *defaults;
};

static void *
field_of(const struct directive *d, struct conf *conf)
{
	return (char *)conf + d->offset;
}

static const void *
value_of(const struct directive *d, const struct conf *conf)
{
	return (const char *)conf + d->offset;
}

/* Says what is wrong; returns -1. */
__attribute__((format(printf, 2, 3))) static int
wrong(char why[static WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, WHY, fmt, ap);
	va_end(ap);
	return -1;
}

/*
 * Takes the quotes off a value, and the backslash before ", # and \. (The
 * unescaped # of a comment is gone already.)
 */
static int
unquote(char *value, char why[static WHY])
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
		return wrong(why, "the closing quote is missing (a # in quotes is written \\#)");
	if (*from != '\0')
		return wrong(why, "there is something behind the closing quote");
	*to = '\0';
	return 0;
}

static void
put_quoted(const char *text, FILE *out)
{
	putc('"', out);
	for (; *text != '\0'; text++) {
		if (strchr("\"#\\", *text) != NULL)
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

/* Prints a string so that it is read back as it is; an empty one is "none". */
static void
print_string(const struct directive *d, const struct conf *conf, FILE *out)
{
	const char *text = *(char *const *)value_of(d, conf);
	size_t len = strlen(text);

	if (len == 0)
		fputs("none", out);
	else if (strpbrk(text, "\"#\\") != NULL || strchr(BLANKS, text[len - 1]) != NULL ||
	    strchr(BLANKS, text[0]) != NULL)
		put_quoted(text, out);
	else
		fputs(text, out);
}

static int
set_string(char **field, const char *value, char why[static WHY])
{
	char *copy = strdup(value);

	if (copy == NULL)
		return wrong(why, "out of memory");
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
	return wrong(why, "\"%.64s\" is neither on nor off", value);
}

static void
print_switch(const struct directive *d, const struct conf *conf, FILE *out)
{
	fputs(*(const bool *)value_of(d, conf) ? "on" : "off", out);
}

static const struct kind switches = { parse_switch, print_switch };

static int
parse_number(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	const char *error = NULL;
	long long n = strtonum(value, d->kind->min, d->kind->max, &error);

	if (error != NULL || !isdigit((unsigned char)value[0]))
		return wrong(why, "\"%.64s\" is not a number from %u to %u", value, d->kind->min,
		    d->kind->max);
	*(unsigned *)field_of(d, conf) = (unsigned)n;
	return 0;
}

static void
print_number(const struct directive *d, const struct conf *conf, FILE *out)
{
	fprintf(out, "%u", *(const unsigned *)value_of(d, conf));
}

static const struct kind seconds = { parse_number, print_number, .min = 0, .max = SECONDS };
static const struct kind lookup_seconds = { parse_number, print_number, .min = 1, .max = 60 };
static const struct kind clients = { parse_number, print_number, .min = 1, .max = SLOTS_MAX };
static const struct kind attempts = { parse_number, print_number, .min = 1, .max = 100 };

static int
parse_path(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	char **field = field_of(d, conf);

	if (strcasecmp(value, "none") == 0)
		return set_string(field, "", why);
	if (value[0] != '/')
		return wrong(why, "\"%.64s\" is neither a path that begins with / nor none", value);
	if (strlen(value) >= PATH_MAX)
		return wrong(why, "the path is longer than %d bytes", PATH_MAX - 1);
	return set_string(field, value, why);
}

static const struct kind paths = { parse_path, print_string, .string = true };

static int
parse_root(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	if (strcmp(value, "~") != 0 && value[0] != '/')
		return wrong(why, "\"%.64s\" is neither ~ nor a path that begins with /", value);
	if (strlen(value) >= PATH_MAX)
		return wrong(why, "the path is longer than %d bytes", PATH_MAX - 1);
	return set_string(field_of(d, conf), value, why);
}

static const struct kind roots = { parse_root, print_string, .string = true };

static int
parse_user(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	bool number = strspn(value, "0123456789") == strlen(value);
	const char *error = NULL;

	if (number)
		strtonum(value, 0, INT_MAX, &error);
	if (!pwfile_name_ok(value) || strpbrk(value, BLANKS) != NULL || error != NULL)
		return wrong(why, "\"%.64s\" is neither a user's name nor a uid", value);
	if (strcmp(value, "root") == 0 || (number && strspn(value, "0") == strlen(value)))
		return wrong(why, "%.64s is not allowed here: take a user without rights", value);
	return set_string(field_of(d, conf), value, why);
}

static const struct kind users = { parse_user, print_string, .string = true };

/* on, off, "text", or as ProFTPD has it: on "text" */
static int
parse_ident(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	char **field = field_of(d, conf);

	if (strcasecmp(value, "on") == 0)
		return set_string(field, IDENT_ON, why);
	if (strcasecmp(value, "off") == 0)
		return set_string(field, IDENT_OFF, why);
	if (strncasecmp(value, "on", 2) == 0 && isblank((unsigned char)value[2]))
		value += 2 + strspn(value + 2, BLANKS);
	if (unquote(value, why) == -1)
		return -1;
	if (value[0] == '\0' || strlen(value) > IDENT_MAX)
		return wrong(why, "the text must have 1 to %d bytes", IDENT_MAX);
	return set_string(field, value, why);
}

static void
print_ident(const struct directive *d, const struct conf *conf, FILE *out)
{
	/* "on" in front, because the text itself may be "on". */
	fputs("on ", out);
	put_quoted(*(char *const *)value_of(d, conf), out);
}

static const struct kind idents = { parse_ident, print_ident, .string = true, .raw = true };

/* Letters, digits, dashes and dots; the last label is no number, or it would be a bad address. */
static bool
is_host_name(const char *text)
{
	size_t len = strlen(text), label = 0;
	bool digits = true;

	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len < 1 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '.') {
			if (label == 0 || text[i - 1] == '-')
				return false;
			label = 0;
			digits = true;
			continue;
		}
		if (c > 127 || (!isalnum(c) && c != '-') || (c == '-' && label == 0) ||
		    ++label > 63)
			return false;
		digits = digits && isdigit(c);
	}
	return label > 0 && text[len - 1] != '-' && !digits;
}

static int
parse_masquerade(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct masquerade *m = field_of(d, conf);
	struct netaddr addr = { .family = AF_UNSPEC };
	enum netaddr_reach reach;

	if (strcasecmp(value, "none") == 0) {
		if (set_string(&m->name, "", why) == -1)
			return -1;
		m->kind = MASQUERADE_NONE;
		m->addr = addr;
		return 0;
	}
	if (netaddr_parse(value, &addr) == 0) {
		if (addr.family != AF_INET)
			return wrong(why,
			    "%.64s is IPv6, but PASV announces IPv4 alone and EPSV needs "
			    "no address: give an IPv4 address or a name",
			    value);
		reach = netaddr_reach(&addr);
		if (reach == NETADDR_UNSPECIFIED || reach == NETADDR_MULTICAST)
			return wrong(why, "nobody can connect to %.64s", value);
	} else if (!is_host_name(value)) {
		return wrong(why, "\"%.64s\" is neither a host name nor an IPv4 address", value);
	}
	if (set_string(&m->name, value, why) == -1)
		return -1;
	m->kind = addr.family == AF_INET ? MASQUERADE_ADDRESS : MASQUERADE_HOST;
	m->addr = addr;
	return 0;
}

static void
print_masquerade(const struct directive *d, const struct conf *conf, FILE *out)
{
	const struct masquerade *m = value_of(d, conf);

	fputs(m->kind == MASQUERADE_NONE ? "none" : m->name, out);
}

static const struct kind masquerades = { parse_masquerade, print_masquerade };

static int
conf_ports(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct portlist list = { .n = 0 };
	const char *error = NULL;

	if (strcasecmp(value, "any") != 0 && portlist_parse(value, &list, &error) == -1)
		return wrong(why, "%s", error);
	*(struct portlist *)field_of(d, conf) = list;
	return 0;
}

static void
print_ports(const struct directive *d, const struct conf *conf, FILE *out)
{
	char text[PORTLIST_TEXT];

	fputs(portlist_text(value_of(d, conf), text), out);
}

static const struct kind port_lists = { conf_ports, print_ports };

static int
parse_active(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	const char *error = NULL;
	int setting;

	if (activeport_parse(value, &setting, &error) == -1)
		return wrong(why, "%s", error);
	*(int *)field_of(d, conf) = setting;
	return 0;
}

static void
print_active(const struct directive *d, const struct conf *conf, FILE *out)
{
	char text[8];

	fputs(activeport_text(*(const int *)value_of(d, conf), text), out);
}

static const struct kind active_ports = { parse_active, print_active };

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
				return wrong(why, "there are more than %d networks", NETWORKS_MAX);
			if (netprefix_parse(word, &nets.net[nets.n++]) == -1)
				return wrong(why,
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

static const struct kind network_lists = { parse_networks, print_networks };

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
		return wrong(why, "\"%.64s\" is not an octal mask from 000 to 777",
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

static const struct kind umasks = { parse_umask, print_umask };

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
	return wrong(why, "\"%.64s\" is none of error, warn, notice, info and debug", value);
}

static void
print_level(const struct directive *d, const struct conf *conf, FILE *out)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (levels[i].level == *(const int *)value_of(d, conf))
			fputs(levels[i].name, out);
}

static const struct kind log_levels = { parse_level, print_level };

#define CONF(field) offsetof(struct conf, field)

static const struct directive directives[] = {
	{ "MasqueradeAddress", &masquerades,    CONF(masquerade),          "none"               },
	{ "MasqueradeTimeout", &lookup_seconds, CONF(masquerade_timeout),  "2"                  },
	{ "PassivePorts",      &port_lists,     CONF(passive_ports),       "any"                },
	{ "ActivePort",        &active_ports,   CONF(active_port),         "20"                 },
	{ "LocalNetworks",     &network_lists,  CONF(local_networks),      "auto"               },
	{ "DefaultRoot",       &roots,          CONF(default_root),        "~"                  },
	{ "AuthUserFile",      &paths,          CONF(auth_user_file),      SYSCONFDIR "/passwd" },
	{ "Anonymous",         &switches,       CONF(anonymous),           "off"                },
	{ "AnonymousRoot",     &paths,          CONF(anonymous_root),      "none"               },
	{ "AnonymousUser",     &users,          CONF(anonymous_user),      "ftp"                },
	{ "AnonymousUpload",   &switches,       CONF(anonymous_upload),    "off"                },
	{ "ReadOnly",          &switches,       CONF(read_only),           "off"                },
	{ "AllowOverwrite",    &switches,       CONF(allow_overwrite),     "on"                 },
	{ "Umask",             &umasks,         CONF(umask_file),          "022 022"            },
	{ "MaxClients",        &clients,        CONF(max_clients),         "30"                 },
	{ "MaxLoginAttempts",  &attempts,       CONF(max_login_attempts),  "3"                  },
	{ "TimeoutLogin",      &seconds,        CONF(timeout_login),       "60"                 },
	{ "TimeoutIdle",       &seconds,        CONF(timeout_idle),        "600"                },
	{ "TimeoutNoTransfer", &seconds,        CONF(timeout_no_transfer), "0"                  },
	{ "TimeoutStalled",    &seconds,        CONF(timeout_stalled),     "300"                },
	{ "TimeoutSession",    &seconds,        CONF(timeout_session),     "0"                  },
	{ "ServerIdent",       &idents,         CONF(server_ident),        "on"                 },
	{ "DisplayLogin",      &paths,          CONF(display_login),       "none"               },
	{ "TransferLog",       &paths,          CONF(transfer_log),        "none"               },
	{ "LogLevel",          &log_levels,     CONF(log_level),           "info"               },
	{ "SessionUser",       &users,          CONF(session_user),        "genkan"             },
	{ "GatewayUser",       &users,          CONF(gateway_user),        "genkan-gw"          },
	{ "RunDirectory",      &paths,          CONF(run_directory),       RUNDIR               },
};

#define NDIRECTIVES  (sizeof(directives) / sizeof(directives[0]))
#define NAME_MAX_LEN 32

_Static_assert(NDIRECTIVES <= sizeof(((struct conf *)0)->set), "struct conf: set[] is too small");

/* Edit distance, case aside: how many letters to insert, delete or replace. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], n = strlen(b);

	if (strlen(a) > NAME_MAX_LEN || n > NAME_MAX_LEN)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (; *a != '\0'; a++) {
		size_t diagonal = row[0]++;

		for (size_t j = 1; j <= n; j++) {
			size_t best = diagonal +
			    (tolower((unsigned char)*a) != tolower((unsigned char)b[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static int
unknown(const char *name, char why[static WHY])
{
	size_t len = strlen(name), best = len < 6 ? 2 : 3;
	const char *meant = NULL;

	for (size_t i = 0; i < NDIRECTIVES; i++) {
		size_t d = distance(name, directives[i].name);

		if (d < best) {
			best = d;
			meant = directives[i].name;
		} else if (meant == NULL && len >= 4 &&
		    strncasecmp(name, directives[i].name, len) == 0) {
			meant = directives[i].name;
		}
	}
	if (meant == NULL)
		return wrong(why, "%.64s: unknown directive", name);
	return wrong(why, "%.64s: unknown directive (did you mean %s?)", name, meant);
}

/*
 * Splits a line into directive and value; the value has no blanks around it.
 * Returns 1, 0 for an empty line, -1 with why.
 */
static int
split(char *line, const struct directive **d, char **value, char why[static WHY])
{
	char *end = line + strlen(line);

	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	for (const char *p = line; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p) && *p != '\t')
			return wrong(why, "there is a control character in the line");
	line += strspn(line, BLANKS);
	if (*line == '\0')
		return 0;
	*value = line + strcspn(line, BLANKS);
	if (**value != '\0')
		*(*value)++ = '\0';
	*value += strspn(*value, BLANKS);
	for (size_t i = 0; i < NDIRECTIVES; i++)
		if (strcasecmp(line, directives[i].name) == 0) {
			*d = &directives[i];
			return 1;
		}
	return unknown(line, why);
}

/* Sets one directive; 0, or -1 with why, which begins with the directive's name. */
static int
set(struct conf *conf, const struct directive *d, char *value, char why[static WHY])
{
	char what[WHY];
	int r;

	if (*value == '\0')
		return wrong(
		    why, "%s: the value is missing (the default is %s)", d->name, d->defaults);
	r = d->kind->raw ? 0 : unquote(value, what);
	if (r == 0)
		r = d->kind->parse(d, conf, value, what);
	if (r == -1)
		return wrong(why, "%s: %.*s", d->name, WHY - 64, what);
	conf->set[d - directives] = true;
	return 0;
}

/* Without root there is no right to RUNDIR. */
static void
default_run_directory(char *path, size_t size)
{
	unsigned uid = geteuid();

	snprintf(path, size, "/run/user/%u", uid);
	if (uid == 0)
		snprintf(path, size, "%s", RUNDIR);
	else if (access(path, W_OK) == 0)
		snprintf(path, size, "/run/user/%u/genkan-ftpd", uid);
	else
		snprintf(path, size, "/tmp/genkan-ftpd-%u", uid);
}

int
conf_init(struct conf *conf)
{
	char value[PATH_MAX], why[WHY];

	memset(conf, 0, sizeof(*conf));
	for (size_t i = 0; i < NDIRECTIVES; i++) {
		snprintf(value, sizeof(value), "%s", directives[i].defaults);
		if (directives[i].offset == CONF(run_directory))
			default_run_directory(value, sizeof(value));
		/* Fails for want of memory alone: a test parses every default. */
		if (set(conf, &directives[i], value, why) == -1) {
			conf_free(conf);
			errno = ENOMEM;
			return -1;
		}
	}
	memset(conf->set, 0, sizeof(conf->set));
	return 0;
}

void
conf_free(struct conf *conf)
{
	free(conf->masquerade.name);
	conf->masquerade.name = NULL;
	for (size_t i = 0; i < NDIRECTIVES; i++)
		if (directives[i].kind->string) {
			char **field = field_of(&directives[i], conf);

			free(*field);
			*field = NULL;
		}
}

int
conf_read(struct conf *conf, FILE *file, const char *name, char error[static CONF_ERROR])
{
	size_t seen[NDIRECTIVES] = { 0 }; /* the line that set it */
	size_t number = 0, len;
	char why[WHY], *line, *value;
	const struct directive *d;
	int r = 0;

	while (r == 0 && (line = fparseln(file, &len, &number, "\\\\#", 0)) != NULL) {
		if (strlen(line) != len)
			r = wrong(why, "there is a NUL byte in the line");
		else if ((r = split(line, &d, &value, why)) == 1) {
			if (seen[d - directives] != 0)
				r = wrong(why, "%s: was set already in line %zu", d->name,
				    seen[d - directives]);
			else
				r = set(conf, d, value, why);
			seen[d - directives] = number;
		}
		free(line);
	}
	if (r == -1) {
		snprintf(error, CONF_ERROR, "%.200s:%zu: %s", name, number, why);
	} else if (ferror(file)) {
		snprintf(error, CONF_ERROR, "%.200s: %s", name, strerror(errno));
		r = -1;
	}
	return r;
}

int
conf_set(struct conf *conf, const char *where, const char *line, char error[static CONF_ERROR])
{
	char why[WHY], *copy = strdup(line), *value;
	const struct directive *d;
	int r;

	if (copy == NULL)
		r = wrong(why, "out of memory");
	else if ((r = split(copy, &d, &value, why)) == 1)
		r = set(conf, d, value, why);
	else if (r == 0)
		r = wrong(why, "the directive is missing: it wants 'Directive value'");
	free(copy);
	if (r == -1)
		snprintf(error, CONF_ERROR, "%.200s: %s", where, why);
	return r;
}

int
conf_check(const struct conf *conf, char error[static CONF_ERROR])
{
	if (conf->anonymous && conf->anonymous_root[0] == '\0') {
		snprintf(error, CONF_ERROR, "Anonymous is on, but AnonymousRoot is not set");
		return -1;
	}
	if (!conf->anonymous && conf->auth_user_file[0] == '\0') {
		snprintf(error, CONF_ERROR,
		    "nobody could log in: AuthUserFile is none and Anonymous is off");
		return -1;
	}
	if (conf->run_directory[0] == '\0') {
		snprintf(error, CONF_ERROR, "RunDirectory is none, but sessions are counted there");
		return -1;
	}
	return 0;
}

void
conf_print(const struct conf *conf, FILE *out)
{
	for (size_t i = 0; i < NDIRECTIVES; i++) {
		fprintf(out, "%s ", directives[i].name);
		directives[i].kind->print(&directives[i], conf, out);
		putc('\n', out);
	}
}

const char *
conf_directive(size_t i, const char **defaults)
{
	if (i >= NDIRECTIVES)
		return NULL;
	if (defaults != NULL)
		*defaults = directives[i].defaults;
	return directives[i].name;
}
