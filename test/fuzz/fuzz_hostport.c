/*
 * PORT and EPRT: what is accepted is in range, and means the same when it is
 * written by ourselves and read again.
 *
 * Input: an argument, for both commands.
 */
#include "fuzz.h"
#include "hostport.h"

const char fuzz_name[] = "hostport";

static void
check_same(const struct netaddr *a, const struct netaddr *b)
{
	CHECK(a->port == b->port && netaddr_same_host(a, b) && a->family == b->family);
}

static void
check_port(const char *arg)
{
	struct netaddr to, again;
	char text[HOSTPORT_TEXT];
	unsigned n[6];
	int len = 0;

	if (hostport_parse(arg, &to) == -1) {
		CHECK(to.family == AF_UNSPEC && to.port == 0);
		return;
	}
	CHECK(to.family == AF_INET && strspn(arg, "0123456789,") == strlen(arg));
	CHECK(sscanf(arg, "%3u,%3u,%3u,%3u,%3u,%3u%n", n, n + 1, n + 2, n + 3, n + 4, n + 5,
		  &len) == 6);
	CHECK((size_t)len == strlen(arg));
	for (int i = 0; i < 6; i++)
		CHECK(n[i] <= 255);
	CHECK(to.port == n[4] * 256 + n[5]);
	CHECK(ntohl(to.v4.s_addr) == (n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3]));
	CHECK(hostport_parse(hostport_text(&to, text), &again) == 0);
	check_same(&to, &again);
}

static void
check_eprt(const char *arg)
{
	struct netaddr to, again;
	char address[NETADDR_TEXT], text[NETADDR_TEXT + 16];

	if (hostport_parse_extended(arg, &to) == -1) {
		CHECK(to.family == AF_UNSPEC && to.port == 0);
		return;
	}
	CHECK(to.port > 0 && (to.family == AF_INET || to.family == AF_INET6));
	if (to.family == AF_INET6)
		CHECK(!IN6_IS_ADDR_V4MAPPED(&to.v6) && to.scope == 0);
	CHECK(arg[0] > ' ' && arg[0] < 127 && arg[strlen(arg) - 1] == arg[0]);
	snprintf(text, sizeof(text), "|%d|%s|%u|", to.family == AF_INET ? 1 : 2,
	    netaddr_text(&to, address), to.port);
	CHECK(hostport_parse_extended(text, &again) == 0);
	check_same(&to, &again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *arg = fuzz_text(&data, &size);

	check_port(arg);
	check_eprt(arg);
	free(arg);
	return 0;
}
