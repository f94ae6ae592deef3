/*
 * Listings: what is shown, in which order, and how they end.
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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts.h"
#include "hostile.h"
#include "monitor/listing.h"

/* What a listing has given. */
struct rows {
	char *text;
	size_t len;
	int error; /* what DONE says of it */
};

static int
ask_list(struct house *h, enum list_kind kind, unsigned options, const char *path,
    const char *shown, int *fd)
{
	struct req_list req = { .kind = kind, .options = options, .facts = FACT_TYPE | FACT_SIZE };
	struct answer ans;

	(void)strlcpy(req.path, path, sizeof(req.path));
	(void)strlcpy(req.shown, shown, sizeof(req.shown));
	return house_ask(h, REQ_LIST, &req, sizeof(req), &ans, sizeof(ans), fd);
}

static int
ask_done(struct house *h)
{
	struct req_done req = { .listing = true };
	struct answer ans;

	return house_ask(h, REQ_DONE, &req, sizeof(req), &ans, sizeof(ans), NULL);
}

/* Reads fd to its end. */
static struct rows
read_rows(int fd)
{
	struct rows rows = { 0 };
	size_t room = 0;
	ssize_t n;

	do {
		if (room - rows.len < 4096) {
			room += 1 << 20;
			assert_non_null(rows.text = realloc(rows.text, room));
		}
		n = read(fd, rows.text + rows.len, room - rows.len - 1);
		assert_int_not_equal(n, -1);
		rows.len += (size_t)n;
	} while (n > 0);
	rows.text[rows.len] = '\0';
	close(fd);
	return rows;
}

static struct rows
list(struct house *h, enum list_kind kind, unsigned options, const char *path, const char *shown)
{
	struct rows rows;
	int fd;

	assert_int_equal(ask_list(h, kind, options, path, shown, &fd), 0);
	assert_int_not_equal(fd, -1);
	rows = read_rows(fd);
	rows.error = ask_done(h);
	return rows;
}

/* NLST of path gives these names, blank-separated. */
static void
names_are(struct house *h, unsigned options, const char *path, const char *shown, const char *want)
{
	struct rows rows = list(h, LIST_NAMES, options, path, shown);
	char *p;

	while ((p = strstr(rows.text, "\r\n")) != NULL) {
		*p = ' ';
		memmove(p + 1, p + 2, strlen(p + 2) + 1);
	}
	assert_string_equal(rows.text, want);
	assert_int_equal(rows.error, 0);
	free(rows.text);
}

static void
furnish(struct house *h)
{
	char path[256];

	house_make(h, "home/b", "22");
	house_make(h, "home/a", "1");
	house_make(h, "home/C", "4444");
	house_make(h, "home/.hidden", "x");
	house_make(h, "home/dir", NULL);
	house_make(h, "home/dir/x.txt", "x");
	house_make(h, "home/dir/y.txt", "y");
	house_make(h, "home/dir/z.c", "z");
	house_make(h, "home/dir/sub", NULL);
	house_make(h, "home/dir/sub/deep", "d");
	house_make(h, "home/[x].txt", "literal");
	(void)snprintf(path, sizeof(path), "%s/link", h->home);
	assert_int_equal(symlink("dir/x.txt", path), 0);
	(void)snprintf(path, sizeof(path), "%s/out", h->home);
	assert_int_equal(symlink(h->file, path), 0);
}

static void
names_are_sorted_as_ls_does_it(void **state)
{
	struct house *h = *state;

	furnish(h);
	house_login(h);
	names_are(h, 0, "/", "", "C [x].txt a b dir link out ");
	names_are(h, LIST_REVERSE, "/", "", "out link dir b a [x].txt C ");
	names_are(h, LIST_ALMOST_ALL, "/", "", ".hidden C [x].txt a b dir link out ");
	names_are(h, LIST_ALL, "/", "", ". .. .hidden C [x].txt a b dir link out ");
	names_are(h, LIST_CLASSIFY, "/dir", "", "sub/ x.txt y.txt z.c ");
	names_are(h, LIST_DIRECTORY, "/dir", "", "dir ");
	names_are(h, LIST_RECURSIVE, "/dir", "dir/",
	    "dir/sub dir/x.txt dir/y.txt dir/z.c "
	    "dir/sub/deep ");
	house_end(h);
}

static void
names_are_sorted_by_time_and_by_size(void **state)
{
	static const char *const names[] = { "old", "new", "middle" };
	static const time_t times[] = { 1000, 3000, 2000 };
	struct house *h = *state;
	char path[256];
	size_t i;

	for (i = 0; i < 3; i++) {
		struct timespec t[2] = { { .tv_sec = times[i] }, { .tv_sec = times[i] } };

		(void)snprintf(path, sizeof(path), "home/%s", names[i]);
		house_make(h, path, &"333"[i]);
		(void)snprintf(path, sizeof(path), "%s/%s", h->home, names[i]);
		assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
	}
	house_login(h);
	names_are(h, LIST_BY_TIME, "/", "", "new middle old ");
	names_are(h, LIST_BY_TIME | LIST_REVERSE, "/", "", "old middle new ");
	names_are(h, LIST_BY_SIZE, "/", "", "old new middle ");
	house_end(h);
}

static void
patterns_match_in_the_last_component(void **state)
{
	struct house *h = *state;
	int fd;

	furnish(h);
	house_login(h);
	names_are(h, 0, "/dir/*.txt", "dir/", "dir/x.txt dir/y.txt ");
	names_are(h, 0, "/[ab]", "", "a b ");
	names_are(h, 0, "/.h*", "", ".hidden ");
	names_are(h, 0, "/d*", "", "dir ");
	assert_int_equal(ask_list(h, LIST_NAMES, 0, "/*.nothing", "", NULL), ENOENT);
	assert_int_equal(ask_list(h, LIST_NAMES, 0, "/d*/x.txt", "", NULL), ENOENT);
	assert_int_equal(ask_list(h, LIST_FACTS, 0, "/d*", "", NULL), ENOENT);
	assert_int_equal(ask_list(h, LIST_NAMES, 0, "/../*", "", &fd), 0);
	close(fd);
	house_end(h);
}

static void
a_name_that_exists_is_no_pattern(void **state)
{
	struct house *h = *state;

	furnish(h);
	house_make(h, "home/x.txt", "matches");
	house_login(h);
	names_are(h, 0, "/[x].txt", "", "[x].txt ");
	house_end(h);
}

static void
files_and_links_are_listed_themselves(void **state)
{
	struct house *h = *state;
	struct rows rows;

	furnish(h);
	house_login(h);
	names_are(h, 0, "/dir/x.txt", "dir/", "dir/x.txt ");
	rows = list(h, LIST_LONG, 0, "/link", "");
	assert_non_null(strstr(rows.text, " link -> dir/x.txt\r\n"));
	assert_int_equal(rows.text[0], 'l');
	free(rows.text);
	/* a link that leads out leads nowhere, and is an entry all the same */
	rows = list(h, LIST_LONG, 0, "/out", "");
	assert_int_equal(rows.text[0], 'l');
	free(rows.text);
	assert_int_equal(ask_list(h, LIST_LONG, 0, "/nothing", "", NULL), ENOENT);
	assert_int_equal(ask_list(h, LIST_LONG, 0, "/a/b", "", NULL), ENOTDIR);
	house_end(h);
}

static void
long_rows_are_those_of_ls(void **state)
{
	struct house *h = *state;
	struct rows rows;

	furnish(h);
	house_login(h);
	rows = list(h, LIST_LONG, 0, "/dir", "");
	assert_int_equal(rows.text[0], 'd');
	assert_non_null(strstr(rows.text, " sub\r\n-rw-r--r--   1 "));
	assert_string_equal(rows.text + rows.len - strlen(" z.c\r\n"), " z.c\r\n");
	free(rows.text);
	rows = list(h, LIST_LONG, LIST_RECURSIVE, "/", "");
	assert_non_null(strstr(rows.text, " out -> "));
	assert_non_null(strstr(rows.text, "\r\n\r\ndir:\r\nd"));
	assert_non_null(strstr(rows.text, "\r\n\r\ndir/sub:\r\n-"));
	assert_null(strstr(rows.text, "the listing ends here"));
	free(rows.text);
	house_end(h);
}

static void
machine_listings_have_the_folder_and_the_one_above(void **state)
{
	struct house *h = *state;
	struct rows rows;

	furnish(h);
	house_login(h);
	rows = list(h, LIST_FACTS, 0, "/dir", "");
	assert_ptr_equal(strstr(rows.text, "type=cdir; .\r\ntype=pdir; ..\r\n"), rows.text);
	assert_non_null(strstr(rows.text, "\r\ntype=file;size=1; x.txt\r\n"));
	assert_non_null(strstr(rows.text, "\r\ntype=dir; sub\r\n"));
	free(rows.text);
	rows = list(h, LIST_FACTS, 0, "/", "");
	assert_non_null(strstr(rows.text, "\r\ntype=file;size=1; .hidden\r\n"));
	free(rows.text);
	assert_int_equal(ask_list(h, LIST_FACTS, 0, "/a", "", NULL), ENOTDIR);
	assert_int_equal(ask_list(h, LIST_FACTS, 0, "/nothing", "", NULL), ENOENT);
	house_end(h);
}

/* The row of ".." in MLSD of path names this directory. */
static void
above_is(struct house *h, const char *path, const char *directory)
{
	struct req_list req = { .kind = LIST_FACTS, .facts = FACT_UNIQUE };
	char want[64], *second;
	struct answer ans;
	struct rows rows;
	struct stat st;
	int fd;

	assert_int_equal(stat(directory, &st), 0);
	(void)snprintf(want, sizeof(want), "unique=%jx-%jx; ..\r\n", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	(void)strlcpy(req.path, path, sizeof(req.path));
	assert_int_equal(house_ask(h, REQ_LIST, &req, sizeof(req), &ans, sizeof(ans), &fd), 0);
	rows = read_rows(fd);
	assert_non_null(second = strchr(rows.text, '\n'));
	assert_int_equal(strncmp(second + 1, want, strlen(want)), 0);
	free(rows.text);
}

static void
above_the_root_is_the_root(void **state)
{
	struct house *h = *state;
	char path[256];

	house_make(h, "home/dir", NULL);
	house_make(h, "home/dir/sub", NULL);
	house_login(h);
	above_is(h, "/", h->home);
	above_is(h, "/dir", h->home);
	(void)snprintf(path, sizeof(path), "%s/dir", h->home);
	above_is(h, "/dir/sub/", path);
	house_end(h);
}

static void
one_row_is_one_line_whatever_the_name(void **state)
{
	struct house *h = *state;

	house_make(h, "home/a\nb", "x");
	house_make(h, "home/c\r\033d", "x");
	house_make(h, "home/e\303\251", "x");
	house_login(h);
	names_are(h, 0, "/", "", "a?b c??d e\303\251 ");
	house_end(h);
}

/* Makes n names in base/<dir>: of one file, which is quicker than n files. */
static void
crowd(struct house *h, const char *dir, unsigned n)
{
	char path[512], one[512];
	unsigned i;

	house_make(h, "one", "x");
	(void)snprintf(one, sizeof(one), "%s/one", h->base);
	for (i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s/n%06u", h->base, dir, i);
		assert_int_equal(link(one, path), 0);
	}
}

static unsigned
count_rows(const struct rows *rows)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i + 1 < rows->len; i++)
		n += rows->text[i] == '\r' && rows->text[i + 1] == '\n';
	return n;
}

static void
folders_of_a_folder_too_large_to_be_sorted_are_gone_down_into(void **state)
{
	struct house *h = *state;
	unsigned n = LISTING_SORTED + 1000, folders = 50;
	struct rows rows;
	char name[64];

	crowd(h, "home", n);
	for (unsigned i = 0; i < folders; i++) {
		(void)snprintf(name, sizeof(name), "home/folder%u", i);
		house_make(h, name, NULL);
		(void)strlcat(name, "/file", sizeof(name));
		house_make(h, name, "x");
	}
	house_login(h);
	rows = list(h, LIST_NAMES, LIST_RECURSIVE, "/", "");
	assert_int_equal(count_rows(&rows), n + 2 * folders);
	free(rows.text);
	house_end(h);
}

static void
huge_folders_are_listed_whole(void **state)
{
	struct house *h = *state;
	struct rows rows;
	unsigned n = LISTING_ROWS + 1000;

	crowd(h, "home", n);
	house_login(h);
	rows = list(h, LIST_NAMES, 0, "/", "");
	assert_int_equal(count_rows(&rows), n);
	free(rows.text);
	rows = list(h, LIST_LONG, 0, "/", "");
	assert_int_equal(count_rows(&rows), n);
	free(rows.text);
	rows = list(h, LIST_NAMES, LIST_BY_SIZE, "/", "");
	assert_int_equal(count_rows(&rows), n);
	free(rows.text);
	rows = list(h, LIST_FACTS, 0, "/", "");
	assert_int_equal(count_rows(&rows), n + 2);
	free(rows.text);
	/* in recursion the bound is told */
	rows = list(h, LIST_NAMES, LIST_RECURSIVE, "/", "");
	assert_int_equal(count_rows(&rows), LISTING_ROWS + 1);
	assert_non_null(strstr(rows.text, "\r\n[the listing ends here: no more than 20000 names"));
	free(rows.text);
	house_end(h);
	/* bounded memory: far less than the rows themselves, were there a million */
#ifndef SYSFILTER_OFF /* sanitizers have memory of their own */
	assert_true(h->usage.ru_maxrss < 64 * 1024);
#endif
}

static void
recursion_has_a_depth(void **state)
{
	struct house *h = *state;
	char path[256] = "home";
	struct rows rows;
	unsigned i;

	for (i = 0; i < LISTING_DEPTH + 4; i++) {
		(void)strlcat(path, "/d", sizeof(path));
		house_make(h, path, NULL);
	}
	house_login(h);
	rows = list(h, LIST_NAMES, LIST_RECURSIVE, "/", "");
	assert_int_equal(count_rows(&rows), LISTING_DEPTH + 1);
	assert_non_null(strstr(rows.text, "\r\n[the listing ends here: "));
	free(rows.text);
	house_end(h);
}

static void
recursion_follows_no_links(void **state)
{
	struct house *h = *state;
	char path[256];

	house_make(h, "home/dir", NULL);
	(void)snprintf(path, sizeof(path), "%s/dir/up", h->home);
	assert_int_equal(symlink("..", path), 0);
	house_login(h);
	names_are(h, LIST_RECURSIVE, "/", "", "dir dir/up ");
	house_end(h);
}

static void
the_answer_comes_before_the_rows(void **state)
{
	struct house *h = *state;
	struct pollfd p;
	struct rows rows;
	int fd;

	/* more rows than a pipe holds: were they written first, nothing would come */
	crowd(h, "home", 4000);
	house_login(h);
	assert_int_equal(ask_list(h, LIST_LONG, 0, "/", "", &fd), 0);
	p = (struct pollfd){ .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 30000), 1);
	rows = read_rows(fd);
	assert_int_equal(count_rows(&rows), 4000);
	free(rows.text);
	assert_int_equal(ask_done(h), 0);
	house_end(h);
}

static void
a_session_that_closes_the_pipe_ends_the_listing(void **state)
{
	struct house *h = *state;
	char byte;
	int fd, i;

	crowd(h, "home", 4000);
	house_login(h);
	for (i = 0; i < 3; i++) {
		assert_int_equal(ask_list(h, i == 2 ? LIST_FACTS : LIST_LONG, 0, "/", "", &fd), 0);
		assert_int_equal(read(fd, &byte, 1), 1);
		close(fd);
		assert_int_equal(ask_done(h), 0);
	}
	/* and so does one that goes */
	assert_int_equal(ask_list(h, LIST_LONG, 0, "/", "", &fd), 0);
	close(fd);
	house_end(h);
}

static void
folders_that_may_not_be_read_are_refused(void **state)
{
	struct house *h = *state;
	char path[256];

	if (geteuid() == 0)
		h->root = true;
	house_make(h, "home/closed", NULL);
	house_make(h, "home/open", "x");
	(void)snprintf(path, sizeof(path), "%s/closed", h->home);
	assert_int_equal(chmod(path, 0), 0);
	house_login(h);
	assert_int_equal(ask_list(h, LIST_LONG, 0, "/closed", "", NULL), EACCES);
	assert_int_equal(ask_list(h, LIST_FACTS, 0, "/closed", "", NULL), EACCES);
	assert_int_equal(house_ask_path(h, REQ_CHDIR, "/closed"), EACCES);
	names_are(h, LIST_RECURSIVE, "/", "", "closed open ");
	house_end(h);
	assert_int_equal(chmod(path, 0755), 0);
}

static void
links_that_are_not_shown_are_what_they_lead_to(void **state)
{
	struct house *h = *state;
	struct rows rows;

	furnish(h);
	house_conf(h, "ShowSymlinks off");
	house_login(h);
	/* "out" leads outside the root: there is no such entry */
	names_are(h, 0, "/", "", "C [x].txt a b dir link ");
	rows = list(h, LIST_LONG, 0, "/", "");
	assert_null(strstr(rows.text, "->"));
	assert_non_null(strstr(rows.text, " link\r\n"));
	free(rows.text);
	rows = list(h, LIST_LONG, 0, "/link", "");
	assert_int_equal(rows.text[0], '-');
	free(rows.text);
	rows = list(h, LIST_FACTS, 0, "/", "");
	assert_non_null(strstr(rows.text, "type=file;size=1; link\r\n"));
	assert_null(strstr(rows.text, " out\r\n"));
	free(rows.text);
	assert_int_equal(ask_list(h, LIST_LONG, 0, "/out", "", NULL), ENOENT);
	house_end(h);
}

static void
list_options_bound_what_a_session_may_ask_for(void **state)
{
	struct house *h = *state;
	struct rows rows;

	furnish(h);
	house_conf(h, "ListOptions maxfiles 3 maxdepth 1");
	house_login(h);
	rows = list(h, LIST_NAMES, 0, "/", "");
	assert_non_null(strstr(rows.text, "C\r\n[x].txt\r\na\r\n[the listing ends here"));
	free(rows.text);
	rows = list(h, LIST_NAMES, LIST_RECURSIVE, "/dir", "");
	assert_null(strstr(rows.text, "deep"));
	free(rows.text);
	house_end(h);
}

#define T(test) cmocka_unit_test_setup_teardown(test, house_setup, house_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(names_are_sorted_as_ls_does_it),
		T(names_are_sorted_by_time_and_by_size),
		T(patterns_match_in_the_last_component),
		T(a_name_that_exists_is_no_pattern),
		T(files_and_links_are_listed_themselves),
		T(long_rows_are_those_of_ls),
		T(machine_listings_have_the_folder_and_the_one_above),
		T(above_the_root_is_the_root),
		T(one_row_is_one_line_whatever_the_name),
		T(folders_of_a_folder_too_large_to_be_sorted_are_gone_down_into),
		T(huge_folders_are_listed_whole),
		T(recursion_has_a_depth),
		T(recursion_follows_no_links),
		T(the_answer_comes_before_the_rows),
		T(a_session_that_closes_the_pipe_ends_the_listing),
		T(folders_that_may_not_be_read_are_refused),
		T(links_that_are_not_shown_are_what_they_lead_to),
		T(list_options_bound_what_a_session_may_ask_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
