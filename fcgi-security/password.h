#ifndef FCGI_SECURITY_PASSWORD_H
#define FCGI_SECURITY_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * Password hashes in passlib's modular format `$pbkdf2-sha256$<rounds>$<salt>$<key>`: rounds in
 * decimal, salt and key in adapted base64 (ab64.h), the key being PBKDF2-HMAC-SHA-256 (RFC 8018
 * section 5.2) of the password.
 */

#define PASSWORD_ROUNDS_MIN 1000 /* RFC 8018 section 4.2 */
#define PASSWORD_ROUNDS_MAX                                                                        \
	9999999               /* some 1.5 s: a planted hash must not hold a worker for long        \
	                       */
#define PASSWORD_SALT_LEN  16 /* bytes */
#define PASSWORD_KEY_LEN   32 /* bytes: the output of SHA-256 */
#define PASSWORD_HASH_SIZE 96 /* characters with the NUL; 90 are used */

/* crypto_pbkdf2(), or what a test puts in its place to count rounds. */
typedef enum err password_derive(const void *password, size_t password_len, const void *salt,
                                 size_t salt_len, uint32_t rounds, void *key, size_t key_len);

/* What hashing costs. */
struct password_cost {
	uint32_t rounds; /* PASSWORD_ROUNDS_MIN..PASSWORD_ROUNDS_MAX */
	password_derive *derive;
};

/* A stored hash, taken apart. */
struct password_hash {
	uint32_t rounds;
	uint8_t salt[PASSWORD_SALT_LEN];
	uint8_t key[PASSWORD_KEY_LEN];
};

/*
 * Take ${text} apart into *${ret}, which is untouched on failure.  ERR_MALFORMED: it is not of the
 * format, rounds are outside their bounds or have a leading zero, salt or key have another length.
 */
MUST_CHECK enum err password_parse(const char *text, struct password_hash *ret);

/*
 * Write the hash of ${len} bytes of ${password} with a fresh salt to ${text}.  Takes about 0.15 s a
 * million rounds.  ERR_NOMEM, ERR_INTERNAL.
 */
MUST_CHECK enum err password_make(const struct password_cost *cost, const void *password,
                                  size_t len, char text[PASSWORD_HASH_SIZE]);

/*
 * Check ${len} bytes of ${password} against the hash ${stored}, NULL if there is no such account.
 * Whatever the outcome, at least ${cost}'s rounds are spent, and exactly as many unless ${stored}
 * has more: the time does not tell whether the account exists or how old its hash is. ERR_OK: it is
 * this password.  ERR_CREDENTIALS: it is not.  ERR_MALFORMED: it is not, ${stored} being no hash
 * that is understood.  ERR_NOMEM, ERR_INTERNAL.
 */
MUST_CHECK enum err password_check(const struct password_cost *cost, const void *password,
                                   size_t len, const char *stored);

/* Whether ${stored} is weaker than what password_make() makes now. */
bool password_outdated(const struct password_cost *cost, const char *stored);

#endif
