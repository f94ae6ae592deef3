/*
 * Unit files of systemd(1): "[Section]", "Key=value", lines that go on behind a backslash.
 */
#ifndef GENKAN_UNITCONF_H
#define GENKAN_UNITCONF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The value number n (from 0) that text gives to the key in the section; an empty value forgets
 * those before it, as systemd does, so a unit with its drop-ins is their texts one after another.
 * Returns false if there is none, or no room for it.
 */
bool unitconf_get(
    const char *text, const char *section, const char *key, unsigned n, char *value, size_t size);

/* The value that holds where a key has one value: the last one. */
bool unitconf_last(
    const char *text, const char *section, const char *key, char *value, size_t size);

/* Reads systemd's spelling of a switch; false for what is none, too. */
bool unitconf_is_on(const char *value);

#endif
