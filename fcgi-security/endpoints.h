#ifndef FCGI_SECURITY_ENDPOINTS_H
#define FCGI_SECURITY_ENDPOINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "password.h"
#include "request.h"
#include "response.h"
#include "throttle.h"
#include "token.h"

/* What the endpoints of the accounts pool need.  Pointers are borrowed. */
struct endpoints {
	struct account_store accounts;
	struct password_cost cost;
	struct token_rules rules;
	struct throttle throttle;
	int64_t session_max;  /* seconds after which the password is needed again */
	int64_t password_min; /* bytes of a new password at least */
	bool registration;    /* whether anybody may make an account */
	int64_t max_wait_ms;  /* what waited longer for a worker is refused */
	int64_t (*now)(void); /* the time in seconds since 1970 */
};

/*
 * The handler of the accounts pool, with a struct endpoints as ${deps}; see worker.h.
 * Routes: `register`, `token`, `token-plain`, `renew`, `logout`, `user`, `password`, and `ready`:
 * 204, or 503 if the database cannot be asked.  Any other route: 404.
 *
 * A request that has waited for a worker longer than ${max_wait_ms} is answered with 503 at once,
 * but for `ready`: of a flood only so much is done as can be done in time, and none of it for
 * clients that have lost their patience.
 */
void endpoints_handle(void *deps, const struct request *req, struct response *resp);

/* Whether the method is ${allowed}; if not ${resp} is the 405 with Allow. */
MUST_CHECK bool endpoints_method(const struct request *req, const char *allowed,
                                 struct response *resp);

/* Log the failure ${err} of the account store, and answer with its problem document. */
void endpoints_store_problem(const struct endpoints *deps, const struct request *req, enum err err,
                             struct response *resp);

#endif
