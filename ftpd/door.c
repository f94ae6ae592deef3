/*
 * Who may come in at all.
 */
#include "door.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "conf.h"
#include "hosts.h"
#include "slots.h"
#include "start.h"

static bool
refuse(struct door *door, const struct client *client, const char *words, const char *reason)
{
	char peer[NETADDR_TEXT];

	snprintf(door->reply, sizeof(door->reply), "421 %s\r\n", words);
	snprintf(door->reason, sizeof(door->reason), "%s: %s", netaddr_text(&client->peer, peer),
	    reason);
	return false;
}

/* Bans, and how often a host may come. */
static bool
may_come(struct door *door, const struct conf *conf, const struct client *client)
{
	struct host host;
	char words[128];
	int64_t now = time(NULL);

	switch (hosts_come(door->hosts, &client->peer, now, conf->max_connections_per_host, &host)) {
	case 1:
		if (host.banned_until == HOSTS_FOREVER)
			return refuse(door, client, "Your address is banned from this server.", "banned");
		snprintf(words, sizeof(words), "Your address is banned for %jd more seconds.",
		    (intmax_t)(host.banned_until - now));
		return refuse(door, client, words, "banned");
	case 2:
		return refuse(door, client,
		    "Too many connections from your address (MaxConnectionsPerHost), try again later.",
		    "MaxConnectionsPerHost reached");
	default:
		return true;
	}
}

static bool
take_slot(struct door *door, const struct conf *conf, const struct client *client)
{
	struct slots_limits limits = { conf->max_clients, conf->max_clients_per_host };
	char reason[64];

	door->self = (struct slot){ .pid = getpid(), .state = SLOT_LOGIN, .began = time(NULL),
		.peer = client->peer, .size = -1 };
	door->self.changed = door->self.began * 1000;
	if ((door->slot = slots_claim(door->slots, limits, &door->self)) != -1)
		return true;
	if (errno == EAGAIN) {
		snprintf(door->reply, sizeof(door->reply), "%s", START_FULL_REPLY);
		snprintf(door->reason, sizeof(door->reason), "MaxClients %u reached",
		    conf->max_clients);
		return false;
	}
	if (errno != EUSERS)
		return true; /* the caller tells that no limit holds */
	snprintf(reason, sizeof(reason), "MaxClientsPerHost %u reached", conf->max_clients_per_host);
	return refuse(door, client,
	    "Your address has all the connections it may have (MaxClientsPerHost): close one first.",
	    reason);
}

bool
door_open(
    struct door *door, const struct conf *conf, const struct client *client, int run_directory)
{
	*door = (struct door){ .slots = -1, .slot = -1, .hosts = -1 };
	if (run_directory == -1)
		return true;
	door->hosts = hosts_open(run_directory);
	if (door->hosts != -1 && !may_come(door, conf, client))
		return false;
	door->slots = slots_open(run_directory);
	return door->slots == -1 || take_slot(door, conf, client);
}
