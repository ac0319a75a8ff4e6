#ifndef TESTS_UNIT_PEER_H
#define TESTS_UNIT_PEER_H

#include <stdio.h>
#include <sys/types.h>

#include "s3.h"

/* A store that does what a test says: a child process behind a socket on loopback. */
struct peer {
	char url[64];
	pid_t pid;
};

/*
 * Fork the child, which runs ${serve} with a listening socket; what that returns is the child's
 * exit status, and a minute is all that it has.  A write to somebody who has gone is an error
 * there, no signal.
 */
void peer_start(struct peer *peer, int (*serve)(int listener, const void *ctx), const void *ctx);

/* Wait for the child's end, which must be with status 0. */
void peer_end(const struct peer *peer);

/* End the child, whatever it does. */
void peer_kill(const struct peer *peer);

/* For the child: accept a connection as two streams; ends the child if that fails. */
void peer_accept(int listener, FILE **ret_in, FILE **ret_out);

enum { PEER_HEAD_MAX = 4096 }; /* bytes of a request's head, with a NUL */

/* For the child: read the head of a request with the empty line; 0 if there is none that is whole.
 */
size_t peer_head(FILE *in, char head[PEER_HEAD_MAX]);

/* For the child: the Content-Length in ${head}, or −1. */
long peer_length(const char *head);

/* The configuration of a store at ${url}, with limits of 1 s and 10 s; ${url} is borrowed. */
struct s3_config peer_config(char *url);

#endif
