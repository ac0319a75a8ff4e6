#ifndef FCGI_SECURITY_TOKEN_H
#define FCGI_SECURITY_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "buf.h"
#include "claims.h"
#include "err.h"
#include "keys.h"

#define TOKEN_LEEWAY 5 /* seconds by which another cell's clock may be ahead of ours */

/* What a token has to agree with.  All members are borrowed. */
struct token_rules {
	const struct keys *keys;
	const char *issuer;   /* iss: exactly this */
	const char *audience; /* aud: exactly this */
	int64_t lifetime;     /* seconds: exp - iat at most */
};

/*
 * Fill *${ret} for a new token of ${sub}, an account id, issued at ${now} for the life that
 * ${rules} allow, with a fresh jti.  ERR_INTERNAL: ${sub} is no account id, or no random bytes.
 * ERR_NOMEM.
 */
MUST_CHECK enum err token_claims(const struct token_rules *rules, const char *sub, int64_t gen,
                                 int64_t auth_time, int64_t now, struct claims *ret);

/*
 * Append to ${token} the compact form (RFC 7515 section 7.1) of a JWT of ${claims}, signed by
 * HS256 with the first key.  ERR_NOMEM, ERR_TOO_LARGE (the buffer's maximum), ERR_INTERNAL.
 */
MUST_CHECK enum err token_sign(const struct token_rules *rules, const struct claims *claims,
                               struct buf *token);

/*
 * Check ${len} bytes of ${token} at the time ${now}: RFC 7515 section 5.2, RFC 7519 section 7.2,
 * RFC 8725, and stricter than those, since only we make tokens.  On success fill *${ret}.
 * Revocation is not looked at.
 * ERR_TOKEN: not valid; *${ret_why} is then a static word for logs and counters, never for the
 * client: `malformed`, `header`, `key`, `signature`, `claims`, `expired` or `early`.
 * ERR_NOMEM: *${ret_why} is `memory`.
 */
MUST_CHECK enum err token_check(const struct token_rules *rules, const char *token, size_t len,
                                int64_t now, struct claims *ret, const char **ret_why);

#endif
