/*
 * Replies: whatever text goes in, what comes out is whole replies of harmless
 * lines. replies.c knows what that means.
 *
 * Input: the code's two bytes, then texts, each ended by NUL: alone in a reply,
 * and each a line of one reply. Byte 2 stands for a thousand letters.
 */
#include "fuzz.h"
#include "reply.h"

const char fuzz_name[] = "reply";

#define RUN 1000

static char *
long_text(const uint8_t **data, size_t *size)
{
	char *text = fuzz_text(data, size), *wide = fuzz_room(strlen(text) * RUN + 1), *to = wide;

	for (const char *p = text; *p != '\0'; p++) {
		size_t n = *p == 2 ? RUN : 1;

		memset(to, n == RUN ? 'a' : *p, n);
		to += n;
	}
	*to = '\0';
	free(text);
	return wide;
}

static void
check_quote(const char *text)
{
	size_t size = strlen(text) / 2 + 1, len;
	char *quoted = fuzz_room(size);
	unsigned quotes = 0;

	len = strlen(reply_quote(quoted, size, text));
	CHECK(len < size);
	for (size_t i = 0; i < len; i++)
		quotes += quoted[i] == '"';
	CHECK(quotes % 2 == 0);
	free(quoted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int code = 100 + (fuzz_byte(&data, &size) << 8 | fuzz_byte(&data, &size)) % 900, got;
	struct reply *one = fuzz_room(sizeof(*one)), *many = fuzz_room(sizeof(*many));
	unsigned lines = 0, ends = 0;

	if (size > 1000) /* of runs */
		size = 1000;
	reply_begin(many, code, "begin");
	while (size > 0) {
		char *text = long_text(&data, &size);

		check_quote(text);
		reply_single(one, code, "%s", text);
		CHECK(fuzz_replies(one->buf, one->len, &got) == (code >= 200) && got == code);
		lines += reply_line(many, "%s", text);
		CHECK(many->len < sizeof(many->buf));
		free(text);
	}
	reply_end(many, code, "end");
	CHECK(many->len <= sizeof(many->buf));
	CHECK(fuzz_replies(many->buf, many->len, &got) == (code >= 200) && got == code);
	for (size_t i = 0; i < many->len; i++)
		ends += many->buf[i] == '\n';
	CHECK(ends == lines + 2);
	free(one);
	free(many);
	return 0;
}
