/*
 * NAT-PMP and PCP: whatever a router says, an answer that is taken makes sense, and
 * nothing is read beyond the packet.
 *
 * Input: a byte for the question (its kind, and whether it takes a mapping back), then the answer.
 */
#include "fuzz.h"
#include "natpmp.h"

const char fuzz_name[] = "natpmp";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct natpmp_question q = { .port = 4000, .external = 4000, .seconds = 120 };
	struct natpmp_answer a;
	uint8_t packet[NATPMP_REQUEST], *copy;
	size_t built;

	if (size == 0)
		return 0;
	q.op = (enum natpmp_op)(data[0] & 3);
	if ((data[0] & 4) != 0)
		q.seconds = 0;
	memset(q.nonce, 7, sizeof(q.nonce));
	netaddr_parse("192.168.1.10", &q.client);
	built = natpmp_build(&q, packet);
	CHECK(built >= 2 && built <= sizeof(packet));
	/* our own question is no answer: a reflected packet must not be taken for one */
	CHECK(natpmp_parse(&q, packet, built, &a) == -1);

	/* of exactly its size, so that AddressSanitizer sees one byte too many */
	copy = malloc(size > 1 ? size - 1 : 1);
	CHECK(copy != NULL);
	memcpy(copy, data + 1, size - 1);
	if (natpmp_parse(&q, copy, size - 1, &a) == 0) {
		/* a router that does not know the version may cut its answer short */
		CHECK(size - 1 >= (natpmp_wrong_version(&a) ? 4 : 8));
		CHECK(a.address.family == AF_UNSPEC || a.address.family == AF_INET);
		CHECK(*natpmp_result_text(&a) != '\0');
		if (a.result == 0 && !natpmp_wrong_version(&a) && q.seconds != 0 &&
		    (q.op == NATPMP_MAP || q.op == PCP_MAP))
			CHECK(a.external != 0);
	}
	free(copy);
	return 0;
}
