/*
 * What ufw and firewalld tell of themselves: which TCP ports do they let in?
 */
#ifndef GENKAN_HOSTFIREWALL_H
#define GENKAN_HOSTFIREWALL_H

#include <stdbool.h>
#include <stdint.h>

/* "ufw status": true if it is at work. */
bool hostfirewall_ufw_active(const char *status);

/* True if the port is let in from anywhere by IPv4, or what is in no rule is ("ufw status
 * verbose"). */
bool hostfirewall_ufw_lets_in(const char *status, uint16_t port);

/* "firewall-cmd --list-all": the same for a zone. */
bool hostfirewall_firewalld_lets_in(const char *zone, uint16_t port);

#endif
