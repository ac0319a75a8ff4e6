#ifndef FCGI_SECURITY_CREDENTIALS_H
#define FCGI_SECURITY_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "bounds.h"
#include "err.h"
#include "request.h"

/* Who somebody says he is, and the proof. */
struct credentials {
	char login[LIMIT_LOGIN + 1];
	char password[LIMIT_PASSWORD + 1];
	size_t password_len; /* bytes */
};

/*
 * Take login and password out of the ${len} bytes of ${text}, a JSON object with these two strings.
 * A login is 1 to LIMIT_LOGIN of A-Za-z0-9._@+-, a password at most LIMIT_PASSWORD bytes of UTF-8.
 * On success *${ret} is to be wiped by the caller.  On failure it is untouched, and *${why} is a
 * static sentence for the client, or NULL.
 * ERR_MALFORMED: *${why} says what is wrong.  ERR_NOMEM.
 */
MUST_CHECK enum err credentials_parse(const void *text, size_t len, struct credentials *ret,
                                      const char **why);

/*
 * credentials_parse() of the body of ${req}, which jsonbody_read() reads; its errors too.
 */
MUST_CHECK enum err credentials_read(const struct request *req, struct credentials *ret,
                                     const char **why);

/* Overwrite ${credentials}. */
void credentials_wipe(struct credentials *credentials);

#endif
