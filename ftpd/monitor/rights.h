/*
 * What an account may do: ReadOnly, UploadOnly, AllowOverwrite, AnonymousUpload,
 * and the file of UserRights, which takes rights away and gives none:
 *
 *	anna:    all
 *	cousin:  read list store mkdir
 *	@kids:   all -delete -overwrite
 *	*:       read list
 *
 * The first line that fits counts; a user whom none fits has all rights.
 */
#ifndef GENKAN_RIGHTS_H
#define GENKAN_RIGHTS_H

#include <stdbool.h>
#include <stdio.h>

struct conf;
struct groups;

/* Room for what is wrong with a file of rights. */
#define RIGHTS_ERROR 256

/*
 * Reads a file of rights to its end, so that a mistake is found whoever logs in.
 * user is NULL where it is only checked. Sets *rights to RIGHT_…; returns 0, or
 * -1 with error: "line 3: "raed" is no right …".
 */
int rights_read(FILE *file, const char *user, const struct groups *groups, unsigned *rights,
    char error[static RIGHTS_ERROR]);

/*
 * The rights of a user who is about to come in. Returns 0, or -1 when the file of
 * UserRights cannot be used; the log tells why.
 */
int rights_of(const struct conf *conf, const char *user, bool anonymous,
    const struct groups *groups, unsigned *rights);

/* genkan-ftpd -t: 0, or -1 with what is wrong with the file of UserRights, its name in front. */
int rights_check(const struct conf *conf, char *error, size_t size);

#endif
