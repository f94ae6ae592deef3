/*
 * The passive ports: enough of them, and nobody else's.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
overlaps(const struct portlist *ports, unsigned first, unsigned last)
{
	for (unsigned i = 0; i < ports->n; i++)
		if (ports->range[i].min <= last && ports->range[i].max >= first)
			return true;
	return false;
}

/* True if all of them are kept from outgoing connections. */
static bool
is_reserved(struct check *c)
{
	char *text = host_read(c, "/proc/sys/net/ipv4/ip_local_reserved_ports");
	const struct portlist *ports = &c->conf.passive_ports;
	struct portlist reserved = { 0 };
	const char *why;
	bool all = text != NULL;

	if (text != NULL)
		text[strcspn(text, "\n")] = '\0';
	if (text != NULL && text[0] != '\0' && portlist_parse(text, &reserved, &why) == -1)
		reserved.n = 0;
	free(text);
	for (unsigned i = 0; i < ports->n && all; i++)
		for (unsigned p = ports->range[i].min; p <= ports->range[i].max && all; p++)
			all = portlist_contains(&reserved, (uint16_t)p);
	return all;
}

static void
look_at_kernel(struct check *c)
{
	char *text = host_read(c, "/proc/sys/net/ipv4/ip_local_port_range");
	unsigned first, last;

	if (text != NULL && sscanf(text, "%u %u", &first, &last) == 2 &&
	    overlaps(&c->conf.passive_ports, first, last) && !is_reserved(c))
		check_say(c, "ports-kernel", check_number(first), check_number(last), NULL);
	free(text);
}

static void
take_listener(void *arg, const struct listener *l)
{
	struct check *c = arg;

	/* a session that waits for its client right now is no stranger */
	if (strncmp(l->program, "genkan-ftpd", 11) != 0 &&
	    !portlist_contains(&c->control, l->port) &&
	    portlist_contains(&c->conf.passive_ports, l->port))
		check_say(c, "ports-taken", check_number(l->port),
		    l->program[0] != '\0' ? l->program : "?", NULL);
}

void
check_ports(struct check *c)
{
	const struct portlist *ports = &c->conf.passive_ports;
	const unsigned count = portlist_count(ports), said = c->said - c->count[VERDICT_OK];
	char text[PORTLIST_TEXT];

	if (!c->conf_good)
		return;
	portlist_text(ports, text);
	if (ports->n == 0) {
		check_say(c,
		    c->conf.port_mapping == PORT_MAPPING_OFF ? "ports-any" : "ports-mapped",
		    conf_port_mapping(c->conf.port_mapping), NULL);
		return;
	}
	if (count < c->conf.max_clients)
		check_say(c, "ports-few", text, check_number(count),
		    check_number(c->conf.max_clients), NULL);
	for (unsigned i = 0; i < c->control.n; i++)
		if (portlist_contains(ports, c->control.range[i].min))
			check_say(
			    c, "ports-control", text, check_number(c->control.range[i].min), NULL);
	look_at_kernel(c);
	host_listeners(c, take_listener, c);
	if (c->said - c->count[VERDICT_OK] == said)
		check_say(c, "ports-ok", text, check_number(count),
		    check_number(c->conf.max_clients), NULL);
}
