#ifndef FCGI_SECURITY_CHANGE_H
#define FCGI_SECURITY_CHANGE_H

#include "endpoints.h"

/*
 * PUT /v1/user/password (route `password`): the bearer of a live token, who also knows the
 * password, gets another one; all his tokens die, this one included.
 *
 * 204.  401: the token, before the body is looked at.  400, 413, 415.  403: the password is wrong;
 * that costs as many PBKDF2 rounds whatever the stored hash, and counts as a failed login: 429.
 * 405.  503, after which it may have
 * been done, or when the account was changed at the same time and nothing was done.  For a client
 * that has gone nothing is hashed.
 */
void change_handle(const struct endpoints *deps, const struct request *req, struct response *resp);

#endif
