/*
 * The packets of NAT-PMP and PCP, byte for byte as in RFC 6886 section 3 and RFC 6887 section 11.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "natpmp.h"

static const struct natpmp_question address = { .op = NATPMP_ADDRESS };
static const struct natpmp_question map = { .op = NATPMP_MAP, .port = 4001, .external = 4001,
	.seconds = 120 };

/* A PCP answer to the question, good and with the port 5001 outside. */
static void
pcp_answer(const struct natpmp_question *q, uint8_t p[60])
{
	natpmp_build(q, p);
	p[1] |= 0x80;
	memset(p + 8, 0, 16);
	p[11] = 77; /* epoch */
	p[42] = 5001 >> 8;
	p[43] = 5001 & 0xff;
	memcpy(p + 56, "\xcb\x00\x71\x02", 4);
}

static void
questions_are_those_of_the_rfcs(void **state)
{
	static const uint8_t mapped[] = { 0, 2, 0, 0, 0x0f, 0xa1, 0x0f, 0xa1, 0, 0, 0, 120 };
	struct natpmp_question q = map;
	uint8_t p[NATPMP_REQUEST];

	(void)state;
	assert_int_equal(natpmp_build(&address, p), 2);
	assert_memory_equal(p, "\0\0", 2);
	assert_int_equal(natpmp_build(&map, p), sizeof(mapped));
	assert_memory_equal(p, mapped, sizeof(mapped));
	q.seconds = 0; /* taking back suggests no port */
	assert_int_equal(natpmp_build(&q, p), 12);
	assert_memory_equal(p + 6, "\0\0\0\0\0\0", 6);
	q.op = PCP_MAP;
	assert_int_equal(natpmp_build(&q, p), 60);
	assert_int_equal(p[0], 2);
	assert_int_equal(p[36], 6);
	q.op = PCP_ANNOUNCE;
	assert_int_equal(natpmp_build(&q, p), 24);
}

static void
answers_are_read(void **state)
{
	static const uint8_t outside[] = { 0, 128, 0, 0, 0, 0, 0, 9, 203, 0, 113, 2 };
	static const uint8_t mapped[] = { 0, 130, 0, 0, 0, 0, 0, 9, 0x0f, 0xa1, 0x13, 0x89, 0, 0, 0, 60 };
	struct natpmp_question q = map;
	struct natpmp_answer a;
	char text[NETADDR_TEXT];
	uint8_t p[60];

	(void)state;
	assert_int_equal(natpmp_parse(&address, outside, sizeof(outside), &a), 0);
	assert_string_equal(netaddr_text(&a.address, text), "203.0.113.2");
	assert_int_equal(a.epoch, 9);
	assert_int_equal(natpmp_parse(&map, mapped, sizeof(mapped), &a), 0);
	assert_int_equal(a.external, 5001);
	assert_int_equal(a.seconds, 60);
	q.op = PCP_MAP;
	pcp_answer(&q, p);
	assert_int_equal(natpmp_parse(&q, p, sizeof(p), &a), 0);
	assert_true(a.pcp);
	assert_int_equal(a.external, 5001);
	assert_int_equal(a.epoch, 77);
	assert_string_equal(netaddr_text(&a.address, text), "203.0.113.2");
}

static void
answers_to_something_else_are_not_taken(void **state)
{
	static const uint8_t outside[] = { 0, 128, 0, 0, 0, 0, 0, 9, 203, 0, 113, 2 };
	static const uint8_t other[] = { 0, 130, 0, 0, 0, 0, 0, 9, 0x0f, 0xa2, 0x13, 0x89, 0, 0, 0, 60 };
	static const uint8_t request[] = { 0, 0 };
	struct natpmp_question q = map;
	struct natpmp_answer a;
	uint8_t p[60];

	(void)state;
	for (size_t n = 0; n < sizeof(outside); n++)
		assert_int_equal(natpmp_parse(&address, outside, n, &a), -1);
	assert_int_equal(natpmp_parse(&map, outside, sizeof(outside), &a), -1);
	assert_int_equal(natpmp_parse(&map, other, sizeof(other), &a), -1);
	assert_int_equal(natpmp_parse(&address, request, sizeof(request), &a), -1);
	q.op = PCP_MAP;
	pcp_answer(&q, p);
	for (size_t n = 0; n < sizeof(p); n++)
		assert_int_equal(natpmp_parse(&q, p, n, &a), -1);
	p[24] ^= 1; /* another's nonce */
	assert_int_equal(natpmp_parse(&q, p, sizeof(p), &a), -1);
}

static void
errors_have_words_and_versions_are_told(void **state)
{
	static const uint8_t refused[] = { 0, 130, 0, 2, 0, 0, 0, 9 };
	static const uint8_t pcp_only[] = { 2, 128, 0, 1 };
	struct natpmp_answer a;

	(void)state;
	assert_int_equal(natpmp_parse(&map, refused, sizeof(refused), &a), 0);
	assert_non_null(strstr(natpmp_result_text(&a), "refuses"));
	assert_int_equal(natpmp_parse(&address, pcp_only, sizeof(pcp_only), &a), 0);
	assert_true(natpmp_wrong_version(&a));
	a.result = 4000;
	assert_non_null(strstr(natpmp_result_text(&a), "no RFC"));
}

static void
a_router_that_was_restarted_is_noticed(void **state)
{
	(void)state;
	assert_false(natpmp_restarted(1000, 1060, 60));
	assert_false(natpmp_restarted(1000, 1053, 60)); /* a slow clock */
	assert_true(natpmp_restarted(1000, 5, 60));
	assert_true(natpmp_restarted(1000, 1000, 60));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_those_of_the_rfcs),
		cmocka_unit_test(answers_are_read),
		cmocka_unit_test(answers_to_something_else_are_not_taken),
		cmocka_unit_test(errors_have_words_and_versions_are_told),
		cmocka_unit_test(a_router_that_was_restarted_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
