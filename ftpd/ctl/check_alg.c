/*
 * The router's FTP helper (ALG): does the answer to PASV arrive as it was sent? A guest comes
 * through the router's hairpin and looks. Helpers know port 21 and plain text alone.
 */
#include "check.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "asking.h"
#include "hostport.h"

#define DIALOG_MS 5000
#define LINE      512

struct dialog {
	int fd;
	int64_t until;
	char reply[LINE]; /* its last line */
};

/* One line without its end; false: too late, too long, or the end. */
static bool
read_line(struct dialog *d)
{
	struct pollfd p = { .fd = d->fd, .events = POLLIN };
	size_t len = 0;

	while (len < LINE - 1) {
		int64_t left = d->until - asking_clock();

		if (left <= 0 || poll(&p, 1, (int)left) != 1 ||
		    recv(d->fd, d->reply + len, 1, 0) != 1)
			return false;
		if (d->reply[len] == '\n') {
			d->reply[len] = '\0';
			return true;
		}
		len++;
	}
	return false;
}

/* A command (NULL: the greeting) and the whole reply; its code, or 0. */
static int
converse(struct dialog *d, const char *command)
{
	const size_t len = command != NULL ? strlen(command) : 0;

	if (len > 0 && send(d->fd, command, len, MSG_NOSIGNAL) != (ssize_t)len)
		return 0;
	do {
		if (!read_line(d))
			return 0;
	} while (strspn(d->reply, "0123456789") != 3 || d->reply[3] != ' ');
	return atoi(d->reply);
}

/* Logs in as a guest; true if the server would now answer PASV. */
static bool
log_in(struct dialog *d)
{
	int code;

	if (converse(d, NULL) != 220)
		return false;
	code = converse(d, "USER ftp\r\n");
	if (code == 331)
		code = converse(d, "PASS genkanctl@\r\n");
	return code == 230;
}

/* The address and port of the reply. */
static bool
read_227(const char *reply, struct netaddr *addr)
{
	char argument[LINE];
	const char *from = strchr(reply, '(');

	if (from == NULL)
		return false;
	(void)strlcpy(argument, from + 1, sizeof(argument));
	argument[strcspn(argument, ")")] = '\0';
	return hostport_parse(argument, addr) == 0;
}

/* Was it sent so? To us who come by the router, or to one of the LAN. */
static bool
was_sent(const struct check *c, const struct netaddr *got)
{
	const struct portlist *ports =
	    c->conf.passive_announced.n > 0 ? &c->conf.passive_announced : &c->conf.passive_ports;

	return (netaddr_same_host(got, &c->local) ||
		   (c->announced.family == AF_INET && netaddr_same_host(got, &c->announced))) &&
	    (ports->n == 0 || c->conf.port_mapping != PORT_MAPPING_OFF ||
		portlist_contains(ports, got->port));
}

void
check_alg(struct check *c)
{
	const uint16_t port = c->control.n > 0 ? c->control.range[0].min : 0;
	struct sockaddr_storage ss;
	struct dialog d = { .until = asking_clock() + DIALOG_MS };
	struct netaddr to = c->outside, got;
	char arrived[NETADDR_TEXT], sent[NETADDR_TEXT];
	socklen_t len;

	/* who encrypts is left alone by every router */
	if (!c->service_reached || c->conf.tls == TLS_CONTROL || c->conf.tls == TLS_REQUIRED)
		return;
	if (!c->conf.anonymous) {
		check_say(c, "alg-unseen", NULL);
		return;
	}
	to.port = port;
	len = netaddr_to_sockaddr(&to, &ss);
	if ((d.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return;
	/* it was reached a moment ago */
	if (connect(d.fd, (struct sockaddr *)&ss, len) == 0 && log_in(&d) &&
	    converse(&d, "PASV\r\n") == 227 && read_227(d.reply, &got)) {
		if (was_sent(c, &got))
			check_say(c, "alg-ok", NULL);
		else
			check_say(c, "alg-changed",
			    netaddr_text(
				c->announced.family == AF_INET ? &c->announced : &c->local, sent),
			    netaddr_text(&got, arrived), check_number(got.port), NULL);
	} else {
		check_say(c, "alg-unseen", NULL);
	}
	close(d.fd);
}
