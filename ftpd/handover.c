/*
 * The memory file between the monitor and genkan-ftpd-tls.
 */
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* More than any configuration, certificate chain or list of authorities. */
#define PART_MAX (4 << 20)

bool
handover_add(struct handover *h, enum part_kind kind, unsigned index, char *bytes, size_t len)
{
	if (bytes != NULL && h->nparts < HANDOVER_PARTS && len <= PART_MAX) {
		h->parts[h->nparts++] =
		    (struct part){ .kind = kind, .index = index, .len = len, .bytes = bytes };
		return true;
	}
	free(bytes);
	return false;
}

const struct part *
handover_find(const struct handover *h, enum part_kind kind, unsigned index)
{
	for (unsigned i = 0; i < h->nparts; i++)
		if (h->parts[i].kind == (uint32_t)kind && h->parts[i].index == index)
			return &h->parts[i];
	return NULL;
}

static int
write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int
read_all(int fd, void *bytes, size_t len)
{
	char *p = bytes;

	while (len > 0) {
		ssize_t n = read(fd, p, len);

		if (n == 0)
			errno = EBADMSG;
		if (n == 0 || (n == -1 && errno != EINTR))
			return -1;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int
handover_write(const struct handover *h)
{
	int fd = memfd_create("handover", MFD_CLOEXEC | MFD_ALLOW_SEALING), result, error;
	struct handover front = *h;

	if (fd == -1)
		return -1;
	for (unsigned i = 0; i < h->nparts; i++)
		front.parts[i].bytes = NULL; /* where things are in this process is nobody's business */
	result = write_all(fd, &front, sizeof(front));
	for (unsigned i = 0; result == 0 && i < h->nparts; i++)
		result = write_all(fd, h->parts[i].bytes, h->parts[i].len);
	if (result == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
handover_read(int fd, struct handover *h)
{
	unsigned n;

	if (read_all(fd, h, sizeof(*h)) == -1) {
		h->nparts = 0;
		return -1;
	}
	n = h->nparts;
	h->nparts = 0;
	for (unsigned i = 0; n <= HANDOVER_PARTS && i < n; i++) {
		struct part *part = &h->parts[i];

		part->bytes = part->len <= PART_MAX ? malloc(part->len + 1) : NULL;
		if (part->bytes == NULL)
			return -1;
		h->nparts++;
		if (read_all(fd, part->bytes, part->len) == -1)
			return -1;
		part->bytes[part->len] = '\0';
	}
	if (n <= HANDOVER_PARTS)
		return 0;
	errno = EBADMSG;
	return -1;
}

void
handover_free(struct handover *h)
{
	for (unsigned i = 0; i < h->nparts; i++) {
		explicit_bzero(h->parts[i].bytes, h->parts[i].len);
		free(h->parts[i].bytes);
	}
	h->nparts = 0;
}
