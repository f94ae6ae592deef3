/*
 * The transfer log.
 */
#include "xferlog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "monitor.h"
#include "request.h"

#define XFERLOG_LINE (REQ_PATH + REQ_NAME + 256)

/* "Mon Nov 24 05:21:07 2025", English as ctime(3) has it. */
static void
now_text(char *text, size_t size)
{
	struct timespec now;
	struct tm tm;

	text[0] = '\0';
	clock_gettime(CLOCK_REALTIME, &now);
	if (localtime_r(&now.tv_sec, &tm) != NULL)
		strftime(text, size, "%a %b %e %H:%M:%S %Y", &tm);
}

void
xferlog_write(const struct monitor *m, const struct req_done *done)
{
	char line[XFERLOG_LINE], when[32], peer[NETADDR_TEXT], path[REQ_PATH], user[REQ_NAME];
	int64_t bytes = done->bytes < 0 ? 0 : done->bytes;
	int64_t ms = done->duration_ms < 0 ? 0 : done->duration_ms;
	int len;

	netaddr_text(&m->client->peer, peer);
	monitor_word(path, sizeof(path), done->path);
	monitor_word(user, sizeof(user), m->account.name);
	log_info("%s user=\"%s\" rhost=%s path=\"%s\" bytes=%" PRId64 " ms=%" PRId64 " %s",
	    done->upload ? "received" : "sent", user, peer, path, bytes, ms,
	    done->complete ? "complete" : "incomplete");
	if (m->transfer_log == -1)
		return;

	now_text(when, sizeof(when));
	len = snprintf(line, sizeof(line),
	    "%s %" PRId64 " %s %" PRId64 " %s %c _ %c %c %s ftp 0 * %c\n", when,
	    ms / 1000 + (ms % 1000 >= 500), peer, bytes, path, done->ascii ? 'a' : 'b',
	    done->upload ? 'i' : 'o', m->account.anonymous ? 'a' : 'r', user,
	    done->complete ? 'c' : 'i');
	if (len < 0 || (size_t)len >= sizeof(line))
		return;
	/* one write: lines of several sessions do not mix in a file opened for appending */
	if (write(m->transfer_log, line, (size_t)len) != len)
		log_warn("TransferLog");
}
