/*
 * OPTS MLST and times: what was chosen reads back as it was named; a time that
 * is accepted is written as it was read; the facts of any file fit their room
 * and stand in one word.
 *
 * Input: a text, NUL, the bytes of a struct stat.
 */
#include <strings.h>

#include "facts.h"
#include "fuzz.h"

const char fuzz_name[] = "facts";

/* The facts that a list of names, each ended by ";", chooses. */
static unsigned
reference(const char *text)
{
	static const char *const names[] = { "type", "size", "modify", "perm", "unique",
		"UNIX.mode", "UNIX.owner", "UNIX.group", "UNIX.ownername", "UNIX.groupname", "create" };
	char *copy = strdup(text), *rest = copy, *name;
	unsigned chosen = 0;

	CHECK(copy != NULL);
	while ((name = strsep(&rest, ";")) != NULL)
		for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strcasecmp(name, names[i]) == 0)
				chosen |= 1u << i;
	free(copy);
	return chosen;
}

static void
check_choice(const char *text, const struct stat *st)
{
	static const struct facts_more owner = { .user = "a-name-of-a-user-that-is-quite-long-"
		"so-long-that-it-has-to-be-cut-somewhere", .created = 1 };
	char names[FACTS_TEXT], feat[FACTS_TEXT], *facts = fuzz_room(FACTS_TEXT);
	unsigned chosen = ~0u, again = ~0u, stars = 0, want = 0;

	facts_parse(text, &chosen);
	CHECK(chosen == reference(text));
	facts_parse(facts_names(names, chosen), &again);
	CHECK(chosen == again);
	for (const char *p = facts_feat(feat, chosen); *p != '\0'; p++)
		stars += *p == '*';
	for (unsigned bit = 1; bit < FACT_ALL; bit <<= 1)
		want += (chosen & bit) != 0;
	CHECK(stars == want && strlen(feat) < FACTS_TEXT - 1);

	for (int dir = FACTS_DIR; dir <= FACTS_PDIR; dir++) {
		size_t len =
		    facts_format(facts, st, (enum facts_dir)dir, (unsigned)st->st_uid, chosen, &owner);

		CHECK(len == strlen(facts) && len < FACTS_TEXT - 1);
		CHECK(len == 0 || facts[len - 1] == ';');
		for (size_t i = 0; i < len; i++)
			CHECK(facts[i] > ' ' && facts[i] < 127);
	}
	free(facts);
}

static void
check_time(const char *text)
{
	struct timespec t = { .tv_nsec = -1 };
	const char *rest = NULL;
	char again[16];

	if (facts_time_parse(text, &t, &rest) == -1)
		return;
	CHECK(rest >= text + 14 && rest <= text + strlen(text));
	CHECK(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
	CHECK(t.tv_nsec == 0 || (text[14] == '.' && rest > text + 15));
	facts_time_text(again, t.tv_sec);
	/* a leap second is the next minute's first */
	CHECK(strncmp(text + 12, "60", 2) == 0 || strncmp(again, text, 14) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(&data, &size), buf[16];
	struct stat st = { 0 };

	memcpy(&st, data, size < sizeof(st) ? size : sizeof(st));
	check_choice(text, &st);
	check_time(text);
	CHECK(strspn(facts_time_text(buf, st.st_mtime), "0123456789") == 14);
	free(text);
	return 0;
}
