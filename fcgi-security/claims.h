#ifndef FCGI_SECURITY_CLAIMS_H
#define FCGI_SECURITY_CLAIMS_H

#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "buf.h"
#include "err.h"

#define CLAIMS_JTI_LEN 32 /* characters of 0-9a-f: 128 bits */

/* What a token says (RFC 7519 section 4.1), apart from iss and aud.  Times: seconds since 1970. */
struct claims {
	char sub[ACCOUNT_ID_LEN + 1]; /* account id */
	char jti[CLAIMS_JTI_LEN + 1]; /* the token's own name */
	int64_t iat;                  /* when it was issued */
	int64_t exp;                  /* from this second on it is expired */
	int64_t gen;                  /* the account's generation then */
	int64_t auth_time;            /* when the password was given */
};

/*
 * Append to ${json} the payload of a token from ${issuer} for ${audience} that says ${claims}.
 * Errors as buf_put().
 */
void claims_write(struct buf *json, const char *issuer, const char *audience,
                  const struct claims *claims);

/*
 * Read the ${len} bytes of ${json}: one flat JSON object in which every claim is there, once and of
 * its type, no number is negative, and iss and aud are exactly ${issuer} and ${audience}.  There is
 * no nbf (RFC 7519 section 4.1.5), which would have to be obeyed.  On success fill *${ret}.  A text
 * of the form that claims_write() gives is read as it stands; any other goes to flatjson.h, with
 * the same outcome.  ERR_TOKEN; ERR_NOMEM, for other forms only.
 */
MUST_CHECK enum err claims_read(const uint8_t *json, size_t len, const char *issuer,
                                const char *audience, struct claims *ret);

#endif
