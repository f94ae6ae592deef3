/*
 * Lines of inetd.conf.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "inetdconf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
services_are_read(void **state)
{
	static const struct {
		const char *line, *service, *user, *program, *arguments;
		int max;
		bool tcp, wait;
	} rows[] = {
		{ "ftp stream tcp nowait.100000 root /usr/sbin/genkan-ftpd genkan-ftpd", "ftp", "root",
		    "/usr/sbin/genkan-ftpd", "genkan-ftpd", 100000, true, false },
		{ "ftp\tstream\ttcp\tnowait\troot\t/usr/sbin/tcpd  /usr/sbin/genkan-ftpd  -o\n", "ftp", "root",
		    "/usr/sbin/tcpd", "/usr/sbin/genkan-ftpd -o", -1, true, false },
		{ "127.0.0.1:2121 stream tcp6 nowait/400/20 ftp.ftp /bin/x x\r\n", "127.0.0.1:2121", "ftp",
		    "/bin/x", "x", 400, true, false },
		{ "tftp dgram udp wait nobody:tftp /bin/x", "tftp", "nobody", "/bin/x", "", -1, false, true },
		{ " ftp stream tcp nowait.0 root /bin/x x", "ftp", "root", "/bin/x", "x", 0, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inetdconf got;

		assert_int_equal(inetdconf_parse(rows[i].line, &got), 1);
		assert_string_equal(got.service, rows[i].service);
		assert_string_equal(got.user, rows[i].user);
		assert_string_equal(got.program, rows[i].program);
		assert_string_equal(got.arguments, rows[i].arguments);
		assert_int_equal(got.max, rows[i].max);
		assert_int_equal(got.tcp, rows[i].tcp);
		assert_int_equal(got.wait, rows[i].wait);
	}
}

static void
lines_without_a_service_are_skipped(void **state)
{
	static const char *const lines[] = { "", "\n", "  \t\r\n", "# ftp stream tcp nowait root /x x",
		"#<off># ftp stream tcp nowait root /x x", "127.0.0.1:\n", "*:" };
	struct inetdconf got;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_int_equal(inetdconf_parse(lines[i], &got), 0);
}

static void
broken_lines_are_told(void **state)
{
	static const char *const lines[] = { "ftp", "ftp stream tcp", "ftp stream tcp nowait root",
		"ftp stream tcp never root /x x", "ftp stream tcp nowait.x root /x x",
		"ftp stream tcp nowait. root /x x", "ftp stream tcp waiting root /x x",
		"ftp stream tcp nowait.99999999999999999999 root /x x" };
	struct inetdconf got;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_int_equal(inetdconf_parse(lines[i], &got), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_are_read),
		cmocka_unit_test(lines_without_a_service_are_skipped),
		cmocka_unit_test(broken_lines_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
