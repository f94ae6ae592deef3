/*
 * genkanctl passwd: writes users into the AuthUserFile. The file is replaced as
 * a whole (temporary file, rename), so that a login that reads it meanwhile sees
 * either the old or the new one; a lock on the directory keeps two writers
 * apart. All other lines stay byte for byte.
 */
#include "ctl.h"

#include <crypt.h>
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <readpassphrase.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "pwfile.h"

#define PASSWORD_MAX 512 /* with NUL; a PASS command takes no more */

struct job {
	const char *name;
	char file[PATH_MAX]; /* no symbolic link */
	bool remove, from_stdin;
	int cost; /* of yescrypt; 0: its default */
	/* What the command line says of the user; NULL or false: not given. */
	bool has_uid, has_gid;
	uid_t uid;
	gid_t gid;
	const char *home, *shell, *gecos;
};

struct text {
	char *bytes;
	size_t len;
	bool exists;
	struct stat st;
};

static void
usage(FILE *out)
{
	fputs(
	    "usage: genkanctl passwd [-f FILE] [-u UID] [-g GID] [-d HOME] [-s SHELL] [-c GECOS]\n"
	    "                        [--cost N] [--stdin] NAME\n"
	    "       genkanctl passwd [-f FILE] --delete NAME\n"
	    "\n"
	    "Gives the user NAME a new password; adds the user if there is none of this name.\n"
	    "\n"
	    "  -f FILE    the AuthUserFile (default: that of " CTL_CONF_FILE ")\n"
	    "  -u UID     becomes this user (a number, or a name of this system)\n"
	    "  -g GID     and this group (a number)\n"
	    "  -d HOME    sees this directory\n"
	    "  --cost N   of the hash, 1 to 11 (yescrypt; default 5)\n"
	    "  --stdin    the password is one line of standard input\n",
	    out);
}

/* Says what is wrong; returns status. */
__attribute__((format(printf, 2, 3))) static int
fail(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vwarnx(fmt, ap);
	va_end(ap);
	return status;
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if (iscntrl((unsigned char)*text))
			return true;
	return false;
}

/* True if text can stand in the line, or is not given. */
static bool
is_field(const char *text)
{
	return text == NULL || (strchr(text, ':') == NULL && !has_control(text));
}

static int
check_options(const struct job *job)
{
	if (!pwfile_name_ok(job->name))
		return fail(EX_USAGE,
		    "\"%s\" cannot be a user's name: 1 to 63 bytes, no : and no /, no - or # "
		    "in front",
		    job->name);
	if (job->has_uid && job->uid == 0)
		return fail(EX_USAGE, "uid 0 is refused: nobody is root by FTP");
	if (job->has_gid && job->gid == 0)
		return fail(EX_USAGE, "gid 0 is refused: nobody is in root's group by FTP");
	if (job->home != NULL && job->home[0] != '/')
		return fail(EX_USAGE, "the home \"%s\" must begin with /", job->home);
	if (!is_field(job->home) || !is_field(job->shell) || !is_field(job->gecos))
		return fail(EX_USAGE, "-d, -s and -c take no colon and no control character");
	return 0;
}

static int
parse_numbers(struct job *job, const char *uid, const char *gid, const char *cost)
{
	const char *error;
	gid_t group;

	if (uid != NULL) {
		if (pwfile_system_user(uid, &job->uid, &group) == -1)
			return fail(
			    EX_USAGE, "-u %s is neither a uid nor a user of this system", uid);
		job->has_uid = true;
		job->gid = group;
	}
	if (gid != NULL) {
		job->gid = (gid_t)strtonum(gid, 0, INT_MAX, &error);
		if (error != NULL)
			return fail(EX_USAGE, "-g %s is not a gid", gid);
		job->has_gid = true;
	}
	if (cost != NULL) {
		job->cost = (int)strtonum(cost, 1, 11, &error);
		if (error != NULL)
			return fail(EX_USAGE, "--cost %s is not a number from 1 to 11", cost);
	}
	return 0;
}

/* Fills *job and *file (NULL: not given); 0, an exit status, or -1 when all is done. */
static int
parse_options(struct job *job, const char **file, int argc, char **argv)
{
	enum { COST = 256, DELETE, STDIN };
	static const struct option longs[] = {
		{ "cost", required_argument, NULL, COST },
		{ "delete", no_argument, NULL, DELETE },
		{ "stdin", no_argument, NULL, STDIN },
		{ "help", no_argument, NULL, 'h' },
		{ NULL },
	};
	const char *uid = NULL, *gid = NULL, *cost = NULL;
	int c, r;

	while ((c = getopt_long(argc, argv, "c:d:f:g:hs:u:", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			job->gecos = optarg;
			break;
		case 'd':
			job->home = optarg;
			break;
		case 'f':
			*file = optarg;
			break;
		case 'g':
			gid = optarg;
			break;
		case 's':
			job->shell = optarg;
			break;
		case 'u':
			uid = optarg;
			break;
		case COST:
			cost = optarg;
			break;
		case DELETE:
			job->remove = true;
			break;
		case STDIN:
			job->from_stdin = true;
			break;
		case 'h':
			usage(stdout);
			return -1;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	}
	if (argc - optind != 1) {
		usage(stderr);
		return EX_USAGE;
	}
	job->name = argv[optind];
	if ((r = parse_numbers(job, uid, gid, cost)) != 0)
		return r;
	return check_options(job);
}

/* Where the file really is, so that rename(2) does not replace a symbolic link by a file. */
static int
find_file(struct job *job, const char *file)
{
	char path[PATH_MAX];
	struct stat st;
	int r;

	if (file == NULL) {
		if ((r = ctl_auth_user_file(path)) != 0)
			return r;
	} else if (strlcpy(path, file, sizeof(path)) >= sizeof(path)) {
		return fail(EX_USAGE, "-f: the path is too long");
	}
	if (realpath(path, job->file) != NULL)
		return 0;
	if (errno != ENOENT) {
		warn("%s", path);
		return EX_NOINPUT;
	}
	if (lstat(path, &st) == 0)
		return fail(EX_NOINPUT, "%s is a symbolic link to nowhere", path);
	strlcpy(job->file, path, sizeof(job->file));
	return 0;
}

/* Reads the whole file; one that is not there is empty. 0 or an exit status. */
static int
read_file(const struct job *job, struct text *text)
{
	int fd = open(job->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = EX_NOINPUT;
	size_t size = 0;
	ssize_t n = 1;

	memset(text, 0, sizeof(*text));
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd != -1 && fstat(fd, &text->st) == 0 && S_ISREG(text->st.st_mode)) {
		size = (size_t)text->st.st_size + 1;
		text->bytes = malloc(size);
	}
	while (text->bytes != NULL && text->len < size && n > 0) {
		n = read(fd, text->bytes + text->len, size - text->len);
		text->len += n > 0 ? (size_t)n : 0;
	}
	if (fd != -1 && size == 0 && !S_ISREG(text->st.st_mode))
		warnx("%s is not a file", job->file);
	else if (text->bytes == NULL || n == -1)
		warn("%s", job->file);
	else if (text->len == size)
		r = fail(EX_TEMPFAIL, "%s grew while it was read; try again", job->file);
	else
		r = 0;
	text->exists = true;
	if (fd != -1)
		close(fd);
	return r;
}

/* The line at *at, with its end; moves *at behind it. NULL at the end of the text. */
static const char *
next_line(const struct text *text, size_t *at, size_t *len)
{
	const char *line = text->bytes + *at, *lf;

	if (*at >= text->len)
		return NULL;
	lf = memchr(line, '\n', text->len - *at);
	*len = lf == NULL ? text->len - *at : (size_t)(lf + 1 - line);
	*at += *len;
	return line;
}

/* True if the line is the entry of name, by the same rules as pwfile_find(). */
static bool
is_entry_of(const char *line, size_t len, const char *name, char buf[static PWFILE_LINE],
    struct pwentry *entry)
{
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len >= PWFILE_LINE || len == 0 || line[0] == '#' || memchr(line, '\0', len) != NULL)
		return false;
	memcpy(buf, line, len);
	buf[len] = '\0';
	return pwfile_parse(buf, entry) == 0 && strcmp(entry->name, name) == 0;
}

static bool
find_entry(
    const struct text *text, const char *name, char buf[static PWFILE_LINE], struct pwentry *entry)
{
	size_t at = 0, len;
	const char *line;

	while ((line = next_line(text, &at, &len)) != NULL)
		if (is_entry_of(line, len, name, buf, entry))
			return true;
	return false;
}

/* For a user who is new: what was not given. */
static int
complete(const struct job *job, struct pwentry *entry)
{
	static char none[] = "";

	entry->gecos = none;
	entry->shell = none;
	entry->home = none;
	if (job->home == NULL)
		return fail(
		    EX_USAGE, "%s is new: -d HOME must say which directory to show", job->name);
	if (!job->has_uid && geteuid() == 0)
		return fail(EX_USAGE,
		    "%s is new: -u UID must say which user of this system to become", job->name);
	entry->uid = geteuid();
	entry->gid = getegid();
	return 0;
}

/* Writes the new line of the user; 0 or an exit status. */
static int
compose(const struct job *job, const struct text *text, const char *hash,
    char line[static PWFILE_LINE], bool *added)
{
	char buf[PWFILE_LINE];
	struct pwentry entry;
	int n, r;

	*added = !find_entry(text, job->name, buf, &entry);
	if (*added && (r = complete(job, &entry)) != 0)
		return r;
	if (job->has_uid) {
		entry.uid = job->uid;
		entry.gid = job->gid;
	}
	if (job->has_gid)
		entry.gid = job->gid;
	if (entry.uid == 0 || entry.gid == 0)
		return fail(EX_USAGE,
		    "%s would have uid %u and gid %u, and root's are refused: give -u and -g",
		    job->name, (unsigned)entry.uid, (unsigned)entry.gid);
	n = snprintf(line, PWFILE_LINE, "%s:%s:%u:%u:%s:%s:%s\n", job->name, hash,
	    (unsigned)entry.uid, (unsigned)entry.gid, job->gecos != NULL ? job->gecos : entry.gecos,
	    job->home != NULL ? job->home : entry.home,
	    job->shell != NULL ? job->shell : entry.shell);
	if (n < 0 || n >= PWFILE_LINE)
		return fail(EX_USAGE, "the line of %s would be longer than %d bytes", job->name,
		    PWFILE_LINE - 1);
	return 0;
}

static int
ask_password(char password[static PASSWORD_MAX])
{
	char again[PASSWORD_MAX];
	int r = 0;

	if (readpassphrase("New password: ", password, PASSWORD_MAX, RPP_REQUIRE_TTY) == NULL ||
	    readpassphrase("Again: ", again, sizeof(again), RPP_REQUIRE_TTY) == NULL)
		return fail(EX_NOINPUT,
		    "there is no terminal to ask for the password (--stdin takes it from standard "
		    "input)");
	if (strcmp(password, again) != 0)
		r = fail(EX_DATAERR, "the two passwords differ; nothing was changed");
	explicit_bzero(again, sizeof(again));
	return r;
}

/* One line, without its end. */
static int
read_password(char password[static PASSWORD_MAX])
{
	size_t len = 0;
	int c;

	/* No line buffer of stdio is to keep a copy. */
	setvbuf(stdin, NULL, _IONBF, 0);
	while ((c = getc(stdin)) != EOF && c != '\n') {
		if (c == '\0' || len == PASSWORD_MAX - 1)
			return fail(EX_DATAERR,
			    "the password must have at most %d bytes and no NUL", PASSWORD_MAX - 1);
		password[len++] = (char)c;
	}
	if (len > 0 && password[len - 1] == '\r')
		len--;
	password[len] = '\0';
	return 0;
}

/* Asks for the password and hashes it; 0 or an exit status. */
static int
get_hash(const struct job *job, char hash[static CRYPT_OUTPUT_SIZE])
{
	char password[PASSWORD_MAX] = "", setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = NULL;
	const char *made = NULL;
	int r = job->from_stdin ? read_password(password) : ask_password(password);

	if (r == 0 && (password[0] == '\0' || has_control(password)))
		r = fail(EX_DATAERR, "the password is empty or has control characters");
	if (r == 0) {
		data = calloc(1, sizeof(*data));
		if (data != NULL &&
		    crypt_gensalt_rn(
			"$y$", (unsigned long)job->cost, NULL, 0, setting, sizeof(setting)) != NULL)
			made = crypt_r(password, setting, data);
		if (made == NULL || made[0] == '*') {
			warn("crypt");
			r = EX_OSERR;
		} else {
			strlcpy(hash, made, CRYPT_OUTPUT_SIZE);
		}
	}
	explicit_bzero(password, sizeof(password));
	if (data != NULL)
		freezero(data, sizeof(*data));
	return r;
}

/* Copies the text; the first line of the user becomes line, or all of them go (line is NULL). */
static void
write_changed(FILE *out, const struct text *text, const char *name, const char *line)
{
	char buf[PWFILE_LINE];
	struct pwentry entry;
	size_t at = 0, len;
	const char *old;
	bool done = line == NULL;

	while ((old = next_line(text, &at, &len)) != NULL) {
		if (!is_entry_of(old, len, name, buf, &entry) || (line != NULL && done)) {
			fwrite(old, 1, len, out);
		} else if (!done) {
			fputs(line, out);
			done = true;
		}
	}
	if (!done) {
		if (text->len > 0 && text->bytes[text->len - 1] != '\n')
			putc('\n', out);
		fputs(line, out);
	}
	explicit_bzero(buf, sizeof(buf));
}

/* Writes the new text to fd, with the owner and mode of the old file; 0 or -1. Closes fd. */
static int
write_file(int fd, const struct text *text, const char *name, const char *line)
{
	const struct stat *st = &text->st;
	FILE *out = fdopen(fd, "w");
	int r = 0;

	if (out == NULL) {
		close(fd);
		return -1;
	}
	if (text->exists) {
		if ((st->st_uid != geteuid() || st->st_gid != getegid()) &&
		    fchown(fd, st->st_uid, st->st_gid) == -1)
			r = -1;
		if (fchmod(fd, st->st_mode & 07777) == -1)
			r = -1;
	}
	write_changed(out, text, name, line);
	if (fflush(out) == EOF || ferror(out) || fsync(fd) == -1)
		r = -1;
	if (fclose(out) == EOF)
		r = -1;
	return r;
}

/* Puts the new text in the place of the file at once. dir is its directory. */
static int
replace_file(const struct job *job, int dir, const struct text *text, const char *line)
{
	char temp[PATH_MAX + 8];
	sigset_t all, before;
	int fd, r = 0;

	/* An interrupt must not leave the temporary file behind. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	snprintf(temp, sizeof(temp), "%s.XXXXXX", job->file);
	if ((fd = mkostemp(temp, O_CLOEXEC)) == -1) {
		warn("%s", temp);
		r = EX_CANTCREAT;
	} else if (write_file(fd, text, job->name, line) == -1 || rename(temp, job->file) == -1) {
		warn("%s", job->file);
		unlink(temp);
		r = EX_IOERR;
	} else if (fsync(dir) == -1 && errno != EINVAL) {
		warn("fsync of the directory of %s", job->file);
		r = EX_IOERR;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* Opens and locks the directory of the file (the file itself is replaced); -1 after a message. */
static int
lock_directory(const struct job *job)
{
	char path[PATH_MAX], *slash;
	int fd;

	strlcpy(path, job->file, sizeof(path));
	slash = strrchr(path, '/');
	if (slash == NULL)
		strlcpy(path, ".", sizeof(path));
	else
		slash[slash == path] = '\0';
	/* The first user may come before anything else is there. */
	if (strcmp(path, SYSCONFDIR) == 0)
		(void)mkdir(path, 0755);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || flock(fd, LOCK_EX) == -1) {
		warn("%s", path);
		if (fd != -1)
			close(fd);
		return -1;
	}
	return fd;
}

/* With the directory locked: reads the file anew, changes it and says so. */
static int
change(const struct job *job, int dir, const char *hash)
{
	char line[PWFILE_LINE], buf[PWFILE_LINE];
	struct pwentry entry;
	struct text text;
	bool added = false;
	int r = read_file(job, &text);

	if (r == 0 && job->remove && !find_entry(&text, job->name, buf, &entry))
		r = fail(EX_NOUSER, "there is no user %s in %s", job->name, job->file);
	if (r == 0 && !job->remove)
		r = compose(job, &text, hash, line, &added);
	if (r == 0)
		r = replace_file(job, dir, &text, job->remove ? NULL : line);
	if (r == 0)
		printf("%s: %s %s\n", job->name,
		    job->remove ? "deleted from"
			: added ? "added to"
				: "changed in",
		    job->file);
	freezero(text.bytes, text.len);
	explicit_bzero(line, sizeof(line));
	explicit_bzero(buf, sizeof(buf));
	return r;
}

/* What would fail after the password is said before it is asked for. */
static int
check_before(const struct job *job)
{
	char line[PWFILE_LINE];
	struct text text;
	bool added;
	int r = read_file(job, &text);

	if (r == 0)
		r = compose(job, &text, "", line, &added);
	freezero(text.bytes, text.len);
	return r;
}

int
ctl_passwd(int argc, char **argv)
{
	char hash[CRYPT_OUTPUT_SIZE] = "";
	const char *file = NULL;
	struct job job = { 0 };
	struct stat st;
	int dir, r;

	if ((r = parse_options(&job, &file, argc, argv)) != 0)
		return r == -1 ? 0 : r;
	if ((r = find_file(&job, file)) != 0)
		return r;
	if (!job.remove && ((r = check_before(&job)) != 0 || (r = get_hash(&job, hash)) != 0))
		return r;
	if ((dir = lock_directory(&job)) == -1)
		return EX_CANTCREAT;
	r = change(&job, dir, hash);
	close(dir);
	explicit_bzero(hash, sizeof(hash));
	if (r == 0 && job.home != NULL && !job.remove &&
	    (stat(job.home, &st) == -1 || !S_ISDIR(st.st_mode)))
		warnx("note: there is no directory %s yet; without it the login is refused",
		    job.home);
	return r;
}
