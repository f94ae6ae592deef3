/*
 * The source port of active data connections: RFC 959 section 3.2 says L-1,
 * firewalls expect 20 whatever L is.
 */
#ifndef GENKAN_ACTIVEPORT_H
#define GENKAN_ACTIVEPORT_H

#include <stdint.h>

enum {
	ACTIVEPORT_ANY = 0,       /* any free port */
	ACTIVEPORT_L_MINUS_1 = -1, /* the control port less one, else any */
	ACTIVEPORT_PREFER = -2     /* 20, else any */
	/* else the port itself and no other, 1..65535 */
};

/* Room for any setting as text. */
#define ACTIVEPORT_TEXT 8

/* Reads "20" (or another port), "prefer", "any" or "L-1"; 0, or -1 with *why in words. */
int activeport_parse(const char *text, int *setting, const char **why);

/* Writes the setting as activeport_parse() reads it; returns buf. */
const char *activeport_text(int setting, char buf[static ACTIVEPORT_TEXT]);

/* The port to bind, 0 for any. L-1 of control port 0 or 1 is any. */
uint16_t activeport_for(int setting, uint16_t control_port);

#endif
