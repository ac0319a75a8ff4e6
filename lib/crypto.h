#ifndef LIB_CRYPTO_H
#define LIB_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define CRYPTO_SHA256_LEN 32 /* bytes */

/* Fill ${data} with ${len} bytes from the system's cryptographic generator.
 * ERR_NOMEM, ERR_INTERNAL. */
MUST_CHECK enum err crypto_random(void *data, size_t len);

/* SHA-256 (FIPS 180-4) of ${len} bytes.  ERR_NOMEM, ERR_INTERNAL. */
MUST_CHECK enum err crypto_sha256(const void *data, size_t len, uint8_t digest[CRYPTO_SHA256_LEN]);

/* HMAC-SHA-256 (RFC 2104).  ERR_NOMEM, ERR_INTERNAL. */
MUST_CHECK enum err crypto_hmac_sha256(const void *key, size_t key_len, const void *data,
                                       size_t len, uint8_t mac[CRYPTO_SHA256_LEN]);

/* HMAC-SHA-256 with a key that is kept, so that a message does not pay for setting it up. */
struct crypto_hmac;

/* Keep the ${len} bytes of ${key}.  *${ret} is the caller's, for crypto_hmac_free().
 * ERR_NOMEM, ERR_INTERNAL. */
MUST_CHECK enum err crypto_hmac_new(const void *key, size_t len, struct crypto_hmac **ret);

/* HMAC-SHA-256 of ${len} bytes of ${data} with the kept key.  ERR_NOMEM, ERR_INTERNAL. */
MUST_CHECK enum err crypto_hmac_of(struct crypto_hmac *hmac, const void *data, size_t len,
                                   uint8_t mac[CRYPTO_SHA256_LEN]);

/* Wipe and free ${hmac}, which may be NULL. */
void crypto_hmac_free(struct crypto_hmac *hmac);

/* PBKDF2-HMAC-SHA-256 (RFC 8018 section 5.2) with ${rounds} iterations.
 * ERR_NOMEM, ERR_INTERNAL. */
MUST_CHECK enum err crypto_pbkdf2(const void *password, size_t password_len, const void *salt,
                                  size_t salt_len, uint32_t rounds, void *key, size_t key_len);

/*
 * Set *${ret} to when the first of the certificates in ${len} bytes of PEM ends (notAfter of RFC
 * 5280 section 4.1.2.5), in seconds since 1970.  ERR_MALFORMED: there is none, or what is no
 * certificate.  ERR_NOMEM, ERR_INTERNAL.
 */
MUST_CHECK enum err crypto_certificates_end(const void *pem, size_t len, int64_t *ret);

/* Whether ${len} bytes are the same, in a time that does not depend on where they differ. */
bool crypto_equal(const void *a, const void *b, size_t len);

/* Overwrite ${len} bytes in a way that no optimiser removes.  ${data} may be NULL if ${len} is 0.
 */
void crypto_wipe(void *data, size_t len);

#endif
