#include <limits.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <time.h>

#include "crypto.h"

/* What made OpenSSL fail: it queues its reasons, unless there is no memory for the queue itself. */
static enum err failure(void)
{
	unsigned long reason = ERR_get_error();
	enum err err = reason == 0 ? ERR_NOMEM : ERR_INTERNAL;

	for (; reason != 0; reason = ERR_get_error()) {
		if (ERR_GET_REASON(reason) == ERR_R_MALLOC_FAILURE)
			err = ERR_NOMEM;
	}
	return err;
}

enum err crypto_random(void *data, size_t len)
{
	if (len > INT_MAX)
		return ERR_INTERNAL;
	ERR_clear_error();
	return RAND_bytes(data, (int)len) == 1 ? ERR_OK : failure();
}

enum err crypto_sha256(const void *data, size_t len, uint8_t digest[CRYPTO_SHA256_LEN])
{
	ERR_clear_error();
	return EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) == 1 ? ERR_OK : failure();
}

enum err crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                            uint8_t mac[CRYPTO_SHA256_LEN])
{
	if (key_len > INT_MAX)
		return ERR_INTERNAL;
	ERR_clear_error();
	if (HMAC(EVP_sha256(), key, (int)key_len, data, len, mac, NULL) == NULL)
		return failure();
	return ERR_OK;
}

/* The library's context is the object; the name is only ours. */
enum err crypto_hmac_new(const void *key, size_t len, struct crypto_hmac **ret)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = NULL;
	EVP_MAC *mac = NULL;

	ERR_clear_error();
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (mac == NULL)
		return failure();
	ctx = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (ctx == NULL || EVP_MAC_init(ctx, key, len, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		return failure();
	}
	*ret = (struct crypto_hmac *)ctx;
	return ERR_OK;
}

enum err crypto_hmac_of(struct crypto_hmac *hmac, const void *data, size_t len,
                        uint8_t mac[CRYPTO_SHA256_LEN])
{
	EVP_MAC_CTX *ctx = (EVP_MAC_CTX *)hmac;
	size_t mac_len = 0;

	ERR_clear_error();
	/* Without a key: begin again with the one that is kept. */
	if (EVP_MAC_init(ctx, NULL, 0, NULL) != 1 || EVP_MAC_update(ctx, data, len) != 1 ||
	    EVP_MAC_final(ctx, mac, &mac_len, CRYPTO_SHA256_LEN) != 1 ||
	    mac_len != CRYPTO_SHA256_LEN)
		return failure();
	return ERR_OK;
}

void crypto_hmac_free(struct crypto_hmac *hmac)
{
	EVP_MAC_CTX_free((EVP_MAC_CTX *)hmac);
}

enum err crypto_pbkdf2(const void *password, size_t password_len, const void *salt, size_t salt_len,
                       uint32_t rounds, void *key, size_t key_len)
{
	if (password_len > INT_MAX || salt_len > INT_MAX || rounds > INT_MAX || key_len > INT_MAX)
		return ERR_INTERNAL;
	ERR_clear_error();
	if (PKCS5_PBKDF2_HMAC(password, (int)password_len, salt, (int)salt_len, (int)rounds,
	                      EVP_sha256(), (int)key_len, key) != 1)
		return failure();
	return ERR_OK;
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

/* The end of ${certificate} as for crypto_certificates_end(). */
static enum err end_of(const X509 *certificate, int64_t *ret)
{
	struct tm end;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
		return ERR_MALFORMED;
	*ret = timegm(&end);
	return ERR_OK;
}

enum err crypto_certificates_end(const void *pem, size_t len, int64_t *ret)
{
	static char no_password[] = ""; /* or OpenSSL would ask the terminal for one */
	int64_t first = INT64_MAX;
	enum err err = ERR_OK;
	X509 *certificate = NULL;
	BIO *text = NULL;

	if (len > INT_MAX)
		return ERR_INTERNAL;
	ERR_clear_error();
	text = BIO_new_mem_buf(pem, (int)len);
	if (text == NULL)
		return failure();
	while (err == ERR_OK &&
	       (certificate = PEM_read_bio_X509(text, NULL, NULL, no_password)) != NULL) {
		int64_t end = 0;

		err = end_of(certificate, &end);
		first = end < first ? end : first;
		X509_free(certificate);
	}
	BIO_free(text);
	if (err != ERR_OK)
		return err;
	/* What ends the loop at the end of the text is that no further certificate begins. */
	if (first == INT64_MAX || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return failure() == ERR_NOMEM ? ERR_NOMEM : ERR_MALFORMED;
	ERR_clear_error();
	*ret = first;
	return ERR_OK;
}

void crypto_wipe(void *data, size_t len)
{
	if (len > 0)
		OPENSSL_cleanse(data, len);
}
