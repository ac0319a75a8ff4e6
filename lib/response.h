#ifndef LIB_RESPONSE_H
#define LIB_RESPONSE_H

#include "buf.h"
#include "request.h"

/*
 * Not an answer to the client, but to the gateway, which has the whole request: hand it on once
 * more, with what the header lines say.  No other program uses this status.
 */
#define RESPONSE_REPEAT 599

/* An answer that a handler fills: status, header lines and a small body. */
struct response {
	int status; /* 0 until something was answered: the accept loop turns that into a 500 */
	struct buf header; /* complete lines, each ended by CRLF */
	struct buf body;
};

/* An empty response.  Allocates nothing. */
struct response response_new(void);

/* Free the contents of ${resp}. */
void response_free(struct response *resp);

/* Make ${resp} empty again; keep its memory. */
void response_clear(struct response *resp);

/*
 * Add a header line.  Neither ${name} nor the formatted value may hold a control character: such a
 * line is not added and buf_err(&resp->header) becomes ERR_INTERNAL.
 */
void response_header(struct response *resp, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Answer with the problem document of ${err} (RFC 9457), in place of whatever was there.  ${fmt}
 * makes the detail; NULL takes the table's.  Adds Retry-After where the table has one.  The 401
 * forms add WWW-Authenticate (RFC 6750 section 3).
 */
void response_problem(struct response *resp, const struct request *req, enum err err,
                      const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * As response_problem() with ERR_TOO_MANY: over a limit for the next ${wait} seconds, which are its
 * Retry-After.
 */
void response_too_many(struct response *resp, const struct request *req, int64_t wait,
                       const char *detail);

#endif
