/*
 * genkanctl who: the connections as a table, as JSON, or live (watch.c).
 */
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "ctl.h"
#include "json.h"
#include "sessions.h"
#include "watch.h"

static void
usage(FILE *out)
{
	fputs(
	    "usage: genkanctl who [-r DIRECTORY] [--json | --watch]\n"
	    "\n"
	    "Shows who is connected, and which files are read and written.\n"
	    "\n"
	    "  -r DIRECTORY  the RunDirectory (default: that of " CTL_CONF_FILE ")\n"
	    "  --json        for programs: one object, its member \"sessions\" has the rows\n"
	    "  --watch       a live screen; q ends it\n"
	    "  -h, --help    this text\n",
	    out);
}

/* "45% of 30 MB, 1.2 MB/s, 0:14 left" */
static void
show_progress(const struct slot *slot)
{
	char bytes[CTL_SHORT], rate[CTL_SHORT], left[CTL_SHORT];
	int64_t speed = ctl_rate(slot);

	if (slot->size > 0 && slot->bytes <= slot->size)
		printf("  %d%% of %s", (int)((double)slot->bytes * 100 / (double)slot->size),
		    ctl_bytes(slot->size, bytes));
	else
		printf("  %s", ctl_bytes(slot->bytes, bytes));
	if (speed > 0)
		printf(", %s/s", ctl_bytes(speed, rate));
	if (speed > 0 && slot->size >= slot->bytes)
		printf(", %s left", ctl_duration((slot->size - slot->bytes) / speed, left));
}

static void
show_row(const struct slot *slot, int64_t now)
{
	char user[4 * sizeof(slot->user)], path[4 * sizeof(slot->path)], host[NETADDR_TEXT],
	    age[CTL_SHORT];

	printf("%7d  %-12s  %-15s  %8s  %s", slot->pid,
	    slot->user[0] == '\0' ? "-" : ctl_shown(slot->user, SIZE_MAX, user, sizeof(user)),
	    netaddr_text(&slot->peer, host), ctl_duration(now / 1000 - slot->began, age),
	    ctl_state(slot));
	if (slot->state >= SLOT_READS)
		printf(" %s", ctl_shown(slot->path, SIZE_MAX, path, sizeof(path)));
	else if (slot->state == SLOT_IDLE)
		printf(" for %s", ctl_duration((now - slot->changed) / 1000, age));
	if (ctl_is_moving(slot))
		show_progress(slot);
	putchar('\n');
}

static void
show_table(const struct ctl_sessions *all)
{
	int64_t now = ctl_now();

	if (all->n == 0) {
		puts("Nobody is connected.");
		return;
	}
	printf("%7s  %-12s  %-15s  %8s  %s\n", "PID", "USER", "HOST", "TIME", "DOES");
	for (unsigned i = 0; i < all->n; i++)
		show_row(&all->session[i].slot, now);
}

static void
put_json_string(const char *name, const char *text)
{
	printf(", \"%s\": ", name);
	json_string(text);
}

/* Times are seconds since the epoch. What is not known is null. */
static void
put_json_row(const struct slot *slot)
{
	char host[NETADDR_TEXT];

	printf("{\"pid\": %d", slot->pid);
	put_json_string("user", slot->user[0] != '\0' ? slot->user : NULL);
	put_json_string("host", netaddr_text(&slot->peer, host));
	printf(", \"port\": %u, \"began\": %" PRId64, slot->peer.port, slot->began);
	put_json_string("state", ctl_state(slot));
	if (slot->state >= SLOT_READS) {
		put_json_string("path", slot->path);
		printf(", \"started\": %.3f", (double)slot->started / 1000);
	}
	if (ctl_is_moving(slot)) {
		printf(", \"bytes\": %" PRId64 ", \"rate\": %" PRId64, slot->bytes, ctl_rate(slot));
		if (slot->size >= 0)
			printf(", \"size\": %" PRId64, slot->size);
		else
			fputs(", \"size\": null", stdout);
	}
	putchar('}');
}

static void
show_json(const struct ctl_sessions *all)
{
	fputs("{\"sessions\": [", stdout);
	for (unsigned i = 0; i < all->n; i++) {
		fputs(i == 0 ? "\n" : ",\n", stdout);
		put_json_row(&all->session[i].slot);
	}
	puts(all->n == 0 ? "]}" : "\n]}");
}

int
ctl_who(int argc, char **argv)
{
	enum { JSON = 256, WATCH };
	static const struct option options[] = { { "json", no_argument, NULL, JSON },
		{ "watch", no_argument, NULL, WATCH },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	static struct ctl_sessions all; /* 400 kB: too large for a stack frame */
	const char *directory = NULL;
	struct ctl_place place;
	bool json = false, watch = false;
	int c, r;

	while ((c = getopt_long(argc, argv, "r:h", options, NULL)) != -1)
		switch (c) {
		case 'r':
			directory = optarg;
			break;
		case JSON:
			json = true;
			break;
		case WATCH:
			watch = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	if (optind != argc || (json && watch)) {
		usage(stderr);
		return EX_USAGE;
	}
	if ((r = ctl_place_open(&place, directory)) != 0)
		return r;
	if (watch) {
		r = ctl_watch(&place);
	} else if (ctl_sessions_read(&place, &all) == -1) {
		warn("%s/slots", place.path);
		r = EX_IOERR;
	} else if (json) {
		show_json(&all);
	} else {
		show_table(&all);
	}
	ctl_place_close(&place);
	return r;
}
