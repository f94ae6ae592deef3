/*
 * What "nft list ruleset" prints, read to answer one question: would a new TCP connection from the
 * world to this port come in? It knows what rule sets of homes are made of; what it does not
 * understand makes the answer "unknown", never a guess.
 */
#ifndef GENKAN_NFTRULES_H
#define GENKAN_NFTRULES_H

#include <stdint.h>

enum nftrules_answer {
	NFTRULES_NONE, /* there is no chain for what comes in */
	NFTRULES_OPEN,
	NFTRULES_CLOSED,
	NFTRULES_UNKNOWN
};

/*
 * Judges an IPv4 connection that comes in on the interface (NULL: not known). Source addresses that
 * a rule names are taken for some hosts, not for the world.
 */
enum nftrules_answer nftrules_judge(const char *ruleset, const char *interface, uint16_t port);

#endif
