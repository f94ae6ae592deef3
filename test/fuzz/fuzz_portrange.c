/*
 * PassivePorts: what is accepted is in range, reads back from its own text, and
 * is walked with each port once; what is refused is told in words.
 *
 * Input: a value.
 */
#include "fuzz.h"
#include "portrange.h"

const char fuzz_name[] = "portrange";

static void
check_walk(const struct portlist *list)
{
	static unsigned char seen[65536];
	unsigned n = 0, count = portlist_count(list);
	struct portwalk walk;
	uint16_t port;

	memset(seen, 0, sizeof(seen));
	CHECK(portwalk_begin(&walk, list) == 0);
	while ((port = portwalk_next(&walk)) != 0) {
		CHECK(portlist_contains(list, port) && !seen[port]);
		seen[port] = 1;
		if (++n == 500) /* the rest of a long walk is no different */
			break;
	}
	CHECK(n == (count < 500 ? count : 500));
	portwalk_end(&walk);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = fuzz_text(&data, &size), *text = fuzz_room(PORTLIST_TEXT);
	struct portlist list, again;
	const char *why = NULL;

	if (portlist_parse(value, &list, &why) == -1) {
		CHECK(list.n == 0 && why != NULL && *why != '\0');
	} else {
		CHECK(list.n <= PORTLIST_MAX && portlist_count(&list) <= 65536 - 1024);
		for (unsigned i = 0; i < list.n; i++) {
			CHECK(list.range[i].min >= 1024 && list.range[i].min <= list.range[i].max);
			for (unsigned j = 0; j < i; j++)
				CHECK(list.range[i].min > list.range[j].max ||
				    list.range[i].max < list.range[j].min);
		}
		CHECK(portlist_parse(portlist_text(&list, text), &again, &why) == 0);
		CHECK(strlen(text) < PORTLIST_TEXT);
		CHECK(memcmp(&list, &again, sizeof(list)) == 0);
		check_walk(&list);
	}
	free(text);
	free(value);
	return 0;
}
