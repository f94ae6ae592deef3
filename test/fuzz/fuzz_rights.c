/*
 * Files of rights: what is read has a meaning, or the line is told; and what
 * follows a line that fits changes nothing but whether the file is good.
 *
 * Input: a user's name, NUL, a file.
 */
#include "fuzz.h"
#include "groups.h"
#include "monitor/rights.h"

const char fuzz_name[] = "rights";

#define ALL 0xffU

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char more[] = "\n*: none\n";
	char *user = fuzz_text(&data, &size), *text, error[RIGHTS_ERROR] = "";
	static struct groups groups;
	unsigned rights = 0, again = 0;
	FILE *file;
	int r;

	if (groups.n == 0)
		CHECK(groups_add(&groups, "kids", 7) == 0);
	if (size > 0) {
		CHECK((file = fmemopen((void *)data, size, "r")) != NULL);
		r = rights_read(file, user, &groups, &rights, error);
		fclose(file);
		CHECK((rights & ~ALL) == 0);
		CHECK(r == 0 || (r == -1 && strncmp(error, "line ", 5) == 0));

		CHECK((text = malloc(size + sizeof(more))) != NULL);
		memcpy(text, data, size);
		memcpy(text + size, more, sizeof(more) - 1);
		CHECK((file = fmemopen(text, size + sizeof(more) - 1, "r")) != NULL);
		if (rights_read(file, user, &groups, &again, error) == 0) {
			CHECK(r == 0);
			CHECK(again == rights || (again == 0 && rights == ALL));
		}
		fclose(file);
		free(text);
	}
	free(user);
	return 0;
}
