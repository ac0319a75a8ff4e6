#ifndef FCGI_UPLOADER_S3_H
#define FCGI_UPLOADER_S3_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "err.h"
#include "store.h"

/* An S3 store, and the connection to it that is kept between requests. */
struct s3;

struct s3_config {
	const char *url;    /* http or https, host and perhaps port; nothing else */
	const char *bucket; /* addressed by path */
	const char *region;
	const struct secret *access_key;
	const struct secret *secret_key;
	bool trusted;               /* the link to the store: see enum chunked_mode */
	int64_t connect_timeout_ms; /* includes finding the address */
	int64_t timeout_ms;         /* for a whole request, and one second more for every MiB */
};

/*
 * Append to ${problems} a line for each setting in ${config} that is unusable.  One that is NULL
 * was not given and is not judged.
 */
void s3_check(const struct s3_config *config, struct buf *problems);

/*
 * Prepare to use the store of ${config}, which is borrowed until s3_free().  Connects to nothing.
 * On success *${ret} is the caller's.  ERR_MALFORMED if s3_check() has something to say; ERR_NOMEM.
 */
MUST_CHECK enum err s3_new(const struct s3_config *config, struct s3 **ret);

/* Close the connection.  ${s3} may be NULL. */
void s3_free(struct s3 *s3);

/*
 * The store as handlers see it; ${s3} is borrowed.
 *
 * An object is made by one PutObject with `If-None-Match: *`, in a body of known length that the
 * store checks before it commits.  It counts as made when the answer was 200 with an entity tag
 * and, where the body had a checksum, with the same checksum.
 *
 * A connection that was kept may have died meanwhile.  So nothing of a body of more than one chunk
 * is given to it before the store has said `100 Continue` (RFC 9110 section 10.1.1), and one chunk
 * stays in the buffer: in both cases a new connection is tried, once.
 */
struct store s3_store(struct s3 *s3);

#endif
