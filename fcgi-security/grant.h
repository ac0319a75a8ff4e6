#ifndef FCGI_SECURITY_GRANT_H
#define FCGI_SECURITY_GRANT_H

#include "endpoints.h"

/*
 * Answer ${req} with a new token of account ${sub} and generation ${gen}, for somebody who gave the
 * password at ${auth_time}.  It lives as long as the rules allow, but not beyond the end of the
 * session: 401 if that has come.  200, no-store: a JSON object, or the bare token as text/plain.
 * The route `token-plain` gives the text unless Accept names application/json, the others if Accept
 * names text/plain and not application/json.
 */
void grant_answer(const struct endpoints *deps, const struct request *req, const char *sub,
                  int64_t gen, int64_t auth_time, struct response *resp);

#endif
