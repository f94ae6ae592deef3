/*
 * The source port of active data connections.
 */
#include "activeport.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 959 section 8: the port of the data connection */
#define FTP_DATA 20

int
activeport_parse(const char *text, int *setting, const char **why)
{
	const char *bad;

	if (strcasecmp(text, "any") == 0) {
		*setting = ACTIVEPORT_ANY;
		return 0;
	}
	if (strcasecmp(text, "L-1") == 0) {
		*setting = ACTIVEPORT_L_MINUS_1;
		return 0;
	}
	if (strcasecmp(text, "prefer") == 0) {
		*setting = ACTIVEPORT_PREFER;
		return 0;
	}
	/* strtonum(3) would take a sign and blanks. */
	if (!isdigit((unsigned char)text[0])) {
		*why = "a port, prefer, any or L-1 is wanted";
		return -1;
	}
	*setting = (int)strtonum(text, 1, 65535, &bad);
	if (bad != NULL) {
		*setting = ACTIVEPORT_ANY;
		*why = "a port is within 1-65535";
		return -1;
	}
	return 0;
}

const char *
activeport_text(int setting, char buf[static ACTIVEPORT_TEXT])
{
	if (setting == ACTIVEPORT_ANY)
		(void)strlcpy(buf, "any", ACTIVEPORT_TEXT);
	else if (setting == ACTIVEPORT_L_MINUS_1)
		(void)strlcpy(buf, "L-1", ACTIVEPORT_TEXT);
	else if (setting == ACTIVEPORT_PREFER)
		(void)strlcpy(buf, "prefer", ACTIVEPORT_TEXT);
	else
		snprintf(buf, ACTIVEPORT_TEXT, "%hu", (unsigned short)setting);
	return buf;
}

uint16_t
activeport_for(int setting, uint16_t control_port)
{
	if (setting == ACTIVEPORT_L_MINUS_1)
		return control_port > 0 ? (uint16_t)(control_port - 1) : 0;
	return setting == ACTIVEPORT_PREFER ? FTP_DATA : (uint16_t)setting;
}
