#ifndef FCGI_UPLOADER_S3_H
#define FCGI_UPLOADER_S3_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "chunked.h"
#include "config.h"
#include "err.h"
#include "store.h"

/* An S3 store, and the connection to it that is kept between requests. */
struct s3;

struct s3_config {
	char *url;    /* http or https, host and perhaps port; nothing else */
	char *bucket; /* addressed by path */
	char *region;
	struct secret access_key;
	struct secret secret_key;
	bool trusted;               /* the link to the store: see enum chunked_mode */
	int64_t connect_timeout_ms; /* includes finding the address */
	int64_t timeout_ms;         /* for a whole request, and one second more for every MiB */
};

/*
 * Append to ${problems} a line for each setting in ${config} that is unusable.  A text that is NULL
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
 * From here on requests carry ${id} as X-Request-ID and ${traceparent} under its own name; an empty
 * one is left out.  Neither is signed.  Both are borrowed until the next call.
 */
void s3_trace(struct s3 *s3, const char *id, const char *traceparent);

/* A request to the store, which s3_send() signs. */
struct s3_request {
	const char *method;
	const char *key;   /* of an object; "" for the bucket itself */
	const char *query; /* as in struct sigv4_request */
	/*
	 * The object that is the body; NULL for none.  Its bytes go in the content coding
	 * aws-chunked, with a length and a check that the store makes, and with `If-None-Match: *`.
	 */
	const struct store_object *object;
};

#define S3_ANSWER_MAX 65536 /* bytes of an answer's body; an error document has hundreds */

/* What the store answered.  The texts are empty if there is no such header, or several. */
struct s3_answer {
	long status;
	char etag[40];
	char checksum[16];                   /* x-amz-checksum-crc32c */
	char sent[CHUNKED_CHECKSUM_LEN + 1]; /* what that must be; empty if no checksum was sent */
	struct buf body; /* made by the caller, with the maximum that is taken; freed by him */
};

/*
 * Send ${request} and fill ${answer}.  ERR_OK means that there was a whole answer, whatever it
 * says. Otherwise ${why} is a cause for the log: the error of the object's pull if that failed;
 * ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_NOMEM, ERR_INTERNAL; ERR_SLOW if it was pulling that took the
 * time.  Blocks, up to the limits of the configuration and as long as a pull does.
 *
 * A connection that was kept may have died meanwhile.  So nothing of a body of more than one chunk
 * is given to it before the store has said `100 Continue` (RFC 9110 section 10.1.1), and one chunk
 * stays in the buffer: in both cases, and without a body, a new connection is tried, once.
 */
MUST_CHECK enum err s3_send(struct s3 *s3, const struct s3_request *request,
                            struct s3_answer *answer, char why[STORE_WHY_LEN]);

/*
 * What an ${answer} means that is none of those that were hoped for; ${why} is a cause for the log.
 * ERR_FULL or ERR_UNAVAILABLE, by the S3 API's error responses.
 */
MUST_CHECK enum err s3_refusal(const struct s3_answer *answer, char why[STORE_WHY_LEN]);

#endif
