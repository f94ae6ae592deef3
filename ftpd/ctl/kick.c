/*
 * genkanctl kick: ends connections. SIGTERM to the monitor does it: it closes
 * what is open, the session tells the client, the slot becomes free.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl.h"
#include "sessions.h"

/* How long a monitor may take to end; then it is killed. In milliseconds. */
#define PATIENCE 5000

/* Whom to kick: one of the three. */
struct whom {
	pid_t pid;
	const char *user;
	bool host;
	struct netprefix net;
};

static void
usage(FILE *out)
{
	fputs(
	    "usage: genkanctl kick [-r DIRECTORY] PID | USER | HOST[/BITS]\n"
	    "\n"
	    "Ends a connection, or all of a user, a host or a network. Who is not to come back\n"
	    "is to be banned, too (genkanctl ban).\n"
	    "\n"
	    "  -r DIRECTORY  the RunDirectory (default: that of " CTL_CONF_FILE ")\n"
	    "  -h, --help    this text\n",
	    out);
}

static struct whom
find_out(const char *text)
{
	struct whom whom = { 0 };
	const char *error = NULL;

	whom.pid = (pid_t)strtonum(text, 1, INT32_MAX, &error);
	if (error == NULL && strspn(text, "0123456789") == strlen(text))
		return whom;
	whom.pid = 0;
	whom.host = netprefix_parse(text, &whom.net) == 0;
	if (!whom.host)
		whom.user = text;
	return whom;
}

static bool
is_meant(const struct whom *whom, const struct slot *slot)
{
	char user[sizeof(slot->user)];

	if (whom->pid != 0)
		return slot->pid == whom->pid;
	if (whom->host)
		return netprefix_contains(&whom->net, &slot->peer);
	strlcpy(user, whom->user, sizeof(user)); /* as it was written down */
	return slot->user[0] != '\0' && strcmp(slot->user, user) == 0;
}

/*
 * True if the process has the slots file open, as all monitors have and nobody else: a record
 * is what somebody has written, and must not name others' processes for root to end.
 * Without root only processes of the own user can be ended at all.
 */
static bool
is_monitor(const struct ctl_place *place, pid_t pid)
{
	char path[64];
	struct stat slots, st;
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (geteuid() != 0)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if (fstat(place->slots, &slots) == -1 || (dir = opendir(path)) == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL)
		found = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && st.st_dev == slots.st_dev &&
		    st.st_ino == slots.st_ino;
	closedir(dir);
	return found;
}

static int
send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

/* Ends the process that pidfd stands for: true if it did by itself. */
static bool
end_process(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n;

	if (send_signal(pidfd, SIGTERM) == -1)
		return errno == ESRCH;
	do
		n = poll(&p, 1, PATIENCE);
	while (n == -1 && errno == EINTR);
	if (n == 1)
		return true;
	(void)send_signal(pidfd, SIGKILL);
	return false;
}

/* Ends one connection; 0, or -1 after saying why not. */
static int
kick(const struct ctl_place *place, const struct ctl_session *s)
{
	char user[4 * sizeof(s->slot.user)], host[NETADDR_TEXT];
	int pidfd = (int)syscall(SYS_pidfd_open, s->slot.pid, 0), r = 0;
	struct slot now;

	/* the descriptor is this process and no later one; is it still the slot's? */
	if (pidfd != -1 &&
	    (slots_read(place->slots, s->index, &now) != 1 || now.pid != s->slot.pid)) {
		close(pidfd);
		return 0;
	}
	if (pidfd == -1) {
		if (errno == ESRCH && slots_read(place->slots, s->index, &now) == 0)
			return 0; /* it has gone by itself */
		warn("process %d", s->slot.pid);
		return -1;
	}
	if (!is_monitor(place, s->slot.pid)) {
		warnx("process %d does not hold the slot: it was not touched", s->slot.pid);
		r = -1;
	} else if (!end_process(pidfd)) {
		warnx("process %d did not end on SIGTERM: it was killed", s->slot.pid);
	}
	if (r == 0)
		printf("%d %s %s: ended\n", s->slot.pid,
		    s->slot.user[0] == '\0' ? "-"
					    : ctl_shown(s->slot.user, SIZE_MAX, user, sizeof(user)),
		    netaddr_text(&s->slot.peer, host));
	close(pidfd);
	return r;
}

static int
kick_all(struct ctl_place *place, const char *text)
{
	static struct ctl_sessions all; /* 400 kB: too large for a stack frame */
	struct whom whom = find_out(text);
	unsigned found = 0, failed = 0;

	if (ctl_sessions_read(place, &all) == -1) {
		warn("%s/slots", place->path);
		return EX_IOERR;
	}
	for (unsigned i = 0; i < all.n; i++) {
		if (!is_meant(&whom, &all.session[i].slot))
			continue;
		found++;
		failed += kick(place, &all.session[i]) == -1;
	}
	if (found == 0)
		warnx("no connection is %s's", text);
	return found == 0 ? EX_UNAVAILABLE : failed > 0 ? EX_OSERR : 0;
}

int
ctl_kick(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	const char *directory = NULL;
	struct ctl_place place;
	int c, r;

	while ((c = getopt_long(argc, argv, "r:h", options, NULL)) != -1)
		switch (c) {
		case 'r':
			directory = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	if (argc - optind != 1) {
		usage(stderr);
		return EX_USAGE;
	}
	if ((r = ctl_place_open(&place, directory)) == 0)
		r = kick_all(&place, argv[optind]);
	ctl_place_close(&place);
	return r;
}
