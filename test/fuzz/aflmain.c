/*
 * A fuzz target for AFL++: standard input, once.
 */
#include <unistd.h>

#include "fuzz.h"

int
main(void)
{
	static uint8_t data[64 << 10];
	size_t size = 0;
	ssize_t n;

	while (size < sizeof(data) && (n = read(STDIN_FILENO, data + size, sizeof(data) - size)) > 0)
		size += (size_t)n;
	return LLVMFuzzerTestOneInput(data, size);
}
