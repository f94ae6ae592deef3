/*
 * The names of owners and groups, for the facts UNIX.ownername and
 * UNIX.groupname. The system's files are opened while they can be seen, before the
 * user's root is entered, and read when a client first asks: for everybody else
 * names cost two open(2)s. AuthUserFile stays closed, because it has passwords.
 */
#ifndef GENKAN_OWNERS_H
#define GENKAN_OWNERS_H

#include <sys/stat.h>

struct monitor;

/* Opens /etc/passwd and /etc/group; without memory or files there are numbers alone. */
void owners_open(struct monitor *m);

/*
 * The name of a file's owner or group, which holds until the next call, or NULL. The
 * account that is logged in has its name also where the system does not know it.
 */
const char *owners_user(const struct monitor *m, const struct stat *st);
const char *owners_group(const struct monitor *m, const struct stat *st);

void owners_close(struct monitor *m);

#endif
