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

/*
 * The last wall, the user's state's system calls and no others: entered once the answer has left,
 * so that the client need not wait for it, and before the next request is received. Does not
 * return without it.
 */
void login_filter(struct monitor *m);

#endif
