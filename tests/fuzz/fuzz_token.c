#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "crypto.h"
#include "identity.h"
#include "request.h"

/*
 * The first byte chooses.  An even one: the rest is the value of an Authorization header.  An odd
 * one: the rest is a header and a payload, divided by a newline, which are signed here, so that
 * what lies behind the signature is reached as well.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1767225660 };

static const uint8_t key[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
static struct token_rules rules = {
    .issuer = "imagegate", .audience = "imagegate", .lifetime = 3600};

static void must(int condition)
{
	if (!condition)
		abort();
}

static void put_base64url(struct buf *out, const uint8_t *data, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-_";
	uint32_t bits = 0;
	unsigned pending = 0;

	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | data[i]) & 0xffff;
		for (pending += 8; pending >= 6; pending -= 6)
			buf_put(out, &alphabet[bits >> (pending - 6) & 63], 1);
	}
	if (pending > 0)
		buf_put(out, &alphabet[bits << (6 - pending) & 63], 1);
}

/* `Bearer ` and a token of the ${size} bytes of header, newline and payload. */
static void sign(struct buf *header, const uint8_t *data, size_t size)
{
	const uint8_t *newline = size == 0 ? NULL : memchr(data, '\n', size);
	size_t first = newline == NULL ? size : (size_t)(newline - data);
	uint8_t mac[CRYPTO_SHA256_LEN];
	size_t start = 0;

	buf_puts(header, "Bearer ");
	start = header->len;
	put_base64url(header, data, first);
	buf_puts(header, ".");
	if (newline != NULL)
		put_base64url(header, newline + 1, size - first - 1);
	must(crypto_hmac_sha256(key, sizeof(key), header->data + start, header->len - start, mac) ==
	     ERR_OK);
	buf_puts(header, ".");
	put_base64url(header, mac, sizeof(mac));
}

/* What is accepted keeps the rules, and what we make of it again is accepted too. */
static void check_accepted(const struct claims *claims)
{
	struct buf token = buf_new(LIMIT_TOKEN);
	struct claims again;
	const char *why = NULL;

	must(request_account_ok(claims->sub));
	must(strlen(claims->jti) == CLAIMS_JTI_LEN);
	must(claims->exp > NOW && claims->exp > claims->iat && claims->exp - claims->iat <= 3600);
	must(claims->iat >= 0 && claims->iat <= NOW + TOKEN_LEEWAY);
	must(claims->auth_time >= 0 && claims->auth_time <= claims->iat && claims->gen >= 0);
	must(token_sign(&rules, claims, &token) == ERR_OK);
	must(token_check(&rules, token.data, token.len, NOW, &again, &why) == ERR_OK);
	must(again.gen == claims->gen && again.exp == claims->exp);
	must(strcmp(again.sub, claims->sub) == 0 && strcmp(again.jti, claims->jti) == 0);
	buf_free(&token);
}

/* The payload's own form and any other one of the same JSON are read alike: a space makes another.
 */
static void check_alike(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size == 0 ? NULL : memchr(data, '\n', size);
	const uint8_t *payload = newline == NULL ? data : newline + 1;
	size_t len = size - (size_t)(payload - data);
	struct buf spaced = buf_new(1 << 20);
	struct claims a;
	struct claims b;
	enum err err = ERR_OK;

	buf_puts(&spaced, " ");
	buf_put(&spaced, payload, len);
	must(buf_err(&spaced) == ERR_OK);
	err = claims_read(payload, len, rules.issuer, rules.audience, &a);
	must(claims_read((const uint8_t *)spaced.data, spaced.len, rules.issuer, rules.audience,
	                 &b) == err);
	if (err == ERR_OK)
		must(strcmp(a.sub, b.sub) == 0 && strcmp(a.jti, b.jti) == 0 && a.iat == b.iat &&
		     a.exp == b.exp && a.gen == b.gen && a.auth_time == b.auth_time);
	buf_free(&spaced);
}

static void load_keys(void)
{
	static const char text[] = "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
	static struct keys *keys;
	struct buf problems = buf_new(1000);

	must(keys_parse(text, sizeof(text) - 1, &keys, &problems) == ERR_OK);
	rules.keys = keys;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf header = buf_new(1 << 20);
	struct claims claims;
	const char *why = NULL;
	enum err err = ERR_OK;

	if (rules.keys == NULL)
		load_keys();
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0)
		buf_put(&header, data + 1, size - 1);
	else
		sign(&header, data + 1, size - 1);
	if (data[0] % 2 == 1)
		check_alike(data + 1, size - 1);
	must(buf_err(&header) == ERR_OK);
	err = identity_check(&rules, buf_str(&header), NOW, &claims, &why);
	must(err == ERR_OK || (err == ERR_TOKEN && why != NULL));
	if (err == ERR_OK)
		check_accepted(&claims);
	buf_free(&header);
	return 0;
}
