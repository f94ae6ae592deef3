/*
 * One request of HTTP.
 */
#include "httpget.h"

#include <ctype.h>
#include <string.h>

bool
httpget_is_for_browsers(uint16_t port)
{
	/* from 1024 on; below nearly all are bad */
	static const uint16_t bad[] = { 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000,
		6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (bad[i] == port)
			return false;
	return port >= 1024 || port == 80;
}

/* The value of a field, with the blanks in front gone; NULL if the header has none. */
static const char *
find_field(const char *header, const char *name, size_t *len)
{
	const size_t n = strlen(name);

	for (const char *line = strstr(header, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " \t");
		*len = strcspn(line, "\r\n");
		return line;
	}
	return NULL;
}

/* A host that can stand in a page as it is. */
static void
take_host(const char *value, size_t len, struct httpget *get)
{
	size_t n = value[0] == '[' ? strcspn(value, "]\r\n") + 1 : strcspn(value, ":\r\n");

	if (n > len || n >= sizeof(get->host))
		return;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)value[i]) && strchr("-._[]:", value[i]) == NULL)
			return;
	memcpy(get->host, value, n);
	get->host[n] = '\0';
}

int
httpget_read(const char *text, size_t n, struct httpget *get)
{
	char header[HTTPGET_MAX];
	const char *value;
	size_t len, path;

	memset(get, 0, sizeof(*get));
	if (n >= sizeof(header) || memchr(text, '\0', n) != NULL ||
	    strncmp(text, "GET /", n < 5 ? n : 5) != 0)
		return -1;
	memcpy(header, text, n);
	header[n] = '\0';
	path = n < 5 ? 0 : strcspn(header + 4, " ?\r\n");
	if (path >= sizeof(get->path))
		return -1;
	if (strstr(header, "\r\n\r\n") == NULL)
		return 0;
	memcpy(get->path, header + 4, path);
	get->path[path] = '\0';
	if ((value = find_field(header, "Host", &len)) != NULL)
		take_host(value, len, get);
	if ((value = find_field(header, "Accept-Language", &len)) != NULL) {
		len = len < sizeof(get->language) ? len : sizeof(get->language) - 1;
		memcpy(get->language, value, len);
		get->language[len] = '\0';
	}
	return 1;
}
