/*
 * Messages with at most one descriptor over a SOCK_SEQPACKET socket: the
 * transport of ftpd/request.h.
 */
#ifndef GENKAN_MSG_H
#define GENKAN_MSG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Sends type and len bytes of body as one packet; fd is passed along unless -1
 * (the caller still closes its own). Returns 0, or -1 with errno.
 */
int msg_send(int sock, uint32_t type, const void *body, size_t len, int fd);

/*
 * Receives one packet. Returns the length of its body (0 is possible), or -1:
 * ECONNRESET when the peer has gone (or sent an empty packet), EMSGSIZE when the
 * packet has no type, a body longer than max or two descriptors, EMFILE when
 * this process may not have the one that was sent, else errno; whatever came
 * along is closed then. *fd is the descriptor that came along (close-on-exec),
 * or -1. fd NULL: none is expected and one that comes is closed.
 */
ssize_t msg_recv(int sock, uint32_t *type, void *body, size_t max, int *fd);

#endif
