/*
 * What genkanctl check reads of others: inetd.conf, xinetd's files, systemd's units, what nft,
 * ufw and firewalld say of their rules; and passwd(5) and group(5) for names of owners. Whatever is
 * in them, strings end, numbers are those of the text, and reading ends.
 *
 * Input: which reader, a word for it to look for, NUL, the text.
 */
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "hostfirewall.h"
#include "idnames.h"
#include "inetdconf.h"
#include "nftrules.h"
#include "unitconf.h"
#include "xinetdconf.h"

const char fuzz_name[] = "papers";

/* A string that has its end within its room. */
#define ENDS(s) CHECK(memchr((s), '\0', sizeof(s)) != NULL)

/* True if text has this word, as it is. */
static bool
has(const char *text, const char *word)
{
	return *word == '\0' || strstr(text, word) != NULL;
}

static void
read_inetd(const char *text)
{
	struct inetdconf got;

	if (inetdconf_parse(text, &got) != 1)
		return;
	ENDS(got.service);
	ENDS(got.user);
	ENDS(got.program);
	ENDS(got.arguments);
	CHECK(got.max >= -1 && has(text, got.program));
}

static void
read_xinetd(const char *text)
{
	const char *at = text, *before = at;
	struct xinetdconf got;
	unsigned line = 1, last = 0;

	while (xinetdconf_next(&at, &line, &got)) {
		CHECK(at > before && at <= text + strlen(text)); /* it goes on, and comes to an end */
		before = at;
		CHECK(got.line > last && got.line <= line);
		last = got.line;
		ENDS(got.service);
		ENDS(got.server);
		ENDS(got.arguments);
		ENDS(got.user);
		CHECK(got.instances >= -1 && got.per_source >= -1 && got.cps >= -1 && got.port >= -1);
	}
}

static void
read_unit(const char *text, const char *key)
{
	static char first[4096], again[4096], last[4096]; /* as long as a line may be */
	unsigned n = 0;

	while (n < 1000 && unitconf_get(text, "Socket", key, n, first, sizeof(first)))
		n++;
	ENDS(first);
	CHECK(unitconf_last(text, "Socket", key, last, sizeof(last)) == (n > 0) || n == 1000);
	if (n > 0 && n < 1000) {
		CHECK(unitconf_get(text, "Socket", key, n - 1, again, sizeof(again)));
		CHECK(strcmp(again, last) == 0);
		(void)unitconf_is_on(last);
	}
}

static void
read_names(const char *text)
{
	int fd = memfd_create("names", MFD_CLOEXEC);
	size_t len = strlen(text);
	struct idnames *names;

	CHECK(fd != -1 && write(fd, text, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
	names = idnames_read(fd);
	close(fd);
	CHECK(names != NULL);
	for (unsigned id = 0; id < 2000; id += 7) {
		const char *name = idnames_find(names, id);

		CHECK(name == NULL || (strlen(name) < IDNAMES_NAME && has(text, name)));
	}
	idnames_free(names);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t reader = fuzz_byte(&data, &size);
	char *word = fuzz_text(&data, &size), *text = fuzz_text(&data, &size);

	switch (reader % 6) {
	case 0:
		read_inetd(text);
		break;
	case 1:
		read_xinetd(text);
		break;
	case 2:
		read_unit(text, word);
		break;
	case 3:
		CHECK(nftrules_judge(text, word, 21) <= NFTRULES_UNKNOWN);
		break;
	case 4:
		if (!hostfirewall_ufw_active(text))
			CHECK(!hostfirewall_ufw_lets_in("", 21));
		(void)hostfirewall_ufw_lets_in(text, 21);
		(void)hostfirewall_firewalld_lets_in(text, 21);
		break;
	case 5:
		read_names(text);
		break;
	}
	free(text);
	free(word);
	return 0;
}
