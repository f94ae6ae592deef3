/*
 * The limit of a greeting: a process that writes 220, reads until the client
 * leaves, and does nothing else.
 */
#include <unistd.h>

int
main(void)
{
	static const char greeting[] = "220 null\r\n";
	char bytes[256];

	if (write(1, greeting, sizeof(greeting) - 1) == -1)
		return 1;
	if (read(0, bytes, sizeof(bytes)) > 0 && write(1, "221 bye\r\n", 9) == -1)
		return 1;
	return 0;
}
