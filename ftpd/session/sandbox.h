/*
 * The session's walls, put up before the first byte is read.
 */
#ifndef GENKAN_SANDBOX_H
#define GENKAN_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

struct sandbox {
	bool root;      /* started as root: uid and root directory are changed */
	uid_t uid;
	gid_t gid;
	int empty; /* the directory that becomes the root, or -1 */
};

/* Enters the sandbox for good or ends the process. */
void sandbox_enter(const struct sandbox *box);

#endif
