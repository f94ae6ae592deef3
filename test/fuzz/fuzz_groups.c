/*
 * group(5) files and group expressions: a user is in those groups, and in no
 * others, that a whole line lists; never in group 0.
 *
 * Input: a user's name, NUL, an expression, NUL, a file.
 */
#include <stdbool.h>

#include "fuzz.h"
#include "groups.h"

const char fuzz_name[] = "groups";

/* True if some line of the file could put the user into a group of this number. */
static bool
may_be_in(const char *text, size_t size, const char *user, unsigned gid)
{
	char number[16], *copy = malloc(size + 1);
	bool found;

	CHECK(copy != NULL);
	memcpy(copy, text, size);
	copy[size] = '\0';
	snprintf(number, sizeof(number), "%u:", gid);
	found = memmem(copy, size, number, strlen(number)) != NULL &&
	    memmem(copy, size, user, strlen(user)) != NULL;
	free(copy);
	return found;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *user = fuzz_text(&data, &size), *expression = fuzz_text(&data, &size);
	static struct groups g;
	FILE *file;
	int r;

	memset(&g, 0, sizeof(g));
	if (size > 0) {
		CHECK((file = fmemopen((void *)data, size, "r")) != NULL);
		r = groups_read(&g, file, user, 100);
		fclose(file);
		CHECK(r == 0 || r == -1);
		CHECK(g.n <= GROUPS_MAX && memchr(g.names, '\0', sizeof(g.names)) != NULL);
		CHECK(g.names[0] == '\0' ||
		    (g.names[0] == ',' && g.names[strlen(g.names) - 1] == ','));
		for (unsigned i = 0; i < g.n; i++) {
			CHECK(g.gid[i] != 0);
			CHECK(may_be_in((const char *)data, size, user, g.gid[i]));
		}
		CHECK(!groups_has(&g, "") && !groups_has(&g, ","));
	}
	/* nobody is in a group and not in it */
	if (strchr(expression, ',') == NULL && expression[0] != '\0' && expression[0] != '!') {
		char *not = malloc(strlen(expression) + 2);

		CHECK(not != NULL);
		sprintf(not, "!%s", expression);
		CHECK(groups_fit(&g, expression) != groups_fit(&g, not));
		CHECK(groups_fit(&g, expression) == groups_has(&g, expression));
		free(not);
	} else {
		(void)groups_fit(&g, expression);
	}
	free(expression);
	free(user);
	return 0;
}
