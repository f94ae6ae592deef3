/*
 * Entering a system call filter.
 */
#include "sysfilter.h"

#include <sys/prctl.h>

#ifdef SYSFILTER_OFF

int
sysfilter_enter(const struct sock_filter *filter, size_t n)
{
	(void)filter;
	(void)n;
	return 0;
}

#else

int
sysfilter_enter(const struct sock_filter *filter, size_t n)
{
	struct sock_fprog program = {
		.len = (unsigned short)n,
		.filter = (struct sock_filter *)filter, /* the kernel only reads it */
	};

	if (n == 0 || n > BPF_MAXINSNS) {
		errno = EINVAL;
		return -1;
	}
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

#endif
