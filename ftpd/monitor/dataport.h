/*
 * Sockets for data connections: REQ_LISTEN and REQ_CONNECT.
 *
 * Passive: the socket listens on the address the control connection came in
 * by, on a port of PassivePorts. The address to announce is that one for LAN
 * clients and without MasqueradeAddress; otherwise the masquerade address, which
 * genkan-ftpd-gateway may still be looking up: the first PASV waits for it, at
 * most MasqueradeTimeout from the start of the connection. EPSV never waits.
 *
 * Active: to the control connection's peer and to nobody else (RFC 2577), from
 * ActivePort where that can be had.
 */
#ifndef GENKAN_DATAPORT_H
#define GENKAN_DATAPORT_H

struct monitor;
union any_request;
union any_answer;

int dataport_listen(
    struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);
int dataport_connect(
    struct monitor *m, const union any_request *req, union any_answer *ans, int *fd);

/* The last data connection is over: its port is free for others, and at the router. */
void dataport_forget(struct monitor *m);

#endif
