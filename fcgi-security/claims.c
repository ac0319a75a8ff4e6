#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "claims.h"
#include "flatjson.h"

enum { DIGITS_MAX = 18 }; /* of a number that cannot overflow */

void claims_write(struct buf *json, const char *issuer, const char *audience,
                  const struct claims *claims)
{
	buf_puts(json, "{\"iss\":");
	buf_jsons(json, issuer);
	buf_puts(json, ",\"aud\":");
	buf_jsons(json, audience);
	buf_puts(json, ",\"sub\":");
	buf_jsons(json, claims->sub);
	buf_printf(json, ",\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"jti\":", claims->iat,
	           claims->exp);
	buf_jsons(json, claims->jti);
	buf_printf(json, ",\"gen\":%" PRId64 ",\"auth_time\":%" PRId64 "}", claims->gen,
	           claims->auth_time);
}

/* Copy ${len} characters 0-9 and a-${last}, and a NUL. */
static bool copy_word(const char *text, size_t len, char last, char *ret)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= last))
			return false;
		ret[i] = c;
	}
	ret[len] = '\0';
	return true;
}

/* ---- the form that claims_write() gives ---- */

/* What is still to be read of a text. */
struct rest {
	const char *at;
	size_t len;
};

static void move(struct rest *rest, size_t len)
{
	rest->at += len;
	rest->len -= len;
}

/* Pass over ${expected}, if that comes next. */
static bool pass(struct rest *rest, const char *expected)
{
	size_t len = strlen(expected);

	if (rest->len < len || memcmp(rest->at, expected, len) != 0)
		return false;
	move(rest, len);
	return true;
}

/* Pass over the string ${expected}; none of which a character might be written in another way. */
static bool pass_string(struct rest *rest, const char *expected)
{
	for (const char *c = expected; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
			return false;
	}
	return pass(rest, "\"") && pass(rest, expected) && pass(rest, "\"");
}

static bool take_word(struct rest *rest, size_t len, char last, char *ret)
{
	if (rest->len < len || !copy_word(rest->at, len, last, ret))
		return false;
	move(rest, len);
	return true;
}

/* Take a number as JSON has it (RFC 8259 section 6): no zero before another digit. */
static bool take_number(struct rest *rest, int64_t *ret)
{
	int64_t number = 0;
	size_t n = 0;

	for (; n < rest->len && rest->at[n] >= '0' && rest->at[n] <= '9'; n++) {
		if (n == DIGITS_MAX)
			return false;
		number = 10 * number + (rest->at[n] - '0');
	}
	if (n == 0 || (rest->at[0] == '0' && n > 1))
		return false;
	*ret = number;
	move(rest, n);
	return true;
}

static bool read_own(struct rest rest, const char *issuer, const char *audience, struct claims *ret)
{
	return pass(&rest, "{\"iss\":") && pass_string(&rest, issuer) && pass(&rest, ",\"aud\":") &&
	       pass_string(&rest, audience) && pass(&rest, ",\"sub\":\"") &&
	       take_word(&rest, ACCOUNT_ID_LEN, 'v', ret->sub) && pass(&rest, "\",\"iat\":") &&
	       take_number(&rest, &ret->iat) && pass(&rest, ",\"exp\":") &&
	       take_number(&rest, &ret->exp) && pass(&rest, ",\"jti\":\"") &&
	       take_word(&rest, CLAIMS_JTI_LEN, 'f', ret->jti) && pass(&rest, "\",\"gen\":") &&
	       take_number(&rest, &ret->gen) && pass(&rest, ",\"auth_time\":") &&
	       take_number(&rest, &ret->auth_time) && pass(&rest, "}") && rest.len == 0;
}

/* ---- any form ---- */

/* Copy the string claim ${name}, which must have ${len} characters 0-9 and a-${last}. */
static bool get_word(const struct flatjson *json, const char *name, size_t len, char last,
                     char *ret)
{
	size_t text_len = 0;
	const char *text = flatjson_string(json, name, &text_len);

	return text != NULL && text_len == len && copy_word(text, len, last, ret);
}

/* Set *${ret} to the integer claim ${name}, which must not be negative. */
static bool get_number(const struct flatjson *json, const char *name, int64_t *ret)
{
	return flatjson_integer(json, name, ret) == ERR_OK && *ret >= 0;
}

static enum err read_any(const uint8_t *text, size_t len, const char *issuer, const char *audience,
                         struct claims *ret)
{
	struct flatjson *json = NULL;
	const char *why = NULL;
	enum err err = flatjson_parse(text, len, &json, &why);

	if (err != ERR_OK)
		return err == ERR_MALFORMED ? ERR_TOKEN : err;
	if (!flatjson_is(json, "iss", issuer) || !flatjson_is(json, "aud", audience) ||
	    !get_word(json, "sub", ACCOUNT_ID_LEN, 'v', ret->sub) ||
	    !get_word(json, "jti", CLAIMS_JTI_LEN, 'f', ret->jti) ||
	    !get_number(json, "iat", &ret->iat) || !get_number(json, "exp", &ret->exp) ||
	    !get_number(json, "gen", &ret->gen) ||
	    !get_number(json, "auth_time", &ret->auth_time) || flatjson_has(json, "nbf"))
		err = ERR_TOKEN;
	flatjson_free(json);
	return err;
}

enum err claims_read(const uint8_t *json, size_t len, const char *issuer, const char *audience,
                     struct claims *ret)
{
	struct claims claims;
	enum err err = ERR_OK;

	if (!read_own((struct rest){(const char *)json, len}, issuer, audience, &claims))
		err = read_any(json, len, issuer, audience, &claims);
	if (err == ERR_OK)
		*ret = claims;
	return err;
}
