/*
 * The rules that stand between the right password and the login: who is not
 * wanted, in which groups somebody is, which directory is the root. They are
 * asked before the client is answered, so that a refusal looks like a wrong
 * password.
 */
#ifndef GENKAN_ACCOUNT_H
#define GENKAN_ACCOUNT_H

#include <stdbool.h>
#include <stdio.h>

struct conf;
struct grant;

/* NologinFile is there: nobody logs in, whoever it is. */
bool account_closed(const struct conf *conf);

/*
 * May the user of grant come in? Fills in the groups (AuthGroupFile, unless the
 * system has told them) and *rights. Returns NULL, or one word for the log:
 * FtpUsers, RequireValidShell, a file that cannot be read.
 */
const char *account_admit(
    const struct conf *conf, const char *user, struct grant *grant, unsigned *rights);

/* The directory that becomes the client's "/": grant->home itself, or of DefaultRoot. */
const char *account_root(const struct conf *conf, const struct grant *grant);

/*
 * Opens a file that decides who may do what: NULL, and the log tells it, if it
 * cannot be read or others may write it.
 */
FILE *account_open_file(const char *directive, const char *name);

#endif
