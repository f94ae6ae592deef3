/*
 * Who may come in at all: bans and limits that hold across processes. Asked
 * before the greeting, so it reads two files and waits for nothing.
 */
#ifndef GENKAN_DOOR_H
#define GENKAN_DOOR_H

#include <stdbool.h>

#include "slots.h"

struct client;
struct conf;

struct door {
	int slots, slot; /* the slots file and what was claimed of it, or -1 */
	int hosts;       /* hosts.h, or -1 */
	struct slot self; /* what was written into the slot */
	/* Where the client has to go: what it is told, and what the log. */
	char reply[256], reason[256];
};

/*
 * Opens the files of run_directory (-1: there is none, and no limit holds),
 * counts the client and claims a slot. Returns false when it has to go.
 */
bool door_open(
    struct door *door, const struct conf *conf, const struct client *client, int run_directory);

#endif
