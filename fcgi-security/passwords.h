#ifndef FCGI_SECURITY_PASSWORDS_H
#define FCGI_SECURITY_PASSWORDS_H

#include <stddef.h>

#include "bounds.h"
#include "err.h"
#include "request.h"

/* The password that somebody has, and the one that he wants. */
struct passwords {
	char password[LIMIT_PASSWORD + 1];
	size_t password_len; /* bytes */
	char new_password[LIMIT_PASSWORD + 1];
	size_t new_password_len; /* bytes */
};

/*
 * Take both out of the ${len} bytes of ${text}, a JSON object with the strings `password` and
 * `new_password`, each of at most LIMIT_PASSWORD bytes of UTF-8.  On success *${ret} is to be wiped
 * by the caller.  On failure it is untouched, and *${why} is a static sentence for the client, or
 * NULL.  ERR_MALFORMED: *${why} says what is wrong.  ERR_NOMEM.
 */
MUST_CHECK enum err passwords_parse(const void *text, size_t len, struct passwords *ret,
                                    const char **why);

/* passwords_parse() of the body of ${req}, which jsonbody_read() reads; its errors too. */
MUST_CHECK enum err passwords_read(const struct request *req, struct passwords *ret,
                                   const char **why);

/* Overwrite ${passwords}. */
void passwords_wipe(struct passwords *passwords);

#endif
