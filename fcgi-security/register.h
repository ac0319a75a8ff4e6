#ifndef FCGI_SECURITY_REGISTER_H
#define FCGI_SECURITY_REGISTER_H

#include "endpoints.h"

/*
 * POST /v1/register: make an account of the login and the password in the JSON body.  201 with
 * login and id; 400, 403 while registration is closed, 405, 409 the login is taken, 413, 415; 503,
 * after which the account may exist.
 */
void register_handle(const struct endpoints *deps, const struct request *req,
                     struct response *resp);

#endif
