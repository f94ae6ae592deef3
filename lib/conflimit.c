/*
 * The kinds of values that limits have: counts, rates, bans, speeds.
 */
#include "confvalue.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "slots.h"

#define INTERVAL_MAX 31536000U /* a year */

#define SPEED_MIN 256         /* bytes per second */
#define SPEED_MAX (100 << 20) /* KB/s */

/* A whole number min..max without a sign; -1 if text is something else. */
static long long
number(const char *text, long long min, long long max)
{
	const char *error = NULL;
	long long n = strtonum(text, min, max, &error);

	return error != NULL || !isdigit((unsigned char)text[0]) ? -1 : n;
}

/* Takes a unit off the end of text: its factor, or 1 when none of letters stands there. */
static long long
take_unit(char *text, const char *letters, const long long *factors)
{
	size_t len = strlen(text);
	const char *unit;

	if (len < 2 || (unit = strchr(letters, tolower((unsigned char)text[len - 1]))) == NULL)
		return 1;
	text[len - 1] = '\0';
	return factors[unit - letters];
}

/* none, or a number. */
static int
parse_count(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	long long n = strcasecmp(value, "none") == 0 ? 0 : number(value, 1, d->kind->max);

	if (n == -1)
		return confvalue_wrong(
		    why, "\"%.64s\" is neither none nor a number from 1 to %u", value, d->kind->max);
	*(unsigned *)field_of(d, conf) = (unsigned)n;
	return 0;
}

static void
print_count(const struct directive *d, const struct conf *conf, FILE *out)
{
	unsigned n = *(const unsigned *)value_of(d, conf);

	if (n == 0)
		fputs("none", out);
	else
		fprintf(out, "%u", n);
}

const struct kind conflimit_counts = { parse_count, print_count, .max = SLOTS_MAX };

long long
conf_interval(char *text)
{
	static const long long factors[] = { 1, 60, 3600, 86400 };
	long long unit = take_unit(text, "smhd", factors);
	long long n = number(text, 1, INTERVAL_MAX / unit);

	return n == -1 ? -1 : n * unit;
}

static void
print_interval(unsigned seconds, FILE *out)
{
	if (seconds % 86400 == 0)
		fprintf(out, "%ud", seconds / 86400);
	else if (seconds % 3600 == 0)
		fprintf(out, "%uh", seconds / 3600);
	else if (seconds % 60 == 0)
		fprintf(out, "%um", seconds / 60);
	else
		fprintf(out, "%us", seconds);
}

/* "N/INTERVAL" */
static int
read_rate(char *text, unsigned max, struct hosts_rate *rate, char why[static WHY])
{
	char *interval = strchr(text, '/');
	long long n, seconds = -1;

	if (interval != NULL)
		*interval++ = '\0';
	n = number(text, 1, max);
	if (interval != NULL)
		seconds = conf_interval(interval);
	if (n == -1 || seconds == -1)
		return confvalue_wrong(why,
		    "it wants none or N/INTERVAL, N from 1 to %u and INTERVAL such as 30s, 10m, 2h "
		    "or 1d",
		    max);
	rate->n = (unsigned)n;
	rate->seconds = (unsigned)seconds;
	return 0;
}

static int
parse_rate(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct hosts_rate rate = { 0 };

	if (strcasecmp(value, "none") != 0 && read_rate(value, d->kind->max, &rate, why) == -1)
		return -1;
	*(struct hosts_rate *)field_of(d, conf) = rate;
	return 0;
}

static void
print_rate(const struct directive *d, const struct conf *conf, FILE *out)
{
	const struct hosts_rate *rate = value_of(d, conf);

	if (rate->n == 0) {
		fputs("none", out);
		return;
	}
	fprintf(out, "%u/", rate->n);
	print_interval(rate->seconds, out);
}

const struct kind conflimit_rates = { parse_rate, print_rate, .max = 1000000 };

/* "N/INTERVAL [TIME | forever]" */
static int
parse_ban(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct ban_rule rule = { .seconds = BAN_SECONDS };
	char *rate = strsep(&value, BLANKS), *time = value;
	long long seconds;

	if (time != NULL)
		time += strspn(time, BLANKS);
	if (strcasecmp(rate, "none") == 0) {
		if (time != NULL)
			return confvalue_wrong(why, "none stands alone");
	} else if (read_rate(rate, d->kind->max, &rule.rate, why) == -1) {
		return -1;
	}
	if (time != NULL && strcasecmp(time, "forever") == 0) {
		rule.seconds = 0;
	} else if (time != NULL) {
		if ((seconds = conf_interval(time)) == -1)
			return confvalue_wrong(
			    why, "the time of the ban is neither forever nor such as 10m, 2h or 1d");
		rule.seconds = (unsigned)seconds;
	}
	*(struct ban_rule *)field_of(d, conf) = rule;
	return 0;
}

static void
print_ban(const struct directive *d, const struct conf *conf, FILE *out)
{
	const struct ban_rule *rule = value_of(d, conf);

	if (rule->rate.n == 0) {
		fputs("none", out);
		return;
	}
	fprintf(out, "%u/", rule->rate.n);
	print_interval(rule->rate.seconds, out);
	putc(' ', out);
	if (rule->seconds == 0)
		fputs("forever", out);
	else
		print_interval(rule->seconds, out);
}

const struct kind conflimit_bans = { parse_ban, print_ban, .max = HOSTS_FAILURES };

/* ProFTPD's kilobytes per second, "100" or "0.5", as bytes; -1 if it is something else. */
static int64_t
kilobytes(const char *text)
{
	char whole[16];
	size_t digits = strspn(text, "0123456789"), rest = 0;
	long long n, thousandths = 0, factor = 100;

	if (digits == 0 || digits >= sizeof(whole))
		return -1;
	if (text[digits] == '.')
		rest = strspn(text + digits + 1, "0123456789");
	if (rest > 3 || text[digits + (rest > 0 ? rest + 1 : 0)] != '\0')
		return -1;
	memcpy(whole, text, digits);
	whole[digits] = '\0';
	if ((n = number(whole, 0, SPEED_MAX)) == -1)
		return -1;
	for (size_t i = 0; i < rest; i++, factor /= 10)
		thousandths += (text[digits + 1 + i] - '0') * factor;
	n = n * 1024 + thousandths * 1024 / 1000;
	return n < SPEED_MIN ? -1 : n;
}

/* "RETR,STOR": 0, or -1 with why. */
static int
read_commands(char *text, struct rate_rule *rule, char why[static WHY])
{
	char *word;

	while ((word = strsep(&text, ",")) != NULL) {
		if (strcasecmp(word, "RETR") == 0)
			rule->sends = true;
		else if (strcasecmp(word, "STOR") == 0 || strcasecmp(word, "APPE") == 0 ||
		    strcasecmp(word, "STOU") == 0)
			rule->receives = true;
		else
			return confvalue_wrong(
			    why, "\"%.32s\" is none of RETR, STOR, APPE and STOU, nor a number", word);
	}
	return 0;
}

/* "shared", "user anna,bob" or both behind the rate; 0, or -1 with why. */
static int
read_whose(char *text, struct rate_rule *rule, char why[static WHY])
{
	char *word = strsep(&text, BLANKS);

	if (strcasecmp(word, "shared") == 0) {
		rule->shared = true;
		if (text == NULL)
			return 0;
		text += strspn(text, BLANKS);
		word = strsep(&text, BLANKS);
	}
	if (strcasecmp(word, "user") != 0 || text == NULL)
		return confvalue_wrong(why,
		    "behind the rate stands nothing, shared, user NAME,NAME... or both");
	text += strspn(text, BLANKS);
	if (strpbrk(text, BLANKS) != NULL)
		return confvalue_wrong(why, "there is no blank between the names: user anna,bob");
	if (text[0] == '\0' || strchr(text, '#') != NULL || text[strlen(text) - 1] == '\\')
		return confvalue_wrong(why, "\"%.64s\" are no names of users such as bob,eve", text);
	if (strlcpy(rule->users, text, sizeof(rule->users)) >= sizeof(rule->users))
		return confvalue_wrong(why, "the names take more than %zu bytes: write another line",
		    sizeof(rule->users) - 1);
	return 0;
}

/* ProFTPD's "[COMMANDS] KB/s [user NAMES]", and "shared" before the user. */
static int
add_speed(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct rate_rules *rules = field_of(d, conf);
	struct rate_rule rule = { .rate = 0 };
	char *word = strsep(&value, BLANKS);

	if (value == NULL && strcasecmp(word, "none") == 0 && rules->n == 0)
		return 0;
	if (isalpha((unsigned char)word[0]) && strcasecmp(word, "none") != 0) {
		if (read_commands(word, &rule, why) == -1)
			return -1;
		if (value == NULL)
			return confvalue_wrong(why, "the rate is missing");
		value += strspn(value, BLANKS);
		word = strsep(&value, BLANKS);
	} else {
		rule.sends = rule.receives = true;
	}
	if (strcasecmp(word, "none") != 0 && (rule.rate = kilobytes(word)) == -1)
		return confvalue_wrong(why,
		    "\"%.32s\" is neither none nor a rate in KB/s, 0.25 to %d", word, SPEED_MAX);
	if (value != NULL && read_whose(value + strspn(value, BLANKS), &rule, why) == -1)
		return -1;
	if (rules->n == RATES_MAX)
		return confvalue_wrong(why, "there are more than %d lines of it", RATES_MAX);
	rules->rule[rules->n++] = rule;
	return 0;
}

/* The first line takes the place of all that was. */
static int
parse_speed(const struct directive *d, struct conf *conf, char *value, char why[static WHY])
{
	struct rate_rules *rules = field_of(d, conf), old = *rules;

	rules->n = 0;
	if (add_speed(d, conf, value, why) == 0)
		return 0;
	*rules = old;
	return -1;
}

static void
print_speed(const struct directive *d, const struct conf *conf, FILE *out)
{
	const struct rate_rules *rules = value_of(d, conf);

	if (rules->n == 0)
		fputs("none", out);
	for (unsigned i = 0; i < rules->n; i++) {
		const struct rate_rule *r = &rules->rule[i];

		if (i > 0)
			fprintf(out, "\n%s ", d->name);
		if (!r->receives || !r->sends)
			fputs(r->sends ? "RETR " : "STOR,APPE,STOU ", out);
		if (r->rate == 0)
			fputs("none", out);
		else if (r->rate % 1024 == 0)
			fprintf(out, "%lld", (long long)r->rate / 1024);
		else /* upwards: it is rounded down when it is read */
			fprintf(out, "%lld.%03lld", (long long)r->rate / 1024,
			    ((long long)r->rate % 1024 * 1000 + 1023) / 1024);
		if (r->shared)
			fputs(" shared", out);
		if (r->users[0] != '\0')
			fprintf(out, " user %s", r->users);
	}
}

const struct kind conflimit_speeds = { parse_speed, print_speed, .add = add_speed };

/* True if list, "anna,bob", has this name. */
static bool
has_name(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (;;) {
		size_t n = strcspn(list, ",");

		if (n == len && memcmp(list, name, n) == 0)
			return true;
		if (list[n] == '\0')
			return false;
		list += n + 1;
	}
}

static bool
is_for(const struct rate_rule *rule, const char *user, bool anonymous)
{
	if (anonymous)
		return has_name(rule->users, "anonymous") || has_name(rule->users, "ftp");
	return has_name(rule->users, user);
}

const struct rate_rule *
conf_transfer_rate(const struct conf *conf, const char *user, bool anonymous, bool sends)
{
	const struct rate_rules *rules = &conf->transfer_rate;
	const struct rate_rule *found = NULL;

	for (unsigned i = 0; i < rules->n; i++) {
		const struct rate_rule *r = &rules->rule[i];

		if (sends ? !r->sends : !r->receives)
			continue;
		if (r->users[0] != '\0' && is_for(r, user, anonymous))
			return r;
		if (r->users[0] == '\0' && found == NULL)
			found = r;
	}
	return found;
}
