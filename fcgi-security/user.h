#ifndef FCGI_SECURITY_USER_H
#define FCGI_SECURITY_USER_H

#include "endpoints.h"

/*
 * GET /v1/user: who the bearer of the token is.  The token is checked here, and its generation in
 * the database, so that a revocation counts at once.  200 with login, id and created_at (RFC 3339,
 * UTC); 401, 405, 503.
 */
void user_handle(const struct endpoints *deps, const struct request *req, struct response *resp);

#endif
