/*
 * The super-server: does one start genkan-ftpd, and would it go on when many clients come?
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

/* A burst that a home server should stand, in connections a minute and a second. */
#define RATE_MINUTE 1000
#define RATE_SECOND 200

static void
look_at_inetd(struct check *c, const struct service *s)
{
	/* openbsd-inetd: 256 where nothing is said, and 0 is no exception */
	if (!s->wait && s->rate < RATE_MINUTE)
		check_say(c, "launcher-inetd-limit", s->place,
		    check_number(s->rate > 0 ? (unsigned)s->rate : 256), NULL);
	if (host_exists(c, "/usr/sbin/inetutils-inetd") && !host_exists(c, "/usr/sbin/inetd"))
		check_say(c, "launcher-inetutils", s->place, NULL);
}

static void
look_at_xinetd(struct check *c, const struct service *s)
{
	if (s->rate < RATE_SECOND)
		check_say(c, "launcher-xinetd-cps", s->place, check_number((unsigned)s->rate),
		    check_number((unsigned)s->off_seconds), NULL);
	if (s->instances != -1 && (unsigned)s->instances <= c->conf.max_clients)
		check_say(c, "launcher-instances", s->place, check_number((unsigned)s->instances),
		    check_number(c->conf.max_clients), "instances",
		    check_number(c->conf.max_clients + 1), NULL);
}

static void
look_at_socket(struct check *c, const struct service *s)
{
	if (!s->trigger_off)
		check_say(c, "launcher-socket-trigger", s->place, s->name, NULL);
	if ((unsigned)s->instances <= c->conf.max_clients)
		check_say(c, "launcher-instances", s->place, check_number((unsigned)s->instances),
		    check_number(c->conf.max_clients), "MaxConnections",
		    check_number(c->conf.max_clients + 1), NULL);
	if (s->stderr_is_client)
		check_say(c, "launcher-socket-stderr", s->place, NULL);
}

/* The program itself, as the command line names it. */
static void
look_at_program(struct check *c, const struct service *s)
{
	char program[sizeof(s->command)];

	snprintf(program, sizeof(program), "%.*s", (int)strcspn(s->command, " "), s->command);
	if (program[0] == '/' && !host_exists(c, program))
		check_say(c, "launcher-program", s->place, program, NULL);
}

static void
look_at(struct check *c, const struct service *s)
{
	char ports[64] = "";

	for (unsigned i = 0; i < s->n_ports; i++)
		snprintf(ports + strlen(ports), sizeof(ports) - strlen(ports), "%s%u",
		    i > 0 ? ", " : "", s->ports[i]);
	if (!s->enabled) {
		check_say(c,
		    s->starter == STARTER_XINETD ? "launcher-xinetd-off" : "launcher-unit-off",
		    s->place, s->name, NULL);
		return;
	}
	if (s->starter == STARTER_HAND)
		check_say(c, "launcher-by-hand", s->place, ports, NULL);
	else if (s->n_ports == 0)
		check_say(c, "launcher-port", s->place, s->name, NULL);
	else
		check_say(c, "launcher-ok", s->place, ports, NULL);
	if (s->wait)
		check_say(c, "launcher-wait", s->place,
		    s->starter == STARTER_INETD        ? "nowait.100000"
			: s->starter == STARTER_XINETD ? "wait = no"
						       : "Accept=yes",
		    NULL);
	if (s->user[0] != '\0' && strcmp(s->user, "root") != 0 && strcmp(s->user, "0") != 0)
		check_say(c, "launcher-user", s->place, s->user, NULL);
	if (s->starter == STARTER_INETD)
		look_at_inetd(c, s);
	else if (s->starter == STARTER_XINETD)
		look_at_xinetd(c, s);
	else if (s->starter == STARTER_SOCKET)
		look_at_socket(c, s);
	look_at_program(c, s);
}

static void
look_for_twins(struct check *c)
{
	for (unsigned i = 0; i < c->n_services; i++)
		for (unsigned j = i + 1; j < c->n_services; j++)
			for (unsigned k = 0; k < c->services[j].n_ports; k++)
				for (unsigned l = 0; l < c->services[i].n_ports; l++)
					if (c->services[i].ports[l] == c->services[j].ports[k])
						check_say(c, "launcher-twice",
						    check_number(c->services[j].ports[k]),
						    c->services[i].place, c->services[j].place,
						    NULL);
}

struct search {
	uint16_t port;
	bool found;
	char program[64];
};

static void
take_listener(void *arg, const struct listener *l)
{
	struct search *s = arg;

	if (l->port != s->port)
		return;
	s->found = true;
	if (l->program[0] != '\0')
		(void)strlcpy(s->program, l->program, sizeof(s->program));
}

static void
look_who_listens(struct check *c)
{
	for (unsigned i = 0; i < c->control.n; i++) {
		struct search s = { .port = c->control.range[i].min };

		host_listeners(c, take_listener, &s);
		if (!s.found)
			check_say(c, "launcher-silent", check_number(s.port), NULL);
		else
			check_say(c, "launcher-listens", check_number(s.port),
			    s.program[0] != '\0' ? s.program : "?", NULL);
	}
}

void
check_launcher(struct check *c)
{
	bool any = false;

	for (unsigned i = 0; i < c->n_services; i++) {
		look_at(c, &c->services[i]);
		any |= c->services[i].enabled;
	}
	if (c->n_services == 0)
		check_say(c, "launcher-none", NULL);
	if (!any)
		return;
	look_for_twins(c);
	look_who_listens(c);
}
