#ifndef FCGI_SECURITY_RENEWAL_H
#define FCGI_SECURITY_RENEWAL_H

#include "endpoints.h"

/*
 * POST /v1/token/renew (route `renew`): a new token for a live one, of the same generation and the
 * same auth_time; see grant.h.  The database is asked, so that a revocation counts at once.
 * 200; 401 also when the session has lasted its time and the password is needed again; 405; 503.
 */
void renewal_handle(const struct endpoints *deps, const struct request *req, struct response *resp);

#endif
