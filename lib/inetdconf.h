/*
 * Lines of inetd.conf(5): what starts a service, and the limits that may switch it off.
 */
#ifndef GENKAN_INETDCONF_H
#define GENKAN_INETDCONF_H

#include <stdbool.h>

struct inetdconf {
	char service[128]; /* a name, a port, or ADDRESS:either */
	bool tcp;          /* a stream over tcp, tcp4 or tcp6 */
	bool wait;         /* the program is given the listening socket */
	int max;           /* connections a minute; -1: not said, 0: no limit is meant */
	char user[64];
	char program[256];   /* as a path */
	char arguments[512]; /* argv[0] and what follows, a blank between them */
};

/*
 * Reads a line, with or without its end. Returns 1; 0 for a line without a service (empty, comment,
 * "ADDRESS:" for the lines that follow); -1 if fields are missing or too long.
 */
int inetdconf_parse(const char *line, struct inetdconf *to);

#endif
