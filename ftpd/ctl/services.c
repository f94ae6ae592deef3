/*
 * Who starts genkan-ftpd: inetd.conf, xinetd's files, systemd's units. This reads; check_launcher.c
 * judges.
 */
#include "check.h"

#include <dirent.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inetdconf.h"
#include "unitconf.h"
#include "xinetdconf.h"

#define PROGRAM   "genkan-ftpd"
#define WORDS_MAX 64

static bool
is_program(const char *word)
{
	const char *slash = strrchr(word, '/');

	return strcmp(slash != NULL ? slash + 1 : word, PROGRAM) == 0;
}

unsigned
services_split(const char *command, char *buf, size_t size, char **words, unsigned max)
{
	unsigned n = 0;
	size_t used = 0;

	while (n < max) {
		char quote = '\0';

		command += strspn(command, " \t");
		if (*command == '\0')
			break;
		words[n++] = buf + used;
		for (; *command != '\0' && (quote != '\0' || strchr(" \t", *command) == NULL);
		     command++) {
			if (quote == '\0' && (*command == '"' || *command == '\''))
				quote = *command;
			else if (quote == *command)
				quote = '\0';
			else if (used < size - 1)
				buf[used++] = *command;
		}
		buf[used] = '\0';
		if (used < size - 1)
			used++;
	}
	return n;
}

/* A port by number or name, behind an address if there is one; 0: none. */
static uint16_t
port_of(const char *text)
{
	const char *colon = strrchr(text, ':'), *why;
	const struct servent *known;
	unsigned port;

	text = colon != NULL ? colon + 1 : text;
	port = (unsigned)strtonum(text, 1, UINT16_MAX, &why);
	if (why == NULL)
		return (uint16_t)port;
	if (strcmp(text, "ftp") == 0)
		return 21;
	known = getservbyname(text, "tcp");
	return known == NULL ? 0 : ntohs((uint16_t)known->s_port);
}

static void
add_port(struct service *s, uint16_t port)
{
	for (unsigned i = 0; i < s->n_ports; i++)
		if (s->ports[i] == port)
			return;
	if (port != 0 && s->n_ports < SERVICE_PORTS)
		s->ports[s->n_ports++] = port;
}

/* The command from the program's own name on; false if it is another program's. */
static bool
cut_command(struct service *s)
{
	char buf[sizeof(s->command)], *words[WORDS_MAX];
	const unsigned n = services_split(s->command, buf, sizeof(buf), words, WORDS_MAX);
	const char *at = s->command;

	for (unsigned i = 0; i < n; i++) {
		at += strspn(at, " \t");
		if (i == 0)
			at += strspn(at, "-@:+!"); /* systemd's prefixes */
		if (is_program(words[i]) ||
		    (i == 0 && is_program(words[0] + strspn(words[0], "-@:+!")))) {
			memmove(s->command, at, strlen(at) + 1);
			return true;
		}
		at += strcspn(at, " \t");
	}
	return false;
}

static void
add_service(struct check *c, const struct service *s)
{
	if (c->n_services < SERVICES_MAX)
		c->services[c->n_services++] = *s;
}

static void
new_service(struct service *s, enum starter starter)
{
	memset(s, 0, sizeof(*s));
	s->starter = starter;
	s->enabled = true;
	s->rate = s->off_seconds = s->instances = s->per_source = -1;
}

/* ------------------------------------------------------------------ inetd */

static void
find_inetd(struct check *c)
{
	char *text = host_read(c, "/etc/inetd.conf"), *line, *rest = text;
	struct inetdconf got;
	struct service s;

	for (unsigned n = 1; (line = strsep(&rest, "\n")) != NULL; n++) {
		const char *arguments;

		if (inetdconf_parse(line, &got) != 1 || !got.tcp)
			continue;
		new_service(&s, STARTER_INETD);
		/* argv[0] repeats the program's name; under tcpd it is the program */
		arguments = is_program(got.program) ? got.arguments + strcspn(got.arguments, " ")
						    : got.arguments;
		snprintf(s.command, sizeof(s.command), "%s%s%s", got.program,
		    is_program(got.program) ? "" : " ", arguments);
		if (!cut_command(&s))
			continue;
		snprintf(s.place, sizeof(s.place), "/etc/inetd.conf:%u", n);
		(void)strlcpy(s.name, got.service, sizeof(s.name));
		(void)strlcpy(s.user, got.user, sizeof(s.user));
		s.wait = got.wait;
		s.rate = got.max;
		add_port(&s, port_of(got.service));
		add_service(c, &s);
	}
	free(text);
}

/* ----------------------------------------------------------------- xinetd */

static void
take_xinetd(struct check *c, const char *path, const struct xinetdconf *got,
    const struct xinetdconf *defaults)
{
	struct service s;

	new_service(&s, STARTER_XINETD);
	snprintf(s.command, sizeof(s.command), "%s %s", got->server, got->arguments);
	if (!cut_command(&s))
		return;
	snprintf(s.place, sizeof(s.place), "%s:%u", path, got->line);
	(void)strlcpy(s.name, got->service, sizeof(s.name));
	(void)strlcpy(s.user, got->user, sizeof(s.user));
	s.enabled = !got->disabled;
	s.wait = got->wait;
	s.instances = got->instances != -1 ? got->instances : defaults->instances;
	s.per_source = got->per_source != -1 ? got->per_source : defaults->per_source;
	/* xinetd.conf(5): 50 10 where nothing is said */
	s.rate = got->cps != -1 ? got->cps : defaults->cps != -1 ? defaults->cps : 50;
	s.off_seconds = got->cps != -1 ? got->cps_wait
	    : defaults->cps != -1      ? defaults->cps_wait
				       : 10;
	add_port(&s,
	    got->port > 0 && got->port <= UINT16_MAX ? (uint16_t)got->port : port_of(got->service));
	add_service(c, &s);
}

static void
read_xinetd(struct check *c, const char *path, struct xinetdconf *defaults)
{
	char *text = host_read(c, path);
	const char *at = text;
	struct xinetdconf got;
	unsigned line = 1;

	while (text != NULL && xinetdconf_next(&at, &line, &got)) {
		if (got.defaults)
			*defaults = got;
		else
			take_xinetd(c, path, &got, defaults);
	}
	free(text);
}

/* Calls take() for each file of a directory that is called *suffix. */
static void
each_file(struct check *c, const char *dir, const char *suffix,
    void (*take)(struct check *, const char *path, void *arg), void *arg)
{
	char path[PATH_MAX];
	struct dirent **names;
	int n;

	if (!host_path(c, dir, path) || (n = scandir(path, &names, NULL, alphasort)) == -1)
		return;
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		const size_t len = strlen(name), tail = strlen(suffix);

		/* xinetd(8): no names with a dot or a tilde at the end */
		if (name[0] != '.' && len > tail && strcmp(name + len - tail, suffix) == 0 &&
		    (tail > 0 || strpbrk(name, ".~") == NULL) &&
		    snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
			take(c, path, arg);
		free(names[i]);
	}
	free(names);
}

static void
take_xinetd_file(struct check *c, const char *path, void *defaults)
{
	read_xinetd(c, path, defaults);
}

static void
find_xinetd(struct check *c)
{
	struct xinetdconf defaults = {
		.instances = -1, .per_source = -1, .cps = -1, .cps_wait = -1
	};

	read_xinetd(c, "/etc/xinetd.conf", &defaults);
	each_file(c, "/etc/xinetd.d", "", take_xinetd_file, &defaults);
}

/* ---------------------------------------------------------------- systemd */

/* Highest first: a file there hides one of its name below. */
static const char *const unit_dirs[] = { "/etc/systemd/system", "/run/systemd/system",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system" };
#define UNIT_DIRS (sizeof(unit_dirs) / sizeof(unit_dirs[0]))

struct text {
	char *all;
};

/* Adds the text of a file behind a line end. */
static void
append(struct check *c, const char *path, void *arg)
{
	struct text *t = arg;
	char *more = host_read(c, path), *both;

	if (more != NULL && asprintf(&both, "%s\n%s", t->all != NULL ? t->all : "", more) != -1) {
		free(t->all);
		t->all = both;
	}
	free(more);
}

/* The unit's text with its drop-ins, to be freed; NULL if there is none. *path: where it is. */
static char *
read_unit(struct check *c, const char *name, char path[static PATH_MAX])
{
	struct text t = { NULL };
	char dir[PATH_MAX];

	for (size_t i = 0; i < UNIT_DIRS && t.all == NULL; i++) {
		snprintf(path, PATH_MAX, "%s/%.128s", unit_dirs[i], name);
		append(c, path, &t);
	}
	for (size_t i = UNIT_DIRS; t.all != NULL && i > 0; i--) {
		snprintf(dir, sizeof(dir), "%s/%.128s.d", unit_dirs[i - 1], name);
		each_file(c, dir, ".conf", append, &t);
	}
	return t.all;
}

struct wanted {
	const char *unit;
	bool found;
};

static void
look_into_wants(struct check *c, const char *dir, void *arg)
{
	struct wanted *w = arg;
	char path[PATH_MAX];

	(void)c;
	if (snprintf(path, sizeof(path), "%s/%s", dir, w->unit) < (int)sizeof(path))
		w->found |= host_exists(c, path);
}

static bool
is_enabled(struct check *c, const char *unit)
{
	struct wanted w = { unit, false };

	each_file(c, "/etc/systemd/system", ".wants", look_into_wants, &w);
	each_file(c, "/etc/systemd/system", ".requires", look_into_wants, &w);
	return w.found;
}

static int
unit_number(const char *text, const char *section, const char *key)
{
	char value[64];
	const char *why;
	int n;

	if (!unitconf_last(text, section, key, value, sizeof(value)))
		return -1;
	n = (int)strtonum(value, 0, INT_MAX, &why);
	return why == NULL ? n : -1;
}

/* What the socket unit says; false if there is none. */
static bool
take_socket(struct check *c, struct service *s, const char *unit)
{
	char value[256], *text = read_unit(c, unit, s->place);

	if (text == NULL)
		return false;
	for (unsigned i = 0; unitconf_get(text, "Socket", "ListenStream", i, value, sizeof(value));
	     i++)
		add_port(s, port_of(value));
	s->wait = !unitconf_last(text, "Socket", "Accept", value, sizeof(value)) ||
	    !unitconf_is_on(value);
	/* systemd.socket(5): 64 unless told */
	s->instances = unit_number(text, "Socket", "MaxConnections");
	s->instances = s->instances == -1 ? 64 : s->instances;
	s->per_source = unit_number(text, "Socket", "MaxConnectionsPerSource");
	s->rate = unit_number(text, "Socket", "TriggerLimitBurst");
	s->trigger_off = s->rate == 0 ||
	    (unitconf_last(text, "Socket", "TriggerLimitIntervalSec", value, sizeof(value)) &&
		strtod(value, NULL) == 0.0);
	s->enabled = is_enabled(c, unit);
	(void)strlcpy(s->name, unit, sizeof(s->name));
	free(text);
	return true;
}

/* Ports of "--listen"; true if it is "--listen systemd", or if there is no --listen at all. */
static bool
needs_socket(struct service *s)
{
	char buf[sizeof(s->command)], *words[WORDS_MAX];
	const unsigned n = services_split(s->command, buf, sizeof(buf), words, WORDS_MAX);
	bool listens = false;

	for (unsigned i = 0; i < n; i++) {
		const char *value = NULL;

		if (strcmp(words[i], "--listen") == 0 && i + 1 < n)
			value = words[i + 1];
		else if (strncmp(words[i], "--listen=", 9) == 0)
			value = words[i] + 9;
		if (value == NULL)
			continue;
		listens = true;
		if (strcmp(value, "systemd") == 0)
			return true;
		add_port(s, port_of(value));
	}
	return !listens;
}

static void
take_unit(struct check *c, const char *path, void *arg)
{
	const char *name = strrchr(path, '/') + 1;
	const bool instance = strstr(name, "@.service") != NULL;
	char value[256], *text, socket[160];
	struct service s;

	(void)arg;
	new_service(&s, STARTER_SELF);
	text = read_unit(c, name, s.place);
	/* hidden by one of the same name, which is looked at in its turn */
	if (text == NULL || strcmp(s.place, path) != 0) {
		free(text);
		return;
	}
	if (unitconf_last(text, "Service", "ExecStart", s.command, sizeof(s.command)) &&
	    cut_command(&s)) {
		bool by_socket = needs_socket(&s);

		(void)strlcpy(s.name, name, sizeof(s.name));
		(void)unitconf_last(text, "Service", "User", s.user, sizeof(s.user));
		s.enabled = is_enabled(c, name);
		s.stderr_is_client = instance &&
		    !unitconf_last(text, "Service", "StandardError", value, sizeof(value));
		snprintf(socket, sizeof(socket), "%.*s.socket",
		    (int)(strlen(name) - strlen(instance ? "@.service" : ".service")), name);
		s.starter = instance ? STARTER_SOCKET : STARTER_SELF;
		if (!by_socket || take_socket(c, &s, socket)) {
			/* --listen systemd takes the listening socket, and has limits of its own */
			if (!instance) {
				s.wait = false;
				s.trigger_off = true;
				s.instances = -1;
			}
			add_service(c, &s);
		}
	}
	free(text);
}

static void
find_units(struct check *c)
{
	char here[PATH_MAX], real[PATH_MAX], last[PATH_MAX];

	for (size_t i = 0; i < UNIT_DIRS; i++) {
		/* /lib may be /usr/lib */
		if (i == UNIT_DIRS - 1 && host_path(c, "/lib", here) &&
		    realpath(here, last) != NULL && host_path(c, "/usr/lib", here) &&
		    realpath(here, real) != NULL && strcmp(real, last) == 0)
			break;
		each_file(c, unit_dirs[i], ".service", take_unit, NULL);
	}
}

/* -------------------------------------------------------------------- by hand */

/* One that runs with --listen, whoever started it: its command line. */
static void
take_listener(void *arg, const struct listener *l)
{
	struct check *c = arg;
	char path[64], full[PATH_MAX], words[sizeof(c->services[0].command)], *at;
	struct service s;
	size_t n;
	FILE *file;

	for (unsigned i = 0; i < c->n_services; i++)
		if (strcmp(c->services[i].name, l->pid) == 0) {
			add_port(&c->services[i], l->port);
			return;
		}
	snprintf(path, sizeof(path), "/proc/%s/cmdline", l->pid);
	if (strcmp(l->program, PROGRAM) != 0 || !host_path(c, path, full) ||
	    (file = fopen(full, "re")) == NULL)
		return;
	n = fread(words, 1, sizeof(words) - 1, file);
	fclose(file);
	words[n] = '\0';
	new_service(&s, STARTER_HAND);
	snprintf(s.place, sizeof(s.place), "process %s", l->pid);
	(void)strlcpy(s.name, l->pid, sizeof(s.name));
	for (at = words; at < words + n; at += strlen(at) + 1) {
		strlcat(s.command, strchr(at, ' ') != NULL ? "\"" : "", sizeof(s.command));
		strlcat(s.command, at, sizeof(s.command));
		strlcat(s.command, strchr(at, ' ') != NULL ? "\" " : " ", sizeof(s.command));
	}
	/* a session waits on a passive port, and was started without --listen */
	if (!cut_command(&s) || needs_socket(&s))
		return;
	add_port(&s, l->port);
	add_service(c, &s);
}

void
services_find(struct check *c)
{
	unsigned n = 0;

	find_inetd(c);
	find_xinetd(c);
	find_units(c);
	if (c->n_services == 0)
		host_listeners(c, take_listener, c);
	/* What is switched off matters only where nothing else starts the program. */
	for (unsigned i = 0; i < c->n_services; i++)
		if (c->services[i].enabled)
			c->services[n++] = c->services[i];
	c->n_services = n > 0 ? n : c->n_services;
	for (unsigned i = 0; i < c->n_services; i++)
		for (unsigned j = 0; j < c->services[i].n_ports; j++)
			if (!portlist_contains(&c->control, c->services[i].ports[j]) &&
			    c->control.n < PORTLIST_MAX) {
				const uint16_t port = c->services[i].ports[j];

				c->control.range[c->control.n++] = (struct portrange){ port, port };
			}
}
