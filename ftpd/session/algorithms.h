/*
 * Which of OpenSSL's algorithms there are. Its default provider (3.0) has 366, and makes all of an
 * operation (ciphers, say) as soon as the first one is asked for; a session of TLS needs 53. The
 * rest costs a tenth of a login.
 */
#ifndef GENKAN_ALGORITHMS_H
#define GENKAN_ALGORITHMS_H

/*
 * From now on OpenSSL has what TLS 1.2 and 1.3 with the ciphers, groups and kinds of keys of tls.c
 * need. Called before anything is asked of it. Without the inside of a static libcrypto
 * (configure), or should OpenSSL refuse, it has everything.
 */
void algorithms_load(void);

#endif
