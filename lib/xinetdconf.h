/*
 * Files of xinetd.conf(5): services with their limits.
 */
#ifndef GENKAN_XINETDCONF_H
#define GENKAN_XINETDCONF_H

#include <limits.h>
#include <stdbool.h>

#define XINETD_UNLIMITED INT_MAX

/* Numbers that are not said are -1. */
struct xinetdconf {
	bool defaults; /* the section for all services */
	char service[128];
	char server[256];
	char arguments[512]; /* of the server, without its name */
	char user[64];
	bool disabled;
	bool wait;
	int port;
	int instances;     /* at once, of all clients */
	int per_source;    /* at once, of one address */
	int cps, cps_wait; /* connections a second, above which it is off for cps_wait seconds */
	unsigned line;     /* where it begins, from 1 */
};

/*
 * Reads the next section at *text and moves behind it; *line counts lines and begins with 1.
 * Returns false at the end of the text, also in the middle of a section.
 */
bool xinetdconf_next(const char **text, unsigned *line, struct xinetdconf *to);

#endif
