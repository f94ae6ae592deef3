/*
 * REQ_LIST: the rows of LIST, NLST and MLSD, written into a pipe.
 *
 * listing_request() finds out what is to be listed and answers with the pipe's
 * read end; the rows follow in listing_write(), once that answer has left,
 * because a pipe holds only so much. A session that closes its end ends the
 * listing; REQ_DONE tells how it went.
 *
 * LIST and NLST are sorted as ls(1) does it. To keep memory bounded a directory
 * of LISTING_SORTED names or more (in a recursion LISTING_ROWS) comes in its own
 * order, as it is read; so does MLSD. A pattern matches names of one directory;
 * what matches is listed itself, as by "ls -d". Recursion ends at LISTING_DEPTH
 * levels and LISTING_ROWS rows, and a last row says so.
 */
#ifndef GENKAN_LISTING_H
#define GENKAN_LISTING_H

struct monitor;
union any_request;
union any_answer;

#define LISTING_SORTED 10000
#define LISTING_ROWS   20000
#define LISTING_DEPTH  16

int listing_request(
    struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);

/* Writes the rows of the listing that was answered last. */
void listing_write(struct monitor *m);

/* Forgets a listing whose rows nobody will see. */
void listing_discard(struct monitor *m);

#endif
