/*
 * REQ_OPEN: the file of a transfer. REQ_RATE: how fast it may be.
 */
#ifndef GENKAN_OPEN_H
#define GENKAN_OPEN_H

#include "request.h"

struct monitor;

int open_request(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);
int rate_request(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);

#endif
