/*
 * Which of OpenSSL's algorithms there are. Its default provider has 300, and makes all of an operation (ciphers,
 * say) as soon as the first one is asked for; a session of TLS uses 40. The rest costs a tenth of a login.
 */
#ifndef GENKAN_ALGORITHMS_H
#define GENKAN_ALGORITHMS_H

/*
 * From now on OpenSSL has what TLS 1.2 and 1.3 with the ciphers, groups and kinds of keys of tls.c need. Called
 * first of all. Without the inside of a static libcrypto (configure), or should OpenSSL refuse, it has everything.
 */
void algorithms_load(void);

#endif
