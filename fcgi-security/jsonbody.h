#ifndef FCGI_SECURITY_JSONBODY_H
#define FCGI_SECURITY_JSONBODY_H

#include <stddef.h>

#include "bounds.h"
#include "err.h"
#include "request.h"

/*
 * Read the body of ${req}, which has to be said to be JSON, into ${body}; set *${ret_len}.  Blocks
 * as request_read() does.  The caller wipes ${body} if it may hold secrets, after a failure too.
 * On failure *${why} is a static sentence for the client, or NULL.
 * ERR_MEDIA_TYPE: it is not said to be application/json.  ERR_TOO_LARGE.  ERR_CUT.
 */
MUST_CHECK enum err jsonbody_read(const struct request *req, char body[LIMIT_JSON_BODY],
                                  size_t *ret_len, const char **why);

#endif
