/*
 * What a connection's slot tells of it, whatever its session says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hostile.h"
#include "slots.h"

static int
counted_setup(void **state)
{
	if (house_setup(state) == -1)
		return -1;
	((struct house *)*state)->counted = true;
	return 0;
}

/* The slot of the only connection. */
static struct slot
look(struct house *h)
{
	int dir = open(h->base, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = slots_look(dir, "slots");
	struct slot slot = { 0 };

	assert_int_not_equal(fd, -1);
	for (int i = 0; i < SLOTS_MAX; i++)
		if (slots_read(fd, i, &slot) == 1)
			break;
	close(fd);
	close(dir);
	assert_int_not_equal(slot.pid, 0);
	return slot;
}

/* A change is told a moment later. */
static void
assert_state(struct house *h, enum slot_state state, const char *path)
{
	int64_t end = house_clock() + 30000;
	struct slot slot = look(h);

	for (; slot.state != (uint32_t)state && house_clock() < end; slot = look(h))
		(void)poll(NULL, 0, 20);
	assert_int_equal(slot.state, state);
	if (path != NULL)
		assert_string_equal(slot.path, path);
}

/* Waits until so many bytes are told. */
static void
assert_bytes(struct house *h, int64_t bytes)
{
	int64_t end = house_clock() + 30000;

	while (look(h).bytes != bytes && house_clock() < end)
		(void)poll(NULL, 0, 20);
	assert_int_equal(look(h).bytes, bytes);
}

static int
done(struct house *h, bool listing)
{
	struct req_done req = { .complete = true, .listing = listing, .path = "/file" };
	struct answer ans;

	return house_ask(h, REQ_DONE, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

/* Lists "/" and reads the rows. */
static void
list(struct house *h)
{
	struct req_list req = { .kind = LIST_LONG, .path = "/" };
	struct answer ans;
	char rows[4096];
	int fd = -1;

	assert_int_equal(
	    house_ask(h, REQ_LIST, &req, sizeof(req), &ans, sizeof(ans), &fd), 0);
	while (read(fd, rows, sizeof(rows)) > 0)
		continue;
	close(fd);
}

static void
login_is_told(void **state)
{
	struct house *h = *state;
	struct slot slot;

	house_login(h);
	slot = look(h);
	assert_int_equal(slot.state, SLOT_IDLE);
	assert_string_equal(slot.user, HOUSE_USER);
	assert_int_equal(slot.pid, h->pid);
	assert_int_equal(slot.began, 1);
	house_end(h);
}

static void
what_is_read_is_told_with_size_and_progress(void **state)
{
	struct house *h = *state;
	char bytes[4];
	int fd;

	house_make(h, "home/file", "0123456789");
	house_login(h);
	fd = house_open(h, OPEN_READ, "/file", 2);
	assert_state(h, SLOT_READS, "/file");
	assert_int_equal(look(h).size, 8);
	assert_int_equal(look(h).bytes, 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 4);
	assert_bytes(h, 4);
	assert_int_equal(done(h, false), 0);
	assert_state(h, SLOT_IDLE, NULL);
	close(fd);
	house_end(h);
}

static void
what_is_written_is_told_with_progress(void **state)
{
	struct house *h = *state;
	int fd;

	house_make(h, "home/file", "0123456789");
	house_login(h);
	fd = house_open(h, OPEN_APPEND, "/file", 0);
	assert_state(h, SLOT_WRITES, "/file");
	assert_int_equal(look(h).size, -1);
	assert_int_equal(write(fd, "abc", 3), 3);
	assert_bytes(h, 3);
	close(fd);
	assert_int_equal(done(h, false), 0);
	assert_state(h, SLOT_IDLE, NULL);
	house_end(h);
}

/* The session has the descriptor: it can move it to where it likes, and that is all it can. */
static void
a_session_that_seeks_tells_no_negative_numbers(void **state)
{
	struct house *h = *state;
	int fd;

	house_make(h, "home/file", "0123456789");
	house_login(h);
	fd = house_open(h, OPEN_READ, "/file", 5);
	assert_int_equal(lseek(fd, 9, SEEK_SET), 9);
	assert_bytes(h, 4);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_bytes(h, 0);
	close(fd);
	house_end(h);
}

static void
listings_are_told(void **state)
{
	struct house *h = *state;
	int fd;

	house_make(h, "home/file", "0123456789");
	house_login(h);
	list(h);
	assert_state(h, SLOT_LISTS, "/");
	assert_int_equal(done(h, true), 0);
	assert_state(h, SLOT_IDLE, NULL);
	/* HASH reads without a transfer */
	fd = house_open(h, OPEN_READ, "/file", 0);
	assert_int_equal(done(h, true), 0);
	assert_state(h, SLOT_IDLE, NULL);
	close(fd);
	house_end(h);
}

/* Between two changes that follow each other at once nothing is written down. */
static void
the_last_of_many_changes_is_told(void **state)
{
	struct house *h = *state;
	int i, fd;

	house_make(h, "home/file", "0123456789");
	house_make(h, "home/last", "01234");
	house_login(h);
	for (i = 0; i < 100; i++) {
		assert_int_not_equal(fd = house_open(h, OPEN_READ, "/file", 0), -1);
		close(fd);
		assert_int_equal(done(h, false), 0);
	}
	assert_int_not_equal(fd = house_open(h, OPEN_READ, "/last", 0), -1);
	assert_state(h, SLOT_READS, "/last");
	assert_int_equal(look(h).size, 5);
	close(fd);
	house_end(h);
}

static void
the_end_of_a_long_name_is_told(void **state)
{
	struct house *h = *state;
	char path[512], name[REQ_PATH] = "/";
	int fd;

	for (int i = 0; i < 2; i++) {
		memset(path, 'a' + i, 200);
		path[200] = '\0';
		(void)strlcat(name, path, sizeof(name));
		(void)strlcat(name, i == 0 ? "/" : "", sizeof(name));
		(void)snprintf(path, sizeof(path), "home%s", name);
		house_make(h, path, i == 0 ? NULL : "x");
	}
	house_login(h);
	assert_int_not_equal(fd = house_open(h, OPEN_READ, name, 0), -1);
	assert_state(h, SLOT_READS, name + strlen(name) - 255);
	close(fd);
	house_end(h);
}

/* What was opened again and again without an end leaves no descriptors. */
static void
files_that_are_never_done_are_not_kept(void **state)
{
	struct house *h = *state;
	int i, fd;

	house_make(h, "home/file", "0123456789");
	house_login(h);
	for (i = 0; i < 500; i++) {
		assert_int_not_equal(fd = house_open(h, OPEN_READ, "/file", 0), -1);
		close(fd);
	}
	assert_state(h, SLOT_READS, "/file");
	house_end(h);
}

static void
the_slot_is_free_behind_the_end(void **state)
{
	struct house *h = *state;
	struct slot slot;
	int dir, fd;

	house_login(h);
	house_end(h);
	dir = open(h->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = slots_look(dir, "slots");
	for (int i = 0; i < SLOTS_MAX; i++)
		assert_int_equal(slots_read(fd, i, &slot), 0);
	close(fd);
	close(dir);
}

#define T(test) cmocka_unit_test_setup_teardown(test, counted_setup, house_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(login_is_told),
		T(what_is_read_is_told_with_size_and_progress),
		T(what_is_written_is_told_with_progress),
		T(a_session_that_seeks_tells_no_negative_numbers),
		T(listings_are_told),
		T(the_last_of_many_changes_is_told),
		T(the_end_of_a_long_name_is_told),
		T(files_that_are_never_done_are_not_kept),
		T(the_slot_is_free_behind_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
