/*
 * How the monitor's children end: the session, the gateway, genkan-ftpd-auth. The kernel
 * clears them away and nobody waits for them, but one that was killed by its system call
 * filter or by a fault stands in the log.
 */
#ifndef GENKAN_CHILDREN_H
#define GENKAN_CHILDREN_H

#include <sys/types.h>

/* From now on. Those that have ended before are zombies until this process ends. */
void children_watch(void);

/*
 * Waits until child pid, which closes its descriptors a moment before its end, has ended; a tenth
 * of a second at most, since a session that has been taken over may do as it likes.
 */
void children_await(pid_t pid);

/* Logs those that were killed since the last call, session being the present session. */
void children_tell(pid_t session);

#endif
