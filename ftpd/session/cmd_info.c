/*
 * Information: FEAT HELP STAT SYST NOOP.
 */
#include "cmd.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "command.h"
#include "facts.h"
#include "hash.h"
#include "session.h"
#include "tls.h"
#include "transfer.h"

void
cmd_feat(struct session *s, char *arg)
{
	struct reply *r = &s->ctl.reply;
	char facts[FACTS_TEXT], hashes[HASH_TEXT];

	(void)arg;
	reply_begin(r, 211, "Features:");
	if (s->conf->tls != TLS_OFF) {
		reply_line(r, "AUTH TLS");
		reply_line(r, "PBSZ");
		reply_line(r, "PROT");
	}
	for (const struct command *c = commands; c->verb != NULL; c++)
		if (c->effect & FEATURE)
			reply_line(r, "%s", c->verb);
	reply_line(r, "MLST %s", facts_feat(facts, s->params.facts));
	reply_line(r, "HASH %s", hash_feat(hashes, s->params.hash));
	reply_line(r, "LANG EN*");
	reply_line(r, "MFF Modify;UNIX.group;UNIX.mode;");
	reply_line(r, "RANG STREAM");
	reply_line(r, "REST STREAM");
	reply_line(r, "TVFS");
	reply_line(r, "UTF8");
	reply_end(r, 211, "End");
	control_send_reply(s);
}

static void
help_command(struct session *s, const char *verb)
{
	const struct command *c = command_find(verb, strlen(verb));

	if (c == NULL)
		reply(s, 501, "%.40s: unknown command. HELP lists what is known.", verb);
	else
		reply(s, 214, "Syntax: %s %s", c->verb, c->help);
}

void
cmd_help(struct session *s, char *arg)
{
	struct reply *r = &s->ctl.reply;
	char row[80] = "";
	size_t n = 0;

	if (arg != NULL && *arg != '\0') {
		help_command(s, arg);
		return;
	}
	reply_begin(r, 214, "These commands are known:");
	for (const struct command *c = commands; c->verb != NULL; c++) {
		if (c->effect & ALIAS)
			continue;
		n += (size_t)snprintf(row + n, sizeof(row) - n, "%-8s", c->verb);
		if (n >= 64) {
			reply_line(r, "%s", row);
			row[n = 0] = '\0';
		}
	}
	if (n > 0)
		reply_line(r, "%s", row);
	reply_end(r, 214, "HELP <SP> command tells more.");
	control_send_reply(s);
}

void
cmd_noop(struct session *s, char *arg)
{
	(void)arg;
	reply(s, 200, "Still here.");
}

/* One line about the transfer that runs now, with what it has done so far. */
static void
stat_transfer(struct reply *r, const struct transfer *t)
{
	int64_t ms = clock_ms() - t->began;

	if (t->data == -1 && !t->hashing)
		reply_line(r, "%s %s: waiting for the data connection", t->verb, t->path);
	else if (t->size > 0 && !t->ascii)
		reply_line(r, "%s %s: %lld of %lld bytes, %lld bytes/s", t->verb, t->path,
		    (long long)t->bytes, (long long)t->size,
		    (long long)(ms > 0 ? t->bytes * 1000 / ms : 0));
	else
		reply_line(r, "%s %s: %lld bytes, %lld bytes/s", t->verb, t->path,
		    (long long)t->bytes, (long long)(ms > 0 ? t->bytes * 1000 / ms : 0));
}

void
cmd_stat(struct session *s, char *arg)
{
	struct reply *r = &s->ctl.reply;
	char peer[NETADDR_TEXT];

	if (arg != NULL && *arg != '\0') {
		cmd_list_reply(s, arg);
		return;
	}
	reply_begin(r, 211, "Status of this session:");
	reply_line(r, "Connected from %s", netaddr_text(&s->client->peer, peer));
	reply_line(r, "Logged in as %s", s->user);
	reply_line(r, "TYPE: %s, STRU: File, MODE: Stream",
	    s->params.type == TYPE_ASCII ? "ASCII" : "Image");
	if (s->ctl.tls != NULL)
		reply_line(r, "Encrypted by %s, data connections %s", tls_text(s->ctl.tls),
		    s->params.private ? "as well" : "in the clear");
	if (s->xfer != NULL)
		stat_transfer(r, s->xfer);
	else
		reply_line(r, "No transfer");
	reply_end(r, 211, "That was all.");
	control_send_reply(s);
}

void
cmd_syst(struct session *s, char *arg)
{
	(void)arg;
	reply(s, 215, "UNIX Type: L8");
}

void
cmd_clnt(struct session *s, char *arg)
{
	(void)arg;
	reply(s, 200, "Noted.");
}

void
cmd_csid(struct session *s, char *arg)
{
	(void)arg;
	reply(s, 200, "Name=genkan-ftpd; Version=%s; OS=Linux; CaseSensitive=1; DirSep=/;",
	    PACKAGE_VERSION);
}

void
cmd_refused(struct session *s, char *arg)
{
	(void)arg;
	reply(s, 502, "This command is known but not offered here.");
}
