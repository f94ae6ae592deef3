/*
 * Modes as people write them for chmod(1), for SITE CHMOD.
 */
#ifndef GENKAN_MODETEXT_H
#define GENKAN_MODETEXT_H

#include <sys/types.h>

/*
 * Reads an octal mode ("644") or symbolic changes to old ("u+x,go-w", "a=rX").
 * *mode may hold bits above 0777 when the text asks for them ("4755", "u+s"),
 * for the caller to refuse. Returns 0, or -1 with EINVAL.
 */
int modetext_parse(const char *text, mode_t old, mode_t *mode);

#endif
