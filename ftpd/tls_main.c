/*
 * genkan-ftpd-tls: the session with TLS. The monitor executes it, with descriptors 3 (and 4) the
 * client, 5 the monitor, 6 the handover, 7 the log. By hand it looks at certificates:
 *
 *	genkan-ftpd-tls -t CERTIFICATE KEY ...
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "caps.h"
#include "client.h"
#include "conf.h"
#include "handover.h"
#include "log.h"
#include "msg.h"
#include "pages.h"
#include "request.h"
#include "session/algorithms.h"
#include "session/certificate.h"
#include "session/names.h"
#include "session/sandbox.h"
#include "session/session.h"
#include "session/tls.h"

/* What OpenSSL takes of memory until a handshake is done, in bytes. */
#define HANDSHAKE (280 << 10)

/* No file of certificates is larger. */
#define FILE_SIZE (1 << 20)

static char *
read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	char *bytes = file == NULL ? NULL : malloc(FILE_SIZE);

	if (bytes == NULL)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	else
		*len = fread(bytes, 1, FILE_SIZE, file);
	if (file != NULL)
		fclose(file);
	return bytes;
}

/* -t: paths = CERTIFICATE KEY ...; an exit status. */
static int
check(int n, char *const paths[])
{
	int status = n >= 2 && n % 2 == 0 ? 0 : EX_USAGE;

	algorithms_load();
	for (int i = 0; i + 1 < n; i += 2) {
		size_t len = 0, keylen = 0;
		char *pem = read_file(paths[i], &len);
		char *key = pem == NULL ? NULL : read_file(paths[i + 1], &keylen);

		if (key == NULL ||
		    certificates_check(paths[i], pem, len, paths[i + 1], key, keylen) != 0)
			status = EX_CONFIG;
		if (key != NULL)
			explicit_bzero(key, keylen);
		free(key);
		free(pem);
	}
	return status;
}

static void
usage(FILE *out)
{
	fputs("usage: genkan-ftpd-tls -t CERTIFICATE KEY ...\n"
	      "\n"
	      "genkan-ftpd executes this program for a client that wants TLS. By hand it looks at\n"
	      "certificates and their keys, and tells about them or what is wrong.\n"
	      "\n"
	      "  -t      look at these files\n"
	      "  -V  -h  version; this text\n"
	      "See genkan-ftpd-tls(8).\n",
	    out);
}

/* With arguments: a person. */
static int
by_hand(int n, char *const words[])
{
	if (strcmp(words[0], "-t") == 0 && n > 1)
		return check(n - 1, words + 1);
	if (strcmp(words[0], "-V") == 0 || strcmp(words[0], "--version") == 0) {
		printf("genkan-ftpd-tls %s\n", PACKAGE_VERSION);
		return 0;
	}
	if (strcmp(words[0], "-h") == 0 || strcmp(words[0], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	usage(stderr);
	return EX_USAGE;
}

/* The configuration as the monitor has printed it. */
static int
read_conf(const struct handover *h, struct conf *conf)
{
	const struct part *text = handover_find(h, PART_CONF, 0);
	FILE *file = text == NULL || text->len == 0 ? NULL : fmemopen(text->bytes, text->len, "r");
	char error[CONF_ERROR] = "it is missing";
	int result = -1;

	if (file != NULL && conf_init(conf) == 0)
		result = conf_read(conf, file, "handover", error);
	if (file != NULL)
		fclose(file);
	if (result == -1)
		log_errorx("TLS: configuration: %s", error);
	return result;
}

/* The monitor waits for this before it lets go of the session that was. */
static void
say_ready(void)
{
	const struct answer ready = { .error = 0 };

	if (msg_send(HANDOVER_MONITOR, REQ_TLS, &ready, sizeof(ready), -1) == -1)
		fatal("the monitor has gone");
}

int
main(int argc, char **argv)
{
	static struct handover handover;
	static struct conf conf;
	static char why[CONF_ERROR];
	const struct sandbox box = { .empty = -1 };

	if (argc >= 2)
		return by_hand(argc - 1, argv + 1);
	pages_heap(HANDSHAKE);
	if (caps_no_new_privs() == -1 || handover_read(HANDOVER_FILE, &handover) == -1) {
		usage(stderr);
		return EX_USAGE;
	}
	close(HANDOVER_FILE);
	prctl(PR_SET_NAME, "genkan-ftpd-tls");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN); /* it ends with the monitor, and tells the client so */
	log_adopt("genkan-ftpd", handover.log_to_stderr ? STDERR_FILENO : HANDOVER_LOG,
	    handover.log_to_stderr);
	log_set_level(handover.log_level);
	log_set_role("session");
	if (read_conf(&handover, &conf) == -1 || tls_load(&handover, &conf) == -1)
		return EX_CONFIG;
	if (!names_load(&conf, why))
		log_errorx("%s: names are UTF-8", why);
	sandbox_enter(&box);
	say_ready();
	session_run(&conf, &handover.client, HANDOVER_MONITOR, &handover);
	_exit(0); /* OpenSSL would give back all its memory, piece by piece */
}
