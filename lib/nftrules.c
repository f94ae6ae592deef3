/*
 * What "nft list ruleset" prints. The text is walked, not kept: rule sets of homes are short.
 */
#include "nftrules.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 8192
#define WORD         256
#define DEPTH_MAX    16    /* of jumps */
#define STEPS_MAX    50000 /* rules looked at for one question */

enum match { NO, MAYBE, YES };

/* How a chain may end for our packet, as bits. FALLS: at its end, or by "return". */
enum outcome { FALLS = 1, OPENED = 2, CLOSED = 4, UNSURE = FALLS | OPENED | CLOSED };

struct judge {
	const char *ruleset, *interface;
	uint16_t port;
	const char *table; /* text of the table we are in */
	unsigned steps;
};

static enum outcome run_chain(struct judge *j, const char *rules, unsigned depth);

/* A line, joined with the next ones while a brace is open in it if whole; blanks around it gone. */
static bool
next_line(const char **text, char line[static LINE_MAX_LEN], bool whole)
{
	size_t used = 0;
	int open = 0;
	bool quoted = false;

	if (**text == '\0')
		return false;
	for (; **text != '\0'; (*text)++) {
		char ch = **text;

		quoted ^= ch == '"';
		open += !quoted && ch == '{' ? 1 : !quoted && ch == '}' ? -1 : 0;
		if (ch == '\n' && (!whole || open <= 0))
			break;
		if (used < LINE_MAX_LEN - 1 && !(used == 0 && isspace((unsigned char)ch)))
			line[used++] = isspace((unsigned char)ch) ? ' ' : ch;
	}
	if (**text == '\n')
		(*text)++;
	while (used > 0 && line[used - 1] == ' ')
		used--;
	line[used] = '\0';
	return true;
}

/* The next word at *at: quoted text without its quotes, "{", "}", ",", ":" or what blanks part. */
static bool
next_word(const char **at, char word[static WORD])
{
	size_t n = 0;

	*at += strspn(*at, " ");
	if (**at == '\0' || **at == '#')
		return false;
	if (**at == '"') {
		for ((*at)++; **at != '\0' && **at != '"'; (*at)++)
			if (n < WORD - 1)
				word[n++] = **at;
		*at += **at == '"';
	} else if (strchr("{},", **at) != NULL) {
		word[n++] = *(*at)++;
	} else {
		for (; **at != '\0' && strchr(" {},", **at) == NULL; (*at)++)
			if (n < WORD - 1)
				word[n++] = **at;
	}
	word[n] = '\0';
	return true;
}

/* True if the element, "21", "4000-4029" or "ftp", has the port. */
static enum match
has_port(const char *element, uint16_t port)
{
	unsigned min, max;
	int end = -1;

	if (sscanf(element, "%5u-%5u%n", &min, &max, &end) == 2 && element[end] == '\0')
		return port >= min && port <= max ? YES : NO;
	end = -1;
	if (sscanf(element, "%5u%n", &min, &end) == 1 && element[end] == '\0')
		return port == min ? YES : NO;
	if (strcmp(element, "ftp") == 0)
		return port == 21 ? YES : NO;
	return isalpha((unsigned char)element[0]) ? NO : MAYBE; /* another service's name */
}

static enum match
is_tcp(const char *element, uint16_t port)
{
	(void)port;
	return strcmp(element, "tcp") == 0 || strcmp(element, "6") == 0 ? YES : NO;
}

static enum match
is_new(const char *element, uint16_t port)
{
	(void)port;
	return strcmp(element, "new") == 0 ? YES : NO;
}

/* The named set of the table: its elements' text, copied; false if it is not there. */
static bool
find_set(const struct judge *j, const char *name, char line[static LINE_MAX_LEN])
{
	const char *at = j->table;
	char word[WORD];
	bool inside = false;

	while (next_line(&at, line, inside)) {
		const char *p = line;

		if (inside && strncmp(line, "elements = ", 11) == 0) {
			memmove(line, line + 11, strlen(line + 11) + 1);
			return true;
		}
		if (line[0] == '}')
			inside = false;
		else if (next_word(&p, word) && strcmp(word, "set") == 0 && next_word(&p, word) &&
		    strcmp(word, name) == 0)
			inside = true;
	}
	return false;
}

/* "{ a, b }" or "a,b" or "a" at *at: does an element match? Moves behind it. */
static enum match
match_elements(const char **at, enum match (*test)(const char *, uint16_t), uint16_t port)
{
	enum match found = NO, one;
	char word[WORD];
	bool braces = false, more = true;

	while (more && next_word(at, word)) {
		if (strcmp(word, "{") == 0) {
			braces = true;
			continue;
		}
		if (strcmp(word, "}") == 0)
			break;
		if (strcmp(word, ",") == 0)
			continue;
		one = test(word, port);
		found = one > found ? one : found;
		more = braces || **at == ',';
	}
	return found;
}

/* The value behind a key: an operator, then elements or a set's name. */
static enum match
match_value(struct judge *j, const char **at, enum match (*test)(const char *, uint16_t))
{
	char elements[LINE_MAX_LEN], word[WORD];
	const char *before = *at, *p = elements;
	enum match m;
	bool not = false;

	if (next_word(at, word) && (strcmp(word, "!=") == 0 || strcmp(word, "==") == 0))
		not = word[0] == '!';
	else
		*at = before;
	before = *at;
	if (next_word(at, word) && word[0] == '@') {
		m = find_set(j, word + 1, elements) ? match_elements(&p, test, j->port) : MAYBE;
	} else {
		*at = before;
		m = match_elements(at, test, j->port);
	}
	return !not || m == MAYBE ? m : m == YES ? NO : YES;
}

static enum outcome
verdict_of(struct judge *j, const char *word, const char *target, unsigned depth)
{
	const char *at = j->table;
	char line[LINE_MAX_LEN], head[WORD + 16];

	if (strcmp(word, "accept") == 0)
		return OPENED;
	if (strcmp(word, "drop") == 0 || strcmp(word, "reject") == 0)
		return CLOSED;
	if (strcmp(word, "jump") != 0 && strcmp(word, "goto") != 0)
		return UNSURE; /* queue and the like */
	snprintf(head, sizeof(head), "chain %s {", target);
	while (next_line(&at, line, false))
		if (strcmp(line, head) == 0)
			return run_chain(j, at, depth + 1);
	return UNSURE;
}

/* "vmap { 22 : accept, 21 : jump ftp }": the verdict of our element; FALLS if it is not there. */
static enum outcome
match_vmap(
    struct judge *j, const char **at, enum match (*test)(const char *, uint16_t), unsigned depth)
{
	char word[WORD], verdict[WORD], target[WORD] = "";
	enum outcome found = FALLS;
	enum match m = NO;

	while (next_word(at, word) && strcmp(word, "}") != 0) {
		if (strcmp(word, "{") == 0 || strcmp(word, ",") == 0)
			continue;
		if (strcmp(word, ":") != 0) {
			m = test(word, j->port);
			continue;
		}
		if (!next_word(at, verdict))
			return UNSURE;
		if (strcmp(verdict, "jump") == 0 || strcmp(verdict, "goto") == 0)
			(void)next_word(at, target);
		if (m != NO && found == FALLS)
			found = m == YES ? verdict_of(j, verdict, target, depth) : UNSURE;
	}
	return found;
}

/* iif, iifname. */
static enum match
match_interface(const struct judge *j, const char **at)
{
	char word[WORD];
	enum match m = NO;
	bool not = false, braces = false;

	while (next_word(at, word)) {
		size_t len = strlen(word);

		if (strcmp(word, "!=") == 0) {
			not = true;
			continue;
		}
		braces |= strcmp(word, "{") == 0;
		if (strcmp(word, "{") == 0 || strcmp(word, ",") == 0)
			continue;
		if (strcmp(word, "}") == 0)
			break;
		if (word[0] == '@' || (j->interface == NULL && strcmp(word, "lo") != 0))
			m = MAYBE;
		else if (j->interface != NULL &&
		    (strcmp(word, j->interface) == 0 ||
			(len > 0 && word[len - 1] == '*' &&
			    strncmp(word, j->interface, len - 1) == 0)))
			m = YES;
		if (!braces)
			break;
	}
	return !not || m == MAYBE ? m : m == YES ? NO : YES;
}

/* "saddr 192.168.0.0/16": some hosts, not the world; "saddr != ...": the world. */
static enum match
match_source(const char **at)
{
	char word[WORD];
	bool not = false, braces = false;
	enum match m = NO;

	while (next_word(at, word)) {
		if (strcmp(word, "!=") == 0) {
			not = true;
			continue;
		}
		braces |= strcmp(word, "{") == 0;
		if (strcmp(word, "0.0.0.0/0") == 0)
			m = YES;
		if (strcmp(word, "}") == 0 || !braces)
			break;
	}
	return !not ? m : m == YES ? NO : YES;
}

struct rule {
	enum match match;
	enum outcome outcome; /* of the verdict, if it matches */
	bool returns;         /* the chain ends with it */
};

/* A condition or statement of one word with its value; narrows the rule. */
static void
take_condition(struct judge *j, const char **at, const char *word, struct rule *r, unsigned depth)
{
	enum match (*test)(const char *, uint16_t) = NULL;
	const char *before;
	char next[WORD] = "";
	enum match m = MAYBE;

	before = *at;
	(void)next_word(at, next);
	if ((strcmp(word, "tcp") == 0 || strcmp(word, "th") == 0) && strcmp(next, "dport") == 0)
		test = has_port;
	else if ((strcmp(word, "meta") == 0 && strcmp(next, "l4proto") == 0) ||
	    (strcmp(word, "ip") == 0 && strcmp(next, "protocol") == 0))
		test = is_tcp;
	else if (strcmp(word, "ct") == 0 && strcmp(next, "state") == 0)
		test = is_new;
	if (test != NULL) {
		before = *at;
		if (next_word(at, next) && strcmp(next, "vmap") == 0) {
			r->outcome = match_vmap(j, at, test, depth);
			return;
		}
		*at = before;
		m = match_value(j, at, test);
	} else if (strcmp(word, "ip") == 0 && strcmp(next, "saddr") == 0) {
		m = match_source(at);
	} else if (strcmp(word, "meta") == 0 && strcmp(next, "nfproto") == 0) {
		m = next_word(at, next) && strcmp(next, "ipv4") == 0 ? YES : NO;
	} else if (strcmp(word, "iif") == 0 || strcmp(word, "iifname") == 0) {
		*at = before;
		m = match_interface(j, at);
	} else if (strcmp(word, "udp") == 0 || strcmp(word, "icmp") == 0 ||
	    strcmp(word, "icmpv6") == 0 || strcmp(word, "ip6") == 0 || strcmp(word, "igmp") == 0 ||
	    strcmp(word, "sctp") == 0) {
		m = NO;
	} else {
		*at = before;
	}
	r->match = m < r->match ? m : r->match;
}

/* True for words that change nothing; takes their values. */
static bool
take_harmless(const char **at, const char *word)
{
	static const struct {
		const char *name;
		int values;
	} rows[] = { { "counter", 4 }, { "comment", 1 }, { "log", 0 }, { "prefix", 1 },
		{ "level", 1 }, { "flags", 1 }, { "group", 1 } };
	char next[WORD];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *before = *at;

		if (strcmp(word, rows[i].name) != 0)
			continue;
		/* without -s, counters have no numbers */
		if (rows[i].values == 4 && (!next_word(at, next) || strcmp(next, "packets") != 0)) {
			*at = before;
			return true;
		}
		for (int n = rows[i].values == 4; n < rows[i].values; n++)
			(void)next_word(at, next);
		return true;
	}
	return false;
}

static void
read_rule(struct judge *j, const char *line, struct rule *r, unsigned depth)
{
	char word[WORD], target[WORD] = "";
	const char *at = line;

	*r = (struct rule){ .match = YES, .outcome = FALLS };
	while (r->match != NO && next_word(&at, word)) {
		if (strcmp(word, "accept") == 0 || strcmp(word, "drop") == 0 ||
		    strcmp(word, "reject") == 0 || strcmp(word, "jump") == 0 ||
		    strcmp(word, "goto") == 0 || strcmp(word, "queue") == 0) {
			if (word[0] == 'j' || word[0] == 'g')
				(void)next_word(&at, target);
			r->outcome = verdict_of(j, word, target, depth);
			/* goto does not come back */
			r->returns = word[0] == 'g';
			return;
		}
		if (strcmp(word, "return") == 0) {
			r->returns = true;
			return;
		}
		if (!take_harmless(&at, word))
			take_condition(j, &at, word, r, depth);
	}
}

static enum outcome
run_chain(struct judge *j, const char *rules, unsigned depth)
{
	unsigned may = 0; /* what rules that may match may have come to */
	char line[LINE_MAX_LEN];
	struct rule r;

	while (next_line(&rules, line, true) && line[0] != '}') {
		if (strncmp(line, "type ", 5) == 0 || line[0] == '\0' || line[0] == '#')
			continue;
		if (++j->steps > STEPS_MAX || depth > DEPTH_MAX)
			return UNSURE;
		read_rule(j, line, &r, depth);
		if (r.match == NO)
			continue;
		if (r.match == YES && (r.returns || (r.outcome & FALLS) == 0))
			return may | r.outcome;
		may |= r.returns ? (unsigned)r.outcome : (unsigned)r.outcome & ~(unsigned)FALLS;
	}
	return may | FALLS;
}

/* A base chain: its rules, then its policy. */
static enum outcome
run_base(struct judge *j, const char *rules, const char *type)
{
	const unsigned o = run_chain(j, rules, 0);

	if ((o & FALLS) == 0)
		return o;
	return (o & ~(unsigned)FALLS) | (strstr(type, "policy drop") != NULL ? CLOSED : OPENED);
}

enum nftrules_answer
nftrules_judge(const char *ruleset, const char *interface, uint16_t port)
{
	struct judge j = { .ruleset = ruleset, .interface = interface, .port = port };
	enum nftrules_answer answer = NFTRULES_NONE;
	const char *at = ruleset;
	char line[LINE_MAX_LEN];
	bool ours = false;

	while (next_line(&at, line, false)) {
		if (strncmp(line, "table ", 6) == 0) {
			ours =
			    strncmp(line + 6, "ip ", 3) == 0 || strncmp(line + 6, "inet ", 5) == 0;
			j.table = at;
		} else if (ours && strncmp(line, "type filter hook input ", 23) == 0) {
			switch (run_base(&j, at, line)) {
			case CLOSED: /* whatever other chains say */
				return NFTRULES_CLOSED;
			case OPENED:
				answer = answer == NFTRULES_UNKNOWN ? answer : NFTRULES_OPEN;
				break;
			default:
				answer = NFTRULES_UNKNOWN;
			}
		}
	}
	return answer;
}
