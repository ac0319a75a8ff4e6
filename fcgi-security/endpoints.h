#ifndef FCGI_SECURITY_ENDPOINTS_H
#define FCGI_SECURITY_ENDPOINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "password.h"
#include "request.h"
#include "response.h"
#include "token.h"

/* What the endpoints of the accounts pool need.  Pointers are borrowed. */
struct endpoints {
	struct account_store accounts;
	struct password_cost cost;
	struct token_rules rules;
	int64_t password_min; /* bytes of a new password at least */
	bool registration;    /* whether anybody may make an account */
	int64_t (*now)(void); /* the time in seconds since 1970 */
};

/*
 * The handler of the accounts pool, with a struct endpoints as ${deps}; see worker.h.
 * Routes: `register`, `token`, `token-plain`, `user`, and `ready`: 204, or 503 if the database
 * cannot be asked.  Any other route: 404.
 */
void endpoints_handle(void *deps, const struct request *req, struct response *resp);

/* Whether the method is ${allowed}; if not ${resp} is the 405 with Allow. */
MUST_CHECK bool endpoints_method(const struct request *req, const char *allowed,
                                 struct response *resp);

/* Log the failure ${err} of the account store, and answer with its problem document. */
void endpoints_store_problem(const struct endpoints *deps, const struct request *req, enum err err,
                             struct response *resp);

#endif
