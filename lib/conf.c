/*
 * The configuration. Everything about a directive stands in its row of one
 * table: name, kind of value (confvalue.c), field, default as text through the
 * same parser.
 */
#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <libutil.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confvalue.h"

#define CONF(field) offsetof(struct conf, field)

static const struct directive directives[] = {
	{ "MasqueradeAddress", &confnet_masquerades, CONF(masquerade), "none" },
	{ "MasqueradeTimeout", &confvalue_lookup_seconds, CONF(masquerade_timeout), "2" },
	{ "MasqueradeResolver", &confnet_resolvers, CONF(masquerade_resolver), "system" },
	{ "MasqueradeCacheAge", &confvalue_seconds, CONF(masquerade_cache_age), "86400" },
	{ "PassivePorts", &confvalue_port_lists, CONF(passive_ports), "any" },
	{ "PassivePortsAnnounced", &confnet_announced_ports, CONF(passive_announced), "same" },
	{ "PortMapping", &confnet_port_mappings, CONF(port_mapping), "off" },
	{ "ActivePort", &confvalue_active_ports, CONF(active_port), "prefer" },
	{ "PrivatePort", &confnet_private_ports, CONF(private_port), "reject" },
	{ "LocalNetworks", &confvalue_network_lists, CONF(local_networks), "auto" },
	{ "DefaultRoot", &confaccess_roots, CONF(default_root), "~" },
	{ "AuthUserFile", &confvalue_paths, CONF(auth_user_file), SYSCONFDIR "/passwd" },
	{ "AuthGroupFile", &confvalue_paths, CONF(auth_group_file), "none" },
	{ "AuthSystem", &confaccess_auth_systems, CONF(auth_system), "off" },
	{ "AuthPAMConfig", &confaccess_services, CONF(auth_pam_config), "genkan-ftpd" },
	{ "PAMSession", &confvalue_switches, CONF(pam_session), "off" },
	{ "WtmpLog", &confvalue_switches, CONF(wtmp_log), "off" },
	{ "MinUid", &confvalue_uids, CONF(min_uid), "1000" },
	{ "UserRights", &confvalue_paths, CONF(user_rights), "none" },
	{ "FtpUsers", &confvalue_paths, CONF(ftp_users), "/etc/ftpusers" },
	{ "NologinFile", &confvalue_paths, CONF(nologin_file), "/etc/nologin" },
	{ "RequireValidShell", &confaccess_valid_shells, CONF(require_valid_shell), "system" },
	{ "Anonymous", &confvalue_switches, CONF(anonymous), "off" },
	{ "AnonymousRoot", &confvalue_paths, CONF(anonymous_root), "none" },
	{ "AnonymousUser", &confvalue_users, CONF(anonymous_user), "ftp" },
	{ "AnonymousUpload", &confvalue_switches, CONF(anonymous_upload), "off" },
	{ "ReadOnly", &confvalue_switches, CONF(read_only), "off" },
	{ "UploadOnly", &confaccess_upload_only, CONF(upload_only), "off" },
	{ "PathDeny", &confaccess_patterns, CONF(path_deny), "none" },
	{ "AllowOverwrite", &confvalue_switches, CONF(allow_overwrite), "on" },
	{ "AllowStoreRestart", &confvalue_switches, CONF(allow_store_restart), "on" },
	{ "HiddenStores", &confvalue_hidden_stores, CONF(hidden_stores), "auto" },
	{ "SyncUploads", &confvalue_switches, CONF(sync_uploads), "off" },
	{ "Umask", &confvalue_umasks, CONF(umask_file), "022 022" },
	{ "ShowDotFiles", &confvalue_switches, CONF(show_dot_files), "off" },
	{ "ShowSymlinks", &confvalue_switches, CONF(show_symlinks), "on" },
	{ "ListOptions", &conflist_options, CONF(list_options), "none" },
	{ "ClientCharset", &conflist_charsets, CONF(client_charset), "UTF-8" },
	{ "TLS", &conftls_modes, CONF(tls), "off" },
	{ "TLSImplicit", &confvalue_switches, CONF(tls_implicit), "off" },
	{ "TLSCertificateFile", &conftls_files, CONF(tls_certificate_file), "none" },
	{ "TLSCertificateKeyFile", &conftls_files, CONF(tls_key_file), "none" },
	{ "TLSProtocol", &conftls_protocols, CONF(tls_protocol), "TLSv1.2" },
	{ "TLSSessionReuse", &conftls_reuses, CONF(tls_session_reuse), "prefer" },
	{ "TLSStrictEOF", &confvalue_switches, CONF(tls_strict_eof), "on" },
	{ "TLSVerifyClient", &conftls_verifies, CONF(tls_verify_client), "off" },
	{ "TLSClientCA", &confvalue_paths, CONF(tls_client_ca), "none" },
	{ "TLSUserCertificates", &confvalue_paths, CONF(tls_user_certificates), "none" },
	{ "TLSOCSPFile", &confvalue_paths, CONF(tls_ocsp_file), "none" },
	{ "MaxClients", &confvalue_clients, CONF(max_clients), "30" },
	{ "MaxLoginAttempts", &confvalue_attempts, CONF(max_login_attempts), "3" },
	{ "MaxClientsPerHost", &conflimit_counts, CONF(max_clients_per_host), "none" },
	{ "MaxClientsPerUser", &conflimit_counts, CONF(max_clients_per_user), "none" },
	{ "MaxConnectionsPerHost", &conflimit_rates, CONF(max_connections_per_host), "none" },
	{ "BanAfter", &conflimit_bans, CONF(ban_after), "20/10m 10m" },
	{ "TransferRate", &conflimit_speeds, CONF(transfer_rate), "none" },
	{ "TimeoutLogin", &confvalue_seconds, CONF(timeout_login), "60" },
	{ "TimeoutIdle", &confvalue_seconds, CONF(timeout_idle), "600" },
	{ "TimeoutNoTransfer", &confvalue_seconds, CONF(timeout_no_transfer), "0" },
	{ "TimeoutStalled", &confvalue_seconds, CONF(timeout_stalled), "300" },
	{ "TimeoutSession", &confvalue_seconds, CONF(timeout_session), "0" },
	{ "ServerIdent", &confvalue_idents, CONF(server_ident), "on" },
	{ "DisplayLogin", &confvalue_paths, CONF(display_login), "none" },
	{ "TransferLog", &confvalue_paths, CONF(transfer_log), "none" },
	{ "LogLevel", &confvalue_log_levels, CONF(log_level), "info" },
	{ "SessionUser", &confvalue_users, CONF(session_user), "genkan" },
	{ "GatewayUser", &confvalue_users, CONF(gateway_user), "genkan-gw" },
	{ "RunDirectory", &confvalue_paths, CONF(run_directory), RUNDIR },
	{ "StateDirectory", &confvalue_paths, CONF(state_directory), STATEDIR },
};

#define NDIRECTIVES  (sizeof(directives) / sizeof(directives[0]))
#define NAME_MAX_LEN 32
#define DEFAULT_MAX  512 /* the longest default; the stack is touched for each client */

_Static_assert(NDIRECTIVES <= sizeof(((struct conf *)0)->set), "struct conf: set[] is too small");
_Static_assert(sizeof(SYSCONFDIR "/passwd") <= DEFAULT_MAX && sizeof(RUNDIR) <= DEFAULT_MAX &&
        sizeof(STATEDIR) <= DEFAULT_MAX,
    "the directories of configure are too long");

/* Edit distance, case aside: how many letters to insert, delete or replace. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], n = strlen(b);

	if (strlen(a) > NAME_MAX_LEN || n > NAME_MAX_LEN)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (; *a != '\0'; a++) {
		size_t diagonal = row[0]++;

		for (size_t j = 1; j <= n; j++) {
			size_t best = diagonal +
			    (tolower((unsigned char)*a) != tolower((unsigned char)b[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static int
unknown(const char *name, char why[static WHY])
{
	size_t len = strlen(name), best = len < 6 ? 2 : 3;
	const char *meant = NULL;

	for (size_t i = 0; i < NDIRECTIVES; i++) {
		size_t d = distance(name, directives[i].name);

		if (d < best) {
			best = d;
			meant = directives[i].name;
		} else if (meant == NULL && len >= 4 &&
		    strncasecmp(name, directives[i].name, len) == 0) {
			meant = directives[i].name;
		}
	}
	if (meant == NULL)
		return confvalue_wrong(why, "%.64s: unknown directive", name);
	return confvalue_wrong(why, "%.64s: unknown directive (did you mean %s?)", name, meant);
}

/*
 * Splits a line into directive and value; the value has no blanks around it.
 * Returns 1, 0 for an empty line, -1 with why.
 */
static int
split(char *line, const struct directive **d, char **value, char why[static WHY])
{
	char *end = line + strlen(line);

	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	for (const char *p = line; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p) && *p != '\t')
			return confvalue_wrong(why, "there is a control character in the line");
	line += strspn(line, BLANKS);
	if (*line == '\0')
		return 0;
	*value = line + strcspn(line, BLANKS);
	if (**value != '\0')
		*(*value)++ = '\0';
	*value += strspn(*value, BLANKS);
	for (size_t i = 0; i < NDIRECTIVES; i++)
		if (strcasecmp(line, directives[i].name) == 0) {
			*d = &directives[i];
			return 1;
		}
	return unknown(line, why);
}

/*
 * Sets one directive, or adds a line to it; 0, or -1 with why, which begins with
 * the directive's name.
 */
static int
set(struct conf *conf, const struct directive *d, bool more, char *value, char why[static WHY])
{
	char what[WHY];
	int r;

	if (*value == '\0')
		return confvalue_wrong(
		    why, "%s: the value is missing (the default is %s)", d->name, d->defaults);
	r = d->kind->raw ? 0 : confvalue_unquote(value, what);
	if (r == 0)
		r = more ? d->kind->add(d, conf, value, what) : d->kind->parse(d, conf, value, what);
	if (r == -1)
		return confvalue_wrong(why, "%s: %.*s", d->name, WHY - 64, what);
	conf->set[d - directives] = true;
	return 0;
}

/* Without root there is no right to RUNDIR. */
static void
default_run_directory(char *path, size_t size)
{
	unsigned uid = geteuid();

	snprintf(path, size, "/run/user/%u", uid);
	if (uid == 0)
		snprintf(path, size, "%s", RUNDIR);
	else if (access(path, W_OK) == 0)
		snprintf(path, size, "/run/user/%u/genkan-ftpd", uid);
	else
		snprintf(path, size, "/tmp/genkan-ftpd-%u", uid);
}

static void
default_state_directory(char *path, size_t size)
{
	if (geteuid() == 0) {
		snprintf(path, size, "%s", STATEDIR);
	} else {
		default_run_directory(path, size);
		strlcat(path, "/state", size);
	}
}

int
conf_init(struct conf *conf)
{
	char value[DEFAULT_MAX], why[WHY];

	memset(conf, 0, sizeof(*conf));
	for (size_t i = 0; i < NDIRECTIVES; i++) {
		strlcpy(value, directives[i].defaults, sizeof(value));
		if (directives[i].offset == CONF(run_directory))
			default_run_directory(value, sizeof(value));
		if (directives[i].offset == CONF(state_directory))
			default_state_directory(value, sizeof(value));
		/* Fails for want of memory alone: a test parses every default. */
		if (set(conf, &directives[i], false, value, why) == -1) {
			conf_free(conf);
			errno = ENOMEM;
			return -1;
		}
	}
	memset(conf->set, 0, sizeof(conf->set));
	return 0;
}

void
conf_free(struct conf *conf)
{
	free(conf->masquerade.name);
	conf->masquerade.name = NULL;
	confaccess_free_roots(&conf->default_root);
	for (size_t i = 0; i < NDIRECTIVES; i++)
		if (directives[i].kind->string) {
			char **field = (char **)((char *)conf + directives[i].offset);

			free(*field);
			*field = NULL;
		}
}

int
conf_read(struct conf *conf, FILE *file, const char *name, char error[static CONF_ERROR])
{
	size_t seen[NDIRECTIVES] = { 0 }; /* the line that set it */
	size_t number = 0, len;
	char why[WHY], *line, *value;
	const struct directive *d;
	int r = 0;

	while (r == 0 && (line = fparseln(file, &len, &number, "\\\\#", 0)) != NULL) {
		if (strlen(line) != len)
			r = confvalue_wrong(why, "there is a NUL byte in the line");
		else if ((r = split(line, &d, &value, why)) == 1) {
			bool more = seen[d - directives] != 0;

			if (more && d->kind->add == NULL)
				r = confvalue_wrong(why, "%s: was set already in line %zu", d->name,
				    seen[d - directives]);
			else
				r = set(conf, d, more, value, why);
			seen[d - directives] = number;
		}
		free(line);
	}
	if (r == -1) {
		snprintf(error, CONF_ERROR, "%.200s:%zu: %s", name, number, why);
	} else if (ferror(file)) {
		snprintf(error, CONF_ERROR, "%.200s: %s", name, strerror(errno));
		r = -1;
	}
	return r;
}

int
conf_set(struct conf *conf, const char *where, const char *line, char error[static CONF_ERROR])
{
	char why[WHY], *copy = strdup(line), *value;
	const struct directive *d;
	int r;

	if (copy == NULL)
		r = confvalue_wrong(why, "out of memory");
	else if ((r = split(copy, &d, &value, why)) == 1)
		r = set(conf, d, false, value, why);
	else if (r == 0)
		r = confvalue_wrong(why, "the directive is missing: it wants 'Directive value'");
	free(copy);
	if (r == -1)
		snprintf(error, CONF_ERROR, "%.200s: %s", where, why);
	return r;
}

/* What no single TLS directive shows. */
static int
check_tls_files(const struct conf *conf, char error[static CONF_ERROR])
{
	char path[PATH_MAX];
	unsigned certificates = 0, keys = 0;

	while (conf_tls_file(conf->tls_certificate_file, certificates, path))
		certificates++;
	while (conf_tls_file(conf->tls_key_file, keys, path))
		keys++;
	if (conf->tls_implicit && conf->tls == TLS_OFF)
		snprintf(error, CONF_ERROR, "TLSImplicit is on, but TLS is off");
	else if (conf->tls != TLS_OFF && certificates == 0)
		snprintf(error, CONF_ERROR,
		    "TLS is on, but there is no TLSCertificateFile: examples/quickstart --tls shows how "
		    "to make one, examples/README.md how to get one from Let's Encrypt");
	else if (keys != 0 && keys != certificates)
		snprintf(error, CONF_ERROR,
		    "TLSCertificateFile has %u files, but TLSCertificateKeyFile %u: it must name one for "
		    "each", certificates, keys);
	else if (conf->tls_verify_client != TLS_VERIFY_OFF && conf->tls_client_ca[0] == '\0')
		snprintf(error, CONF_ERROR,
		    "TLSVerifyClient is on, but there is no TLSClientCA to verify against");
	else
		return 0;
	return -1;
}

int
conf_check(const struct conf *conf, char error[static CONF_ERROR])
{
	if (conf->anonymous && conf->anonymous_root[0] == '\0') {
		snprintf(error, CONF_ERROR, "Anonymous is on, but AnonymousRoot is not set");
		return -1;
	}
	if (!conf->anonymous && conf->auth_user_file[0] == '\0' &&
	    conf->auth_system == AUTH_SYSTEM_OFF) {
		snprintf(error, CONF_ERROR,
		    "nobody could log in: AuthUserFile is none, Anonymous and AuthSystem are off");
		return -1;
	}
	if (conf->pam_session && conf->auth_system != AUTH_SYSTEM_PAM) {
		snprintf(error, CONF_ERROR, "PAMSession is on, but AuthSystem is not pam");
		return -1;
	}
	if (conf->wtmp_log && conf->auth_system == AUTH_SYSTEM_OFF) {
		snprintf(error, CONF_ERROR,
		    "WtmpLog is on, but AuthSystem is off: it records users of the system");
		return -1;
	}
	if (conf->read_only && conf->upload_only != UPLOAD_ONLY_OFF) {
		snprintf(error, CONF_ERROR,
		    "ReadOnly and UploadOnly exclude each other: nobody could do anything");
		return -1;
	}
	if (conf->anonymous && conf->upload_only != UPLOAD_ONLY_OFF && !conf->anonymous_upload) {
		snprintf(error, CONF_ERROR,
		    "guests could do nothing: with UploadOnly, Anonymous wants AnonymousUpload on");
		return -1;
	}
	if (conf->passive_announced.n > 0 &&
	    portlist_count(&conf->passive_announced) != portlist_count(&conf->passive_ports)) {
		snprintf(error, CONF_ERROR,
		    "PassivePorts has %u ports, but PassivePortsAnnounced %u: it must name one for each",
		    portlist_count(&conf->passive_ports), portlist_count(&conf->passive_announced));
		return -1;
	}
	if (conf->passive_announced.n > 0 && conf->port_mapping != PORT_MAPPING_OFF) {
		snprintf(error, CONF_ERROR,
		    "PassivePortsAnnounced and PortMapping exclude each other: with PortMapping the "
		    "router says which port is to be announced");
		return -1;
	}
	if (conf->run_directory[0] == '\0') {
		snprintf(error, CONF_ERROR, "RunDirectory is none, but sessions are counted there");
		return -1;
	}
	return check_tls_files(conf, error);
}

unsigned
conf_advise(const struct conf *conf, unsigned first, unsigned last,
    char text[static CONF_ADVICE][CONF_ERROR])
{
	const struct portlist *ports = &conf->passive_ports;
	const unsigned count = portlist_count(ports);
	unsigned n = 0;

	if (ports->n > 0 && count < conf->max_clients)
		snprintf(text[n++], CONF_ERROR,
		    "PassivePorts has %u ports for MaxClients %u: each running transfer takes one; give "
		    "more of them, and forward them on the router",
		    count, conf->max_clients);
	for (unsigned i = 0; i < ports->n; i++)
		if (ports->range[i].min <= last && ports->range[i].max >= first) {
			snprintf(text[n++], CONF_ERROR,
			    "PassivePorts has ports of %u-%u, which the kernel gives to outgoing "
			    "connections (net.ipv4.ip_local_port_range): take lower ones",
			    first, last);
			break;
		}
	return n;
}

bool
conf_has_outside(const struct conf *conf)
{
	return conf->masquerade.kind != MASQUERADE_NONE || conf->passive_announced.n > 0 ||
	    conf->port_mapping != PORT_MAPPING_OFF;
}

void
conf_print(const struct conf *conf, FILE *out)
{
	for (size_t i = 0; i < NDIRECTIVES; i++) {
		fprintf(out, "%s ", directives[i].name);
		directives[i].kind->print(&directives[i], conf, out);
		putc('\n', out);
	}
}

const char *
conf_directive(size_t i, const char **defaults)
{
	if (i >= NDIRECTIVES)
		return NULL;
	if (defaults != NULL)
		*defaults = directives[i].defaults;
	return directives[i].name;
}
