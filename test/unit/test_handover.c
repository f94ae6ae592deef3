/* The memory file between the monitor and genkan-ftpd-tls, and what a hostile session gets of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "handover.h"
#include "hostile.h"
#include "monitor/monitor.h"
#include "monitor/tls_start.h"

static void
fill(struct handover *h)
{
	memset(h, 0, sizeof(*h));
	h->implicit = true;
	h->began = 1234567890123;
	strlcpy(h->said.host, "home.example.net", sizeof(h->said.host));
	assert_true(handover_add(h, PART_CONF, 0, strdup("TLS on\n"), 7));
	assert_true(handover_add(h, PART_KEY, 2, strdup("secret"), 6));
	assert_true(handover_add(h, PART_OCSP, 0, calloc(1, 3), 3));
}

static void
all_of_it_comes_back(void **state)
{
	static struct handover out, in;
	const struct part *part;
	int fd;

	(void)state;
	fill(&out);
	assert_int_not_equal(fd = handover_write(&out), -1);
	assert_int_equal(handover_read(fd, &in), 0);
	assert_true(in.implicit && in.began == out.began && in.nparts == 3);
	assert_string_equal(in.said.host, "home.example.net");
	assert_non_null(part = handover_find(&in, PART_KEY, 2));
	assert_string_equal(part->bytes, "secret");
	assert_null(handover_find(&in, PART_KEY, 0));
	assert_non_null(part = handover_find(&in, PART_OCSP, 0));
	assert_memory_equal(part->bytes, "\0\0\0\0", 4);
	handover_free(&in);
	handover_free(&out);
	close(fd);
}

static void
it_tells_nothing_of_the_writers_memory(void **state)
{
	static struct handover out, raw;
	int fd;

	(void)state;
	fill(&out);
	assert_int_not_equal(fd = handover_write(&out), -1);
	assert_int_equal(read(fd, &raw, sizeof(raw)), sizeof(raw));
	for (unsigned i = 0; i < raw.nparts; i++)
		assert_null(raw.parts[i].bytes);
	handover_free(&out);
	close(fd);
}

static void
nobody_changes_it_afterwards(void **state)
{
	static struct handover out;
	int fd;

	(void)state;
	fill(&out);
	assert_int_not_equal(fd = handover_write(&out), -1);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 1), -1);
	handover_free(&out);
	close(fd);
}

static void
what_is_cut_off_is_not_believed(void **state)
{
	static struct handover out, in;
	static char bytes[8192];
	int fd, cut[2];
	ssize_t n;

	(void)state;
	fill(&out);
	assert_int_not_equal(fd = handover_write(&out), -1);
	assert_true((n = read(fd, bytes, sizeof(bytes))) > 100);
	for (int less = 1; less < n; less += 100) {
		assert_int_equal(pipe(cut), 0);
		assert_int_equal(write(cut[1], bytes, (size_t)(n - less)), n - less);
		close(cut[1]);
		assert_int_equal(handover_read(cut[0], &in), -1);
		assert_int_equal(errno, EBADMSG);
		handover_free(&in);
		close(cut[0]);
	}
	handover_free(&out);
	close(fd);
}

static void
parts_that_are_too_many_or_missing_are_refused(void **state)
{
	static struct handover h;

	(void)state;
	memset(&h, 0, sizeof(h));
	assert_false(handover_add(&h, PART_KEY, 0, NULL, 0));
	for (unsigned i = 0; i < HANDOVER_PARTS; i++)
		assert_true(handover_add(&h, PART_KEY, i, strdup(""), 0));
	assert_false(handover_add(&h, PART_KEY, 0, strdup(""), 0));
	handover_free(&h);
}

static int
ask_tls(struct house *h)
{
	struct req_tls req = { .type = 0 };
	struct answer ans;

	return house_ask(h, REQ_TLS, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

static void
without_tls_there_is_none(void **state)
{
	struct house *h = *state;

	house_start(h);
	assert_int_equal(ask_tls(h), EOPNOTSUPP);
	assert_int_equal(ask_tls(h), EOPNOTSUPP);
	assert_int_equal(house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, NULL, NULL), 0);
	house_end(h);
}

/* A session that has been taken over does not send AUTH: the right password does not help it. */
static void
where_tls_is_required_no_plain_session_logs_in(void **state)
{
	static const char *const words[] = { "TLS control", "TLS required" };
	struct house *h = *state;

	for (size_t i = 0; i < 2; i++) {
		house_conf(h, "TLSCertificateFile /nowhere.pem");
		house_conf(h, words[i]);
		house_start(h);
		assert_int_equal(house_ask_login(h, HOUSE_USER, HOUSE_PASSWORD, NULL, NULL), EACCES);
		house_end(h);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

/* SIGTERM comes just when the monitor has answered AUTH TLS and goes over to the new session. */
static void
end_of_the_connection_holds_for_the_next_session(void **state)
{
	struct monitor m = { 0 };
	int before[2], after[2];
	char c;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, before), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, after), 0);
	m.sock = before[0];
	m.successor = after[0];
	monitor_stop(&m);
	tls_take_over(&m);
	assert_int_equal(recv(before[1], &c, 1, MSG_DONTWAIT), 0);
	assert_int_equal(recv(after[1], &c, 1, MSG_DONTWAIT), 0);
	close(before[1]);
	close(after[0]);
	close(after[1]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_comes_back),
		cmocka_unit_test(it_tells_nothing_of_the_writers_memory),
		cmocka_unit_test(nobody_changes_it_afterwards),
		cmocka_unit_test(what_is_cut_off_is_not_believed),
		cmocka_unit_test(parts_that_are_too_many_or_missing_are_refused),
		cmocka_unit_test(end_of_the_connection_holds_for_the_next_session),
		T(without_tls_there_is_none),
		T(where_tls_is_required_no_plain_session_logs_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
