/*
 * TransferLog: one line of xferlog(5) for each transfer, as wu-ftpd wrote it
 * and the statistics programs read it; and a line in the log.
 */
#ifndef GENKAN_XFERLOG_H
#define GENKAN_XFERLOG_H

struct monitor;
struct req_done;

void xferlog_write(const struct monitor *m, const struct req_done *done);

#endif
