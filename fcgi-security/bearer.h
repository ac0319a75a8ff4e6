#ifndef FCGI_SECURITY_BEARER_H
#define FCGI_SECURITY_BEARER_H

#include "endpoints.h"

/*
 * Who sends ${req}: check its token, and fill *${claims} with what that says.  Revocation is not
 * looked at.  ERR_TOKEN: nobody we know.  ERR_NOMEM.
 */
MUST_CHECK enum err bearer_claims(const struct endpoints *deps, const struct request *req,
                                  struct claims *claims);

/*
 * bearer_claims(), and the account as the database has it now, so that a revocation counts at once:
 * fill *${account} but for password_hash.  Blocks as the account store does.  ERR_TOKEN also if the
 * account is gone or disabled, or the token is of another generation.  The failures of the account
 * store, which are logged.
 */
MUST_CHECK enum err bearer_account(const struct endpoints *deps, const struct request *req,
                                   struct claims *claims, struct account *account);

#endif
