/*
 * HTTP: whatever comes to a port that the whole world can reach, what is taken of it is a plain path and
 * a host that can stand in a page.
 */
#include "fuzz.h"
#include "httpget.h"

const char fuzz_name[] = "httpget";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct httpget get;
	char *copy = malloc(size > 0 ? size : 1);
	int r;

	CHECK(copy != NULL);
	memcpy(copy, data, size);
	r = httpget_read(copy, size, &get);
	free(copy);
	CHECK(r == -1 || r == 0 || r == 1);
	if (r != 1)
		return 0;
	CHECK(size < HTTPGET_MAX);
	CHECK(get.path[0] == '/' && strpbrk(get.path, " ?\r\n") == NULL);
	CHECK(strpbrk(get.host, "<>\"'& \t\r\n/\\") == NULL);
	CHECK(strlen(get.language) < sizeof(get.language) && strpbrk(get.language, "\r\n") == NULL);
	return 0;
}
