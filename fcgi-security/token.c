#include <errno.h>
#include <jwt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "base64url.h"
#include "crypto.h"
#include "flatjson.h"
#include "request.h"
#include "token.h"

/* A compact JWS (RFC 7515 section 7.1) taken apart; everything points into the token. */
struct jws {
	const char *text; /* all of it */
	size_t len;
	const char *header;
	size_t header_len;
	const char *payload;
	size_t payload_len;
	size_t signed_len; /* of ${text}: header, dot, payload */
	bool own_header;   /* the header is, to the byte, the one that we write */
	uint8_t mac[CRYPTO_SHA256_LEN];
};

enum { ARENA_BASE = 16384, ARENA_PER_BYTE = 128 };

/* The header that we write is a kid between these two.  No kid has a character to be escaped. */
#define HEADER_BEGIN "{\"alg\":\"HS256\",\"kid\":\""
#define HEADER_END   "\",\"typ\":\"JWT\"}"

/* ---- signing ---- */

/* Append ${len} bytes as base64url without padding (RFC 7515 section 2). */
static void put_base64url(struct buf *out, const void *data, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-_";
	const uint8_t *at = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)at[i] << 16;
		char text[4];

		if (n > 1)
			bits |= (uint32_t)at[i + 1] << 8;
		if (n > 2)
			bits |= at[i + 2];
		for (size_t j = 0; j < sizeof(text); j++)
			text[j] = alphabet[bits >> (18 - 6 * j) & 63];
		buf_put(out, text, n + 1);
	}
}

static void put_header(struct buf *json, const struct key *key)
{
	buf_puts(json, HEADER_BEGIN);
	buf_puts(json, key->kid);
	buf_puts(json, HEADER_END);
}

enum err token_claims(const struct token_rules *rules, const char *sub, int64_t gen,
                      int64_t auth_time, int64_t now, struct claims *ret)
{
	struct claims claims = {
	    .iat = now, .exp = now + rules->lifetime, .gen = gen, .auth_time = auth_time};
	uint8_t random[CLAIMS_JTI_LEN / 2];
	enum err err =
	    request_account_ok(sub) ? crypto_random(random, sizeof(random)) : ERR_INTERNAL;

	if (err != ERR_OK)
		return err;
	memcpy(claims.sub, sub, sizeof(claims.sub));
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(claims.jti + 2 * i, 3, "%02x", random[i]);
	*ret = claims;
	return ERR_OK;
}

/*
 * By our own crypto, not by libjwt's encoder: that one dereferences NULL when memory runs out, and
 * reads beyond its buffer when OpenSSL's HMAC() fails, whose result it does not look at.
 */
enum err token_sign(const struct token_rules *rules, const struct claims *claims, struct buf *token)
{
	const struct key *key = keys_signer(rules->keys);
	struct buf json = buf_new(LIMIT_TOKEN);
	uint8_t mac[CRYPTO_SHA256_LEN];
	size_t start = token->len;
	enum err err = ERR_OK;

	put_header(&json, key);
	put_base64url(token, buf_str(&json), json.len);
	buf_puts(token, ".");
	err = buf_err(&json);
	if (err != ERR_OK)
		goto out;
	buf_clear(&json);
	claims_write(&json, rules->issuer, rules->audience, claims);
	put_base64url(token, buf_str(&json), json.len);
	err = buf_err(&json);
	if (err != ERR_OK)
		goto out;
	err = buf_err(token);
	if (err != ERR_OK)
		goto out;
	err = crypto_hmac_of(key->hmac, token->data + start, token->len - start, mac);
	if (err != ERR_OK)
		goto out;
	buf_puts(token, ".");
	put_base64url(token, mac, sizeof(mac));
	err = buf_err(token);
out:
	buf_free(&json);
	return err;
}

/* ---- checking ---- */

/* Split ${len} bytes of ${text} at their two dots and decode the signature. */
static enum err split(const char *text, size_t len, struct jws *jws)
{
	const char *end = text + len;
	const char *first = NULL;
	const char *second = NULL;
	size_t mac_len = 0;

	if (len > LIMIT_TOKEN)
		return ERR_TOKEN;
	first = memchr(text, '.', len);
	if (first == NULL)
		return ERR_TOKEN;
	second = memchr(first + 1, '.', (size_t)(end - first - 1));
	if (second == NULL)
		return ERR_TOKEN;
	*jws = (struct jws){.text = text, .len = len, .header = text, .payload = first + 1};
	jws->header_len = (size_t)(first - text);
	jws->payload_len = (size_t)(second - jws->payload);
	jws->signed_len = (size_t)(second - text);
	if (base64url_decode(second + 1, (size_t)(end - second - 1), jws->mac, sizeof(jws->mac),
	                     &mac_len) != ERR_OK ||
	    mac_len != sizeof(jws->mac))
		return ERR_TOKEN;
	return ERR_OK;
}

/* The key of a header that is, to the byte, the one that we write, or NULL for any other header. */
static const struct key *own_key(const uint8_t *header, size_t len, const struct keys *keys)
{
	size_t begin = strlen(HEADER_BEGIN);
	size_t end = strlen(HEADER_END);

	if (len < begin + end || memcmp(header, HEADER_BEGIN, begin) != 0 ||
	    memcmp(header + len - end, HEADER_END, end) != 0)
		return NULL;
	return keys_find(keys, (const char *)header + begin, len - begin - end);
}

/* Find the key that the header (RFC 7515 section 4) names. */
static enum err find_key(struct jws *jws, const struct keys *keys, const struct key **ret,
                         const char **why)
{
	uint8_t header[LIMIT_TOKEN];
	struct flatjson *json = NULL;
	const char *malformed = NULL;
	const char *kid = NULL;
	size_t header_len = 0;
	size_t kid_len = 0;
	enum err err = ERR_OK;

	*why = "header";
	if (base64url_decode(jws->header, jws->header_len, header, sizeof(header), &header_len) !=
	    ERR_OK)
		return ERR_TOKEN;
	*ret = own_key(header, header_len, keys);
	jws->own_header = *ret != NULL;
	if (jws->own_header)
		return ERR_OK;
	err = flatjson_parse(header, header_len, &json, &malformed);
	if (err != ERR_OK)
		return err == ERR_MALFORMED ? ERR_TOKEN : err;
	kid = flatjson_string(json, "kid", &kid_len);
	if (!flatjson_is(json, "alg", "HS256") || kid == NULL) {
		err = ERR_TOKEN;
		goto out;
	}
	*why = "key";
	*ret = keys_find(keys, kid, kid_len);
	if (*ret == NULL)
		err = ERR_TOKEN;
out:
	flatjson_free(json);
	return err;
}

/* Check the signature by our own crypto; see confirm() for why not by libjwt alone. */
static enum err verify(const struct jws *jws, const struct key *key)
{
	uint8_t mac[CRYPTO_SHA256_LEN];
	enum err err = crypto_hmac_of(key->hmac, jws->text, jws->signed_len, mac);

	if (err != ERR_OK)
		return err;
	return crypto_equal(mac, jws->mac, sizeof(mac)) ? ERR_OK : ERR_TOKEN;
}

/* Read the payload. */
static enum err read_payload(const struct jws *jws, const struct token_rules *rules,
                             struct claims *ret)
{
	uint8_t payload[LIMIT_TOKEN];
	size_t len = 0;

	if (base64url_decode(jws->payload, jws->payload_len, payload, sizeof(payload), &len) !=
	    ERR_OK)
		return ERR_TOKEN;
	return claims_read(payload, len, rules->issuer, rules->audience, ret);
}

/* No number in ${claims} is negative, so that none of the differences overflows. */
static enum err check_times(const struct claims *claims, int64_t lifetime, int64_t now,
                            const char **why)
{
	*why = "claims";
	if (claims->exp <= claims->iat || claims->exp - claims->iat > lifetime ||
	    claims->auth_time > claims->iat)
		return ERR_TOKEN;
	*why = "early";
	if (claims->iat - TOKEN_LEEWAY > now)
		return ERR_TOKEN;
	*why = "expired";
	return claims->exp > now ? ERR_OK : ERR_TOKEN;
}

/* Whether the header has no member ${name} of whatever type. */
static bool header_absent(jwt_t *jwt, const char *name)
{
	char *json = jwt_get_headers_json(jwt, name);

	if (json == NULL)
		return errno == EINVAL;
	jwt_free_str(json);
	return false;
}

/*
 * libjwt has to agree about a header that we did not write: one that we did has the algorithm and
 * the type that are wanted and nothing critical, to the byte.  It comes last, and for tokens that
 * are known to be ours, because it takes any base64, any JSON and any HMAC algorithm, lets the last
 * of two equal names win, and compares with what is left on its stack when OpenSSL's HMAC() fails.
 */
static enum err agree(const struct jws *jws, const struct key *key)
{
	char text[LIMIT_TOKEN + 1];
	jwt_t *jwt = NULL;
	const char *typ = NULL;
	enum err err = ERR_OK;

	memcpy(text, jws->text, jws->len);
	text[jws->len] = '\0';
	/* Form and signature are good: only memory can be missing, which it does not always say. */
	if (jwt_decode(&jwt, text, key->data, (int)key->len) != 0)
		return ERR_NOMEM;
	typ = jwt_get_header(jwt, "typ");
	if (jwt_get_alg(jwt) != JWT_ALG_HS256 || !header_absent(jwt, "crit") ||
	    (typ == NULL ? !header_absent(jwt, "typ") : strcmp(typ, "JWT") != 0))
		err = ERR_TOKEN;
	jwt_free(jwt);
	return err;
}

/* agree() in an arena: of libjwt's memory most is jansson's; see flatjson.c for why and how much.
 */
static enum err confirm(const struct jws *jws, const struct key *key)
{
	struct arena arena = {0};
	enum err err = arena_open(&arena, ARENA_BASE + ARENA_PER_BYTE * jws->len);

	if (err != ERR_OK)
		return err;
	(void)jwt_set_alloc(arena_hook_malloc, arena_hook_realloc, arena_hook_free);
	err = agree(jws, key);
	(void)jwt_set_alloc(NULL, NULL, NULL);
	arena_close();
	arena_free(&arena);
	return err;
}

/* The steps of token_check(); *${why} is the one that is being taken. */
static enum err check(const struct token_rules *rules, const char *token, size_t len, int64_t now,
                      struct claims *claims, const char **why)
{
	const struct key *key = NULL;
	struct jws jws;
	enum err err = ERR_OK;

	*why = "malformed";
	err = split(token, len, &jws);
	if (err != ERR_OK)
		return err;
	err = find_key(&jws, rules->keys, &key, why);
	if (err != ERR_OK)
		return err;
	*why = "signature";
	err = verify(&jws, key);
	if (err != ERR_OK)
		return err;
	*why = "claims";
	err = read_payload(&jws, rules, claims);
	if (err != ERR_OK)
		return err;
	err = check_times(claims, rules->lifetime, now, why);
	if (err != ERR_OK)
		return err;
	*why = "header";
	return jws.own_header ? ERR_OK : confirm(&jws, key);
}

enum err token_check(const struct token_rules *rules, const char *token, size_t len, int64_t now,
                     struct claims *ret, const char **ret_why)
{
	struct claims claims = {0};
	const char *why = NULL;
	enum err err = check(rules, token, len, now, &claims, &why);

	if (err != ERR_OK) {
		*ret_why = err == ERR_NOMEM ? "memory" : why;
		return err;
	}
	*ret = claims;
	return ERR_OK;
}
