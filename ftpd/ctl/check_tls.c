/*
 * The certificates: genkan-ftpd-tls looks at them (genkanctl knows no TLS), this reads what it says.
 * And the file that says which user has which.
 */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certusers.h"
#include "program.h"

#define PROGRAM   "genkan-ftpd-tls"
#define DAYS_SOON 14

/* True if the name of a certificate, "home.example.net" or "*.example.net", is that of the host. */
static bool
is_name_of(const char *name, const char *host)
{
	const char *dot = strchr(host, '.');

	if (strncmp(name, "*.", 2) == 0)
		return dot != NULL && strcasecmp(name + 1, dot) == 0;
	return strcasecmp(name, host) == 0;
}

/* "FILE: ECDSA, for NAME NAME, 89 days left": is it for this host? */
static bool
is_for(const char *line, const char *host)
{
	char copy[1024], *rest, *word;

	(void)strlcpy(copy, line, sizeof(copy));
	if ((rest = strstr(copy, ", for ")) == NULL)
		return false;
	rest += strlen(", for ");
	rest[strcspn(rest, ",")] = '\0';
	while ((word = strsep(&rest, " ")) != NULL)
		if (is_name_of(word, host))
			return true;
	return false;
}

static int
days_left(const char *line)
{
	const char *comma = strrchr(line, ',');
	int days;

	return comma != NULL && sscanf(comma, ", %d days left", &days) == 1 ? days : -1;
}

/* Looks at one certificate; true if it is for the host, or if there is none to be for. */
static bool
look_at(struct check *c, const char *program, const char *file, const char *key, const char *host)
{
	char certificate_path[PATH_MAX], key_path[PATH_MAX], *said;
	const char *const argv[] = { program, "-t", certificate_path, key_path, NULL };
	bool named = true;
	int status;

	if (!host_path(c, file, certificate_path) || !host_path(c, key, key_path))
		return true;
	if ((status = host_run(c, argv, &said)) < 0) {
		check_say(c, "tls-program", NULL);
		return true;
	}
	said[strcspn(said, "\n")] = '\0';
	if (status != 0)
		check_say(c, "tls-wrong", said, NULL);
	else if (days_left(said) < DAYS_SOON)
		check_say(c, "tls-soon", said, NULL);
	else if (host[0] == '\0' || (named = is_for(said, host)))
		check_say(c, "tls-ok", said, NULL);
	free(said);
	return named;
}

/* TLSUserCertificates: can the server use it? */
static void
look_at_users(struct check *c)
{
	const char *path = c->conf.tls_user_certificates;
	char full[PATH_MAX], wrong[CERTUSERS_ERROR], none[CERTUSERS_PRINT] = "";
	FILE *file = NULL;
	struct stat st;

	if (path[0] == '\0' || !host_path(c, path, full))
		return;
	if ((file = fopen(full, "re")) == NULL && errno == EACCES)
		return; /* root could, and the server is root */
	if (file == NULL || fstat(fileno(file), &st) == -1)
		(void)strlcpy(wrong, strerror(errno), sizeof(wrong));
	else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		(void)strlcpy(wrong, "other users may write it", sizeof(wrong));
	else
		(void)certusers_have(file, "", none, wrong);
	if (file != NULL)
		fclose(file);
	if (wrong[0] != '\0')
		check_say(c, "tls-users-wrong", path, wrong, NULL);
}

void
check_tls(struct check *c)
{
	char program[PATH_MAX], file[PATH_MAX], key[PATH_MAX], host[256];
	struct netaddr addr;
	bool named = false;
	unsigned n = 0;

	if (!c->conf_good)
		return;
	if (c->conf.tls == TLS_OFF) {
		if (c->conf.auth_user_file[0] != '\0' || c->conf.auth_system != AUTH_SYSTEM_OFF)
			check_say(c, "tls-off", NULL);
		return;
	}
	if (!ddns_name(c, host, sizeof(host)) || netaddr_parse(host, &addr) == 0)
		host[0] = '\0';
	if (c->root[0] == '\0')
		program_path(PROGRAM, program);
	else
		snprintf(program, sizeof(program), "%s%s", c->root, PKGLIBEXECDIR "/" PROGRAM);
	for (;
	     conf_tls_file(c->conf.tls_certificate_file, n, file) && conf_tls_key(&c->conf, n, key);
	     n++)
		named |= look_at(c, program, file, key, host);
	/* one of several may be for the name */
	if (n > 0 && !named) {
		(void)conf_tls_file(c->conf.tls_certificate_file, 0, file);
		check_say(c, "tls-name", file, host, NULL);
	}
	look_at_users(c);
}
