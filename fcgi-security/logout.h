#ifndef FCGI_SECURITY_LOGOUT_H
#define FCGI_SECURITY_LOGOUT_H

#include "endpoints.h"

/*
 * DELETE /v1/token (route `logout`): end all tokens of the bearer's account, this one included.
 * 204; 401, 405; 503, after which it may have been done.
 */
void logout_handle(const struct endpoints *deps, const struct request *req, struct response *resp);

#endif
