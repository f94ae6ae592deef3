/*
 * The rights of an account.
 */
#include "rights.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "conf.h"
#include "groups.h"
#include "log.h"
#include "request.h"

#define BLANKS " \t"

#define ALL                                                                                        \
	(RIGHT_READ | RIGHT_LIST | RIGHT_STORE | RIGHT_OVERWRITE | RIGHT_DELETE | RIGHT_RENAME |   \
	    RIGHT_MKDIR | RIGHT_ATTR)

static const struct {
	const char *word;
	unsigned rights;
} words[] = {
	{ "read",      RIGHT_READ      },
	{ "list",      RIGHT_LIST      },
	{ "store",     RIGHT_STORE     },
	{ "overwrite", RIGHT_OVERWRITE },
	{ "delete",    RIGHT_DELETE    },
	{ "rename",    RIGHT_RENAME    },
	{ "mkdir",     RIGHT_MKDIR     },
	{ "attr",      RIGHT_ATTR      },
	{ "all",       ALL             },
	{ "none",      0               },
};

#define WORDS (sizeof(words) / sizeof(words[0]))

static int wrong(char error[static RIGHTS_ERROR], unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
wrong(char error[static RIGHTS_ERROR], unsigned line, const char *fmt, ...)
{
	int n = snprintf(error, RIGHTS_ERROR, "line %u: ", line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error + n, (size_t)(RIGHTS_ERROR - n), fmt, ap);
	va_end(ap);
	return -1;
}

/* "read list -delete": rights, and with a dash in front what is taken from those before. */
static int
read_words(char *text, unsigned line, unsigned *rights, char error[static RIGHTS_ERROR])
{
	bool any = false;
	char *word;

	*rights = 0;
	while ((word = strsep(&text, BLANKS)) != NULL) {
		bool minus = *word == '-';
		size_t i;

		if (*word == '\0')
			continue;
		for (i = 0; i < WORDS && strcasecmp(words[i].word, word + minus) != 0; i++)
			continue;
		if (i == WORDS)
			return wrong(error, line,
			    "\"%.32s\" is no right (known are read, list, store, overwrite, delete, "
			    "rename, mkdir, attr, all, none)",
			    word);
		*rights = minus ? *rights & ~words[i].rights : *rights | words[i].rights;
		any = true;
	}
	return any ? 0 : wrong(error, line, "no rights stand behind the colon (none is a word, too)");
}

static bool
fits(const char *who, const char *user, const struct groups *groups)
{
	if (user == NULL)
		return false;
	if (who[0] == '@')
		return groups != NULL && groups_has(groups, who + 1);
	return strcmp(who, "*") == 0 || strcmp(who, user) == 0;
}

/* Takes off the comment and the blanks at both ends. */
static char *
trim(char *line)
{
	size_t len;

	line[strcspn(line, "#\r\n")] = '\0';
	line += strspn(line, BLANKS);
	for (len = strlen(line); len > 0 && strchr(BLANKS, line[len - 1]) != NULL; len--)
		line[len - 1] = '\0';
	return line;
}

int
rights_read(FILE *file, const char *user, const struct groups *groups, unsigned *rights,
    char error[static RIGHTS_ERROR])
{
	char *line = NULL, *who, *colon;
	bool found = false;
	unsigned number = 0, these;
	size_t size = 0;
	ssize_t n;
	int r = 0;

	*rights = ALL;
	while (r == 0 && (n = getline(&line, &size, file)) != -1) {
		number++;
		if (strlen(line) != (size_t)n) {
			r = wrong(error, number, "there is a NUL byte in it");
			break;
		}
		if (*(who = trim(line)) == '\0')
			continue;
		if ((colon = strchr(who, ':')) == NULL) {
			r = wrong(error, number, "there is no colon behind the user");
			break;
		}
		*colon = '\0';
		who[strcspn(who, BLANKS)] = '\0';
		if (who[0] == '\0' || (who[0] == '@' && who[1] == '\0'))
			r = wrong(error, number, "there is no user before the colon");
		else if ((r = read_words(colon + 1, number, &these, error)) == 0 && !found &&
		    fits(who, user, groups)) {
			found = true;
			*rights = these;
		}
	}
	if (r == 0 && ferror(file))
		r = wrong(error, number, "%s", strerror(errno));
	free(line);
	return r;
}

int
rights_check(const struct conf *conf, char *error, size_t size)
{
	FILE *file;
	char why[RIGHTS_ERROR];
	unsigned rights;
	int r;

	if (conf->user_rights[0] == '\0')
		return 0;
	if ((file = fopen(conf->user_rights, "re")) == NULL) {
		snprintf(error, size, "UserRights %.200s: %s", conf->user_rights, strerror(errno));
		return -1;
	}
	if ((r = rights_read(file, NULL, NULL, &rights, why)) == -1)
		snprintf(error, size, "UserRights %.200s: %s", conf->user_rights, why);
	fclose(file);
	return r;
}

/* What the directives leave to users, or to guests. */
static unsigned
rights_by_directives(const struct conf *conf, bool anonymous)
{
	unsigned rights = RIGHT_READ | RIGHT_LIST;

	if (conf->upload_only != UPLOAD_ONLY_OFF)
		return conf->upload_only == UPLOAD_ONLY_ON ? RIGHT_STORE | RIGHT_MKDIR : RIGHT_STORE;
	if (conf->read_only)
		return rights;
	if (anonymous)
		return conf->anonymous_upload ? rights | RIGHT_STORE | RIGHT_MKDIR : rights;
	rights |= RIGHT_STORE | RIGHT_DELETE | RIGHT_RENAME | RIGHT_MKDIR | RIGHT_ATTR;
	return conf->allow_overwrite ? rights | RIGHT_OVERWRITE : rights;
}

int
rights_of(const struct conf *conf, const char *user, bool anonymous, const struct groups *groups,
    unsigned *rights)
{
	char why[RIGHTS_ERROR];
	unsigned these;
	FILE *file;
	int r;

	*rights = rights_by_directives(conf, anonymous);
	if (conf->user_rights[0] == '\0')
		return 0;
	if ((file = account_open_file("UserRights", conf->user_rights)) == NULL)
		return -1;
	if ((r = rights_read(file, anonymous ? "anonymous" : user, groups, &these, why)) == -1)
		log_warnx("UserRights %s: %s; nobody is let in", conf->user_rights, why);
	else
		*rights &= these;
	fclose(file);
	return r;
}
