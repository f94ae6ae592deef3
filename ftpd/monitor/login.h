/*
 * REQ_LOGIN and REQ_CERTIFICATE: checks who it is, then becomes the user for good.
 */
#ifndef GENKAN_LOGIN_H
#define GENKAN_LOGIN_H

struct monitor;
union any_request;
union any_answer;

int login_request(struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);
int certificate_request(
    struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);

#endif
