/*
 * The command table and its rules.
 */
#include "command.h"

#include <string.h>
#include <strings.h>

#include "cmd.h"
#include "log.h"
#include "session.h"

/* A scanner that guesses commands is sent away after as many before login. */
#define BAD_COMMANDS_MAX 20

const struct command commands[] = {
	/* verb  function      argument  when            effect                      HELP */
	{ "USER", cmd_user, ARG_MUST, WHEN_ANY, 0, "<SP> name" },
	{ "PASS", cmd_pass, ARG_MAY, WHEN_ANY, SECRET, "<SP> password" },
	{ "ACCT", cmd_acct, ARG_MUST, WHEN_ANY, SECRET, "<SP> account (none is needed)" },
	{ "HOST", cmd_host, ARG_MUST, WHEN_ANY, FEATURE, "<SP> hostname" },
	{ "AUTH", cmd_auth, ARG_MUST, WHEN_ANY, 0, "<SP> mechanism" },
	{ "PBSZ", cmd_pbsz, ARG_MUST, WHEN_ANY, 0, "<SP> 0" },
	{ "PROT", cmd_prot, ARG_MUST, WHEN_ANY, 0, "<SP> P | C" },
	{ "CCC", cmd_ccc, ARG_NONE, WHEN_ANY, 0, "(not here)" },
	{ "QUIT", cmd_quit, ARG_NONE, WHEN_ANY, 0, "" },
	{ "REIN", cmd_refused, ARG_NONE, WHEN_ANY, 0, "(not here: open a new connection)" },
	{ "SMNT", cmd_refused, ARG_MAY, WHEN_ANY, 0, "(not here)" },

	{ "TYPE", cmd_type, ARG_MUST, WHEN_ANY, KEEPS_RESTART, "<SP> A | I | L 8" },
	{ "STRU", cmd_stru, ARG_MUST, WHEN_ANY, 0, "<SP> F" },
	{ "MODE", cmd_mode, ARG_MUST, WHEN_ANY, 0, "<SP> S" },
	{ "PORT", cmd_port, ARG_MUST, WHEN_LOGGED_IN, KEEPS_RESTART, "<SP> h1,h2,h3,h4,p1,p2" },
	{ "EPRT", cmd_eprt, ARG_MUST, WHEN_LOGGED_IN, KEEPS_RESTART | FEATURE,
	    "<SP> |proto|address|port|" },
	{ "PASV", cmd_pasv, ARG_NONE, WHEN_LOGGED_IN, KEEPS_RESTART | FEATURE, "" },
	{ "EPSV", cmd_epsv, ARG_MAY, WHEN_LOGGED_IN, KEEPS_RESTART | FEATURE, "[<SP> 1 | 2 | ALL]" },
	{ "LPRT", cmd_long, ARG_MAY, WHEN_LOGGED_IN, 0, "(not here: use EPRT)" },
	{ "LPSV", cmd_long, ARG_MAY, WHEN_LOGGED_IN, 0, "(not here: use EPSV)" },
	{ "PRET", cmd_pret, ARG_MUST, WHEN_LOGGED_IN, KEEPS_RESTART | FEATURE, "<SP> command" },
	{ "REST", cmd_rest, ARG_MUST, WHEN_LOGGED_IN, KEEPS_RESTART, "<SP> offset" },
	{ "RANG", cmd_rang, ARG_MUST, WHEN_LOGGED_IN, KEEPS_RESTART, "<SP> first <SP> last byte" },
	{ "ALLO", cmd_allo, ARG_MUST, WHEN_LOGGED_IN, 0, "<SP> bytes" },
	{ "AVBL", cmd_avbl, ARG_MAY, WHEN_LOGGED_IN, FEATURE, "[<SP> directory]" },
	{ "OPTS", cmd_opts, ARG_MUST, WHEN_ANY, 0, "<SP> UTF8 [ON] | MLST [facts] | HASH [algorithm]" },
	{ "LANG", cmd_lang, ARG_MAY, WHEN_ANY, 0, "[<SP> language]" },

	{ "CWD", cmd_cwd, ARG_MUST, WHEN_LOGGED_IN, 0, "<SP> directory" },
	{ "CDUP", cmd_cdup, ARG_NONE, WHEN_LOGGED_IN, 0, "" },
	{ "PWD", cmd_pwd, ARG_NONE, WHEN_LOGGED_IN, 0, "" },
	{ "MKD", cmd_mkd, ARG_MUST, WHEN_LOGGED_IN, WRITES, "<SP> directory" },
	{ "RMD", cmd_rmd, ARG_MUST, WHEN_LOGGED_IN, WRITES, "<SP> directory" },
	{ "DELE", cmd_dele, ARG_MUST, WHEN_LOGGED_IN, WRITES, "<SP> file" },
	{ "RNFR", cmd_rnfr, ARG_MUST, WHEN_LOGGED_IN, WRITES | KEEPS_RENAME, "<SP> from" },
	{ "RNTO", cmd_rnto, ARG_MUST, WHEN_LOGGED_IN, WRITES | KEEPS_RENAME, "<SP> to" },
	{ "SIZE", cmd_size, ARG_MUST, WHEN_LOGGED_IN, FEATURE, "<SP> file" },
	{ "MDTM", cmd_mdtm, ARG_MUST, WHEN_LOGGED_IN, FEATURE, "[<SP> YYYYMMDDHHMMSS] <SP> file" },
	{ "MFMT", cmd_mfmt, ARG_MUST, WHEN_LOGGED_IN, WRITES | FEATURE, "<SP> YYYYMMDDHHMMSS file" },
	{ "MFCT", cmd_mfct, ARG_MUST, WHEN_LOGGED_IN, 0, "(not here: see MFMT)" },
	{ "MFF", cmd_mff, ARG_MUST, WHEN_LOGGED_IN, WRITES, "<SP> fact=value; <SP> path" },
	{ "MLST", cmd_mlst, ARG_MAY, WHEN_LOGGED_IN, 0, "[<SP> path]" }, /* FEAT adds its facts */
	{ "DSIZ", cmd_refused, ARG_MAY, WHEN_LOGGED_IN, 0, "(not here)" },
	{ "HASH", cmd_hash, ARG_MUST, WHEN_LOGGED_IN, KEEPS_RESTART, "<SP> file" },
	{ "XCRC", cmd_xcrc, ARG_MUST, WHEN_LOGGED_IN, FEATURE, "<SP> file [<SP> first <SP> end]" },
	{ "XMD5", cmd_xmd5, ARG_MUST, WHEN_LOGGED_IN, FEATURE, "<SP> file [<SP> first <SP> end]" },
	{ "XSHA", cmd_xsha1, ARG_MUST, WHEN_LOGGED_IN, FEATURE, "<SP> file [<SP> first <SP> end]" },
	{ "XSHA1", cmd_xsha1, ARG_MUST, WHEN_LOGGED_IN, FEATURE, "<SP> file [<SP> first <SP> end]" },
	{ "XSHA256", cmd_xsha256, ARG_MUST, WHEN_LOGGED_IN, FEATURE,
	    "<SP> file [<SP> first <SP> end]" },
	{ "XSHA512", cmd_xsha512, ARG_MUST, WHEN_LOGGED_IN, FEATURE,
	    "<SP> file [<SP> first <SP> end]" },
	{ "COMB", cmd_refused, ARG_MAY, WHEN_LOGGED_IN, 0, "(not here)" },
	{ "SITE", cmd_site, ARG_MUST, WHEN_LOGGED_IN, 0, "<SP> command; SITE HELP lists them" },

	{ "RETR", cmd_retr, ARG_MUST, WHEN_LOGGED_IN, DATA, "<SP> file" },
	{ "STOR", cmd_stor, ARG_MUST, WHEN_LOGGED_IN, DATA | WRITES, "<SP> file" },
	{ "APPE", cmd_appe, ARG_MUST, WHEN_LOGGED_IN, DATA | WRITES, "<SP> file" },
	{ "STOU", cmd_stou, ARG_MAY, WHEN_LOGGED_IN, DATA | WRITES, "[<SP> file]" },
	{ "LIST", cmd_list, ARG_MAY, WHEN_LOGGED_IN, DATA, "[<SP> -options] [<SP> path]" },
	{ "NLST", cmd_nlst, ARG_MAY, WHEN_LOGGED_IN, DATA, "[<SP> -options] [<SP> path]" },
	{ "MLSD", cmd_mlsd, ARG_MAY, WHEN_LOGGED_IN, DATA, "[<SP> directory]" },
	{ "ABOR", cmd_abor, ARG_NONE, WHEN_LOGGED_IN, IN_TRANSFER, "" },

	{ "FEAT", cmd_feat, ARG_NONE, WHEN_ANY, 0, "" },
	{ "HELP", cmd_help, ARG_MAY, WHEN_ANY, 0, "[<SP> command]" },
	{ "NOOP", cmd_noop, ARG_MAY, WHEN_ANY, IN_TRANSFER | KEEPS_RESTART, "" },
	{ "STAT", cmd_stat, ARG_MAY, WHEN_LOGGED_IN, IN_TRANSFER, "[<SP> path]" },
	{ "SYST", cmd_syst, ARG_NONE, WHEN_ANY, 0, "" },
	{ "CLNT", cmd_clnt, ARG_MAY, WHEN_ANY, FEATURE, "<SP> name of the client program" },
	{ "CSID", cmd_csid, ARG_MAY, WHEN_ANY, FEATURE, "<SP> Name=value; ..." },

	/* RFC 775's names, which old clients still send */
	{ "XCWD", cmd_cwd, ARG_MUST, WHEN_LOGGED_IN, ALIAS, "<SP> directory" },
	{ "XCUP", cmd_cdup, ARG_NONE, WHEN_LOGGED_IN, ALIAS, "" },
	{ "XPWD", cmd_pwd, ARG_NONE, WHEN_LOGGED_IN, ALIAS, "" },
	{ "XMKD", cmd_mkd, ARG_MUST, WHEN_LOGGED_IN, ALIAS | WRITES, "<SP> directory" },
	{ "XRMD", cmd_rmd, ARG_MUST, WHEN_LOGGED_IN, ALIAS | WRITES, "<SP> directory" },
	{ NULL }
};

const struct command *
command_find(const char *verb, size_t len)
{
	for (const struct command *c = commands; c->verb != NULL; c++)
		if (strlen(c->verb) == len && strncasecmp(c->verb, verb, len) == 0)
			return c;
	return NULL;
}

bool
command_in_transfer(const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);
	size_t verb = blank == NULL ? len : (size_t)(blank - line);
	const struct command *c = command_find(line, verb);

	/* the monitor may be busy with a listing, so nothing that has to ask it */
	return c != NULL && (c->effect & IN_TRANSFER) && (c->arity == ARG_NONE || verb == len);
}

/* A web page's script must not be able to talk to us through a browser: reflect nothing. */
static bool
is_http(const char *verb)
{
	static const char *const methods[] = { "GET", "POST", "HEAD", "PUT", "OPTIONS", "CONNECT" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(verb, methods[i]) == 0)
			return true;
	return false;
}

static void
bad_command(struct session *s, const char *verb)
{
	if (is_http(verb)) {
		s->quit = true;
		return;
	}
	if (s->login != LOGIN_DONE && ++s->bad_commands >= BAD_COMMANDS_MAX) {
		reply(s, 421, "Too many unknown commands. Goodbye.");
		s->quit = true;
		return;
	}
	reply(s, 500, "%.40s: unknown command. HELP lists what is known.", verb);
}

/* The rules that the table states; false after the refusal has been sent. */
static bool
may_run(struct session *s, const struct command *c, const char *arg)
{
	if (c->when == WHEN_LOGGED_IN && s->login != LOGIN_DONE)
		reply(s, 530, "Log in first, with USER and PASS.");
	else if (c->arity == ARG_MUST && (arg == NULL || *arg == '\0'))
		reply(s, strcmp(c->verb, "USER") == 0 ? 500 : 501, "%s needs an argument: %s %s.",
		    c->verb, c->verb, c->help);
	else if (c->arity == ARG_NONE && arg != NULL && *arg != '\0')
		reply(s, 501, "%s takes no argument.", c->verb);
	else if ((c->effect & DATA) && s->conf->tls == TLS_REQUIRED && !s->params.private)
		reply(s, 522, "Data connections must be encrypted here: send PBSZ 0 and PROT P first.");
	else
		return true;
	return false;
}

void
command_dispatch(struct session *s, char *line)
{
	char *arg = strchr(line, ' ');
	const struct command *c;

	if (*line == '\0') /* an empty line is no command, and no harm */
		return;
	if (arg != NULL)
		*arg++ = '\0';
	c = command_find(line, strlen(line));
	if (arg != NULL && c != NULL && !(c->effect & SECRET))
		arg = names_argument(s, arg);
	if (c != NULL && (c->effect & SECRET))
		log_debug("< %s ****", line);
	else
		log_debug("< %s%s%s", line, arg != NULL ? " " : "", arg != NULL ? arg : "");
	if (c == NULL) {
		bad_command(s, line);
		return;
	}
	if (!(c->effect & (KEEPS_RENAME | IN_TRANSFER)))
		s->renames = false;
	if (!(c->effect & (KEEPS_RESTART | DATA | IN_TRANSFER)))
		cmd_forget_restart(s);
	if (may_run(s, c, arg))
		c->run(s, arg);
	if (c->effect & DATA) /* REST is for one transfer, also one that failed */
		cmd_forget_restart(s);
}
