/*
 * The state directory: what was good last. Files are replaced, never changed, so that a reader has an
 * old one or a new one, and a link that somebody put there is not followed.
 */
#include "gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ADDRESS_FILE "address"
#define URL_FILE     "upnp"
#define FRESH        60  /* seconds in which the same address is not written again */
#define AHEAD_MAX    300 /* so much may the clock have been put back */

/* Reads a small file of our own as text; false if it is not there or not ours. */
static bool
read_file(const char *name, char *text, size_t size)
{
	struct stat st;
	ssize_t n = -1;
	int fd = openat(STATE_FD, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid())
		n = read(fd, text, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return true;
}

static void
write_file(const char *name, const char *text)
{
	char temporary[64];
	const size_t len = strlen(text);
	int fd;

	snprintf(temporary, sizeof(temporary), "%s.%08" PRIx32, name, arc4random());
	fd = openat(STATE_FD, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd == -1) {
		gateway_say("note the state directory cannot be written: %s", strerror(errno));
		return;
	}
	if (write(fd, text, len) == (ssize_t)len && close(fd) == 0) {
		if (renameat(STATE_FD, temporary, STATE_FD, name) == 0)
			return;
	} else {
		close(fd);
	}
	gateway_say("note the state file %s cannot be written: %s", name, strerror(errno));
	unlinkat(STATE_FD, temporary, 0);
}

/* What the file says, however old. */
static bool
read_address(struct cached *c)
{
	char text[FINDING_WORDS + 64], address[NETADDR_TEXT], source[FINDING_WORDS];
	int64_t when;

	if (!read_file(ADDRESS_FILE, text, sizeof(text)) ||
	    sscanf(text, "%63s %" SCNd64 " %247s", address, &when, source) != 3 ||
	    netaddr_parse(address, &c->addr) == -1 || c->addr.family != AF_INET ||
	    netaddr_reach(&c->addr) != NETADDR_PUBLIC)
		return false;
	c->age = (int64_t)time(NULL) - when;
	if (c->age < 0 && c->age >= -AHEAD_MAX)
		c->age = 0;
	strlcpy(c->source, source, sizeof(c->source));
	return c->age >= 0;
}

bool
cache_read(struct cached *c, unsigned max_age)
{
	return read_address(c) && c->age <= max_age;
}

void
cache_write(const struct netaddr *addr, const char *source)
{
	char text[FINDING_WORDS + 64 + NETADDR_TEXT], address[NETADDR_TEXT];
	struct cached c;

	if (read_address(&c) && netaddr_same_host(&c.addr, addr) && c.age < FRESH)
		return;
	snprintf(text, sizeof(text), "%s %" PRId64 " %s\n", netaddr_text(addr, address),
	    (int64_t)time(NULL), source);
	write_file(ADDRESS_FILE, text);
}

/*
 * A description is asked for at a numeric address inside the home, and nowhere else: what the file
 * says was once said by whoever answered a multicast.
 */
static bool
is_url_at_home(const char *url)
{
	static const char scheme[] = "http://";
	char host[NETADDR_TEXT];
	struct netaddr addr;
	size_t n;

	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return false;
	for (const char *c = url; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	n = strcspn(url + strlen(scheme), ":/");
	if (n >= sizeof(host))
		return false;
	memcpy(host, url + strlen(scheme), n);
	host[n] = '\0';
	return netaddr_parse(host, &addr) == 0 && addr.family == AF_INET &&
	    (netaddr_reach(&addr) == NETADDR_PRIVATE || netaddr_reach(&addr) == NETADDR_LOOPBACK ||
	        netaddr_reach(&addr) == NETADDR_LINK_LOCAL);
}

void
cache_read_url(char url[static URL_MAX])
{
	if (!read_file(URL_FILE, url, URL_MAX))
		url[0] = '\0';
	url[strcspn(url, "\n")] = '\0';
	if (!is_url_at_home(url))
		url[0] = '\0';
}

void
cache_write_url(const char *url)
{
	char text[URL_MAX + 1];

	if (!is_url_at_home(url))
		return;
	snprintf(text, sizeof(text), "%s\n", url);
	write_file(URL_FILE, text);
}
