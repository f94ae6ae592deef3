/*
 * TLSUserCertificates: whose certificate lets in without a password.
 *
 *	# what openssl x509 -noout -fingerprint -sha256 prints behind the =
 *	anna   5F:3B:…:C2  e1d0…77
 *	cousin 00:11:…:FF   # her old laptop
 *
 * A user may have several certificates, and several lines.
 */
#ifndef GENKAN_CERTUSERS_H
#define GENKAN_CERTUSERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A SHA-256 fingerprint in lower-case hexadecimal, without colons, and NUL. */
#define CERTUSERS_PRINT 65

/* Room for what is wrong with a line. */
#define CERTUSERS_ERROR 256

/*
 * Reads the file to its end, so that neither time nor a mistake behind the line that
 * fits depends on the user. Returns true if the user has this certificate. A line with a mistake
 * gives nobody anything; error tells of the first one, "line 3: …", and is empty where there is
 * none.
 */
bool certusers_have(FILE *file, const char *user, const char print[static CERTUSERS_PRINT],
    char error[static CERTUSERS_ERROR]);

#endif
