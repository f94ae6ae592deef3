/*
 * The command line, and the configuration that follows from it.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define CONF_DEFAULT SYSCONFDIR "/genkan-ftpd.conf"

static void
usage(FILE *out)
{
	fputs("usage: genkan-ftpd [-deVhtT] [-f FILE] [-o 'Directive value'] [--share DIR |\n"
	      "       --share-writable DIR] [--listen [ADDR:]PORT | --listen systemd]\n"
	      "\n"
	      "An FTP server for homes behind NAT. Without --listen it serves the one client that\n"
	      "inetd, xinetd, tcpserver or systemd has put on standard input.\n"
	      "\n"
	      "  -f FILE           configuration (" CONF_DEFAULT ")\n"
	      "  -o 'Directive …'  overrides the file; may be given often\n"
	      "  -t                check the configuration and exit\n"
	      "  -T                print the effective configuration and exit\n"
	      "  --share DIR       anonymous, read-only, this directory; no file needed\n"
	      "  --share-writable DIR  the same with uploads\n"
	      "  --listen PORT     be the super-server as well\n"
	      "  -d                trace commands, replies and requests on standard error\n"
	      "  -e                log to standard error, not to syslog\n"
	      "  -V  -h            version; this text\n"
	      "\n"
	      "Try: genkan-ftpd -e --share ~/public --listen 2121\n"
	      "See genkan-ftpd(8) and genkan-ftpd.conf(5).\n",
	    out);
}

static void
usage_error(const char *what)
{
	fprintf(stderr, "genkan-ftpd: %s\n", what);
	usage(stderr);
	exit(EX_USAGE);
}

/* argv without --listen, for the processes that the launcher executes. */
static void
remember_argv(struct options *o, int argc, char **argv)
{
	char **out = reallocarray(NULL, (size_t)argc + 1, sizeof(*out));
	int n = 0;

	if (out == NULL)
		exit(EX_OSERR);
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--listen") == 0)
			i++;
		else if (strncmp(argv[i], "--listen=", 9) != 0)
			out[n++] = argv[i];
	}
	out[n] = NULL;
	o->launcher.argv = out;
}

void
options_parse(struct options *o, int argc, char **argv)
{
	enum { SHARE = 256, SHARE_WRITABLE, LISTEN };
	static const struct option longs[] = {
		{ "share", required_argument, NULL, SHARE },
		{ "share-writable", required_argument, NULL, SHARE_WRITABLE },
		{ "listen", required_argument, NULL, LISTEN },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL },
	};
	int c;

	remember_argv(o, argc, argv);
	while ((c = getopt_long(argc, argv, "dehtTVf:o:", longs, NULL)) != -1) {
		switch (c) {
		case 'd':
			o->debug = o->to_stderr = true;
			break;
		case 'e':
			o->to_stderr = true;
			break;
		case 't':
			o->check = true;
			break;
		case 'T':
			o->print = true;
			break;
		case 'f':
			o->file = optarg;
			break;
		case 'o':
			if (o->nset == OVERRIDES_MAX)
				usage_error("too many -o options");
			o->set[o->nset++] = optarg;
			break;
		case SHARE_WRITABLE:
			o->share_writable = true;
			/* FALLTHROUGH */
		case SHARE:
			o->share = optarg;
			break;
		case LISTEN:
			if (o->launcher.n == LAUNCHER_LISTENERS_MAX)
				usage_error("too many --listen options");
			o->launcher.where[o->launcher.n++] = optarg;
			break;
		case 'V':
			printf("genkan-ftpd %s\n", PACKAGE_VERSION);
			exit(0);
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(EX_USAGE);
		}
	}
	if (optind < argc)
		usage_error("this program takes options only");
}

static void
set_text(char **field, const char *value)
{
	free(*field);
	if ((*field = strdup(value)) == NULL)
		exit(EX_OSERR);
}

/* --share: everything else stays as it is by default, so no file is needed. */
static int
share(struct conf *conf, const struct options *o, char *error)
{
	char path[PATH_MAX], owner[16];
	struct stat st;

	if (realpath(o->share, path) == NULL || stat(path, &st) == -1 || !S_ISDIR(st.st_mode)) {
		snprintf(error, CONF_ERROR, "--share: %s is no directory that can be read", o->share);
		return -1;
	}
	conf->anonymous = true;
	conf->read_only = !o->share_writable;
	conf->anonymous_upload = o->share_writable;
	set_text(&conf->anonymous_root, path);
	set_text(&conf->auth_user_file, "");
	set_text(&conf->ftp_users, ""); /* it is about users of the system */
	/* guests act as the owner of what is shared, but never as root */
	if (geteuid() == 0 && st.st_uid != 0) {
		snprintf(owner, sizeof(owner), "%u", (unsigned)st.st_uid);
		set_text(&conf->anonymous_user, owner);
	}
	return 0;
}

/* As root, whoever can write to the configuration is root: only root may. */
static int
file_is_safe(FILE *file, const char *name, char *error)
{
	struct stat st;

	if (geteuid() != 0 || fstat(fileno(file), &st) == -1 || !S_ISREG(st.st_mode) ||
	    (st.st_uid == 0 && (st.st_mode & 022) == 0))
		return 0;
	snprintf(error, CONF_ERROR, "%s: others than root can write to it: chown root, chmod go-w",
	    name);
	return -1;
}

int
options_load_conf(const struct options *o, struct conf *conf, char error[static CONF_ERROR])
{
	const char *name = o->file != NULL ? o->file : CONF_DEFAULT;
	static char buffer[1024]; /* less than libc would take: fewer pages are touched */
	FILE *file = NULL;
	int result = 0;

	if (conf_init(conf) == -1) {
		snprintf(error, CONF_ERROR, "not enough memory for the configuration");
		return -1;
	}
	if (o->share == NULL || o->file != NULL) {
		file = fopen(name, "re");
		if (file == NULL && (o->file != NULL || errno != ENOENT)) {
			snprintf(error, CONF_ERROR, "%s: %s", name, strerror(errno));
			return -1;
		}
	}
	if (file != NULL) {
		setvbuf(file, buffer, _IOFBF, sizeof(buffer));
		result = file_is_safe(file, name, error);
		if (result == 0)
			result = conf_read(conf, file, name, error);
		fclose(file);
	}
	if (result == 0 && o->share != NULL)
		result = share(conf, o, error);
	for (unsigned i = 0; result == 0 && i < o->nset; i++)
		result = conf_set(conf, "-o", o->set[i], error);
	return result == 0 ? conf_check(conf, error) : -1;
}
