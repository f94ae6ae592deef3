/*
 * NVT-ASCII: what leaves has CR LF alone as line end, what comes back is what a
 * file with such line ends reads as, and buffer edges do not matter.
 *
 * Input: a byte that decides where the edges are, then the bytes of a file.
 */
#include "ascii.h"
#include "fuzz.h"

const char fuzz_name[] = "ascii";

struct bytes {
	char *at;
	size_t len;
};

/* Disk to wire, in pieces of at most step bytes. */
static struct bytes
to_net(const char *in, size_t n, size_t step)
{
	struct bytes out = { .at = fuzz_room(2 * n) };
	struct ascii state = { 0 };

	for (size_t piece; n > 0; in += piece, n -= piece) {
		piece = n < step ? n : step;
		out.len += ascii_to_net(&state, in, piece, out.at + out.len);
	}
	return out;
}

/* Wire to disk; each piece into room of its own, as large as promised. */
static struct bytes
from_net(const char *in, size_t n, size_t step)
{
	struct bytes out = { .at = fuzz_room(n) };
	struct ascii state = { 0 };
	char end;

	for (size_t piece; n > 0; in += piece, n -= piece) {
		char *room;
		size_t len;

		piece = n < step ? n : step;
		room = fuzz_room(piece + 1);
		len = ascii_from_net(&state, in, piece, room);
		CHECK(len <= piece + 1);
		memcpy(out.at + out.len, room, len);
		out.len += len;
		free(room);
	}
	if (ascii_from_net_end(&state, &end) == 1)
		out.at[out.len++] = end;
	return out;
}

static void
check_same(struct bytes a, struct bytes b)
{
	CHECK(a.len == b.len && memcmp(a.at, b.at, a.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = fuzz_byte(&data, &size) % 16 + 1u;
	const char *in = (const char *)data;
	struct bytes net = to_net(in, size, size), net_pieces = to_net(in, size, step);
	struct bytes disk = from_net(in, size, size), disk_pieces = from_net(in, size, step);
	struct bytes back = from_net(net.at, net.len, step);

	check_same(net, net_pieces);
	check_same(disk, disk_pieces);
	check_same(disk, back);
	for (size_t i = 0; i < net.len; i++)
		CHECK(net.at[i] != '\n' || (i > 0 && net.at[i - 1] == '\r'));
	if (size > 0 && memchr(in, '\r', size) == NULL)
		check_same(back, (struct bytes){ (char *)in, size });
	free(net.at);
	free(net_pieces.at);
	free(disk.at);
	free(disk_pieces.at);
	free(back.at);
	return 0;
}
