/*
 * Names in the charset of an old client. One character at a time goes through
 * iconv(3), so that what it refuses is known to the byte.
 */
#include "charset.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "nfc.h"

/* The longest character of any charset; GB18030 has four bytes. */
#define CHARACTER 8

/* A line of names that is longer is not looked at for marks. */
#define MARKS_MAX 16384

/* Converts in as a whole; the bytes written, or 0 if it cannot be, exactly. */
static size_t
convert(iconv_t cd, const char *in, size_t len, char out[static CHARACTER])
{
	char *from = (char *)in, *to = out; /* iconv(3) does not change what it reads */
	size_t left = len, room = CHARACTER, r;

	iconv(cd, NULL, NULL, NULL, NULL);
	r = iconv(cd, &from, &left, &to, &room);
	/* some charsets keep a character back, lest a mark follow */
	if (r != 0 || left != 0 || iconv(cd, NULL, NULL, &to, &room) != 0)
		return 0;
	return CHARACTER - room;
}

/* Each ASCII byte is itself, and no other character begins with one. */
static bool
has_ascii(const struct charset *c)
{
	char byte, out[CHARACTER];
	size_t n;

	for (byte = 0x20; byte < 0x7f; byte++)
		if (convert(c->to_utf8, &byte, 1, out) != 1 || out[0] != byte ||
		    convert(c->from_utf8, &byte, 1, out) != 1 || out[0] != byte)
			return false;
	n = convert(c->from_utf8, "\xe3\x81\x82", 3, out); /* hiragana a */
	return n == 0 || (out[0] & 0x80) != 0;
}

/* libc has UTF-8 in itself; all other charsets are modules, which lie beside it or do not. */
static bool
has_modules(void)
{
	iconv_t cd = iconv_open("UTF-8", "ISO-8859-1");

	if (cd == (iconv_t)-1)
		return false;
	iconv_close(cd);
	return true;
}

int
charset_open(struct charset *c, const char *name)
{
	bool known;

	c->to_utf8 = iconv_open("UTF-8", name);
	c->from_utf8 = iconv_open(name, "UTF-8");
	known = c->to_utf8 != (iconv_t)-1 && c->from_utf8 != (iconv_t)-1;
	if (known && has_ascii(c))
		return 0;
	charset_close(c);
	errno = known ? EILSEQ : has_modules() ? EINVAL : ENOSYS;
	return -1;
}

const char *
charset_why(int error)
{
	switch (error) {
	case EINVAL:
		return "there is no such charset; \"iconv -l\" lists what there is";
	case EILSEQ:
		return "it does not contain ASCII as it is, so commands and file names would be mixed up; "
		       "CP932 and EUC-JP-MS do";
	case ENOSYS:
		return "this program finds no charsets at all; libc's gconv modules must be installed in "
		       "the version it was linked with, or configure --disable-static-link";
	default:
		return strerror(error);
	}
}

void
charset_close(struct charset *c)
{
	if (c->to_utf8 != (iconv_t)-1)
		iconv_close(c->to_utf8);
	if (c->from_utf8 != (iconv_t)-1)
		iconv_close(c->from_utf8);
	c->to_utf8 = c->from_utf8 = (iconv_t)-1;
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that "XX" at text stands for in an escape: 0x80 to 0xff or '%'; else -1. */
static int
escaped(const char *text, const char *end)
{
	int high, low, byte;

	if (end - text < 2 || (high = hex(text[0])) == -1 || (low = hex(text[1])) == -1)
		return -1;
	byte = 16 * high + low;
	return byte >= 0x80 || byte == '%' ? byte : -1;
}

/* The escape at the '%' of in, or the '%' itself; how many bytes of in it was. */
static size_t
take_escape(const char *in, const char *end, char *out)
{
	int byte = escaped(in + 1, end);

	*out = '%';
	/* %25 is a % only before what would be an escape without it */
	if (byte == -1 || (byte == '%' && escaped(in + 3, end) == -1))
		return 1;
	*out = (char)byte;
	return 3;
}

size_t
charset_decode(const struct charset *c, const char *in, size_t len, char *out, size_t size)
{
	const char *end = in + len;
	size_t n = 0;

	while (in < end) {
		char whole[CHARACTER];
		size_t taken = 1, made = 0;

		if (*in == '%') {
			taken = take_escape(in, end, whole);
			made = 1;
		} else if ((*in & 0x80) != 0) {
			for (taken = 0; made == 0 && taken < 4 && taken < (size_t)(end - in);)
				made = convert(c->to_utf8, in, ++taken, whole);
		}
		/* nothing but ASCII may become ASCII: no hidden '/', no line end */
		if (made == 0 || (*in != '%' && ((*in ^ whole[0]) & 0x80) != 0)) {
			taken = made = 1;
			whole[0] = *in;
		}
		if (made > size - n)
			break;
		memcpy(out + n, whole, made);
		n += made;
		in += taken;
	}
	return n;
}

/* The bytes of a character that the client's charset has, and that leads back; else 0. */
static size_t
known(const struct charset *c, const char *in, size_t len, char out[static CHARACTER])
{
	char back[CHARACTER];
	size_t n = convert(c->from_utf8, in, len, out);

	if (n == 0 || n > CHARSET_GROWTH * len || (out[0] & 0x80) == 0)
		return 0;
	return convert(c->to_utf8, out, n, back) == len && memcmp(back, in, len) == 0 ? n : 0;
}

static size_t
encode(const struct charset *c, const char *in, size_t len, char *out, size_t size)
{
	const char *end = in + len, *from;
	size_t n = 0;

	for (from = in; in < end; from = in) {
		char made[3 * CHARACTER + 1];
		size_t some = 0;
		int32_t code = utf8_take(&in, end);

		if (*from == '%' && escaped(in, end) != -1) {
			memcpy(made, "%25", some = 3);
		} else if (code >= 0 && code < 0x80) {
			made[0] = *from;
			some = 1;
		} else if (code == -1 || (some = known(c, from, (size_t)(in - from), made)) == 0) {
			for (const char *p = from; p < in; p++, some += 3)
				(void)snprintf(made + some, 4, "%%%02X", (unsigned)(unsigned char)*p);
		}
		if (some > size - n)
			break;
		memcpy(out + n, made, some);
		n += some;
	}
	return n;
}

size_t
charset_encode(const struct charset *c, const char *in, size_t len, char *out, size_t size)
{
	char whole[MARKS_MAX], again[MARKS_MAX];
	size_t n = 0;

	if (len < MARKS_MAX && nfc_has_marks(in, len))
		n = nfc_compose(in, len, whole, sizeof(whole));
	/* only what taking apart gives back, byte for byte, may be put together */
	if (n > 0 && nfc_decompose(whole, n, again, sizeof(again)) == len && memcmp(again, in, len) == 0)
		return encode(c, whole, n, out, size);
	return encode(c, in, len, out, size);
}
