/*
 * The kinds of values that limits have: counts, rates, bans.
 */
#include "confvalue.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "slots.h"

#define INTERVAL_MAX 31536000U /* a year */

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
