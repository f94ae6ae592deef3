/*
 * The live screen.
 */
#include "watch.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000 /* milliseconds between two looks */
#define BAR    24   /* characters */

/* The other screen without cursor and without line breaks of the terminal's own; and back. */
#define ENTER_SCREEN "\033[?1049h\033[?25l\033[?7l"
#define LEAVE_SCREEN "\033[?7h\033[?25h\033[?1049l"
#define HOME         "\033[H"
#define END_OF_LINE  "\033[K\n"
#define REST_EMPTY   "\033[J"

/* What is known of a transfer from the looks before. */
struct flow {
	int32_t pid;
	int64_t started, bytes, changed;
	double rate; /* bytes per second */
};

struct watch {
	struct ctl_sessions now;
	struct flow flow[SLOTS_MAX]; /* by the slot's index */
	unsigned rows, columns, used;
};

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	if (sig != SIGWINCH) /* that is for poll(2) to return */
		stop = 1;
}

/* The rate since the last word about it, smoothed: a screen that jumps tells nothing. */
static void
follow(struct flow *f, const struct slot *slot)
{
	if (f->pid != slot->pid || f->started != slot->started) {
		*f = (struct flow){ slot->pid, slot->started, slot->bytes, slot->changed,
			(double)ctl_rate(slot) };
	} else if (slot->changed > f->changed) {
		double rate = (double)(slot->bytes - f->bytes) * 1000 /
		    (double)(slot->changed - f->changed);

		f->rate = f->rate == 0 ? rate : (f->rate + rate) / 2;
		f->bytes = slot->bytes;
		f->changed = slot->changed;
	}
}

/* Begins a row; false when the screen is full. */
static bool
row(struct watch *w)
{
	if (w->used + 1 >= w->rows)
		return false;
	w->used++;
	return true;
}

static void
draw_head(struct watch *w)
{
	double down = 0, up = 0;
	char d[CTL_SHORT], u[CTL_SHORT], clock[16] = "";
	time_t now = time(NULL);
	struct tm tm;

	for (unsigned i = 0; i < w->now.n; i++) {
		const struct ctl_session *s = &w->now.session[i];

		if (s->slot.state == SLOT_READS)
			down += w->flow[s->index].rate;
		else if (s->slot.state == SLOT_WRITES)
			up += w->flow[s->index].rate;
	}
	if (localtime_r(&now, &tm) != NULL)
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("%s  %u connection%s, %s/s down, %s/s up   (q ends)" END_OF_LINE END_OF_LINE, clock,
	    w->now.n, w->now.n == 1 ? "" : "s", ctl_bytes((int64_t)down, d),
	    ctl_bytes((int64_t)up, u));
	printf("%7s  %-12s  %-15s  %8s  %s" END_OF_LINE, "PID", "USER", "HOST", "TIME", "DOES");
	w->used = 3;
}

static void
draw_session(const struct watch *w, const struct slot *slot)
{
	char user[4 * sizeof(slot->user)], path[4 * sizeof(slot->path)], host[NETADDR_TEXT],
	    age[CTL_SHORT];
	unsigned left = w->columns > 60 ? w->columns - 60 : 0;

	printf("%7d  %-12s  %-15s  %8s  %s", slot->pid,
	    slot->user[0] == '\0' ? "-" : ctl_shown(slot->user, SIZE_MAX, user, sizeof(user)),
	    netaddr_text(&slot->peer, host), ctl_duration(ctl_now() / 1000 - slot->began, age),
	    ctl_state(slot));
	if (slot->state >= SLOT_READS)
		printf(" %s", ctl_shown(slot->path, left, path, sizeof(path)));
	fputs(END_OF_LINE, stdout);
}

/* "         [##########--------------]  45% of 30 MB  1.2 MB/s  0:14 left" */
static void
draw_transfer(const struct slot *slot, double rate)
{
	char a[CTL_SHORT], b[CTL_SHORT];

	fputs("         ", stdout);
	if (slot->size > 0 && slot->bytes <= slot->size) {
		double part = (double)slot->bytes / (double)slot->size;

		putchar('[');
		for (int i = 0; i < BAR; i++)
			putchar(i < (int)(part * BAR) ? '#' : '-');
		printf("] %3d%% of %s", (int)(part * 100), ctl_bytes(slot->size, a));
	} else {
		printf("%s so far", ctl_bytes(slot->bytes, a));
	}
	printf("  %s/s", ctl_bytes((int64_t)rate, b));
	if (rate >= 1 && slot->size >= slot->bytes)
		printf("  %s left",
		    ctl_duration((int64_t)((double)(slot->size - slot->bytes) / rate), a));
	fputs(END_OF_LINE, stdout);
}

static void
draw(struct watch *w)
{
	unsigned shown = 0;

	fputs(HOME, stdout);
	draw_head(w);
	for (; shown < w->now.n && row(w); shown++) {
		const struct ctl_session *s = &w->now.session[shown];

		draw_session(w, &s->slot);
		if (ctl_is_moving(&s->slot) && row(w))
			draw_transfer(&s->slot, w->flow[s->index].rate);
	}
	if (shown < w->now.n)
		printf("... and %u more", w->now.n - shown);
	fputs(REST_EMPTY, stdout);
	fflush(stdout);
}

static void
measure_screen(struct watch *w)
{
	struct winsize size;

	w->rows = 24;
	w->columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
		w->rows = size.ws_row;
		w->columns = size.ws_col;
	}
}

/* Waits for a second, a key, or a signal; true if it is to go on. */
static bool
wait_key(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char key;

	if (poll(&p, 1, SECOND) == 1) {
		if (read(STDIN_FILENO, &key, 1) != 1) /* the terminal has gone */
			return false;
		if (key == 'q' || key == 'Q')
			return false;
	}
	return !stop;
}

static void
catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH };

	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &act, NULL);
}

int
ctl_watch(struct ctl_place *place)
{
	static struct watch w; /* 450 kB: too large for a stack frame */
	struct termios before, raw;
	int r = 0;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) == -1) {
		warnx("--watch needs a terminal; for programs there is --json");
		return EX_USAGE;
	}
	catch_signals();
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs(ENTER_SCREEN, stdout);
	do {
		if (ctl_sessions_read(place, &w.now) == -1) {
			r = errno;
			break;
		}
		for (unsigned i = 0; i < w.now.n; i++)
			follow(&w.flow[w.now.session[i].index], &w.now.session[i].slot);
		measure_screen(&w);
		draw(&w);
	} while (wait_key());
	fputs(LEAVE_SCREEN, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	if (r != 0) {
		errno = r;
		warn("%s/slots", place->path);
	}
	return r == 0 ? 0 : EX_IOERR;
}
