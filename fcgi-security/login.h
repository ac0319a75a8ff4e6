#ifndef FCGI_SECURITY_LOGIN_H
#define FCGI_SECURITY_LOGIN_H

#include "endpoints.h"

/*
 * POST /v1/token (route `token`) and the older POST /token (route `token-plain`): a token for the
 * login and the password in the JSON body.
 *
 * 200, in a form that Accept and route choose; see grant.h.
 * 401, with one text and one number of PBKDF2 rounds, for an unknown login, a wrong password and a
 * disabled account.  429, before anything is looked up or hashed, when the login has failed too
 * often from this address; see throttle.h.  400, 405, 413, 415, 503.
 *
 * The audit gets each 200 and each 401.  The answer does not depend on it: what could not be
 * written is logged, as `audit: …`.
 *
 * A hash weaker than today's is replaced on the way.  For a client that has gone nothing is hashed.
 */
void login_handle(const struct endpoints *deps, const struct request *req, struct response *resp);

#endif
