/*
 * genkanctl who --watch: the connections on a live screen, with bars for what is read
 * and written, rates and remaining times. Drawn anew every second by plain ANSI
 * sequences, on the terminal's other screen; q or Ctrl-C ends it.
 */
#ifndef GENKAN_CTL_WATCH_H
#define GENKAN_CTL_WATCH_H

#include "sessions.h"

/* Returns 0, or an exit status after saying what is wrong. */
int ctl_watch(struct ctl_place *place);

#endif
