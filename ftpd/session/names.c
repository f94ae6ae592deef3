/*
 * Names in the client's charset.
 */
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "charset.h"
#include "linebuf.h"
#include "log.h"
#include "nfc.h"
#include "reply.h"
#include "session.h"

/* A row that has not come whole yet; longer than any of the monitor's. */
#define ROW (24 << 10)

_Static_assert(CHARSET_GROWTH *(NAMES_ROWS + ROW) <= NAMES_ROWS_OUT, "rows grow beyond the room");

/* Of the one session of this process; loaded before its sandbox. */
static struct charset charset;
static bool loaded;
static char row[ROW];
static size_t row_len;

bool
names_load(const struct conf *conf, char why[static CONF_ERROR])
{
	const char *name = conf->client_charset.name;

	if (name[0] == '\0')
		return true;
	loaded = charset_open(&charset, name) == 0;
	if (!loaded)
		snprintf(why, CONF_ERROR, "ClientCharset %s: %s", name, charset_why(errno));
	return loaded;
}

void
names_begin(struct session *s)
{
	s->names = (struct names){ .legacy = loaded };
}

bool
names_convert(const struct session *s)
{
	return s->names.legacy;
}

char *
names_argument(struct session *s, char *arg)
{
	static char utf8[CHARSET_GROWTH * LINEBUF_LINE + 1];
	size_t len = strlen(arg), n;
	bool plain = true;

	if (!loaded)
		return arg;
	for (size_t i = 0; i < len && plain; i++)
		plain = (arg[i] & 0x80) == 0;
	if (!plain && !s->names.told && s->conf->client_charset.guess)
		s->names.legacy = !utf8_is_valid(arg, len);
	if (!s->names.legacy || len > LINEBUF_LINE)
		return arg;
	n = charset_decode(&charset, arg, len, utf8, sizeof(utf8) - 1);
	utf8[n] = '\0';
	return utf8;
}

const char *
names_utf8(struct session *s, bool on)
{
	s->names.told = true;
	s->names.legacy = loaded && !on;
	return s->names.legacy ? s->conf->client_charset.name : "UTF-8";
}

const char *
names_reply(const struct session *s, const char *bytes, size_t *len)
{
	static char plain[REPLY_SIZE], wire[2 * CHARSET_GROWTH * REPLY_SIZE];
	char *out = wire + CHARSET_GROWTH * REPLY_SIZE;
	size_t n = 0, made;

	if (!s->names.legacy || *len > sizeof(plain))
		return bytes;
	for (size_t i = 0; i < *len; i++) {
		plain[n++] = bytes[i];
		if (bytes[i] == '\xff' && i + 1 < *len && bytes[i + 1] == '\xff')
			i++;
	}
	made = charset_encode(&charset, plain, n, out, CHARSET_GROWTH * REPLY_SIZE);
	/* the doubled bytes are written before those that are still to be read */
	for (n = 0; made > 0; made--, out++) {
		wire[n++] = *out;
		if (*out == '\xff')
			wire[n++] = '\xff';
	}
	*len = n;
	return wire;
}

void
names_rows_begin(void)
{
	row_len = 0;
}

size_t
names_rows(const struct session *s, const char *rows, size_t len, char out[static NAMES_ROWS_OUT])
{
	size_t n = 0;
	const char *end;

	(void)s;
	while (len > 0) {
		size_t part = (end = memchr(rows, '\n', len)) != NULL ? (size_t)(end + 1 - rows) : len;

		if (part > sizeof(row) - row_len)
			fatalx("a row of more than %zu bytes", sizeof(row));
		memcpy(row + row_len, rows, part);
		row_len += part;
		rows += part;
		len -= part;
		if (end == NULL)
			break;
		n += charset_encode(&charset, row, row_len, out + n, NAMES_ROWS_OUT - n);
		row_len = 0;
	}
	return n;
}
