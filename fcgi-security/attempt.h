#ifndef FCGI_SECURITY_ATTEMPT_H
#define FCGI_SECURITY_ATTEMPT_H

#include "endpoints.h"

/*
 * Attempts to prove a password, at a login or to change it: limited together (throttle.h), and the
 * failures recorded in the audit.
 */

/* Whether the password of ${login} may be tried from where ${req} comes from; if not ${resp} says
 * so. */
MUST_CHECK bool attempt_allowed(const struct endpoints *deps, const struct request *req,
                                const char *login, struct response *resp);

/* The password was wrong: count it and record it.  What fails is logged. */
void attempt_failed(const struct endpoints *deps, const struct request *req, const char *login);

/* The password was right: forget the failures.  What fails is logged. */
void attempt_succeeded(const struct endpoints *deps, const struct request *req, const char *login);

#endif
