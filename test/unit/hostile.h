/*
 * A session that does as it likes: it stands at the other end of a monitor's
 * socket and says what a session would never say. For the tests of
 * ftpd/monitor; include it behind cmocka.h.
 */
#ifndef GENKAN_TEST_HOSTILE_H
#define GENKAN_TEST_HOSTILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "client.h"
#include "conf.h"
#include "monitor/monitor.h"
#include "request.h"

/* No monitor lives longer than this, whatever happens. */
#define HOUSE_SECONDS 60

#define HOUSE_USER     "bob"
#define HOUSE_PASSWORD "open sesame"

/* A monitor in a process of its own, with a place for its files. */
struct house {
	char base[64]; /* a temporary directory, outside of the client's root */
	char home[80]; /* base/home: bob's */
	char file[80]; /* base/passwd: AuthUserFile */
	char log[80];  /* base/log: what the monitor logs */
	struct conf conf;
	struct client client; /* 127.0.0.1, a LAN client */
	int gateway;          /* what the monitor reads as the gateway's pipe, or -1 */
	int not_its;          /* closed in the monitor's process first, or -1 */
	int transfer_log;     /* or -1 */
	bool root;            /* the monitor thinks that it was started as root */
	bool tls;             /* the monitor thinks that the session is genkan-ftpd-tls */
	bool counted;         /* it has a slot, and remembers hosts, in files of base */
	void (*before)(void); /* called in the monitor's process first, or NULL */

	pid_t pid;
	int sock;
	struct rusage usage; /* after house_end() */
};

/* cmocka's setup and teardown; *state is the house. Nothing is started yet. */
int house_setup(void **state);
int house_teardown(void **state);

/* Sets one directive: "PassivePorts 4000-4029". */
void house_conf(struct house *h, const char *line);

/* Appends a line for this user to AuthUserFile; hash NULL: that of HOUSE_PASSWORD. */
void house_user(
    struct house *h, const char *name, const char *hash, unsigned uid, const char *home);

/* Makes base/<name> a file with this text, or a directory when text is NULL. */
void house_make(struct house *h, const char *name, const char *text);

/* Starts the monitor. */
void house_start(struct house *h);

/* Starts it and logs bob in. */
void house_login(struct house *h);

/* One request and its answer's errno; -1 when the connection ended instead of an answer. */
int house_ask(struct house *h, uint32_t type, const void *req, size_t size, void *ans,
    size_t ans_size, int *fd);

/* The same for a login; ans may be NULL. */
int house_ask_login(
    struct house *h, const char *user, const char *password, struct ans_login *ans, int *fd);

/* The same for requests that are a path alone. */
int house_ask_path(struct house *h, uint32_t type, const char *path);

/* OPEN: the file, or -1 with errno. */
int house_open(struct house *h, enum open_mode mode, const char *path, int64_t restart);

/* Hangs up, and fails unless the monitor ends by itself with exit status 0. */
void house_end(struct house *h);

/* True if the monitor's log has this text. */
bool house_logged(struct house *h, const char *text);

/* True if the text of base/<name> is this. */
bool house_holds(struct house *h, const char *name, const char *text);

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t house_clock(void);

#endif
