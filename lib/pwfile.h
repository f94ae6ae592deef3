/*
 * Files of passwd(5) lines: AuthUserFile as ProFTPD's ftpasswd writes it
 * (name:hash:uid:gid:gecos:home:shell), and /etc/passwd itself where only
 * numbers are wanted of it. No NSS: it would be paid by every connection.
 */
#ifndef GENKAN_PWFILE_H
#define GENKAN_PWFILE_H

#include <stdio.h>
#include <sys/types.h>

struct pwentry {
	char *name, *hash; /* point into the line */
	uid_t uid;
	gid_t gid;
	char *gecos, *home, *shell;
};

/* The longest line, with its end. */
#define PWFILE_LINE 4096

/*
 * Splits line in place. Returns 0, or -1 with EINVAL: not seven fields, an empty
 * name or home, a uid or gid that is not a decimal number 0..2^31-1.
 */
int pwfile_parse(char *line, struct pwentry *entry);

/*
 * Reads file from its start up to the line of name; buf holds the strings of *entry.
 * Empty lines and lines that begin with # are skipped; a line that does not
 * parse or is too long is skipped, never half read. Returns 1 when found, 0
 * when not, -1 with errno.
 */
int pwfile_find(FILE *file, const char *name, char buf[static PWFILE_LINE], struct pwentry *entry);

/*
 * True if name can be a user's: 1..63 bytes, none of : / or control bytes, no
 * leading dash or # (it would make the line a comment).
 */
int pwfile_name_ok(const char *name);

/*
 * Resolves "name" in /etc/passwd, or a decimal uid (its gid is then the same
 * number unless the file knows better). Returns 0, or -1 with ENOENT or errno.
 */
int pwfile_system_user(const char *name, uid_t *uid, gid_t *gid);

#endif
