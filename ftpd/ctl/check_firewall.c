/*
 * The firewall of this machine, read only: ufw and firewalld tell of themselves, else nftables'
 * rules are read.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostfirewall.h"
#include "nftrules.h"

/* Of a wide range so many ports are tried, evenly. */
#define TRIED_MAX 512

enum answer { OPEN, CLOSED, UNKNOWN, NONE };

struct firewall {
	const char *name;
	char *text;
	const char *interface;
	enum answer (*ask)(const struct firewall *f, uint16_t port);
	struct portlist closed;
	bool unknown, none;
};

static enum answer
ask_ufw(const struct firewall *f, uint16_t port)
{
	return hostfirewall_ufw_lets_in(f->text, port) ? OPEN : CLOSED;
}

static enum answer
ask_firewalld(const struct firewall *f, uint16_t port)
{
	return hostfirewall_firewalld_lets_in(f->text, port) ? OPEN : CLOSED;
}

static enum answer
ask_nft(const struct firewall *f, uint16_t port)
{
	switch (nftrules_judge(f->text, f->interface, port)) {
	case NFTRULES_NONE:
		return NONE;
	case NFTRULES_OPEN:
		return OPEN;
	case NFTRULES_CLOSED:
		return CLOSED;
	default:
		return UNKNOWN;
	}
}

/* Finds the firewall that is at work; false: it was said why it is not known. */
static bool
find(struct check *c, struct firewall *f)
{
	static const char *const ufw[] = { "ufw", "status", "verbose", NULL };
	static const char *const state[] = { "firewall-cmd", "--state", NULL };
	static const char *const zone[] = { "firewall-cmd", "--list-all", NULL };
	static const char *const nft[] = { "nft", "-n", "list", "ruleset", NULL };
	int status;

	if (host_run(c, ufw, &f->text) == 0 && hostfirewall_ufw_active(f->text)) {
		f->name = "ufw";
		f->ask = ask_ufw;
		return true;
	}
	free(f->text);
	status = host_run(c, state, &f->text);
	free(f->text);
	if (status == 0 && host_run(c, zone, &f->text) == 0) {
		f->name = "firewalld";
		f->ask = ask_firewalld;
		return true;
	}
	f->name = "nftables";
	f->ask = ask_nft;
	status = host_run(c, nft, &f->text);
	if (status == 0)
		return true;
	free(f->text);
	f->text = NULL;
	check_say(c, status == -1 ? "firewall-tools" : "firewall-denied", NULL);
	return false;
}

static void
ask(struct firewall *f, uint16_t port)
{
	switch (f->ask(f, port)) {
	case CLOSED:
		(void)portlist_add(&f->closed, port);
		break;
	case UNKNOWN:
		f->unknown = true;
		break;
	case NONE:
		f->none = true;
		break;
	default:
		break;
	}
}

static void
ask_list(struct firewall *f, const struct portlist *ports)
{
	const unsigned count = portlist_count(ports), step = count / TRIED_MAX + 1;
	unsigned i = 0;

	for (; i < count; i += step)
		ask(f, portlist_at(ports, i));
	if (count > 0 && i - step != count - 1)
		ask(f, portlist_at(ports, count - 1));
}

/* What to type so that the ports come in. */
static void
advise(const struct firewall *f, char *text, size_t size)
{
	char ports[PORTLIST_TEXT], *p, *rest = ports, colons[PORTLIST_TEXT];

	portlist_text(&f->closed, ports);
	text[0] = '\0';
	if (f->ask == ask_nft) {
		snprintf(text, size, "tcp dport { %s } accept", ports);
		return;
	}
	if (f->ask == ask_firewalld)
		strlcat(text, "firewall-cmd --permanent", size);
	while ((p = strsep(&rest, ",")) != NULL) {
		(void)strlcpy(colons, p, sizeof(colons));
		if (f->ask == ask_ufw && strchr(colons, '-') != NULL)
			*strchr(colons, '-') = ':';
		if (f->ask == ask_ufw && text[0] != '\0')
			strlcat(text, " && ", size);
		strlcat(text, f->ask == ask_ufw ? "ufw allow " : " --add-port=", size);
		strlcat(text, colons, size);
		strlcat(text, "/tcp", size);
	}
	if (f->ask == ask_firewalld)
		strlcat(text, " && firewall-cmd --reload", size);
}

void
check_firewall(struct check *c)
{
	struct firewall f = { 0 };
	char interface[32], ports[PORTLIST_TEXT], advice[PORTLIST_TEXT * 2], *legacy;

	if (!find(c, &f))
		return;
	if (host_interface(c, interface))
		f.interface = interface;
	if (c->control.n > 0)
		ask_list(&f, &c->control);
	else
		ask(&f, 21);
	if (c->conf_good)
		ask_list(&f, &c->conf.passive_ports);
	legacy = host_read(c, "/proc/net/ip_tables_names");
	if (f.closed.n > 0) {
		advise(&f, advice, sizeof(advice));
		check_say(
		    c, "firewall-closed", f.name, portlist_text(&f.closed, ports), advice, NULL);
	} else if (f.unknown) {
		check_say(c, "firewall-unknown", f.name, NULL);
	} else if (f.ask == ask_nft && legacy != NULL && strstr(legacy, "filter") != NULL) {
		check_say(c, "firewall-legacy", NULL);
	} else if (f.none) {
		check_say(c, "firewall-none", NULL);
	} else {
		check_say(c, "firewall-ok", f.name, NULL);
	}
	free(legacy);
	free(f.text);
}
