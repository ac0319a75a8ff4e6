#ifndef FCGI_SECURITY_AUTHORIZATION_H
#define FCGI_SECURITY_AUTHORIZATION_H

#include <stddef.h>

#include "err.h"

/*
 * Find the token in ${header}, the value of an Authorization header: `Bearer`, in any case
 * (RFC 9110 section 11.1), spaces, and a b64token (RFC 6750 section 2.1) of at most LIMIT_TOKEN
 * bytes, in at most LIMIT_AUTHORIZATION bytes.  On success *${ret_token} points into ${header} and
 * *${ret_len} is the token's length.  ERR_TOKEN for anything else, an empty header included.
 */
MUST_CHECK enum err authorization_bearer(const char *header, const char **ret_token,
                                         size_t *ret_len);

#endif
