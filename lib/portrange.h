/*
 * Lists of TCP port ranges, and a walk that tries each port of a list once, in
 * an unbiased random order (arc4random_uniform(3)): a predictable passive port
 * can be stolen.
 */
#ifndef GENKAN_PORTRANGE_H
#define GENKAN_PORTRANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MAP-E lines own 15 blocks of 16 ports, so one range is not enough. */
#define PORTLIST_MAX 64

/* Room for any list as text. */
#define PORTLIST_TEXT (PORTLIST_MAX * 12)

struct portrange {
	uint16_t min, max; /* inclusive, min <= max */
};

struct portlist {
	unsigned n; /* 0: no list, any port will do */
	struct portrange range[PORTLIST_MAX];
};

struct portwalk {
	uint16_t *port; /* allocated: the ports, shuffled as the walk goes */
	unsigned n, next;
};

/*
 * Reads "4000 4029" (ProFTPD's form: exactly two numbers), or ranges and single
 * ports separated by commas or blanks: "4000-4029,5136-5151 6000". Ports are
 * 1024..65535; ranges must not overlap. "any" is the empty list. Returns 0, or -1
 * with *why words for people, such as "40000 is above 39999" (in a static buffer).
 */
int portlist_parse(const char *text, struct portlist *list, const char **why);

/*
 * Puts a port, any, behind the others: at the end of the last range if it follows that, else as a
 * range of its own. False if there is no room for one.
 */
bool portlist_add(struct portlist *list, uint16_t port);

/* Writes "4000-4029,5136-5151", "any" for an empty list; returns buf. */
const char *portlist_text(const struct portlist *list, char buf[static PORTLIST_TEXT]);

/* How many ports the list has. */
unsigned portlist_count(const struct portlist *list);

bool portlist_contains(const struct portlist *list, uint16_t port);

/* The port at this place of the list, counted from 0 in the order it was written; 0 behind the last. */
uint16_t portlist_at(const struct portlist *list, unsigned place);

/* The place of a port, or -1. */
int portlist_place(const struct portlist *list, uint16_t port);

/* Begins a walk, of no steps if the list is empty; 0, or -1 with ENOMEM. */
int portwalk_begin(struct portwalk *walk, const struct portlist *list);

/* The next port of the walk, or 0 when each was given once. */
uint16_t portwalk_next(struct portwalk *walk);

void portwalk_end(struct portwalk *walk);

#endif
