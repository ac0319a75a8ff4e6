#ifndef FCGI_SECURITY_KEYS_H
#define FCGI_SECURITY_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "crypto.h"
#include "err.h"

#define KEYS_MAX     16 /* keys; a rotation needs two, an emergency a few more */
#define KEYS_KID_LEN 32 /* characters of a kid at most */
#define KEYS_BYTES_MIN                                                                             \
	32 /* bytes of a key at least: the output of SHA-256 (RFC 7518 section 3.2) */
#define KEYS_BYTES_MAX 256 /* bytes of a key at most; beyond 64 HMAC only hashes them */

/* The keys that sign and verify tokens. */
struct keys;

struct key {
	char kid[KEYS_KID_LEN + 1];
	uint8_t data[KEYS_BYTES_MAX]; /* ${len} bytes */
	size_t len;
	struct crypto_hmac *hmac; /* HMAC-SHA-256 with this key */
};

/*
 * Parse the setting JWT_KEYS, ${len} bytes of ${text}: a line `<kid> <base64url of the key>` a key,
 * with one space; kid is 1-32 of A-Za-z0-9._-; lines that begin with `#` and empty lines are
 * skipped.  The first key signs, all of them verify.  Every problem appends one line with its line
 * number, and nothing of what is secret, to ${problems}.  On success *${ret} is the caller's, to be
 * freed with keys_free(); on failure it is untouched.
 * ERR_MALFORMED if there was a problem, no key being one; ERR_NOMEM.
 */
MUST_CHECK enum err keys_parse(const char *text, size_t len, struct keys **ret,
                               struct buf *problems);

/* The key that signs.  Never NULL; lives as long as ${keys}. */
const struct key *keys_signer(const struct keys *keys);

/* The key named by ${len} bytes of ${kid}, or NULL.  Lives as long as ${keys}. */
const struct key *keys_find(const struct keys *keys, const char *kid, size_t len);

/* Wipe and free ${keys}, which may be NULL. */
void keys_free(struct keys *keys);

#endif
