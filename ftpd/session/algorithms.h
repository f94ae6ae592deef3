/*
 * What there is of OpenSSL. By itself it loads what it has: the 366 algorithms of its default
 * provider (3.0), all of an operation (ciphers, say) as soon as the first is asked for; 226 more
 * names for them; the words of 1,800 errors. A session of TLS needs 39 algorithms, five of those
 * names and no words. The rest costs a fifth of a login.
 */
#ifndef GENKAN_ALGORITHMS_H
#define GENKAN_ALGORITHMS_H

/*
 * From now on OpenSSL has what TLS 1.2 and 1.3 with the ciphers, groups and kinds of keys of tls.c
 * need, and no configuration file. Called before anything is asked of it. Without the inside of a
 * static libcrypto (configure), or should OpenSSL refuse, it has everything.
 */
void algorithms_load(void);

/* The words of an error of OpenSSL, or NULL where it has none. */
const char *algorithms_error(unsigned long code);

#endif
