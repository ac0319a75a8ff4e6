#include <string.h>

#include "sigv4.h"

enum {
	CANONICAL_MAX = 4096, /* bytes of a canonical request; ours have about 600 */
	TO_SIGN_MAX = 512     /* bytes of a string to sign; ours have about 300 */
};

static void hex(const uint8_t digest[CRYPTO_SHA256_LEN], char text[SIGV4_SIGNATURE_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < CRYPTO_SHA256_LEN; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	text[SIGV4_SIGNATURE_LEN] = '\0';
}

static enum err sha256_hex(const void *data, size_t len, char text[SIGV4_SIGNATURE_LEN + 1])
{
	uint8_t digest[CRYPTO_SHA256_LEN];
	enum err err = crypto_sha256(data, len, digest);

	if (err != ERR_OK)
		return err;
	hex(digest, text);
	return ERR_OK;
}

/* Whether ${text} can be a part of a credential: graphic characters but for the two separators. */
static bool credential_ok(const char *text, size_t len)
{
	if (len == 0 || len > SIGV4_KEY_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '/' || text[i] == ',')
			return false;
	}
	return true;
}

void sigv4_check(const struct secret *access_key, const char *region, struct buf *problems)
{
	static const char rule[] = "must be graphic ASCII without slash and comma";

	if (access_key->data != NULL && !credential_ok(access_key->data, access_key->len))
		buf_printf(problems, "STORE_ACCESS_KEY: %s\n", rule);
	if (region != NULL && !credential_ok(region, strlen(region)))
		buf_printf(problems, "STORE_REGION: %s\n", rule);
}

enum err sigv4_init(struct sigv4 *sigv4, const struct secret *access_key,
                    const struct secret *secret_key, const char *region)
{
	if (!credential_ok(access_key->data, access_key->len) ||
	    !credential_ok(region, strlen(region)) || secret_key->len == 0 ||
	    secret_key->len > SIGV4_KEY_MAX)
		return ERR_MALFORMED;
	*sigv4 =
	    (struct sigv4){.access_key = access_key, .secret_key = secret_key, .region = region};
	return ERR_OK;
}

void sigv4_wipe(struct sigv4 *sigv4)
{
	crypto_wipe(sigv4->key, sizeof(sigv4->key));
	sigv4->day[0] = '\0';
}

void sigv4_date(time_t now, char date[SIGV4_DATE_LEN + 1])
{
	struct tm tm;

	(void)gmtime_r(&now, &tm);
	(void)strftime(date, SIGV4_DATE_LEN + 1, "%Y%m%dT%H%M%SZ", &tm);
}

void sigv4_uri_encode(struct buf *out, const char *text, bool keep_slash)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	while (*text != '\0') {
		size_t len = strspn(text, plain);

		buf_put(out, text, len);
		text += len;
		if (*text == '/' && keep_slash)
			buf_puts(out, "/");
		else if (*text != '\0')
			buf_printf(out, "%%%02X", (unsigned char)*text);
		text += *text != '\0';
	}
}

static const char *header_value(const struct sigv4_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_headers; i++) {
		if (strcmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	}
	return NULL;
}

static void put_signed_headers(struct buf *out, const struct sigv4_request *request)
{
	for (size_t i = 0; i < request->n_headers; i++) {
		buf_puts(out, i == 0 ? "" : ";");
		buf_puts(out, request->headers[i].name);
	}
}

/* The hash of the canonical request, in hexadecimal. */
static enum err canonical_hash(const struct sigv4_request *request, const char *payload,
                               char digest[SIGV4_SIGNATURE_LEN + 1])
{
	struct buf text = buf_new(CANONICAL_MAX);
	enum err err = ERR_OK;

	buf_printf(&text, "%s\n", request->method);
	sigv4_uri_encode(&text, request->path, true);
	buf_printf(&text, "\n%s\n", request->query);
	for (size_t i = 0; i < request->n_headers; i++)
		buf_printf(&text, "%s:%s\n", request->headers[i].name, request->headers[i].value);
	buf_puts(&text, "\n");
	put_signed_headers(&text, request);
	buf_printf(&text, "\n%s", payload);
	err = buf_err(&text);
	if (err == ERR_OK)
		err = sha256_hex(text.data, text.len, digest);
	buf_free(&text);
	return err;
}

static enum err hmac_text(uint8_t key[CRYPTO_SHA256_LEN], const char *text)
{
	uint8_t mac[CRYPTO_SHA256_LEN];
	enum err err = crypto_hmac_sha256(key, CRYPTO_SHA256_LEN, text, strlen(text), mac);

	memcpy(key, mac, sizeof(mac));
	crypto_wipe(mac, sizeof(mac));
	return err;
}

/* Make ${sigv4->key} the signing key of ${day}: three quarters of the work of signing. */
static enum err derive_key(struct sigv4 *sigv4, const char *day)
{
	char secret[4 + SIGV4_KEY_MAX] = "AWS4";
	size_t len = sigv4->secret_key->len;
	enum err err = ERR_OK;

	if (strcmp(day, sigv4->day) == 0)
		return ERR_OK;
	sigv4_wipe(sigv4);
	memcpy(secret + 4, sigv4->secret_key->data, len);
	err = crypto_hmac_sha256(secret, 4 + len, day, strlen(day), sigv4->key);
	if (err == ERR_OK)
		err = hmac_text(sigv4->key, sigv4->region);
	if (err == ERR_OK)
		err = hmac_text(sigv4->key, "s3");
	if (err == ERR_OK)
		err = hmac_text(sigv4->key, "aws4_request");
	if (err == ERR_OK)
		memcpy(sigv4->day, day, sizeof(sigv4->day));
	crypto_wipe(secret, sizeof(secret));
	return err;
}

/* Set ${day} to the first part of the x-amz-date ${date}. */
static enum err day_of(const char *date, char day[9])
{
	if (strlen(date) != SIGV4_DATE_LEN)
		return ERR_INTERNAL;
	memcpy(day, date, 8);
	day[8] = '\0';
	return ERR_OK;
}

/* Sign ${rest}, which follows algorithm, date and scope in the string to sign. */
static enum err sign(struct sigv4 *sigv4, const char *algorithm, const char *date, const char *rest,
                     char signature[SIGV4_SIGNATURE_LEN + 1])
{
	struct buf text = buf_new(TO_SIGN_MAX);
	uint8_t mac[CRYPTO_SHA256_LEN];
	char day[9];
	enum err err = day_of(date, day);

	if (err == ERR_OK)
		err = derive_key(sigv4, day);
	if (err != ERR_OK)
		goto out;
	buf_printf(&text, "%s\n%s\n%s/%s/s3/aws4_request\n%s", algorithm, date, day, sigv4->region,
	           rest);
	err = buf_err(&text);
	if (err == ERR_OK)
		err = crypto_hmac_sha256(sigv4->key, sizeof(sigv4->key), text.data, text.len, mac);
	if (err == ERR_OK)
		hex(mac, signature);
out:
	buf_free(&text);
	return err;
}

enum err sigv4_sign(struct sigv4 *sigv4, const struct sigv4_request *request,
                    struct buf *authorization, char signature[SIGV4_SIGNATURE_LEN + 1])
{
	const char *payload = header_value(request, "x-amz-content-sha256");
	const char *date = header_value(request, "x-amz-date");
	char digest[SIGV4_SIGNATURE_LEN + 1];
	enum err err = ERR_OK;

	if (payload == NULL || date == NULL || header_value(request, "host") == NULL)
		return ERR_INTERNAL;
	err = canonical_hash(request, payload, digest);
	if (err == ERR_OK)
		err = sign(sigv4, "AWS4-HMAC-SHA256", date, digest, signature);
	if (err != ERR_OK)
		return err;
	buf_printf(authorization, "AWS4-HMAC-SHA256 Credential=%s/%s/%s/s3/aws4_request,",
	           sigv4->access_key->data, sigv4->day, sigv4->region);
	buf_puts(authorization, "SignedHeaders=");
	put_signed_headers(authorization, request);
	buf_printf(authorization, ",Signature=%s", signature);
	return buf_err(authorization);
}

enum err sigv4_chunk(struct sigv4 *sigv4, const char *date, const void *data, size_t len,
                     char signature[SIGV4_SIGNATURE_LEN + 1])
{
	static const char nothing[] = "\n" SIGV4_EMPTY_SHA256 "\n";
	char rest[SIGV4_SIGNATURE_LEN + sizeof(nothing) - 1 + SIGV4_SIGNATURE_LEN + 1];
	enum err err = ERR_OK;

	memcpy(rest, signature, SIGV4_SIGNATURE_LEN);
	memcpy(rest + SIGV4_SIGNATURE_LEN, nothing, sizeof(nothing) - 1);
	err = sha256_hex(data, len, rest + SIGV4_SIGNATURE_LEN + sizeof(nothing) - 1);
	if (err != ERR_OK)
		return err;
	return sign(sigv4, "AWS4-HMAC-SHA256-PAYLOAD", date, rest, signature);
}
