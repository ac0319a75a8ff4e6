#ifndef FCGI_SECURITY_IDENTITY_H
#define FCGI_SECURITY_IDENTITY_H

#include <stdint.h>

#include "err.h"
#include "token.h"

/*
 * Who sends a request: find the token in ${header}, the value of its Authorization header, and
 * check it at the time ${now} (seconds since 1970).  On success fill *${ret}.  Revocation is not
 * looked at. ERR_TOKEN: nobody we know; *${ret_why} is a static word, as in token_check(), or
 * `absent` if there is no header, or `scheme` if it holds no Bearer token.  ERR_NOMEM: *${ret_why}
 * is `memory`.
 */
MUST_CHECK enum err identity_check(const struct token_rules *rules, const char *header, int64_t now,
                                   struct claims *ret, const char **ret_why);

#endif
