/*
 * The session's walls: nothing it could open, connect, start or signal is left,
 * so that whoever takes it over holds one client's two connections and the
 * right to ask the monitor.
 */
#include "sandbox.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "caps.h"
#include "landlock.h"
#include "log.h"
#include "pages.h"
#include "sysfilter.h"

/* It has buffers of a fixed size, a charset's tables and TLS's state: some MiB. In bytes. */
#define MEMORY (64 << 20)

static const struct sock_filter filter[] = {
	SYSFILTER_BEGIN,
	SYSFILTER_BASE,
	SYSFILTER_ALLOW(accept4, sendfile, splice, /* on the monitor's listener; RETR; STOR */
	    pipe2,                                 /* between the two ends of a splice */
	    setsockopt, getsockopt),               /* SO_ERROR of an active connect */
	SYSFILTER_ERRNO(openat, EACCES), /* libc tries files of its own: softly no */
	SYSFILTER_ERRNO(newfstatat, EACCES),
	SYSFILTER_END,
};

#ifdef SYSFILTER_OFF
/* A process that nobody may look into cannot be searched for leaks at its end. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static void
limit(int resource, rlim_t n)
{
	struct rlimit r = { n, n };

	if (setrlimit(resource, &r) == -1)
		log_warn("setrlimit %d", resource);
}

void
sandbox_enter(const struct sandbox *box)
{
	if (box->root) {
		if (caps_chroot(box->empty) == -1)
			fatal("chroot of the session");
		if (caps_become(box->uid, box->gid, NULL, 0) == -1)
			fatal("becoming uid %u", (unsigned)box->uid);
		if (caps_keep(0) == -1)
			fatal("giving up capabilities");
	}
	if (box->empty != -1)
		close(box->empty);
	if (caps_no_new_privs() == -1)
		fatal("no_new_privs");
	/* who has no empty root of its own gets the like of it; the filter opens nothing in any case */
	if (!box->root && landlock_enter(NULL, 0) == -1)
		log_debug("no Landlock for the session: %s", strerror(errno));
	/* the end comes by EOF on the socketpair; this is for a monitor that hangs */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_NOFILE, 32);
	limit(RLIMIT_CORE, 0);
	if (pages_limit(MEMORY) == -1)
		log_warn("a limit for the session's memory");
	if (sysfilter_enter(filter, sizeof(filter) / sizeof(filter[0])) == -1)
		fatal("seccomp");
}
