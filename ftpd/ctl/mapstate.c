/*
 * The file of what genkanctl map has asked for.
 */
#include "mapstate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "mappings"

static int
path_of(const char *directory, const char *suffix, char path[static PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/" FILE_NAME "%s", directory, suffix) < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static void
read_line(struct mapstate *s, const char *line)
{
	unsigned port, external;
	struct mapped m = { 0 };
	int end = -1;

	if (sscanf(line, "nonce %24[0-9a-f]", s->nonce) == 1)
		return;
	if (sscanf(line, "%5u %5u %7s %15s %" SCNd64 "%n", &port, &external, m.method, m.address,
		&m.until, &end) != 5 ||
	    end == -1 || port == 0 || port > UINT16_MAX || external == 0 || external > UINT16_MAX)
		return;
	m.port = (uint16_t)port;
	m.external = (uint16_t)external;
	if (m.until == 0 || m.until > (int64_t)time(NULL))
		mapstate_set(s, &m);
}

int
mapstate_read(struct mapstate *s, const char *directory)
{
	char path[PATH_MAX], line[128];
	FILE *file;
	int fd;

	memset(s, 0, sizeof(*s));
	if (path_of(directory, "", path) == -1)
		return -1;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 && errno != ENOENT)
		return -1;
	if (fd != -1) {
		if ((file = fdopen(fd, "r")) == NULL) {
			close(fd);
			return -1;
		}
		while (fgets(line, sizeof(line), file) != NULL)
			read_line(s, line);
		fclose(file);
	}
	if (strlen(s->nonce) != sizeof(s->nonce) - 1)
		for (size_t i = 0; i < sizeof(s->nonce) - 1; i += 8)
			snprintf(s->nonce + i, 9, "%08" PRIx32, arc4random());
	return 0;
}

int
mapstate_write(const struct mapstate *s, const char *directory)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	FILE *file = NULL;
	int fd, r = -1, saved;

	if (path_of(directory, "", path) == -1 || path_of(directory, ".XXXXXX", temporary) == -1 ||
	    (fd = mkostemp(temporary, O_CLOEXEC)) == -1)
		return -1;
	if ((file = fdopen(fd, "w")) != NULL) {
		fprintf(file, "nonce %s\n", s->nonce);
		for (unsigned i = 0; i < s->n; i++)
			fprintf(file, "%u %u %s %s %" PRId64 "\n", s->at[i].port, s->at[i].external,
			    s->at[i].method, s->at[i].address, s->at[i].until);
		r = fclose(file) == 0 ? rename(temporary, path) : -1;
	} else {
		close(fd);
	}
	saved = errno;
	if (r == -1)
		unlink(temporary);
	errno = saved;
	return r;
}

struct mapped *
mapstate_find(struct mapstate *s, uint16_t port)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->at[i].port == port)
			return &s->at[i];
	return NULL;
}

void
mapstate_set(struct mapstate *s, const struct mapped *m)
{
	struct mapped *there = mapstate_find(s, m->port);

	if (there == NULL && s->n < MAPSTATE_MAX)
		there = &s->at[s->n++];
	if (there != NULL)
		*there = *m;
}

void
mapstate_forget(struct mapstate *s, uint16_t port)
{
	struct mapped *there = mapstate_find(s, port);

	if (there != NULL)
		*there = s->at[--s->n];
}
