/*
 * genkanctl check: options, order, output.
 */
#include "check.h"

#include <err.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ctl.h"
#include "json.h"
#include "wait.h"

#define TEXT             1024
#define WAIT_SECONDS     600
#define WAIT_SECONDS_MAX 86400

/* From this machine outwards. */
static void (*const order[])(struct check *) = {
	check_config,
	check_launcher,
	check_ports,
	check_firewall,
	check_router,
	check_ddns,
	check_reach,
	check_alg,
	check_tls,
};

static void
usage(FILE *out)
{
	fputs(
	    "usage: genkanctl check [--json] [-f FILE] [--root DIR] [--gateway PROGRAM]\n"
	    "       genkanctl check [-f FILE] --wait[=SECONDS]\n"
	    "\n"
	    "Looks at what a client from outside has to pass, and says what to do about it.\n"
	    "\n"
	    "  -f FILE            the configuration (default: what the super-server says, or\n"
	    "                     " CTL_CONF_FILE ")\n"
	    "  --json             for programs\n"
	    "  --root DIR         read the files of another system, there\n"
	    "  --gateway PROGRAM  asks the router (default: genkan-ftpd-gateway)\n"
	    "  --wait[=SECONDS]   answer at the ports by a page for a phone outside (default 600)\n"
	    "\n"
	    "Exit status: 0 all is well, 1 there are warnings, 2 there are failures.\n",
	    out);
}

/* Messages are Japanese where the locale says so, in UTF-8. */
static bool
is_japanese(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	const char *value = NULL, *charset;

	for (size_t i = 0;
	     i < sizeof(names) / sizeof(names[0]) && (value == NULL || *value == '\0'); i++)
		value = getenv(names[i]);
	if (value == NULL || strncmp(value, "ja", 2) != 0 || strchr("_.@", value[2]) == NULL)
		return false;
	charset = strchr(value, '.');
	return charset == NULL || strncasecmp(charset, ".utf", 4) == 0;
}

const char *
check_number(unsigned long n)
{
	static char texts[8][24];
	static unsigned next;
	char *text = texts[next++ % 8];

	snprintf(text, sizeof(texts[0]), "%lu", n);
	return text;
}

static void
print_json_member(const char *name, const char *text, bool last)
{
	printf("\"%s\": ", name);
	json_string(text);
	fputs(last ? "" : ", ", stdout);
}

/* Columns on a terminal: what is no ASCII takes two of them in Japanese. */
static int
columns(const char *text)
{
	int n = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		n += *p < 0x80 ? 1 : (*p & 0xc0) != 0x80 ? 2 : 0;
	return n;
}

static void
print_harmless(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		putchar(*p < ' ' || *p == 0x7f ? '?' : *p);
	putchar('\n');
}

static const char *const verdict_names[VERDICTS] = { "OK", "WARN", "FAIL", "----" };

static void
print_finding(struct check *c, const struct words *w, const char *text, const char *advice)
{
	const char *area = words_area(w->id, c->japanese);

	if (c->json) {
		printf("%s\n    {", c->said > 0 ? "," : "");
		print_json_member("id", w->id, false);
		print_json_member("area", words_area(w->id, false), false);
		print_json_member("verdict", verdict_names[w->verdict], false);
		print_json_member("finding", text, false);
		print_json_member("advice", advice, true);
		putchar('}');
	} else {
		printf("%s%*s %-5s ", area, 13 - columns(area), "", verdict_names[w->verdict]);
		print_harmless(text);
		if (advice != NULL) {
			printf("%20s-> ", "");
			print_harmless(advice);
		}
		if (w->verdict != VERDICT_OK)
			printf("%20s[%s]\n", "", w->id);
	}
	/* a router may take seconds; what is known is shown */
	fflush(stdout);
}

void
check_say(struct check *c, const char *id, ...)
{
	const struct words *w = words_find(id);
	char text[TEXT], advice[TEXT];
	const char *args[9], *sentence;
	unsigned n = 0;
	va_list ap;

	if (w == NULL)
		errx(EX_SOFTWARE, "there are no words for %s", id);
	va_start(ap, id);
	while (n < 9 && (args[n] = va_arg(ap, const char *)) != NULL)
		n++;
	va_end(ap);
	words_fill(c->japanese ? w->ja : w->en, args, n, text, sizeof(text));
	sentence = c->japanese ? w->ja_advice : w->en_advice;
	if (sentence != NULL)
		words_fill(sentence, args, n, advice, sizeof(advice));
	print_finding(c, w, text, sentence == NULL ? NULL : advice);
	c->said++;
	c->count[w->verdict]++;
	if ((w->verdict == VERDICT_WARN || w->verdict == VERDICT_FAIL) && w->verdict > c->worst) {
		c->worst = w->verdict;
		c->first = words_area(w->id, c->japanese);
	}
}

static int
status_of(const struct check *c)
{
	return c->count[VERDICT_FAIL] > 0 ? 2 : c->count[VERDICT_WARN] > 0 ? 1 : 0;
}

static void
print_result(const struct check *c)
{
	if (c->json) {
		printf("\n  ],\n  \"ok\": %u, \"warnings\": %u, \"failures\": %u, \"unknown\": %u, "
		       "\"status\": %d\n}\n",
		    c->count[VERDICT_OK], c->count[VERDICT_WARN], c->count[VERDICT_FAIL],
		    c->count[VERDICT_SKIP], status_of(c));
		return;
	}
	printf(c->japanese ? "\n結果: OK %u、警告 %u、異常 %u、判定できず %u。"
			   : "\nResult: %u OK, %u WARN, %u FAIL, %u not to be seen.",
	    c->count[VERDICT_OK], c->count[VERDICT_WARN], c->count[VERDICT_FAIL],
	    c->count[VERDICT_SKIP]);
	if (c->first != NULL)
		printf(c->japanese ? " まず「%s」から直してください。" : " First thing to fix: %s.",
		    c->first);
	putchar('\n');
}

static int
parse_options(struct check *c, unsigned *wait, int argc, char **argv)
{
	enum { JSON = 256, ROOT, GATEWAY, WAIT };
	const char *why = NULL;
	static const struct option longs[] = {
		{ "gateway", required_argument, NULL, GATEWAY },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, JSON },
		{ "root", required_argument, NULL, ROOT },
		{ "wait", optional_argument, NULL, WAIT },
		{ NULL },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "f:h", longs, NULL)) != -1) {
		switch (ch) {
		case 'f':
			c->file = optarg;
			break;
		case JSON:
			c->json = true;
			break;
		case ROOT:
			c->root = optarg;
			break;
		case GATEWAY:
			c->gateway = optarg;
			break;
		case WAIT:
			*wait = optarg == NULL
			    ? WAIT_SECONDS
			    : (unsigned)strtonum(optarg, 1, WAIT_SECONDS_MAX, &why);
			if (why != NULL) {
				warnx("--wait=%s: seconds from 1 to %d", optarg, WAIT_SECONDS_MAX);
				return EX_USAGE;
			}
			break;
		case 'h':
			usage(stdout);
			return -1;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc || (*wait > 0 && (c->json || c->root[0] != '\0'))) {
		usage(stderr);
		return EX_USAGE;
	}
	return 0;
}

/* --wait: the phone outside is the doctor. */
static int
wait_for_visitors(struct check *c, unsigned seconds)
{
	char error[CONF_ERROR];

	services_find(c);
	if (config_load(c, error) == -1) {
		warnx("%s", error);
		return EX_CONFIG;
	}
	return wait_run(c, seconds);
}

int
ctl_check(int argc, char **argv)
{
	static struct check c = { .root = "" };
	unsigned wait = 0;
	int r = parse_options(&c, &wait, argc, argv);

	if (r != 0)
		return r == -1 ? 0 : r;
	c.japanese = is_japanese();
	if (wait > 0) {
		r = wait_for_visitors(&c, wait);
		conf_free(&c.conf);
		return r;
	}
	if (c.json)
		printf("{\n  \"version\": \"%s\",\n  \"findings\": [", PACKAGE_VERSION);
	services_find(&c);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		order[i](&c);
	print_result(&c);
	conf_free(&c.conf);
	return status_of(&c);
}
