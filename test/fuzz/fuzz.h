/*
 * What the fuzz targets share. A target is one file that has a name, the name of
 * its corpus, and a function that checks properties: whatever the bytes are, it
 * returns, or a CHECK() says what does not hold. The same file is linked with
 * replay.c (make check) and with libFuzzer (configure --enable-fuzzers).
 */
#ifndef GENKAN_FUZZ_H
#define GENKAN_FUZZ_H

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const char fuzz_name[];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__attribute__((noreturn)) static inline void
fuzz_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s (errno: %s)\n", file, line, what, strerror(errno));
	abort();
}

/* A property that holds, or a setup that works, whatever the input is. */
#define CHECK(what) ((what) ? (void)0 : fuzz_failed(#what, __FILE__, __LINE__))

/*
 * The next text of the input: up to a NUL byte, or what is left. Allocated with
 * just its room, so that a sanitizer sees each byte beyond it.
 */
static inline char *
fuzz_text(const uint8_t **data, size_t *size)
{
	const uint8_t *nul = *size > 0 ? memchr(*data, '\0', *size) : NULL;
	size_t len = nul == NULL ? *size : (size_t)(nul - *data);
	char *text = malloc(len + 1);

	CHECK(text != NULL);
	if (len > 0)
		memcpy(text, *data, len);
	text[len] = '\0';
	*data += nul == NULL ? len : len + 1;
	*size -= nul == NULL ? len : len + 1;
	return text;
}

/* The next byte of the input, 0 behind its end. */
static inline uint8_t
fuzz_byte(const uint8_t **data, size_t *size)
{
	if (*size == 0)
		return 0;
	--*size;
	return *(*data)++;
}

/* Room for n bytes, no byte more. */
static inline void *
fuzz_room(size_t n)
{
	void *room = malloc(n > 0 ? n : 1);

	CHECK(room != NULL);
	return room;
}

/* How many descriptors are open, of those that a target can have reached: one call for all. */
static inline unsigned
fuzz_descriptors(void)
{
	struct pollfd p[200] = { 0 };
	unsigned n = 0;

	for (int i = 0; i < 200; i++)
		p[i].fd = i;
	CHECK(poll(p, 200, 0) != -1);
	for (int i = 0; i < 200; i++)
		n += (p[i].revents & POLLNVAL) == 0;
	return n;
}

/*
 * Checks that bytes are whole replies (RFC 959 section 4.2): lines that end with
 * CR LF and hold no control byte and no lone 0xFF, the last one of each reply,
 * and no other, with its three digits and a blank. Returns how many replies are
 * final ones (not 1xx); *code is the last one's. In replies.c.
 */
unsigned fuzz_replies(const char *bytes, size_t len, int *code);

#endif
