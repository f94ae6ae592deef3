/*
 * The kinds of values of ListOptions and ClientCharset.
 */
#include "confvalue.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What auto means where no charset is named: Windows in Japan. */
#define AUTO_CHARSET "CP932"

/* The options of ls(1) that mean something here; -l and -1 change nothing, but people write them. */
#define LETTERS "aAdRtSrFl1"

/* Reads the number behind word into *n; 0, or -1 with why. */
static int
read_number(char **rest, const char *word, unsigned *n, char why[static WHY])
{
	const char *error = NULL, *number;

	*rest += strspn(*rest, BLANKS);
	if ((number = strsep(rest, BLANKS)) == NULL || *number == '\0')
		return confvalue_wrong(why, "%s wants a number", word);
	*n = (unsigned)strtonum(number, 1, 1000000, &error);
	if (error != NULL)
		return confvalue_wrong(why, "%s %.32s is %s (1 to 1000000)", word, number, error);
	if (*rest == NULL)
		*rest = strchr(number, '\0');
	return 0;
}

static int
read_letters(struct list_options *o, const char *word, char why[static WHY])
{
	if (o->letters[0] != '\0')
		return confvalue_wrong(why, "write all options in one word, like -aF");
	if (word[1] == '\0' || word[1 + strspn(word + 1, LETTERS)] != '\0')
		return confvalue_wrong(why, "%.32s: the options are -, then letters of %s", word, LETTERS);
	if (strlcpy(o->letters, word + 1, sizeof(o->letters)) >= sizeof(o->letters))
		return confvalue_wrong(why, "%.32s: too many letters", word);
	return 0;
}

/* ProFTPD's words: "-a" strict maxfiles 2000 maxdepth 3 */
static int
parse_options(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct list_options *field = field_of(d, conf), o = { 0 };
	char *word, *rest = value;
	int r = 0;

	if (strcasecmp(value, "none") == 0)
		rest = NULL;
	while (r == 0 && (word = strsep(&rest, BLANKS)) != NULL) {
		size_t len = strlen(word);

		/* ProFTPD has quotes around the letters alone */
		if (len >= 2 && word[0] == '"' && word[len - 1] == '"') {
			word[len - 1] = '\0';
			word++;
		}
		if (rest == NULL)
			rest = strchr(word, '\0');
		if (*word == '-')
			r = read_letters(&o, word, why);
		else if (strcasecmp(word, "strict") == 0)
			o.strict = true;
		else if (strcasecmp(word, "maxfiles") == 0)
			r = read_number(&rest, "maxfiles", &o.max_files, why);
		else if (strcasecmp(word, "maxdepth") == 0)
			r = read_number(&rest, "maxdepth", &o.max_depth, why);
		else if (*word != '\0')
			r = confvalue_wrong(why,
			    "%.32s: known are -letters, strict, maxfiles and maxdepth", word);
		if (*rest == '\0')
			rest = NULL;
	}
	if (r == 0)
		*field = o;
	return r;
}

static void
print_options(const struct directive *d, const struct conf *conf, FILE *out)
{
	const struct list_options *o = value_of(d, conf);
	const char *gap = "";

	if (o->letters[0] != '\0') {
		fprintf(out, "-%s", o->letters);
		gap = " ";
	}
	if (o->strict) {
		fprintf(out, "%sstrict", gap);
		gap = " ";
	}
	if (o->max_files != 0) {
		fprintf(out, "%smaxfiles %u", gap, o->max_files);
		gap = " ";
	}
	if (o->max_depth != 0) {
		fprintf(out, "%smaxdepth %u", gap, o->max_depth);
		gap = " ";
	}
	if (*gap == '\0')
		fputs("none", out);
}

/* UTF-8 | name | auto [name]; whether iconv knows it is found out where it is opened. */
static int
parse_charset(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	static const char known[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-_.:";
	struct client_charset *field = field_of(d, conf), c = { 0 };
	char *name = value;

	if (strncasecmp(value, "auto", 4) == 0 && (value[4] == '\0' || strchr(BLANKS, value[4]))) {
		c.guess = true;
		name = value + 4;
		name += strspn(name, BLANKS);
		if (*name == '\0')
			name = strcpy(c.name, AUTO_CHARSET);
	}
	if (name[strspn(name, known)] != '\0' || strlen(name) >= sizeof(c.name))
		return confvalue_wrong(
		    why, "%.64s: UTF-8, or a charset like CP932, or auto, perhaps with one", name);
	if (strcasecmp(name, "UTF-8") == 0 || strcasecmp(name, "UTF8") == 0)
		name = strcpy(c.name, "");
	if (name != c.name)
		strlcpy(c.name, name, sizeof(c.name));
	*field = c;
	return 0;
}

static void
print_charset(const struct directive *d, const struct conf *conf, FILE *out)
{
	const struct client_charset *c = value_of(d, conf);

	fprintf(out, "%s%s", c->guess ? "auto " : "", c->name[0] != '\0' ? c->name : "UTF-8");
}

const struct kind conflist_options = { .parse = parse_options, .print = print_options, .raw = true };
const struct kind conflist_charsets = { .parse = parse_charset, .print = print_charset };
