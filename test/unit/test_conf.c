/*
 * The configuration: defaults, every form of value, errors in words, and that
 * what is printed is read back as the same.
 */
#include "conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "activeport.h"

static struct conf conf;
static char error[CONF_ERROR];

static int
begin(void **state)
{
	(void)state;
	assert_int_equal(conf_init(&conf), 0);
	error[0] = '\0';
	return 0;
}

static int
end(void **state)
{
	(void)state;
	conf_free(&conf);
	return 0;
}

static int
read_bytes(struct conf *to, const char *text, size_t len)
{
	FILE *file = tmpfile();
	int r;

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	rewind(file);
	r = conf_read(to, file, "test.conf", error);
	fclose(file);
	return r;
}

static void
assert_read(const char *text)
{
	if (read_bytes(&conf, text, strlen(text)) != 0)
		fail_msg("%s", error);
}

static void
assert_error(const char *text, const char *want)
{
	assert_int_equal(read_bytes(&conf, text, strlen(text)), -1);
	assert_string_equal(error, want);
}

static void
assert_set(const char *line)
{
	if (conf_set(&conf, "-o", line, error) != 0)
		fail_msg("%s", error);
}

static void
assert_refused(const char *line, const char *want)
{
	if (conf_set(&conf, "-o", line, error) != -1)
		fail_msg("\"%s\" was taken", line);
	assert_string_equal(error, want);
}

/* What conf_print() says of one directive. */
static const char *
printed(const struct conf *from, const char *name)
{
	static char line[8192];
	FILE *file = tmpfile();
	bool found = false;

	assert_non_null(file);
	conf_print(from, file);
	rewind(file);
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		found = strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ';
	}
	fclose(file);
	assert_true(found);
	return line + strlen(name) + 1;
}

/* Reads what conf_print() says of conf and compares what that prints. */
static void
assert_survives_print(void)
{
	static char first[65536], second[65536];
	struct conf again;
	FILE *file = fmemopen(first, sizeof(first), "w");

	assert_non_null(file);
	conf_print(&conf, file);
	fclose(file);
	assert_int_equal(conf_init(&again), 0);
	if (read_bytes(&again, first, strlen(first)) != 0)
		fail_msg("%s\nin:\n%s", error, first);
	file = fmemopen(second, sizeof(second), "w");
	assert_non_null(file);
	conf_print(&again, file);
	fclose(file);
	conf_free(&again);
	assert_string_equal(second, first);
}

static void
defaults_are_those_of_the_manual(void **state)
{
	(void)state;
	assert_int_equal(conf.masquerade.kind, MASQUERADE_NONE);
	assert_string_equal(conf.masquerade.name, "");
	assert_int_equal(conf.masquerade_timeout, 2);
	assert_int_equal(conf.passive_ports.n, 0);
	assert_int_equal(conf.active_port, ACTIVEPORT_PREFER);
	assert_true(conf.local_networks.automatic);
	assert_int_equal(conf.local_networks.n, 0);
	assert_string_equal(conf.default_root.rule[0].path, "~");
	assert_string_equal(conf.auth_user_file, SYSCONFDIR "/passwd");
	assert_false(conf.anonymous);
	assert_string_equal(conf.anonymous_root, "");
	assert_string_equal(conf.anonymous_user, "ftp");
	assert_false(conf.anonymous_upload);
	assert_false(conf.read_only);
	assert_true(conf.allow_overwrite);
	assert_true(conf.allow_store_restart);
	assert_int_equal(conf.hidden_stores, HIDDEN_STORES_AUTO);
	assert_false(conf.sync_uploads);
	assert_int_equal(conf.umask_file, 022);
	assert_int_equal(conf.umask_dir, 022);
	assert_int_equal(conf.max_clients, 30);
	assert_int_equal(conf.max_login_attempts, 3);
	assert_int_equal(conf.max_clients_per_host, 0);
	assert_int_equal(conf.max_clients_per_user, 0);
	assert_int_equal(conf.max_connections_per_host.n, 0);
	assert_int_equal(conf.ban_after.rate.n, 20);
	assert_int_equal(conf.ban_after.rate.seconds, 600);
	assert_int_equal(conf.ban_after.seconds, 600);
	assert_int_equal(conf.timeout_login, 60);
	assert_int_equal(conf.timeout_idle, 600);
	assert_int_equal(conf.timeout_no_transfer, 0);
	assert_int_equal(conf.timeout_stalled, 300);
	assert_int_equal(conf.timeout_session, 0);
	assert_string_equal(conf.server_ident, "Genkan FTP server ready");
	assert_string_equal(conf.display_login, "");
	assert_string_equal(conf.transfer_log, "");
	assert_int_equal(conf.log_level, LOG_INFO);
	assert_string_equal(conf.session_user, "genkan");
	assert_string_equal(conf.gateway_user, "genkan-gw");
	if (geteuid() == 0)
		assert_string_equal(conf.run_directory, RUNDIR);
	for (size_t i = 0; i < sizeof(conf.set) / sizeof(conf.set[0]); i++)
		assert_false(conf.set[i]);
	assert_int_equal(conf_check(&conf, error), 0);
}

static void
every_default_parses_to_itself(void **state)
{
	const char *name, *defaults;
	char line[512];

	(void)state;
	for (size_t i = 0; (name = conf_directive(i, &defaults)) != NULL; i++) {
		char before[512];

		if (strcmp(name, "RunDirectory") == 0)
			continue; /* depends on who runs this */
		snprintf(before, sizeof(before), "%s", printed(&conf, name));
		snprintf(line, sizeof(line), "%s %s", name, defaults);
		assert_set(line);
		assert_string_equal(printed(&conf, name), before);
	}
}

static void
directives_are_told_apart_without_case(void **state)
{
	const char *a, *b;
	size_t n = 0;

	(void)state;
	for (; (a = conf_directive(n, NULL)) != NULL; n++)
		for (size_t j = 0; j < n; j++) {
			b = conf_directive(j, NULL);
			assert_int_not_equal(strcasecmp(a, b), 0);
		}
	assert_true(n >= 31);
	assert_null(conf_directive(n + 1, NULL));
	assert_set("passiveports 4000 4029");
	assert_set("UMASK 077");
	assert_set("HiddenStores ON");
	assert_string_equal(printed(&conf, "HiddenStores"), "on");
	assert_int_equal(conf_set(&conf, "-o", "HiddenStores maybe", error), -1);
	assert_string_equal(printed(&conf, "PassivePorts"), "4000-4029");
}

static void
file_has_comments_blanks_and_continued_lines(void **state)
{
	(void)state;
	assert_read("# a comment \\\n"
		    "\n"
		    "  PassivePorts\t4000 4029   # behind a value\n"
		    "LocalNetworks auto, \\\n"
		    "	10.8.0.0/24\n"
		    "   \t \n"
		    "MasqueradeAddress home.example.net\r\n"
		    "Umask 027");
	assert_string_equal(printed(&conf, "PassivePorts"), "4000-4029");
	assert_string_equal(printed(&conf, "LocalNetworks"), "auto,10.8.0.0/24");
	assert_string_equal(printed(&conf, "MasqueradeAddress"), "home.example.net");
	assert_string_equal(printed(&conf, "Umask"), "027 027");
}

static void
explicit_directives_are_marked(void **state)
{
	const char *name;

	(void)state;
	assert_read("Umask 022\n");
	assert_set("Anonymous off");
	for (size_t i = 0; (name = conf_directive(i, NULL)) != NULL; i++)
		assert_int_equal(
		    conf.set[i], strcmp(name, "Umask") == 0 || strcmp(name, "Anonymous") == 0);
}

static void
errors_tell_file_line_directive_and_reason(void **state)
{
	(void)state;
	assert_error(
	    "\n# x\nPassivePorts 40000 39999\n", "test.conf:3: PassivePorts: 40000 is above 39999");
	assert_error(
	    "Umask\n", "test.conf:1: Umask: the value is missing (the default is 022 022)");
	assert_error("Umask 1\nUmask 888\n", "test.conf:2: Umask: was set already in line 1");
	assert_error(
	    "Anonymous perhaps\n", "test.conf:1: Anonymous: \"perhaps\" is neither on nor off");
	assert_error("MaxClients 1001\n",
	    "test.conf:1: MaxClients: \"1001\" is not a number from 1 to 1000");
	assert_int_equal(read_bytes(&conf, "Umask 022\0\n", 11), -1);
	assert_string_equal(error, "test.conf:1: there is a NUL byte in the line");
	assert_error(
	    "AnonymousRoot /a\x1b[1m\n", "test.conf:1: there is a control character in the line");
}

static void
reading_ends_at_the_first_error(void **state)
{
	(void)state;
	assert_error(
	    "Umask 077\nFoo 1\nMaxClients 2\nBar 3\n", "test.conf:2: Foo: unknown directive");
	assert_int_equal(conf.umask_file, 077);
	assert_int_equal(conf.max_clients, 30);
}

static void
unreadable_file_is_an_error(void **state)
{
	FILE *file = fopen("/", "r");

	(void)state;
	assert_non_null(file);
	assert_int_equal(conf_read(&conf, file, "dir", error), -1);
	fclose(file);
	assert_string_equal(error, "dir: Is a directory");
}

static void
unknown_directives_get_a_suggestion_if_one_is_close(void **state)
{
	(void)state;
	assert_refused("Foo 1", "-o: Foo: unknown directive");
	assert_refused(
	    "PasivePorts any", "-o: PasivePorts: unknown directive (did you mean PassivePorts?)");
	assert_refused(
	    "passiveport any", "-o: passiveport: unknown directive (did you mean PassivePorts?)");
	assert_refused("Masquerade none",
	    "-o: Masquerade: unknown directive (did you mean MasqueradeAddress?)");
	assert_refused(
	    "TimeoutIdel 5", "-o: TimeoutIdel: unknown directive (did you mean TimeoutIdle?)");
	assert_refused("Umsk 022", "-o: Umsk: unknown directive (did you mean Umask?)");
	assert_refused("ServerType inetd", "-o: ServerType: unknown directive");
	assert_refused("AVeryLongNameThatNobodyWouldEverGiveToADirective 1",
	    "-o: AVeryLongNameThatNobodyWouldEverGiveToADirective: unknown directive");
}

static void
limits_are_counts_and_rates(void **state)
{
	static const struct {
		const char *name, *value, *prints;
	} rows[] = {
		{ "MaxClientsPerHost", "5", "5" },
		{ "MaxClientsPerHost", "None", "none" },
		{ "MaxClientsPerUser", "1000", "1000" },
		{ "MaxConnectionsPerHost", "20/90", "20/90s" },
		{ "MaxConnectionsPerHost", "20/60S", "20/1m" },
		{ "MaxConnectionsPerHost", "1000000/365d", "1000000/365d" },
		{ "MaxConnectionsPerHost", "none", "none" },
		{ "BanAfter", "5/10m", "5/10m 10m" },
		{ "BanAfter", "30/1d  2h", "30/1d 2h" },
		{ "BanAfter", "1/36h Forever", "1/36h forever" },
		{ "BanAfter", "none", "none" },
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), "%s %s", rows[i].name, rows[i].value);
		assert_set(line);
		assert_string_equal(printed(&conf, rows[i].name), rows[i].prints);
		assert_survives_print();
	}
	assert_set("BanAfter 5/2m 1h");
	assert_int_equal(conf.ban_after.rate.n, 5);
	assert_int_equal(conf.ban_after.rate.seconds, 120);
	assert_int_equal(conf.ban_after.seconds, 3600);
}

static void
limits_that_mean_nothing_are_refused(void **state)
{
	static const char *const rates[] = { "20", "20/", "/1m", "20/0", "0/1m", "-1/1m", "20/1w",
		"20/m", "20/1m 5m", "20/366d", "20 / 1m", "1000001/1m", "20/1m/1m", "none 5m", "+5/1m" };
	char line[64], before[64];

	(void)state;
	assert_refused("MaxClientsPerHost 0",
	    "-o: MaxClientsPerHost: \"0\" is neither none nor a number from 1 to 1000");
	assert_refused("MaxClientsPerUser 1001",
	    "-o: MaxClientsPerUser: \"1001\" is neither none nor a number from 1 to 1000");
	assert_refused("MaxConnectionsPerHost 20",
	    "-o: MaxConnectionsPerHost: it wants none or N/INTERVAL, N from 1 to 1000000 and INTERVAL "
	    "such as 30s, 10m, 2h or 1d");
	assert_refused("BanAfter 31/1m",
	    "-o: BanAfter: it wants none or N/INTERVAL, N from 1 to 30 and INTERVAL such as 30s, 10m, "
	    "2h or 1d");
	assert_refused("BanAfter 5/1m soon",
	    "-o: BanAfter: the time of the ban is neither forever nor such as 10m, 2h or 1d");
	assert_refused("BanAfter none 5m", "-o: BanAfter: none stands alone");
	snprintf(before, sizeof(before), "%s", printed(&conf, "BanAfter"));
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		snprintf(line, sizeof(line), "MaxConnectionsPerHost %s", rates[i]);
		if (conf_set(&conf, "-o", line, error) != -1)
			fail_msg("%s was taken", line);
		assert_string_equal(printed(&conf, "MaxConnectionsPerHost"), "none");
	}
	assert_string_equal(printed(&conf, "BanAfter"), before);
}

static int64_t
rate_of(const char *user, bool anonymous, bool sends)
{
	const struct rate_rule *rule = conf_transfer_rate(&conf, user, anonymous, sends);

	return rule == NULL ? 0 : rule->rate;
}

static void
transfer_rates_are_rules(void **state)
{
	static const struct {
		const char *value, *prints;
		int64_t sends, receives;
	} rows[] = {
		{ "none", "none", 0, 0 },
		{ "100", "100", 102400, 102400 },
		{ "8.0", "8", 8192, 8192 },
		{ "0.25", "0.250", 256, 256 },
		{ "retr 0.7", "RETR 0.700", 716, 0 },
		{ "STOR 50", "STOR,APPE,STOU 50", 0, 51200 },
		{ "RETR,STOR,APPE,STOU  1", "1", 1024, 1024 },
		{ "RETR none user eve", "RETR none user eve", 0, 0 },
		{ "5  user  eve,anna", "5 user eve,anna", 5120, 5120 },
		{ "5 user ann,annabel,a", "5 user ann,annabel,a", 0, 0 },
		{ "104857600", "104857600", 107374182400, 107374182400 },
		{ "100 shared", "100 shared", 102400, 102400 },
		{ "RETR 9  SHARED  user anna", "RETR 9 shared user anna", 9216, 0 },
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), "TransferRate %s", rows[i].value);
		assert_set(line);
		assert_string_equal(printed(&conf, "TransferRate"), rows[i].prints);
		assert_survives_print();
		assert_int_equal(rate_of("anna", false, true), rows[i].sends);
		assert_int_equal(rate_of("anna", false, false), rows[i].receives);
	}
}

static void
transfer_rates_of_a_user_come_before_those_of_all(void **state)
{
	(void)state;
	assert_read("TransferRate RETR 100\nTransferRate RETR 50\nTransferRate 10 user bob,eve\n"
		    "TransferRate RETR none user anna\nTransferRate 20 user ftp\n");
	assert_int_equal(rate_of("cat", false, true), 102400);
	assert_int_equal(rate_of("cat", false, false), 0);
	assert_int_equal(rate_of("eve", false, true), 10240);
	assert_int_equal(rate_of("eve", false, false), 10240);
	assert_int_equal(rate_of("anna", false, true), 0);
	/* guests type what they like */
	assert_int_equal(rate_of("ANONYMOUS", true, true), 20480);
	assert_survives_print();
	/* -o takes the place of all lines */
	assert_set("TransferRate STOR 7");
	assert_string_equal(printed(&conf, "TransferRate"), "STOR,APPE,STOU 7");
}

static void
transfer_rates_that_mean_nothing_are_refused(void **state)
{
	static const char *const values[] = { "0", "0.1", "-1", "1.", "1.2345", "RETR", "RETR 0",
		"LIST 5", "RETR,LIST 5", "5 anna", "5 user", "5 user anna bob", "5 group staff", "5K",
		"104857601", "10:1024", "none none", "99999999999999999999", ".5", "RETR, 5" };
	char line[256], names[130];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(line, sizeof(line), "TransferRate %s", values[i]);
		if (conf_set(&conf, "-o", line, error) != -1)
			fail_msg("%s was taken", line);
		assert_string_equal(printed(&conf, "TransferRate"), "none");
	}
	assert_refused("TransferRate RETR fast",
	    "-o: TransferRate: \"fast\" is neither none nor a rate in KB/s, 0.25 to 104857600");
	assert_refused("TransferRate 5 user bob,eve\\#",
	    "-o: TransferRate: \"bob,eve#\" are no names of users such as bob,eve");
	assert_refused("TransferRate LIST 5",
	    "-o: TransferRate: \"LIST\" is none of RETR, STOR, APPE and STOU, nor a number");
	memset(names, 'x', 120);
	names[120] = '\0';
	snprintf(line, sizeof(line), "TransferRate 5 user %s", names);
	assert_refused(
	    line, "-o: TransferRate: the names take more than 119 bytes: write another line");
	assert_error("TransferRate 1\nTransferRate 1\nTransferRate 1\nTransferRate 1\nTransferRate 1\n"
		     "TransferRate 1\nTransferRate 1\nTransferRate 1\nTransferRate 1\n",
	    "test.conf:9: TransferRate: there are more than 8 lines of it");
}

static void
option_overrides_the_file_and_the_last_one_holds(void **state)
{
	(void)state;
	assert_read("MaxClients 5\nDefaultRoot /srv\n");
	assert_set("MaxClients 6");
	assert_set("MaxClients 7");
	assert_set("  DefaultRoot   ~  ");
	assert_int_equal(conf.max_clients, 7);
	assert_int_equal(conf.default_root.n, 1);
	assert_string_equal(conf.default_root.rule[0].path, "~");
}

static void
option_without_directive_is_refused(void **state)
{
	(void)state;
	assert_refused("", "-o: the directive is missing: it wants 'Directive value'");
	assert_refused("  ", "-o: the directive is missing: it wants 'Directive value'");
	assert_refused("Umask 022\nAnonymous on", "-o: there is a control character in the line");
}

static void
failed_option_leaves_the_value(void **state)
{
	(void)state;
	assert_set("PassivePorts 4000 4029");
	assert_set("MasqueradeAddress home.example.net");
	assert_set("Umask 027 077");
	assert_int_equal(conf_set(&conf, "-o", "PassivePorts 5000 4029", error), -1);
	assert_int_equal(conf_set(&conf, "-o", "MasqueradeAddress a..b", error), -1);
	assert_int_equal(conf_set(&conf, "-o", "Umask 022 999", error), -1);
	assert_string_equal(printed(&conf, "PassivePorts"), "4000-4029");
	assert_string_equal(printed(&conf, "MasqueradeAddress"), "home.example.net");
	assert_string_equal(printed(&conf, "Umask"), "027 077");
}

static void
values_are_read_and_printed(void **state)
{
	/* clang-format off */
	static const char *const rows[][3] = {
		{ "MasqueradeAddress", "none", "none" },
		{ "MasqueradeAddress", "203.0.113.2", "203.0.113.2" },
		{ "MasqueradeAddress", "Home.Example.net.", "Home.Example.net." },
		{ "MasqueradeAddress", "\"my-router\"", "my-router" },
		{ "PassivePorts", "any", "any" },
		{ "PassivePorts", "4000-4029,5136-5151 6000", "4000-4029,5136-5151,6000" },
		{ "MasqueradeAddress", "natpmp  upnp\thome.example.net", "natpmp upnp home.example.net" },
		{ "MasqueradeAddress", "203.0.113.2 home.example.net", "203.0.113.2 home.example.net" },
		{ "MasqueradeResolver", "system", "system" },
		{ "MasqueradeResolver", "192.0.2.1  192.0.2.2:5353", "192.0.2.1 192.0.2.2:5353" },
		{ "MasqueradeResolver", "2001:db8::1 [2001:db8::2]:53", "2001:db8::1 [2001:db8::2]:53" },
		{ "MasqueradeCacheAge", "0", "0" },
		{ "PrivatePort", "Peer", "peer" },
		{ "PassivePortsAnnounced", "4000 4029", "4000-4029" },
		{ "PassivePortsAnnounced", "same", "same" },
		{ "PortMapping", "Auto", "auto" },
		{ "ActivePort", "prefer", "prefer" },
		{ "ActivePort", "20", "20" },
		{ "ActivePort", "any", "any" },
		{ "ActivePort", "L-1", "L-1" },
		{ "LocalNetworks", "none", "none" },
		{ "LocalNetworks", "auto", "auto" },
		{ "LocalNetworks", "10.8.0.1/24 fd00::/8,auto", "auto,10.8.0.0/24,fd00::/8" },
		{ "LocalNetworks", "192.0.2.1", "192.0.2.1/32" },
		{ "DefaultRoot", "~", "~" },
		{ "DefaultRoot", "/srv/ftp", "/srv/ftp" },
		{ "DefaultRoot", "~   !staff,users", "~ !staff,users" },
		{ "DefaultRoot", "\"/srv/my \\\"ftp\"  staff", "\"/srv/my \\\"ftp\" staff" },
		{ "AuthGroupFile", "/srv/group", "/srv/group" },
		{ "UserRights", "/srv/rights", "/srv/rights" },
		{ "FtpUsers", "none", "none" },
		{ "NologinFile", "/run/nologin", "/run/nologin" },
		{ "RequireValidShell", "On", "on" },
		{ "UploadOnly", "files", "files" },
		{ "AuthSystem", "PAM", "pam" },
		{ "AuthPAMConfig", "vsftpd", "vsftpd" },
		{ "MinUid", "500", "500" },
		{ "PathDeny", " *.exe   .ht* ", "*.exe .ht*" },
		{ "PathDeny", "NONE", "none" },
		{ "AuthUserFile", "NONE", "none" },
		{ "AnonymousRoot", "/srv/my files", "/srv/my files" },
		{ "AnonymousRoot", "\"/srv/ends with a blank \"", "\"/srv/ends with a blank \"" },
		{ "AnonymousRoot", "/a\\#b", "\"/a\\#b\"" },
		{ "AnonymousRoot", "\"/a \\\"b\\\" \\\\\"", "\"/a \\\"b\\\" \\\\\"" },
		{ "AnonymousUser", "1000", "1000" },
		{ "SessionUser", "nobody", "nobody" },
		{ "Anonymous", "YES", "on" },
		{ "Anonymous", "false", "off" },
		{ "ReadOnly", "1", "on" },
		{ "ListOptions", "\"-aF\" strict", "-aF strict" },
		{ "ListOptions", "maxfiles 20 maxdepth 3 -R", "-R maxfiles 20 maxdepth 3" },
		{ "ListOptions", "none", "none" },
		{ "ClientCharset", "auto", "auto CP932" },
		{ "ClientCharset", "EUC-JP-MS", "EUC-JP-MS" },
		{ "ClientCharset", "utf8", "UTF-8" },
		{ "Umask", "077", "077 077" },
		{ "Umask", "0022  002", "022 002" },
		{ "MaxClients", "1000", "1000" },
		{ "TimeoutIdle", "0", "0" },
		{ "ServerIdent", "on", "on \"Genkan FTP server ready\"" },
		{ "ServerIdent", "off", "on \"FTP server ready\"" },
		{ "ServerIdent", "\"My server\"", "on \"My server\"" },
		{ "ServerIdent", "on \"My server\"", "on \"My server\"" },
		{ "ServerIdent", "On  My server", "on \"My server\"" },
		{ "ServerIdent", "online", "on \"online\"" },
		{ "ServerIdent", "\"off\"", "on \"off\"" },
		{ "ServerIdent", "on \"say \\\"ah\\\" \\\\ \\#1\"",
		    "on \"say \\\"ah\\\" \\\\ \\#1\"" },
		{ "LogLevel", "error", "error" },
		{ "LogLevel", "WARN", "warn" },
		{ "LogLevel", "notice", "notice" },
		{ "LogLevel", "debug", "debug" },
	};
	/* clang-format on */
	char line[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), "%s %s", rows[i][0], rows[i][1]);
		assert_set(line);
		assert_string_equal(printed(&conf, rows[i][0]), rows[i][2]);
		assert_survives_print();
	}
}

static void
bad_values_are_refused_in_words(void **state)
{
	/* clang-format off */
	static const char *const rows[][2] = {
		{ "MasqueradeAddress 2001:db8::1",
		    "2001:db8::1 is IPv6, but PASV announces IPv4 alone and EPSV needs no address: "
		    "give an IPv4 address or a name" },
		{ "MasqueradeAddress 300.1.1.1",
		    "\"300.1.1.1\" is neither a host name nor an IPv4 address" },
		{ "MasqueradeAddress a_b", "\"a_b\" is neither a host name nor an IPv4 address" },
		{ "MasqueradeAddress -a", "\"-a\" is neither a host name nor an IPv4 address" },
		{ "MasqueradeAddress a-.b", "\"a-.b\" is neither a host name nor an IPv4 address" },
		{ "MasqueradeAddress a..b", "\"a..b\" is neither a host name nor an IPv4 address" },
		{ "MasqueradeAddress .", "\".\" is neither a host name nor an IPv4 address" },
		{ "MasqueradeAddress natpmp a_b", "\"a_b\" is neither a host name nor an IPv4 address" },
		{ "MasqueradeAddress natpmp none", "none stands alone" },
		{ "MasqueradeAddress a b c d e f g h i", "8 sources are the most" },
		{ "MasqueradeResolver dns.example.net",
		    "dns.example.net: a DNS server is given as ADDRESS or ADDRESS:PORT" },
		{ "MasqueradeResolver 192.0.2.1:0",
		    "192.0.2.1:0: a DNS server is given as ADDRESS or ADDRESS:PORT" },
		{ "MasqueradeResolver 192.0.2.1:",
		    "192.0.2.1:: a DNS server is given as ADDRESS or ADDRESS:PORT" },
		{ "MasqueradeResolver [2001:db8::1",
		    "[2001:db8::1: a DNS server is given as ADDRESS or ADDRESS:PORT" },
		{ "PassivePortsAnnounced 40000 39999", "40000 is above 39999" },
		{ "PortMapping on", "\"on\" is none of off, natpmp, upnp, auto" },
		{ "PrivatePort on", "\"on\" is none of reject, peer" },
		{ "MasqueradeAddress h\xc3\xb6me",
		    "\"h\xc3\xb6me\" is neither a host name nor an IPv4 address" },
		{ "MasqueradeAddress 0.0.0.0", "nobody can connect to 0.0.0.0" },
		{ "MasqueradeAddress 224.0.0.1", "nobody can connect to 224.0.0.1" },
		{ "MasqueradeTimeout 0", "\"0\" is not a number from 1 to 60" },
		{ "LocalNetworks none,auto",
		    "\"none\" is neither auto nor a network such as 192.168.1.0/24 "
		    "(none stands alone)" },
		{ "LocalNetworks 10.0.0.0/33",
		    "\"10.0.0.0/33\" is neither auto nor a network such as 192.168.1.0/24 "
		    "(none stands alone)" },
		{ "DefaultRoot srv", "\"srv\" is neither ~ nor a path that begins with /" },
		{ "DefaultRoot /srv/my own files",
		    "\"own files\" are no groups such as staff,!guests (a path with blanks stands "
		    "in double quotes)" },
		{ "DefaultRoot ~ a,,b",
		    "\"a,,b\" are no groups such as staff,!guests (a path with blanks stands in "
		    "double quotes)" },
		/* at a line's end it would go on with the line */
		{ "DefaultRoot ~ staff\\ ",
		    "\"staff\\\" are no groups such as staff,!guests (a path with blanks stands in "
		    "double quotes)" },
		{ "DefaultRoot \"/srv\"x", "there is something behind the closing quote" },
		{ "DefaultRoot \"/srv", "the closing quote is missing (a # in quotes is written \\#)" },
		{ "AuthSystem nss", "\"nss\" is none of off, pam, shadow" },
		{ "AuthPAMConfig ../x", "\"../x\" is no name of a file in /etc/pam.d" },
		{ "AuthPAMConfig a b", "\"a b\" is no name of a file in /etc/pam.d" },
		{ "MinUid 0", "\"0\" is not a number from 1 to 2147483647" },
		{ "UploadOnly maybe", "\"maybe\" is none of off, on, files" },
		{ "RequireValidShell maybe", "\"maybe\" is none of off, on, system" },
		{ "PathDeny a/b",
		    "\"a/b\": a pattern is for the names between slashes, so it has none" },
		{ "AuthUserFile passwd",
		    "\"passwd\" is neither a path that begins with / nor none" },
		{ "AnonymousUser root", "root is not allowed here: take a user without rights" },
		{ "SessionUser 00", "00 is not allowed here: take a user without rights" },
		{ "SessionUser a b", "\"a b\" is neither a user's name nor a uid" },
		{ "SessionUser a:b", "\"a:b\" is neither a user's name nor a uid" },
		{ "SessionUser 4294967296", "\"4294967296\" is neither a user's name nor a uid" },
		{ "Umask 888", "\"888\" is not an octal mask from 000 to 777" },
		{ "Umask 1022", "\"1022\" is not an octal mask from 000 to 777" },
		{ "Umask 022 x", "\"x\" is not an octal mask from 000 to 777" },
		{ "Umask 022 022 022", "\"022 022\" is not an octal mask from 000 to 777" },
		{ "MaxClients 0", "\"0\" is not a number from 1 to 1000" },
		{ "MaxClients +5", "\"+5\" is not a number from 1 to 1000" },
		{ "MaxClients 5 6", "\"5 6\" is not a number from 1 to 1000" },
		{ "TimeoutIdle -1", "\"-1\" is not a number from 0 to 2000000" },
		{ "TimeoutIdle 10m", "\"10m\" is not a number from 0 to 2000000" },
		{ "ServerIdent \"\"", "the text must have 1 to 255 bytes" },
		{ "ServerIdent \"a",
		    "the closing quote is missing (a # in quotes is written \\#)" },
		{ "ServerIdent on \"a\" b", "there is something behind the closing quote" },
		{ "AnonymousRoot \"/a\\\"",
		    "the closing quote is missing (a # in quotes is written \\#)" },
		{ "LogLevel loud", "\"loud\" is none of error, warn, notice, info and debug" },
		{ "PassivePorts 40000 39999", "40000 is above 39999" },
	};
	/* clang-format on */
	char want[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(want, sizeof(want), "-o: %.*s: %s", (int)strcspn(rows[i][0], " "),
		    rows[i][0], rows[i][1]);
		assert_refused(rows[i][0], want);
	}
	assert_int_equal(conf_set(&conf, "-o", "ActivePort 99999", error), -1);
	assert_non_null(strstr(error, "-o: ActivePort: "));
	assert_int_equal(conf_set(&conf, "-o", "PassivePorts none", error), -1);
	assert_non_null(strstr(error, "-o: PassivePorts: "));
}

static void
masquerade_is_an_address_or_a_name(void **state)
{
	char host[300], line[400];

	(void)state;
	assert_set("MasqueradeAddress 203.0.113.2");
	assert_int_equal(conf.masquerade.kind, MASQUERADE_ADDRESS);
	assert_string_equal(conf.masquerade.name, "203.0.113.2");
	assert_int_equal(conf.masquerade.addr.family, AF_INET);
	assert_int_equal(ntohl(conf.masquerade.addr.v4.s_addr), 0xcb007102);
	assert_set("MasqueradeAddress home.example.net");
	assert_int_equal(conf.masquerade.kind, MASQUERADE_ASK);
	assert_int_equal(conf.masquerade.addr.family, AF_UNSPEC);
	assert_set("MasqueradeAddress None");
	assert_int_equal(conf.masquerade.kind, MASQUERADE_NONE);
	assert_string_equal(conf.masquerade.name, "");

	/* 63 letters in a label, 253 in a name. */
	memset(host, 'a', sizeof(host));
	host[63] = host[127] = host[191] = '.';
	host[253] = '\0';
	snprintf(line, sizeof(line), "MasqueradeAddress %s", host);
	assert_set(line);
	host[253] = 'a';
	host[254] = '\0';
	snprintf(line, sizeof(line), "MasqueradeAddress %s", host);
	assert_int_equal(conf_set(&conf, "-o", line, error), -1);
	host[64] = '\0';
	host[63] = 'a';
	snprintf(line, sizeof(line), "MasqueradeAddress %s", host);
	assert_int_equal(conf_set(&conf, "-o", line, error), -1);
}

static void
networks_are_limited_in_number(void **state)
{
	char line[1024] = "LocalNetworks auto";

	(void)state;
	for (int i = 0; i < NETWORKS_MAX; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), ",10.0.%d.0/24", i);
	assert_set(line);
	assert_int_equal(conf.local_networks.n, NETWORKS_MAX);
	assert_survives_print();
	strcat(line, ",10.1.0.0/16");
	assert_refused(line, "-o: LocalNetworks: there are more than 32 networks");
}

static void
paths_are_limited_in_length(void **state)
{
	static char line[8192];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "DisplayLogin /", 14);
	line[13 + 4095] = '\0';
	assert_set(line);
	line[13 + 4095] = 'x';
	assert_refused(line, "-o: DisplayLogin: the path is longer than 4095 bytes");
}

static void
comment_inside_quotes_is_no_silent_cut(void **state)
{
	(void)state;
	assert_error("ServerIdent \"Room #5\"\n",
	    "test.conf:1: ServerIdent: the closing quote is "
	    "missing (a # in quotes is written \\#)");
	assert_read("ServerIdent \"Room \\#5\"\n");
	assert_string_equal(conf.server_ident, "Room #5");
}

static void
ports_that_are_few_or_the_kernels_are_advised_against(void **state)
{
	char advice[CONF_ADVICE][CONF_ERROR];

	(void)state;
	assert_int_equal(conf_advise(&conf, 32768, 60999, advice), 0);
	assert_set("PassivePorts 4000 4029");
	assert_int_equal(conf_advise(&conf, 32768, 60999, advice), 0);
	assert_set("MaxClients 31");
	assert_int_equal(conf_advise(&conf, 32768, 60999, advice), 1);
	assert_non_null(strstr(advice[0], "30 ports for MaxClients 31"));
	assert_set("PassivePorts 4000-4029,40000-40001,50000");
	assert_int_equal(conf_advise(&conf, 32768, 60999, advice), 1);
	assert_non_null(strstr(advice[0], "ip_local_port_range"));
	assert_int_equal(conf_advise(&conf, 0, 0, advice), 0);
}

static void
check_sees_what_no_single_directive_shows(void **state)
{
	(void)state;
	assert_set("Anonymous on");
	assert_int_equal(conf_check(&conf, error), -1);
	assert_string_equal(error, "Anonymous is on, but AnonymousRoot is not set");
	assert_set("AnonymousRoot /srv/ftp");
	assert_set("AuthUserFile none");
	assert_int_equal(conf_check(&conf, error), 0);
	assert_set("Anonymous off");
	assert_int_equal(conf_check(&conf, error), -1);
	assert_string_equal(
	    error, "nobody could log in: AuthUserFile is none, Anonymous and AuthSystem are off");
	assert_set("AuthSystem shadow");
	assert_int_equal(conf_check(&conf, error), 0);
	assert_set("PAMSession on");
	assert_int_equal(conf_check(&conf, error), -1);
	assert_string_equal(error, "PAMSession is on, but AuthSystem is not pam");
	assert_set("PAMSession off");
	assert_set("WtmpLog on");
	assert_int_equal(conf_check(&conf, error), 0);
	assert_set("AuthSystem off");
	assert_int_equal(conf_check(&conf, error), -1);
	assert_set("WtmpLog off");
	assert_set("AuthUserFile /etc/ftp.passwd");
	assert_int_equal(conf_check(&conf, error), 0);
	assert_set("PassivePorts 40000 40029");
	assert_set("PassivePortsAnnounced 4000 4028");
	assert_int_equal(conf_check(&conf, error), -1);
	assert_string_equal(error, "PassivePorts has 30 ports, but PassivePortsAnnounced 29: it must "
	                           "name one for each");
	assert_set("PassivePortsAnnounced 4000 4029");
	assert_int_equal(conf_check(&conf, error), 0);
	assert_set("PortMapping auto");
	assert_int_equal(conf_check(&conf, error), -1);
	assert_set("PortMapping off");
	assert_set("ReadOnly on");
	assert_set("UploadOnly on");
	assert_int_equal(conf_check(&conf, error), -1);
	assert_string_equal(error, "ReadOnly and UploadOnly exclude each other: nobody could do anything");
	assert_set("ReadOnly off");
	assert_int_equal(conf_check(&conf, error), 0);
	assert_set("AnonymousRoot /srv");
	assert_set("Anonymous on");
	assert_int_equal(conf_check(&conf, error), -1);
	assert_string_equal(error, "guests could do nothing: with UploadOnly, Anonymous wants "
				   "AnonymousUpload on");
	assert_set("AnonymousUpload on");
	assert_int_equal(conf_check(&conf, error), 0);
	assert_set("RunDirectory none");
	assert_int_equal(conf_check(&conf, error), -1);
	assert_string_equal(error, "RunDirectory is none, but sessions are counted there");
}

static void
some_directives_are_lists_of_lines(void **state)
{
	(void)state;
	assert_read("DefaultRoot ~ !staff\nPathDeny *.exe\nDefaultRoot \"/srv/a b\" staff\n"
		    "PathDeny .ht* *.scr\nDefaultRoot /\n");
	assert_int_equal(conf.default_root.n, 3);
	assert_string_equal(conf.default_root.rule[0].path, "~");
	assert_string_equal(conf.default_root.rule[0].groups, "!staff");
	assert_string_equal(conf.default_root.rule[1].path, "/srv/a b");
	assert_string_equal(conf.default_root.rule[1].groups, "staff");
	assert_string_equal(conf.default_root.rule[2].groups, "");
	assert_string_equal(conf.path_deny, "*.exe .ht* *.scr");
	assert_survives_print();
	/* -o takes the place of all lines, and a wrong one of none */
	assert_refused("DefaultRoot srv", "-o: DefaultRoot: \"srv\" is neither ~ nor a path that "
					  "begins with /");
	assert_int_equal(conf.default_root.n, 3);
	assert_set("DefaultRoot /srv");
	assert_int_equal(conf.default_root.n, 1);
	assert_set("PathDeny none");
	assert_string_equal(conf.path_deny, "");
}

static void
what_is_printed_is_read_back_as_the_same(void **state)
{
	(void)state;
	assert_survives_print();
	assert_read("MasqueradeAddress home.example.net\nPassivePorts 4000-4029,5136-5151\n"
		    "ActivePort L-1\nLocalNetworks auto,10.8.0.0/24,fd00:1::/32\n"
		    "DefaultRoot /srv/ftp\nAnonymous on\nAnonymousRoot \"/srv/a \\\\ \\\" \\# b\"\n"
		    "Umask 027 077\nServerIdent on \"on\"\nLogLevel debug\nReadOnly yes\n");
	assert_string_equal(conf.anonymous_root, "/srv/a \\ \" # b");
	assert_survives_print();
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_those_of_the_manual),
		TEST(every_default_parses_to_itself),
		TEST(directives_are_told_apart_without_case),
		TEST(file_has_comments_blanks_and_continued_lines),
		TEST(explicit_directives_are_marked),
		TEST(errors_tell_file_line_directive_and_reason),
		TEST(reading_ends_at_the_first_error),
		TEST(unreadable_file_is_an_error),
		TEST(unknown_directives_get_a_suggestion_if_one_is_close),
		TEST(limits_are_counts_and_rates),
		TEST(limits_that_mean_nothing_are_refused),
		TEST(transfer_rates_are_rules),
		TEST(transfer_rates_of_a_user_come_before_those_of_all),
		TEST(transfer_rates_that_mean_nothing_are_refused),
		TEST(option_overrides_the_file_and_the_last_one_holds),
		TEST(option_without_directive_is_refused),
		TEST(failed_option_leaves_the_value),
		TEST(values_are_read_and_printed),
		TEST(bad_values_are_refused_in_words),
		TEST(masquerade_is_an_address_or_a_name),
		TEST(networks_are_limited_in_number),
		TEST(paths_are_limited_in_length),
		TEST(comment_inside_quotes_is_no_silent_cut),
		TEST(ports_that_are_few_or_the_kernels_are_advised_against),
		TEST(check_sees_what_no_single_directive_shows),
		TEST(some_directives_are_lists_of_lines),
		TEST(what_is_printed_is_read_back_as_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
