#ifndef LIB_REQUEST_H
#define LIB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * A request as handlers see it.  The strings come from the gateway, which names each of them (see
 * nginx/); none is NULL, an absent one is empty.  They live until the handler returns.
 */
struct request {
	const char *id;          /* REQUEST_ID; empty if it has not the form of one: see trace.h */
	const char *traceparent; /* TRACEPARENT; the same */
	const char *route;       /* ROUTE: which endpoint, a word that the gateway chose */
	const char *method;      /* REQUEST_METHOD */
	const char *authorization; /* AUTHORIZATION: the client's header */
	const char *accept;        /* ACCEPT: the client's header */
	const char *content_type;  /* CONTENT_TYPE: the client's header */
	const char *remote_addr;   /* REMOTE_ADDR: the client's address */
	const char *account;       /* ACCOUNT_ID: who it is, from validate */
	const char *object;        /* OBJECT: `<account id>/<object>` that the gateway asks for */
	const char *limit;         /* LIMIT: the client's query argument, not decoded */
	const char *after;         /* AFTER: the client's query argument, not decoded */
	int64_t content_length;    /* CONTENT_LENGTH; -1 if absent or not a number */
	int64_t file_length;       /* FILE_LENGTH: of the form's file, as an earlier answer with
	                              RESPONSE_REPEAT had it; -1 if absent or not a number */
	bool repeatable;           /* REPEATABLE is 1: RESPONSE_REPEAT may be answered */
	int64_t age_ms;            /* REQUEST_TIME: how long the gateway took to receive it */
	int64_t waited_ms; /* since PASSED_AT, when the gateway handed it on: for a worker; 0 if
	                      absent */

	/*
	 * Read up to ${cap} bytes of body into ${data} and set *${ret_len}.  Zero bytes with ERR_OK
	 * mean that the body is complete: exactly content_length bytes arrived and the stream ended
	 * well. Anything else at the end is ERR_CUT.  Blocks, for a minute at most; ERR_SLOW if no
	 * byte came by then, or if the patience is over.
	 */
	enum err (*read)(void *ctx, void *data, size_t cap, size_t *ret_len);

	/*
	 * From now on, the reads together may wait ${ms} milliseconds for what has not come yet.
	 * Time that passes between them does not count.
	 */
	void (*be_patient)(void *ctx, int64_t ms);

	/* Whether the client has gone, so that work for it would be wasted.  Does not block. */
	bool (*gone)(void *ctx);

	void *ctx; /* for read, be_patient and gone */
};

/* Read up to ${cap} bytes of the body: see the member. */
MUST_CHECK enum err request_read(const struct request *req, void *data, size_t cap,
                                 size_t *ret_len);

/* Bound the waits of all reads together: see the member. */
void request_be_patient(const struct request *req, int64_t ms);

/*
 * Read the whole body, of at most ${max} bytes, into ${data}, which has room for ${max}; set
 * *${ret_len}.  ERR_TOO_LARGE over ${max}; ERR_CUT, ERR_SLOW.
 */
MUST_CHECK enum err request_body(const struct request *req, void *data, size_t max,
                                 size_t *ret_len);

/* Whether ${id} is an account id: ACCOUNT_ID_LEN characters of 0-9a-v. */
bool request_account_ok(const char *id);

#endif
