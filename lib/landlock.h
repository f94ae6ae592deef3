/*
 * Landlock: the files that this process may reach, for good, whoever it is and
 * whatever the other walls let through. Linux 5.13 and later.
 */
#ifndef GENKAN_LANDLOCK_H
#define GENKAN_LANDLOCK_H

#include <stddef.h>

enum {
	LANDLOCK_READ = 1 << 0,  /* files and directories */
	LANDLOCK_WRITE = 1 << 1, /* also make, rename and remove regular files, directories, links */
	LANDLOCK_EXEC = 1 << 2
};

/* A directory or file (O_PATH will do) and all below it. */
struct landlock_place {
	int fd;
	unsigned how; /* LANDLOCK_… */
};

/*
 * From here on files are opened in these places alone; what is open stays open.
 * Devices, FIFOs and sockets cannot be made anywhere, and where the kernel can
 * do it no process outside gets a signal from this one. no_new_privs must be set.
 * Returns 0, or -1 with errno: ENOSYS or EOPNOTSUPP where the kernel has no
 * Landlock or has it switched off. A build with sanitizers (SYSFILTER_OFF) does
 * nothing and returns 0.
 */
int landlock_enter(const struct landlock_place *places, size_t n);

#endif
