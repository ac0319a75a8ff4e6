#ifndef FCGI_UPLOADER_PURGE_H
#define FCGI_UPLOADER_PURGE_H

#include <stdint.h>

#include "buf.h"
#include "err.h"

#define PURGE_WHY_LEN 160 /* bytes of a cause for the log, with its NUL */

/* The way to the gateway's cache: its purge listener, a unix socket. */
struct purge {
	const char *socket; /* path */
	int64_t timeout_ms; /* for all of it */
};

/* Append to ${problems} a line if ${socket} cannot be a unix socket's path. */
void purge_check(const char *socket, struct buf *problems);

/*
 * Make the gateway forget its copy of ${object}, a key in the store, if it has one.  ERR_OK when it
 * has said so: what is asked for from now on is asked of the store.  (A copy that it is fetching at
 * this moment may still come.)  Otherwise ${why} is a cause for the log: ERR_UNAVAILABLE,
 * ERR_TIMEOUT, ERR_INTERNAL.  ${purge} is a struct purge *.  Blocks, up to its timeout.
 */
MUST_CHECK enum err purge_object(void *purge, const char *object, char why[PURGE_WHY_LEN]);

#endif
