/*
 * Stands in for a syslog daemon: takes what comes to the socket named by its
 * argument and forgets it, so that every server does all its work of logging.
 * The end of standard input ends it.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct pollfd p[2] = { { .fd = 0, .events = POLLIN }, { .events = POLLIN } };
	static char line[8192];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (argc != 2 || strlen(argv[1]) >= sizeof(sun.sun_path))
		return 64;
	memcpy(sun.sun_path, argv[1], strlen(argv[1]));
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chmod(argv[1], 0666) == -1)
		return 1;
	if (write(1, "ready\n", 6) == -1)
		return 1;
	p[1].fd = fd;
	while (poll(p, 2, -1) > 0 && p[0].revents == 0)
		while (recv(fd, line, sizeof(line), MSG_DONTWAIT) > 0)
			;
	unlink(argv[1]);
	return 0;
}
