#ifndef FCGI_SECURITY_NEWPASSWORD_H
#define FCGI_SECURITY_NEWPASSWORD_H

#include <stddef.h>

#include "endpoints.h"

/*
 * Whether the ${len} bytes of ${password} may become somebody's password: not shorter than the
 * setting says, and not on the blocklist.  If not, ${resp} is the 400 that says why.
 */
MUST_CHECK bool newpassword_ok(const struct endpoints *deps, const struct request *req,
                               const char *password, size_t len, struct response *resp);

#endif
