/*
 * Names of numbers by passwd(5) and group(5), which both begin name:password:id.
 * No NSS: it reads files by name, and below a user's root they are the user's.
 */
#ifndef GENKAN_IDNAMES_H
#define GENKAN_IDNAMES_H

/* The longest name that is told, with its NUL. */
#define IDNAMES_NAME 33

/* A larger file has no names for us. */
#define IDNAMES_MAX (4 << 20)

struct idnames;

/*
 * Reads the whole file that fd is, whatever its offset. NULL with errno: it
 * cannot be read, EFBIG: it has more than IDNAMES_MAX bytes. The caller frees it.
 */
struct idnames *idnames_read(int fd);

/*
 * The first name that has this number, or NULL: none has it, or the name is too
 * long, or it holds what would end a fact or a word: ';', '=', blanks, control bytes.
 * The text holds until the next call. Found ones and missing ones are remembered, so
 * that a long listing costs no more than one search for each of its owners.
 */
const char *idnames_find(struct idnames *names, unsigned id);

void idnames_free(struct idnames *names);

#endif
