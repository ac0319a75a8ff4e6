#ifndef FCGI_UPLOADER_STORE_H
#define FCGI_UPLOADER_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* What handlers need of an object store; s3.c is the one, tests bring another. */

#define STORE_WHY_LEN 160 /* bytes of a cause for the log, with its NUL */

/* An object that is to be made, and where its bytes come from. */
struct store_object {
	const char *key;
	const char *type; /* its media type */
	int64_t length;   /* bytes; more than 0 */

	/*
	 * Write the next ${len} bytes to ${data}: all of them, or fail.  Called until ${length}
	 * bytes were taken, in order.  An error means that the object must not come to be.
	 */
	enum err (*pull)(void *ctx, void *data, size_t len);
	void *ctx; /* for pull */
};

struct store {
	/*
	 * Make ${object}, which must not exist yet.  ERR_OK only if the store has said that it
	 * holds all bytes as they were pulled.  After any other result it does not exist, unless
	 * the store's answer was lost, and ${why} is a cause for the log.  The error of pull if
	 * that failed; ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_FULL, ERR_NOMEM, ERR_INTERNAL; ERR_SLOW if
	 * pull took too long.  Blocks, up to the limits that the store was made with and as long as
	 * pull does.
	 */
	enum err (*put)(void *ctx, const struct store_object *object, char why[STORE_WHY_LEN]);
	void *ctx; /* for put */
};

struct listing;

/* What the gallery needs of it. */
struct store_gallery {
	/*
	 * List into ${ret}, in the order of their keys, the first ${max} objects (1 to LISTING_MAX)
	 * whose keys begin with ${prefix} and come after ${after}, which may be empty.  On failure
	 * ${why} is a cause for the log: ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_NOMEM, ERR_INTERNAL.
	 * Blocks, up to the limits that the store was made with.
	 */
	enum err (*list)(void *ctx, const char *prefix, const char *after, size_t max,
	                 struct listing *ret, char why[STORE_WHY_LEN]);

	/*
	 * Delete the object ${key}.  ERR_OK if it does not exist now, whether or not it did.
	 * Errors and blocking as for list.
	 */
	enum err (*remove)(void *ctx, const char *key, char why[STORE_WHY_LEN]);
	void *ctx; /* for both */
};

#endif
