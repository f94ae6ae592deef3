/*
 * NVT-ASCII in both directions, over every cut of a buffer.
 */
#include "ascii.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Converts in as two pieces, cut at cut. */
static size_t
to_net(const char *in, size_t n, size_t cut, char *out)
{
	struct ascii a = { 0 };
	size_t len = ascii_to_net(&a, in, cut, out);

	return len + ascii_to_net(&a, in + cut, n - cut, out + len);
}

static size_t
from_net(const char *in, size_t n, size_t cut, char *out)
{
	struct ascii a = { 0 };
	size_t len = ascii_from_net(&a, in, cut, out);

	len += ascii_from_net(&a, in + cut, n - cut, out + len);
	return len + ascii_from_net_end(&a, out + len);
}

static void
assert_at_every_cut(
    size_t (*convert)(const char *, size_t, size_t, char *), const char *in, const char *want)
{
	char out[64];

	for (size_t cut = 0; cut <= strlen(in); cut++) {
		size_t len = convert(in, strlen(in), cut, out);

		assert_int_equal(len, strlen(want));
		assert_memory_equal(out, want, len);
	}
}

static void
lf_becomes_crlf_on_the_wire(void **state)
{
	static const char *const rows[][2] = {
		{ "",             ""               },
		{ "a\nb\n",       "a\r\nb\r\n"     },
		{ "no end",       "no end"         },
		{ "\n\n\n",       "\r\n\r\n\r\n"   },
		{ "a\r\nb\r\n",   "a\r\nb\r\n"    }, /* not doubled */
		{ "a\rb\r\rc",    "a\rb\r\rc"     },
		{ "\r\n\n\r\r\n", "\r\n\r\n\r\r\n"},
		{ "\xff\x80\n",   "\xff\x80\r\n"  },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_at_every_cut(to_net, rows[i][0], rows[i][1]);
}

static void
crlf_becomes_lf_on_the_disk_and_a_lone_cr_stays(void **state)
{
	static const char *const rows[][2] = {
		{ "",           ""       },
		{ "a\r\nb\r\n", "a\nb\n" },
		{ "a\nb",       "a\nb"   },
		{ "a\rb",       "a\rb"   },
		{ "a\r",        "a\r"    },
		{ "\r\r\n",     "\r\n"   },
		{ "\r\r\r",     "\r\r\r" },
		{ "\r\n\r\n",   "\n\n"   },
		{ "\n\r",       "\n\r"   },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_at_every_cut(from_net, rows[i][0], rows[i][1]);
}

static void
outputs_keep_to_their_room(void **state)
{
	struct ascii a = { 0 };
	char in[100], out[200];

	(void)state;
	memset(in, '\n', sizeof(in));
	assert_int_equal(ascii_to_net(&a, in, sizeof(in), out), 2 * sizeof(in));
	a.cr = true;
	memset(in, 'x', sizeof(in));
	assert_int_equal(ascii_from_net(&a, in, sizeof(in), out), sizeof(in) + 1);
}

static void
nul_bytes_pass_in_both_directions(void **state)
{
	struct ascii a = { 0 };
	char out[16];

	(void)state;
	assert_int_equal(ascii_to_net(&a, "a\0\n", 3, out), 4);
	assert_memory_equal(out, "a\0\r\n", 4);
	a.cr = false;
	assert_int_equal(ascii_from_net(&a, "a\r\0\r\n", 5, out), 4);
	assert_memory_equal(out, "a\r\0\n", 4);
}

static void
text_comes_back_as_it_went(void **state)
{
	static const char text[] = "one\n\ntwo\nthree";
	char wire[2 * sizeof(text)], disk[sizeof(wire) + 1];
	struct ascii out = { 0 }, in = { 0 };
	size_t n = ascii_to_net(&out, text, sizeof(text) - 1, wire);

	(void)state;
	n = ascii_from_net(&in, wire, n, disk);
	n += ascii_from_net_end(&in, disk + n);
	assert_int_equal(n, sizeof(text) - 1);
	assert_memory_equal(disk, text, n);
}

static void
end_writes_a_waiting_cr_once(void **state)
{
	struct ascii a = { 0 };
	char out[4];

	(void)state;
	assert_int_equal(ascii_from_net_end(&a, out), 0);
	assert_int_equal(ascii_from_net(&a, "\r", 1, out), 0);
	assert_int_equal(ascii_from_net_end(&a, out), 1);
	assert_int_equal(out[0], '\r');
	assert_int_equal(ascii_from_net_end(&a, out), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lf_becomes_crlf_on_the_wire),
		cmocka_unit_test(crlf_becomes_lf_on_the_disk_and_a_lone_cr_stays),
		cmocka_unit_test(outputs_keep_to_their_room),
		cmocka_unit_test(nul_bytes_pass_in_both_directions),
		cmocka_unit_test(text_comes_back_as_it_went),
		cmocka_unit_test(end_writes_a_waiting_cr_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
