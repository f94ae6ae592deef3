/*
 * Transfer parameter commands, RFC 959 section 4.1.2 and RFC 2428.
 */
#include "cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ask.h"
#include "dataconn.h"
#include "facts.h"
#include "hostport.h"
#include "log.h"
#include "session.h"

void
cmd_type(struct session *s, char *arg)
{
	if (strcasecmp(arg, "I") == 0 || strcasecmp(arg, "L 8") == 0) {
		s->params.type = TYPE_IMAGE;
		reply(s, 200, "Type is Image: bytes as they are.");
	} else if (strcasecmp(arg, "A") == 0 || strcasecmp(arg, "A N") == 0) {
		s->params.type = TYPE_ASCII;
		cmd_forget_restart(s); /* REST and RANG count bytes, which ASCII changes */
		reply(s, 200, "Type is ASCII: lines end with CR LF on the way.");
	} else if (strchr("AaEeIiLl", arg[0]) != NULL) {
		reply(s, 504, "TYPE %s is not implemented: A, I and L 8 are.", arg);
	} else {
		reply(s, 501, "TYPE %s is unknown: A, I and L 8 are known.", arg);
	}
}

/* STRU and MODE know one value; the others of RFC 959 get 504, the rest 501. */
static void
one_value(struct session *s, const char *verb, const char *arg, char ours, const char *others,
    const char *words)
{
	char c = arg[0] >= 'a' && arg[0] <= 'z' ? (char)(arg[0] - 32) : arg[0];

	if (arg[1] == '\0' && c == ours)
		reply(s, 200, "%s is %s.", verb, words);
	else if (arg[1] == '\0' && strchr(others, c) != NULL)
		reply(s, 504, "%s %c is not implemented: %s %c is.", verb, c, verb, ours);
	else
		reply(s, 501, "%s %s is unknown: %s %c is known.", verb, arg, verb, ours);
}

void
cmd_stru(struct session *s, char *arg)
{
	one_value(s, "STRU", arg, 'F', "RP", "File");
}

void
cmd_mode(struct session *s, char *arg)
{
	one_value(s, "MODE", arg, 'S', "BCZ", "Stream");
}

/* After EPSV ALL, RFC 2428 section 4: nothing else may open a data connection. */
static bool
refused_by_epsv_all(struct session *s, const char *verb)
{
	if (!s->params.epsv_all)
		return false;
	reply(s, 500, "%s is refused after EPSV ALL.", verb);
	return true;
}

/* A public client that announces a private address: its router did not translate its PORT. */
static bool
is_untranslated(const struct session *s, const struct netaddr *to)
{
	return netaddr_reach(to) == NETADDR_PRIVATE &&
	    netaddr_reach(&s->client->peer) == NETADDR_PUBLIC;
}

/* A new data port: only the control peer's own host, and no privileged port (RFC 2577). */
static void
set_active(struct session *s, const char *verb, const struct netaddr *to)
{
	char there[NETADDR_TEXT], here[NETADDR_TEXT];
	bool untranslated = is_untranslated(s, to);

	netaddr_text(to, there);
	netaddr_text(&s->client->peer, here);
	if (untranslated && s->conf->private_port == PRIVATE_PORT_PEER) {
		log_info("%s announced %s: the client's address %s is used", verb, there, here);
	} else if (!netaddr_same_host(to, &s->client->peer)) {
		reply(s, 500, "%s announced %s, but you come from %s%s passive mode.", verb, there, here,
		    untranslated ? ": your router did not translate it. Use" : ". Behind a router, use");
		log_notice("refused %s to %s: the client is %s", verb, there, here);
		return;
	}
	if (to->port < 1024) {
		reply(s, 500, "%s to port %u is refused: ports below 1024 belong to services.", verb,
		    to->port);
	} else {
		control_ticket(s);
		s->port.kind = PORT_ACTIVE;
		s->port.port = to->port;
		reply(s, 200, "%s accepted.", verb);
	}
}

void
cmd_port(struct session *s, char *arg)
{
	struct netaddr to;

	dataconn_forget(s); /* a refused PORT must not leave the old address (RFC 959 3.2) */
	if (refused_by_epsv_all(s, "PORT"))
		return;
	if (hostport_parse(arg, &to) == -1)
		reply(s, 501, "PORT wants h1,h2,h3,h4,p1,p2, each 0 to 255.");
	else
		set_active(s, "PORT", &to);
}

void
cmd_eprt(struct session *s, char *arg)
{
	struct netaddr to;

	dataconn_forget(s);
	if (refused_by_epsv_all(s, "EPRT"))
		return;
	if (hostport_parse_extended(arg, &to) == 0)
		set_active(s, "EPRT", &to);
	else if (errno == EAFNOSUPPORT)
		reply(s, 522, "Network protocol not supported, use (1,2)");
	else
		reply(s, 501, "EPRT wants |1|address|port| or |2|address|port|.");
}

/* Listens for the client; false after the refusal has been sent. */
static bool
listen_passive(struct session *s, bool extended)
{
	char ports[PORTLIST_TEXT];

	if (dataconn_listen(s, extended)) {
		control_ticket(s);
		return true;
	}
	if (errno == EADDRINUSE && s->conf->passive_ports.n > 0)
		reply(s, 425, "All passive ports (PassivePorts %s) are in use, try again later.",
		    portlist_text(&s->conf->passive_ports, ports));
	else if (errno == EAFNOSUPPORT)
		reply(s, 425, "PASV cannot name an IPv6 address, use EPSV.");
	else
		reply(s, 425, "No passive port: %s.", strerror(errno));
	return false;
}

void
cmd_pasv(struct session *s, char *arg)
{
	char text[HOSTPORT_TEXT];

	(void)arg;
	dataconn_forget(s);
	if (refused_by_epsv_all(s, "PASV"))
		return;
	/* RFC 1123 4.1.2.6; no digit may stand before the address, routers look for it there */
	if (listen_passive(s, false))
		reply(s, 227, "Entering Passive Mode (%s).",
		    hostport_text(&s->port.passive.announce, text));
}

void
cmd_epsv(struct session *s, char *arg)
{
	int ours = s->client->peer.family == AF_INET6 ? 2 : 1;

	dataconn_forget(s); /* also a refused one ends what was agreed on, and ALL what PORT did */
	if (arg != NULL && strcasecmp(arg, "ALL") == 0) {
		s->params.epsv_all = true;
		reply(s, 200, "From now on only EPSV opens data connections.");
		return;
	}
	if (arg != NULL && *arg != '\0' && strcmp(arg, ours == 1 ? "1" : "2") != 0) {
		if (arg[strspn(arg, "0123456789")] != '\0')
			reply(s, 501, "EPSV wants nothing, 1, 2 or ALL.");
		else /* the data connection goes where the control connection went */
			reply(s, 522, "Network protocol not supported, use (%d)", ours);
		return;
	}
	if (listen_passive(s, true))
		reply(s, 229, "Entering Extended Passive Mode (|||%u|)",
		    s->port.passive.announce.port);
}

/* A whole decimal number; strtonum(3) takes blanks and signs, RFC 3659 section 5.3 does not. */
static bool
parse_offset(const char *text, int64_t *offset)
{
	const char *why;

	*offset = strtonum(text, 0, INT64_MAX, &why);
	return why == NULL && text[strspn(text, "0123456789")] == '\0';
}

void
cmd_forget_restart(struct session *s)
{
	s->params.restart = 0;
	s->params.length = -1;
}

void
cmd_rest(struct session *s, char *arg)
{
	int64_t offset;

	if (!parse_offset(arg, &offset)) {
		reply(s, 501, "REST wants an offset in bytes.");
	} else if (offset != 0 && s->params.type == TYPE_ASCII) {
		reply(s, 501, "REST counts bytes: set TYPE I first.");
	} else {
		s->params.restart = offset;
		s->params.length = -1;
		reply(s, 350, "The next transfer starts at byte %lld.", (long long)offset);
	}
}

void
cmd_rang(struct session *s, char *arg)
{
	char *last = strchr(arg, ' ');
	int64_t from, to;

	if (last != NULL)
		*last++ = '\0';
	if (last == NULL || !parse_offset(arg, &from) || !parse_offset(last, &to)) {
		reply(s, 501, "RANG wants the first and the last byte: RANG 0 99.");
	} else if (from == 1 && to == 0) { /* the form that takes a range back */
		cmd_forget_restart(s);
		reply(s, 350, "The next transfer is of all bytes.");
	} else if (from > to) {
		reply(s, 501, "RANG: the last byte comes before the first.");
	} else if (s->params.type == TYPE_ASCII) {
		reply(s, 501, "RANG counts bytes: set TYPE I first.");
	} else if (to == INT64_MAX) {
		reply(s, 501, "RANG: the last byte is too large.");
	} else {
		s->params.restart = from;
		s->params.length = to - from + 1;
		reply(s, 350, "The next transfer is of bytes %lld to %lld.", (long long)from,
		    (long long)to);
	}
}

void
cmd_long(struct session *s, char *arg)
{
	(void)arg;
	/* RFC 1639 was superseded by RFC 2428 */
	reply(s, 502, "LPRT and LPSV are not offered: EPRT and EPSV do the same.");
}

void
cmd_pret(struct session *s, char *arg)
{
	/* for servers whose data connections come from elsewhere; here any will do */
	reply(s, 200, "Ready for %.40s: send PASV or EPSV.", arg);
}

void
cmd_lang(struct session *s, char *arg)
{
	/* RFC 2640 section 4.1 */
	if (arg == NULL || *arg == '\0' || strncasecmp(arg, "EN", 2) == 0)
		reply(s, 200, "Replies are in English.");
	else
		reply(s, 504, "Replies are in English only.");
}

void
cmd_allo(struct session *s, char *arg)
{
	int64_t bytes, space;

	arg[strcspn(arg, " ")] = '\0'; /* "ALLO bytes R recordsize" */
	if (!parse_offset(arg, &bytes))
		reply(s, 504, "ALLO wants a number of bytes.");
	else if (ask_space(s, s->directory, &space) == 0 && space < bytes)
		reply(s, 552, "There is room for %lld bytes only: make room first.", (long long)space);
	else /* also where it is not known: the upload will tell */
		reply(s, 200, "There is room; it is taken as it is needed.");
}

/* draft-peterson-streamlined-ftp-command-extensions: how many bytes a directory could take. */
void
cmd_avbl(struct session *s, char *arg)
{
	char path[REQ_PATH];
	int64_t space;

	if (arg == NULL)
		arg = s->directory;
	if (!cmd_may(s, RIGHT_STORE, "store files") || !cmd_place(s, arg, path))
		return;
	if (ask_space(s, path, &space) == 0)
		reply(s, 213, "%lld", (long long)space);
	else
		reply_errno(s, 550, arg);
}

void
cmd_opts(struct session *s, char *arg)
{
	char *value = strchr(arg, ' ');
	char text[FACTS_TEXT];

	if (value != NULL)
		*value++ = '\0';
	if (strcasecmp(arg, "UTF8") == 0 || strcasecmp(arg, "UTF-8") == 0) {
		if (value == NULL || strcasecmp(value, "ON") == 0 || strcasecmp(value, "NLST") == 0)
			reply(s, 200, "Names are %s.", names_utf8(s, true));
		else if (strcasecmp(value, "OFF") == 0 && s->conf->client_charset.name[0] != '\0')
			reply(s, 200, "Names are %s.", names_utf8(s, false));
		else
			reply(s, 504, "Names are UTF-8 here, always.");
	} else if (strcasecmp(arg, "MLST") == 0) {
		facts_parse(value != NULL ? value : "", &s->params.facts);
		facts_names(text, s->params.facts);
		reply(s, 200, "MLST OPTS%s%s", *text != '\0' ? " " : "", text);
	} else if (strcasecmp(arg, "HASH") == 0) {
		cmd_opts_hash(s, value);
	} else {
		reply(s, 501, "OPTS %s is unknown: UTF8, MLST and HASH are known.", arg);
	}
}
