/*
 * What a process is left with that is root, because it must read the shadow
 * file, and runs modules that others have written: no capability, files to be
 * written in a few places alone, no system call that changes the machine.
 */
#include "auth.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "caps.h"
#include "landlock.h"
#include "log.h"
#include "sysfilter.h"

/*
 * Where modules keep records: wtmp and lastlog, faillock, tickets of Kerberos.
 * Nothing that is ever executed or read as a configuration, and no device.
 */
static const char *const written[] = { "/var/log", "/var/lib/lastlog", "/run/faillock", "/tmp",
	"/var/tmp", "/dev/null", "/proc/self" };

#define WRITTEN (sizeof(written) / sizeof(written[0]))

/*
 * Modules call what they like, so this is no list of what is allowed. Without
 * capabilities most of these fail anyway. PAM takes a kernel without audit as it
 * is, but a refusal for want of CAP_AUDIT_WRITE as a wrong password.
 */
static const struct sock_filter filter[] = {
	SYSFILTER_BEGIN,
	SYSFILTER_REFUSE_ARG(socket, 2, NETLINK_AUDIT, EPROTONOSUPPORT),
	SYSFILTER_ERRNO(ptrace, EPERM),
	SYSFILTER_ERRNO(process_vm_readv, EPERM),
	SYSFILTER_ERRNO(process_vm_writev, EPERM),
	SYSFILTER_ERRNO(bpf, EPERM),
	SYSFILTER_ERRNO(perf_event_open, EPERM),
	SYSFILTER_ERRNO(userfaultfd, EPERM),
	SYSFILTER_ERRNO(io_uring_setup, ENOSYS),
	SYSFILTER_ERRNO(init_module, EPERM),
	SYSFILTER_ERRNO(finit_module, EPERM),
	SYSFILTER_ERRNO(delete_module, EPERM),
	SYSFILTER_ERRNO(kexec_load, EPERM),
	SYSFILTER_ERRNO(reboot, EPERM),
	SYSFILTER_ERRNO(mount, EPERM),
	SYSFILTER_ERRNO(umount2, EPERM),
	SYSFILTER_ERRNO(pivot_root, EPERM),
	SYSFILTER_ERRNO(chroot, EPERM),
	SYSFILTER_ERRNO(unshare, EPERM),
	SYSFILTER_ERRNO(setns, EPERM),
	SYSFILTER_REST,
};

static void
lock_files(void)
{
	struct landlock_place places[WRITTEN + 1];
	size_t n = 0, i;

	places[n].fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	places[n++].how = LANDLOCK_READ | LANDLOCK_EXEC;
	for (i = 0; i < WRITTEN; i++)
		if ((places[n].fd = open(written[i], O_PATH | O_CLOEXEC)) != -1)
			places[n++].how = LANDLOCK_READ | LANDLOCK_WRITE;
	if (landlock_enter(places, n) == -1) {
		if (errno != ENOSYS && errno != EOPNOTSUPP)
			fatal("Landlock");
		log_debug("no Landlock: %s", strerror(errno));
	}
	for (i = 0; i < n; i++)
		close(places[i].fd);
}

void
walls_enter(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	if (geteuid() == 0 && caps_confine(0) == -1)
		fatal("giving up capabilities");
	if (caps_no_new_privs() == -1)
		fatal("no_new_privs");
	lock_files();
	if (sysfilter_enter(filter, sizeof(filter) / sizeof(filter[0])) == -1)
		fatal("seccomp");
}
