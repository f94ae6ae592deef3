/*
 * The small world of fuzz_session: behind ask.h there is no monitor but a table
 * of names. What is asked is checked: only whole, absolute names, nothing before
 * login, nothing that the account may not do.
 *
 * Names ending in "eN" fail with errno N. Files are memfds, listings come out of
 * a pipe, a passive listener is a real one on loopback that its client has
 * connected to already, an active connection is one end of a socketpair.
 */
#ifndef GENKAN_FAKE_ASK_H
#define GENKAN_FAKE_ASK_H

#define FAKE_PEER "127.0.0.1"

/* What the client sends over data connections. */
#define FAKE_UPLOAD "one\r\ntwo\r\rthree\nfour\r"

/* Begins a world anew, or ends it: closes the client's ends. */
void fake_ask_begin(void);
void fake_ask_end(void);

#endif
