/*
 * Who comes in, and as whom this process goes on.
 *
 * The order, as root (each step fails the login rather than go on):
 *
 *	the password, or the certificate, is checked; uid 0 and gid 0 are refused
 *	AnonymousRoot and DisplayLogin are opened: the administrator named them
 *	setgroups, setresgid, setresuid: from here on we are the user for good
 *	home or DefaultRoot is opened, as the user
 *	chroot, by CAP_SYS_CHROOT, which the change of user has left to us
 *	capabilities: none, or CAP_NET_BIND_SERVICE where ActivePort needs it
 *	umask 0: the session says what modes new files have
 *	Landlock: the root's files and no others
 *
 * The answer leaves, and before the next request comes the system call filter: who cannot have
 * it ends.
 *
 * Not root: the same without the user, the chroot and the capabilities; what
 * the resolver is to keep inside, Landlock keeps inside as well.
 */
#include "login.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "activeport.h"
#include "auth.h"
#include "caps.h"
#include "files.h"
#include "landlock.h"
#include "limits.h"
#include "log.h"
#include "monitor.h"
#include "owners.h"
#include "pages.h"
#include "sysfilter.h"
#include "tls_start.h"

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

/* Set-user-id, set-group-id and sticky: no mode of ours ever has them. */
#define SPECIAL_MODES 07000

/* In bytes: a listing of the deepest tree, sorted by time, takes a third of it. */
#define MEMORY (256 << 20)

/*
 * What the monitor does as the user: files by openat2(2), data connections, one
 * capability up and down. Nothing is executed, no other process is reached.
 */
#define USER_CALLS                                                                                 \
	/* newfstatat before the rule for some of them: listings make it for each name */          \
	SYSFILTER_ALLOW(newfstatat), SYSFILTER_BASE,                                               \
	    SYSFILTER_ALLOW(getdents64, readlinkat, unlinkat, mkdirat, renameat2, utimensat),      \
	    /* hidden uploads get their name; what they replace has its attributes looked at */   \
	    SYSFILTER_ALLOW(ftruncate, linkat, flistxattr, fsync),                                 \
	    SYSFILTER_ALLOW_ARG(fchown, 1, 0xffffffff), /* the group alone */                      \
	    SYSFILTER_ALLOW_WITHOUT(fchmod, 1, SPECIAL_MODES),                                     \
	    SYSFILTER_ALLOW_WITHOUT(fchmodat2, 2, SPECIAL_MODES),                                  \
	    SYSFILTER_ALLOW_ARG(socket, 0, AF_INET), SYSFILTER_ALLOW_ARG(socket, 0, AF_INET6),     \
	    SYSFILTER_ALLOW(bind, listen, connect, setsockopt, getsockname, capget, capset),       \
	    SYSFILTER_ALLOW(pread64, pwrite64,  /* leases of ports */                              \
	        fstatfs, symlinkat,             /* ALLO, SITE SYMLINK */                           \
	        statx,                          /* when a file was made, for the fact create */    \
	        pipe2)

/* openat(2) fails softly: libc tries it for time zones and locales. */
static const struct sock_filter user_filter[] = {
	SYSFILTER_BEGIN,
	USER_CALLS,
	SYSFILTER_ALLOW(openat2),
	SYSFILTER_ERRNO(openat, EACCES),
	SYSFILTER_END,
};

/* The same for kernels without openat2(2). */
static const struct sock_filter walk_filter[] = {
	SYSFILTER_BEGIN,
	USER_CALLS,
	SYSFILTER_ERRNO(openat2, ENOSYS),
	SYSFILTER_ALLOW(openat),
	SYSFILTER_END,
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Who decides about a name: the first method that does not pass it on. */
static enum auth (*const methods[])(
    const struct conf *, const struct req_login *, struct grant *) = { auth_anonymous, auth_file };

static enum auth
authenticate(struct monitor *m, const struct req_login *r, struct grant *g)
{
	enum auth result = AUTH_PASS_ON;
	size_t i;

	g->reason = "unknown-user";
	for (i = 0; i < COUNT(methods) && result == AUTH_PASS_ON; i++)
		result = methods[i](m->conf, r, g);
	return result == AUTH_PASS_ON ? auth_system(m, r, g) : result;
}

/* The same answer after the same time, whatever was wrong. */
static int
refuse(struct monitor *m, const char *user, const char *reason)
{
	char peer[NETADDR_TEXT], word[64];

	auth_system_end(m);
	m->attempts++;
	/* fail2ban reads this line: see examples/fail2ban */
	log_notice("auth-fail rhost=%s user=\"%s\" reason=%s n=%u",
	    netaddr_text(&m->client->peer, peer), monitor_word(word, sizeof(word), user), reason,
	    m->attempts);
	return limits_failed(m) || m->attempts >= m->conf->max_login_attempts ? EPERM : EACCES;
}

static int
open_directory(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* A home of "/" is a mistake and not a wish; a directive may say "/". */
static bool
is_whole_system(int root)
{
	struct stat here, slash;

	return fstat(root, &here) == -1 || stat("/", &slash) == -1 ||
	    (here.st_dev == slash.st_dev && here.st_ino == slash.st_ino);
}

/*
 * Where the session begins: at home if home lies below DefaultRoot, and then it
 * has to be there; else in "/". Returns 0, or -1 with errno.
 */
static int
find_start(const struct monitor *m, const struct grant *g, char start[static REQ_PATH])
{
	const char *root = account_root(m->conf, g), *rest;
	size_t len = strlen(root);
	int fd;

	(void)strlcpy(start, "/", REQ_PATH);
	if (root == g->home)
		return 0;
	while (len > 0 && root[len - 1] == '/')
		len--;
	rest = g->home + len;
	if (strncmp(g->home, root, len) != 0 || rest[0] != '/')
		return 0;
	rest += strspn(rest, "/");
	if ((fd = files_open(m, rest[0] != '\0' ? rest : "/", O_PATH | O_DIRECTORY, 0)) == -1)
		return -1;
	close(fd);
	(void)strlcpy(start + 1, rest, REQ_PATH - 1);
	return 0;
}

/* The text to show at login: a regular file, or -1. */
static int
open_text(const struct monitor *m, bool inside)
{
	const char *path = m->conf->display_login;
	int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, fd;
	struct stat st;

	if (path[0] == '\0' || inside != (path[0] != '/'))
		return -1;
	fd = inside ? files_open(m, path, flags, 0) : open(path, flags);
	if (fd == -1) {
		if (!inside || errno != ENOENT)
			log_warn("DisplayLogin %s", path);
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fcntl(fd, F_SETFL, 0) == 0)
		return fd;
	log_warnx("DisplayLogin %s is not a regular file", path);
	close(fd);
	return -1;
}

/* What stays in permitted for the rest of the connection. */
static unsigned
caps_for_user(const struct monitor *m)
{
	uint16_t port = activeport_for(m->conf->active_port, m->client->local.port);

	return port > 0 && port < 1024 ? CAPS_NET_BIND_SERVICE : 0;
}

/* "/" is root from now on; consumes root and returns its new descriptor, or -1. */
static int
enter_root(const struct monitor *m, int root)
{
	int inside;

	if (!m->root) {
		log_info("not started as root: no change of user and no chroot, paths are "
			 "confined all the same");
		return root;
	}
	if (caps_chroot(root) == -1) {
		inside = errno;
		close(root);
		errno = inside;
		return -1;
	}
	close(root);
	return open_directory("/");
}

/* Files of the root and no others, whatever the resolver or a chroot may miss. */
static int
lock_files(const struct monitor *m)
{
	struct landlock_place root = { m->root_fd, LANDLOCK_READ | LANDLOCK_WRITE };

	if (landlock_enter(&root, 1) == 0)
		return 0;
	if (errno != ENOSYS && errno != EOPNOTSUPP)
		return -1;
	log_debug("no Landlock: %s", strerror(errno));
	return 0;
}

/* Logs why a user with the right password stays out; the caller returns. */
static int
fail(const struct monitor *m, const char *what, const char *path)
{
	int saved = errno;

	log_warn("login of %s: %s %s", m->account.name, what, path);
	errno = saved;
	return -1;
}

/*
 * Within the root that has been opened (and is consumed): chroot, less and less
 * privilege, start directory. Returns 0, or -1 after logging why.
 */
static int
settle(struct monitor *m, const struct grant *g, int root, struct ans_login *ans, int *text)
{
	if ((m->root_fd = enter_root(m, root)) == -1)
		return fail(m, "cannot enter", account_root(m->conf, g));
	if (m->root && caps_keep(caps_for_user(m)) == -1)
		return fail(m, "dropping", "capabilities");
	umask(0);
	files_begin(m);
	if (find_start(m, g, ans->directory) == -1)
		return fail(m, "no home", g->home);
	if (*text == -1)
		*text = open_text(m, true);
	limits_settled(m);
	if (caps_no_new_privs() == -1 || pages_limit(MEMORY) == -1 || lock_files(m) == -1)
		return fail(m, "no_new_privs, a memory limit or", "Landlock cannot be had");
	return 0;
}

/* Becomes the user and enters the root: 0, or -1 after logging why. */
static int
enter(struct monitor *m, const struct grant *g, struct ans_login *ans, int *text)
{
	const char *path = account_root(m->conf, g);
	struct stat st;
	int root = -1;

	/* what root can see to be missing is told before there is no way back */
	if (stat(path, &st) == -1 && errno != EACCES)
		return fail(m, "no directory", path);
	/* a folder in somebody's closed home is opened below, as its owner */
	if (g->anonymous && (root = open_directory(path)) == -1 && errno != EACCES)
		return fail(m, "no directory", path);
	*text = open_text(m, false);
	tzset(); /* while the system's time zones can be seen */
	if (!g->anonymous) /* guests need not know who lives here */
		owners_open(m);
	if (m->root) {
		m->spent = true;
		if (caps_become(g->uid, g->gid, g->groups.gid, g->groups.n) == -1) {
			fail(m, "changing to", "the user");
			goto bad;
		}
	}
	if (root == -1 && (root = open_directory(path)) == -1)
		return fail(m, "no directory", path);
	if (path == g->home && !g->anonymous && is_whole_system(root)) {
		errno = EACCES;
		fail(m, "a home must not be", path);
		goto bad;
	}
	return settle(m, g, root, ans, text);
bad:
	if (root != -1)
		close(root);
	return -1;
}

/* Undoes what can be undone: only without root is there a next try. */
static void
step_back(struct monitor *m, int *text)
{
	if (m->root_fd != -1)
		close(m->root_fd);
	m->root_fd = -1;
	owners_close(m);
	if (*text != -1)
		close(*text);
	*text = -1;
	memset(&m->account, 0, sizeof(m->account));
	limits_leave(m);
	if (m->spent && caps_keep(0) == -1)
		log_warn("dropping capabilities");
}

static void
fill_account(struct monitor *m, const char *user, const struct grant *g, unsigned rights)
{
	struct account *a = &m->account;

	(void)monitor_word(a->name, sizeof(a->name), user);
	a->uid = m->root ? g->uid : geteuid();
	a->gid = m->root ? g->gid : getegid();
	a->ngroups = m->root ? g->groups.n : 0;
	memcpy(a->groups, g->groups.gid, sizeof(a->groups));
	a->anonymous = g->anonymous;
	a->rights = rights;
}

/* Lets in whom grant is for, if nothing else is against it; the answer to the request. */
static int
come_in(struct monitor *m, const char *user, struct grant *grant, union any_answer *ans, int *fd)
{
	struct account *a = &m->account;
	char peer[NETADDR_TEXT];
	const char *reason;
	unsigned rights;

	if ((reason = account_admit(m->conf, user, grant, &rights)) != NULL)
		return refuse(m, user, reason);
	if (grant->expired)
		return refuse(m, user, grant->reason) == EPERM ? EPERM : EKEYEXPIRED;

	fill_account(m, user, grant, rights);
	if (limits_enter(m) == EUSERS) {
		auth_system_end(m);
		memset(a, 0, sizeof(*a));
		m->attempts++;
		return EUSERS;
	}
	if (auth_system_keep(m) == -1) {
		limits_leave(m);
		memset(a, 0, sizeof(*a));
		return refuse(m, user, "pam-session");
	}
	if (enter(m, grant, &ans->login, fd) == -1) {
		step_back(m, fd);
		auth_system_end(m);
		ans->login.directory[0] = '\0';
		m->attempts++;
		(void)limits_failed(m); /* a right password takes no less time */
		return EACCES;
	}
	m->state = STATE_USER;
	tls_forget(m);
	ans->login.rights = a->rights;
	ans->login.anonymous = a->anonymous;
	log_info("login user=\"%s\" rhost=%s root=\"%s\" uid=%ju%s", a->name,
	    netaddr_text(&m->client->peer, peer), account_root(m->conf, grant), (uintmax_t)a->uid,
	    grant->certified ? " by=certificate" : "");
	return 0;
}

int
login_request(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	const struct req_login *r = &req->login;
	struct grant grant = { 0 };

	m->asked = monitor_clock();
	if (m->spent || m->attempts >= m->conf->max_login_attempts || limits_banned(m))
		return EPERM;
	if (m->conf->tls >= TLS_CONTROL && !m->tls)
		return EACCES; /* the session has said so before it came to this */
	if (account_closed(m->conf)) {
		m->attempts++;
		log_info("NologinFile %s is there: nobody is let in", m->conf->nologin_file);
		return ESHUTDOWN;
	}
	if (authenticate(m, r, &grant) != AUTH_GRANTED)
		return refuse(m, r->user, grant.reason);
	return come_in(m, r->user, &grant, ans, fd);
}

void
login_filter(struct monitor *m)
{
	if ((m->walk ? sysfilter_enter(walk_filter, COUNT(walk_filter))
	             : sysfilter_enter(user_filter, COUNT(user_filter))) == -1)
		fatal("the system call filter of a user's state: does this kernel have seccomp filters?");
}

/*
 * A certificate that is not the user's is no failed login: it may be there for TLSVerifyClient
 * alone, and the password comes next. So it costs no try and no time, and what is against
 * anybody's login is left for the password to be told.
 */
int
certificate_request(
    struct monitor *m, const union any_request *req, union any_answer *ans, int *fd)
{
	const struct req_certificate *r = &req->certificate;
	struct grant grant = { .certified = true };
	struct req_login who = { .password = "" };

	m->asked = monitor_clock();
	if (r->len > sizeof(r->der))
		return EINVAL;
	if (!m->tls || m->conf->tls_user_certificates[0] == '\0') {
		log_warnx("a session shows a certificate that it cannot have been shown");
		return EACCES;
	}
	if (m->spent || m->attempts >= m->conf->max_login_attempts || limits_banned(m) ||
	    account_closed(m->conf) || !auth_certificate(m, r))
		return EACCES;
	(void)strlcpy(who.user, r->user, sizeof(who.user));
	if (authenticate(m, &who, &grant) != AUTH_GRANTED)
		return refuse(m, r->user, grant.reason);
	return come_in(m, r->user, &grant, ans, fd);
}
