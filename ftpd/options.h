/*
 * The command line of genkan-ftpd(8).
 */
#ifndef GENKAN_OPTIONS_H
#define GENKAN_OPTIONS_H

#include <stdbool.h>

#include "conf.h"
#include "launcher.h"

#define OVERRIDES_MAX 64

struct options {
	const char *file; /* -f, or NULL for the default one, which may be missing */
	const char *set[OVERRIDES_MAX]; /* -o */
	unsigned nset;
	const char *share;
	bool share_writable;
	bool check, print, debug, to_stderr;
	struct launcher launcher;
};

/* Fills *o; -h and -V print and exit 0, a wrong option exits 64. */
void options_parse(struct options *o, int argc, char **argv);

/*
 * Defaults, file, --share, then -o: the later one holds. Returns 0, or -1 with
 * error set to "file:line: what is wrong".
 */
int options_load_conf(const struct options *o, struct conf *conf, char error[static CONF_ERROR]);

#endif
