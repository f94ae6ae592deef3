/*
 * JSON (RFC 8259) on standard output.
 */
#ifndef GENKAN_JSON_H
#define GENKAN_JSON_H

/* Prints a string; null for NULL. Bytes that are not UTF-8 come as U+FFFD. */
void json_string(const char *text);

#endif
