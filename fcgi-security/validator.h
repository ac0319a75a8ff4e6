#ifndef FCGI_SECURITY_VALIDATOR_H
#define FCGI_SECURITY_VALIDATOR_H

#include <stdint.h>

#include "request.h"
#include "response.h"
#include "table.h"
#include "token.h"

/* What is known of the revocation table; each change is logged once. */
enum validator_state { VALIDATOR_START, VALIDATOR_FRESH, VALIDATOR_STALE, VALIDATOR_NO_TABLE };

/* What the handler needs.  Pointers are borrowed. */
struct validator {
	struct token_rules rules;
	struct table *table;
	int64_t (*now_ms)(void);    /* the time in milliseconds since 1970 */
	enum validator_state state; /* VALIDATOR_START at first; the handler's own from then on */
	int64_t looked_at;          /* when the table was looked at: the handler's own, too */
};

#define VALIDATOR_LOOK_MS 50 /* milliseconds between two looks at a good table */

/*
 * The handler of the validate pool, with a struct validator as ${deps}; see worker.h.
 *
 * Route `validate`: 204 for a token that is valid and not revoked, with X-Account-Id and
 * X-Accel-Expires, the second through which nginx may keep this answer: the present one, which is
 * before exp; 401 for any other token or none; 503 for a valid one while there is no revocation
 * table.  An old table is used on: revocations are late then, but the database being down locks
 * nobody out.
 * Route `ready`: 204, or 503 while there is no table or an old one.  Any other route: 404.
 *
 * No database, no network; a stat(2) every VALIDATOR_LOOK_MS.
 */
void validator_handle(void *deps, const struct request *req, struct response *resp);

#endif
