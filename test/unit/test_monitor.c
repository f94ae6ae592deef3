/*
 * The request table: what a session may say, when, and in what form. Each row
 * of the table in monitor.c is known here by its size and its strings.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "facts.h"
#include "hostile.h"
#include "msg.h"

struct field {
	size_t at, size;
};

#define FIELD(r, m)                                                                                \
	{                                                                                          \
		offsetof(struct req_##r, m), sizeof(((struct req_##r *)NULL)->m)                   \
	}

#define FLAGS 5

static const struct row {
	uint32_t type;
	size_t size, answer;
	struct field text[2], flag[FLAGS];
} rows[] = {
	{ REQ_LOGIN, sizeof(struct req_login), sizeof(struct ans_login),
	    { FIELD(login, user), FIELD(login, password) } },
	{ REQ_CHDIR, sizeof(struct req_path), sizeof(struct answer), { FIELD(path, path) } },
	{ REQ_STAT, sizeof(struct req_stat), sizeof(struct ans_stat), { FIELD(stat, path) },
	    { FIELD(stat, follow), FIELD(stat, more) } },
	{ REQ_OPEN, sizeof(struct req_open), sizeof(struct ans_open), { FIELD(open, path) } },
	{ REQ_LIST, sizeof(struct req_list), sizeof(struct answer),
	    { FIELD(list, path), FIELD(list, shown) } },
	{ REQ_MKDIR, sizeof(struct req_mkdir), sizeof(struct answer), { FIELD(mkdir, path) } },
	{ REQ_RMDIR, sizeof(struct req_path), sizeof(struct answer), { FIELD(path, path) } },
	{ REQ_UNLINK, sizeof(struct req_path), sizeof(struct answer), { FIELD(path, path) } },
	{ REQ_RENAME, sizeof(struct req_rename), sizeof(struct answer),
	    { FIELD(rename, from), FIELD(rename, to) } },
	{ REQ_SETATTR, sizeof(struct req_setattr), sizeof(struct answer), { FIELD(setattr, path) },
	    { FIELD(setattr, set_mode), FIELD(setattr, set_time), FIELD(setattr, set_group) } },
	{ REQ_LISTEN, sizeof(struct req_listen), sizeof(struct ans_listen), { { 0 } },
	    { FIELD(listen, extended) } },
	{ REQ_CONNECT, sizeof(struct req_connect), sizeof(struct answer), { { 0 } } },
	{ REQ_DONE, sizeof(struct req_done), sizeof(struct answer), { FIELD(done, path) },
	    { FIELD(done, complete), FIELD(done, upload), FIELD(done, ascii),
		FIELD(done, listing), FIELD(done, more) } },
	{ REQ_SPACE, sizeof(struct req_path), sizeof(struct ans_space), { FIELD(path, path) } },
	{ REQ_SYMLINK, sizeof(struct req_symlink), sizeof(struct answer),
	    { FIELD(symlink, target), FIELD(symlink, path) } },
	{ REQ_ENDED, sizeof(struct req_done), 0, { FIELD(done, path) },
	    { FIELD(done, complete), FIELD(done, upload), FIELD(done, ascii),
		FIELD(done, listing), FIELD(done, more) } },
	{ REQ_RATE, sizeof(struct req_rate), sizeof(struct ans_rate), { { 0 } }, { FIELD(rate, sends) } },
	{ REQ_CERTIFICATE, sizeof(struct req_certificate), sizeof(struct ans_login),
	    { FIELD(certificate, user) } },
	{ REQ_TLS, sizeof(struct req_tls), sizeof(struct answer), { FIELD(tls, host) },
	    { FIELD(tls, names_told), FIELD(tls, names_legacy), FIELD(tls, private) } },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Each test asks a monitor anew for each case, because a wrong request ends it. */
static bool
ends(struct house *h, bool user, uint32_t type, const void *req, size_t size)
{
	union any_answer ans;
	uint32_t got;
	ssize_t n;

	if (user)
		house_login(h);
	else
		house_start(h);
	assert_int_equal(msg_send(h->sock, type, req, size, -1), 0);
	n = msg_recv(h->sock, &got, &ans, sizeof(ans), NULL);
	if (n == -1)
		assert_int_equal(errno, ECONNRESET);
	house_end(h);
	return n == -1;
}

static bool
is_for_user(const struct row *row)
{
	return row->type != REQ_LOGIN && row->type != REQ_TLS && row->type != REQ_CERTIFICATE;
}

static void
the_table_knows_every_request(void **state)
{
	(void)state;
	assert_int_equal(ROWS, REQ_END - 1);
}

static void
before_login_only_login_is_answered(void **state)
{
	static const union any_request req;
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (is_for_user(&rows[i]))
			assert_true(ends(*state, false, rows[i].type, &req, rows[i].size));
	assert_true(house_logged(*state, "request OPEN is not for this state"));
}

static void
after_login_there_is_no_other_login(void **state)
{
	struct req_login req = { .user = HOUSE_USER, .password = HOUSE_PASSWORD };

	assert_true(ends(*state, true, REQ_LOGIN, &req, sizeof(req)));
}

static void
a_wrong_size_ends_the_connection(void **state)
{
	static char req[sizeof(union any_request) + 64];
	size_t i, k;

	for (i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		size_t sizes[] = { 0, row->size - 1, row->size + 1, sizeof(union any_request) + 8 };

		memset(req, 0, sizeof(req));
		if (row->size > 1)
			req[row->size - 2] = 'x'; /* else a string may end there */
		for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
			assert_true(ends(*state, is_for_user(row), row->type, req, sizes[k]));
	}
	assert_true(house_logged(*state, "request LOGIN has the wrong size"));
}

static bool
is_at_the_end(const struct row *row, const struct field *text)
{
	return text->size != 0 && text->at + text->size == row->size;
}

static void
a_string_at_the_end_may_be_cut_behind_its_nul_alone(void **state)
{
	union any_request req;
	unsigned cut = 0;

	for (size_t i = 0; i < ROWS; i++)
		for (size_t k = 0; k < 2; k++) {
			const struct row *row = &rows[i];
			const struct field *text = &row->text[k];

			if (!is_at_the_end(row, text))
				continue;
			memset(&req, 0, sizeof(req));
			memcpy((char *)&req + text->at, "/a", 2);
			if (row->answer != 0) /* of no answer nothing can be said */
				assert_false(
				    ends(*state, is_for_user(row), row->type, &req, text->at + 3));
			assert_true(ends(*state, is_for_user(row), row->type, &req, text->at + 2));
			assert_true(ends(*state, is_for_user(row), row->type, &req, text->at));
			cut++;
		}
	assert_int_equal(cut, 15);
	assert_true(house_logged(*state, "request OPEN has the wrong size"));
}

static void
an_unknown_request_ends_the_connection(void **state)
{
	static const union any_request req;
	static const uint32_t types[] = { 0, REQ_END, REQ_END + 1, 1000, UINT32_MAX };
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_true(ends(*state, false, types[i], &req, sizeof(req.path)));
		assert_true(ends(*state, true, types[i], &req, sizeof(req.path)));
	}
	assert_true(house_logged(*state, "request 4294967295 is unknown"));
}

static void
a_packet_without_a_type_ends_the_connection(void **state)
{
	struct house *h = *state;
	char byte;

	house_start(h);
	assert_int_equal(write(h->sock, "x", 1), 1);
	assert_int_equal(read(h->sock, &byte, 1), 0);
	house_end(h);
}

static void
a_string_without_end_ends_the_connection(void **state)
{
	union any_request req;
	size_t i, k;

	for (i = 0; i < ROWS; i++)
		for (k = 0; k < 2; k++) {
			const struct field *text = &rows[i].text[k];

			if (text->size == 0)
				continue;
			memset(&req, 0, sizeof(req));
			memset((char *)&req + text->at, 'x', text->size);
			assert_true(
			    ends(*state, is_for_user(&rows[i]), rows[i].type, &req, rows[i].size));
		}
	assert_true(house_logged(*state, "request LIST has a string without end"));
}

static void
a_truth_value_of_2_ends_the_connection(void **state)
{
	union any_request req;
	size_t i, k;

	for (i = 0; i < ROWS; i++)
		for (k = 0; k < FLAGS; k++) {
			const struct field *flag = &rows[i].flag[k];

			if (flag->size == 0)
				continue;
			memset(&req, 0, sizeof(req));
			((char *)&req)[flag->at] = 2;
			assert_true(ends(*state, true, rows[i].type, &req, rows[i].size));
		}
}

static void
every_request_has_exactly_one_answer(void **state)
{
	struct house *h = *state;
	union any_request req = { 0 };
	union any_answer ans;
	struct pollfd p;
	size_t i, round;
	int fd;

	house_login(h);
	for (round = 0; round < 2; round++)
		for (i = 0; i < ROWS; i++) {
			if (!is_for_user(&rows[i]))
				continue;
			if (rows[i].answer == 0) {
				/* none: the next answer is that of the next request */
				assert_int_equal(
				    msg_send(h->sock, rows[i].type, &req, rows[i].size, -1), 0);
				assert_int_not_equal(house_ask_path(h, REQ_CHDIR, "/"), -1);
				continue;
			}
			assert_int_not_equal(house_ask(h, rows[i].type, &req, rows[i].size, &ans,
						 rows[i].answer, &fd),
			    -1);
			if (fd != -1)
				close(fd);
			p = (struct pollfd){ .fd = h->sock, .events = POLLIN };
			assert_int_equal(poll(&p, 1, 0), 0);
		}
	house_end(h);
}

static void
a_request_that_fails_carries_no_descriptor(void **state)
{
	struct house *h = *state;
	int fd;

	house_login(h);
	fd = house_open(h, OPEN_READ, "/nothing", 0);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, ENOENT);
	house_end(h);
}

static void
numbers_out_of_range_are_refused(void **state)
{
	struct house *h = *state;
	struct req_open open = { .mode = 17, .path = "/x" };
	struct req_list list = { .kind = 17, .path = "/" };
	struct req_setattr set = { .set_mode = true, .mode = 04755, .path = "/" };
	struct ans_open opened;
	struct answer ans;

	house_login(h);
	assert_int_equal(
	    house_ask(h, REQ_OPEN, &open, sizeof(open), &opened, sizeof(opened), NULL), EINVAL);
	assert_int_equal(
	    house_ask(h, REQ_LIST, &list, sizeof(list), &ans, sizeof(ans), NULL), EINVAL);
	assert_int_equal(
	    house_ask(h, REQ_SETATTR, &set, sizeof(set), &ans, sizeof(ans), NULL), EINVAL);
	set = (struct req_setattr){ .set_time = true, .modified.tv_nsec = -1, .path = "/" };
	assert_int_equal(
	    house_ask(h, REQ_SETATTR, &set, sizeof(set), &ans, sizeof(ans), NULL), EINVAL);
	set.modified.tv_nsec = (1L << 30) - 1; /* UTIME_NOW */
	assert_int_equal(
	    house_ask(h, REQ_SETATTR, &set, sizeof(set), &ans, sizeof(ans), NULL), EINVAL);
	house_end(h);
}

static void
the_session_s_end_is_the_monitor_s(void **state)
{
	house_start(*state);
	house_end(*state);
	house_login(*state);
	house_end(*state);
}

#define T(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_knows_every_request),
		T(before_login_only_login_is_answered),
		T(after_login_there_is_no_other_login),
		T(a_wrong_size_ends_the_connection),
		T(a_string_at_the_end_may_be_cut_behind_its_nul_alone),
		T(an_unknown_request_ends_the_connection),
		T(a_packet_without_a_type_ends_the_connection),
		T(a_string_without_end_ends_the_connection),
		T(a_truth_value_of_2_ends_the_connection),
		T(every_request_has_exactly_one_answer),
		T(a_request_that_fails_carries_no_descriptor),
		T(numbers_out_of_range_are_refused),
		T(the_session_s_end_is_the_monitor_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
