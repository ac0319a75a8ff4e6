#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "claims.h"

/* What claims_write() gives, and what it says. */
static const char own[] =
    "{\"iss\":\"imagegate\",\"aud\":\"imagegate\",\"sub\":\"0123456789abcdev\",\"iat\":1767225600,"
    "\"exp\":1767229200,\"jti\":\"00000000000000000000000000000abf\",\"gen\":7,\"auth_time\":0}";
static const struct claims said = {.sub = "0123456789abcdev",
                                   .jti = "00000000000000000000000000000abf",
                                   .iat = 1767225600,
                                   .exp = 1767229200,
                                   .gen = 7};

/* Read a copy of exactly ${len} bytes, so that the sanitizer sees a read beyond them. */
static enum err read_copy(const char *json, size_t len, const char *issuer, struct claims *ret)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	enum err err = ERR_OK;

	assert_non_null(copy);
	memcpy(copy, json, len);
	err = claims_read(copy, len, issuer, "imagegate", ret);
	free(copy);
	return err;
}

static void assert_same(const struct claims *a, const struct claims *b)
{
	assert_string_equal(a->sub, b->sub);
	assert_string_equal(a->jti, b->jti);
	assert_int_equal(a->iat, b->iat);
	assert_int_equal(a->exp, b->exp);
	assert_int_equal(a->gen, b->gen);
	assert_int_equal(a->auth_time, b->auth_time);
}

/* Both ways of reading agree: a space in front changes nothing but the way.  Return the outcome. */
static enum err read_both(const char *json, size_t len, const char *issuer)
{
	char *spaced = malloc(len + 1);
	struct claims claims = {0};
	struct claims other = {0};
	enum err err = read_copy(json, len, issuer, &claims);
	enum err other_err = ERR_OK;

	assert_non_null(spaced);
	spaced[0] = ' ';
	memcpy(spaced + 1, json, len);
	other_err = read_copy(spaced, len + 1, issuer, &other);
	if (err != other_err)
		fail_msg("%d and %d for %.*s", (int)err, (int)other_err, (int)len, json);
	assert_same(&claims, &other);
	free(spaced);
	return err;
}

static void every_byte_changed(void **state)
{
	size_t len = strlen(own);
	char text[sizeof(own)];

	(void)state;
	for (size_t i = 0; i < len; i++) {
		memcpy(text, own, sizeof(text));
		for (int c = 0; c < 256; c++) {
			text[i] = (char)c;
			(void)read_both(text, len, "imagegate");
		}
	}
}

static void every_byte_lost(void **state)
{
	size_t len = strlen(own);
	char text[sizeof(own)];

	(void)state;
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(read_both(own, i, "imagegate"), ERR_TOKEN);
		memcpy(text, own, i);
		memcpy(text + i, own + i + 1, len - i);
		(void)read_both(text, len - 1, "imagegate");
	}
}

static void every_byte_inserted(void **state)
{
	static const char inserted[] = "0179af{}\",:\\ \n-+.e\xff";
	size_t len = strlen(own);
	char text[sizeof(own) + 1];

	(void)state;
	for (size_t i = 0; i <= len; i++) {
		memcpy(text, own, i);
		memcpy(text + i + 1, own + i, len - i);
		for (size_t k = 0; k < sizeof(inserted); k++) {
			text[i] = inserted[k];
			(void)read_both(text, len + 1, "imagegate");
		}
	}
}

/* ${own} with ${old}, which it has, replaced. */
static enum err read_changed(const char *old, const char *new)
{
	const char *at = strstr(own, old);
	char text[sizeof(own) + 100];
	int n = 0;

	assert_non_null(at);
	n = snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - own), own, new, at + strlen(old));
	return read_both(text, (size_t)n, "imagegate");
}

static void numbers(void **state)
{
	(void)state;
	assert_int_equal(read_changed(":7,", ":-7,"), ERR_TOKEN);
	assert_int_equal(read_changed(":7,", ":07,"), ERR_TOKEN);
	assert_int_equal(read_changed(":7,", ":7.0,"), ERR_TOKEN);
	assert_int_equal(read_changed(":7,", ":7e0,"), ERR_TOKEN);
	assert_int_equal(read_changed(":7,", ":,"), ERR_TOKEN);
	assert_int_equal(read_changed(":7,", ":\"7\","), ERR_TOKEN);
	assert_int_equal(read_changed(":7,", ":9223372036854775808,"), ERR_TOKEN);
	assert_int_equal(read_changed(":7,", ":9223372036854775807,"), ERR_OK);
	assert_int_equal(read_changed(":7,", ":1000000000000000000,"), ERR_OK);
	assert_int_equal(read_changed(":7,", ":999999999999999999,"), ERR_OK);
	assert_int_equal(read_changed("}", ",\"gen\":8}"), ERR_TOKEN);
	assert_int_equal(read_changed("}", ",\"more\":8}"), ERR_OK);
}

/* An issuer that would say something else to JSON than to a comparison of bytes. */
static void issuers(void **state)
{
	static const char *const odd[] = {"a\",\"aud\":\"imagegate", "a\\b", "a\nb", "\xc3\xa4",
	                                  "\xff"};

	(void)state;
	assert_int_equal(read_both(own, strlen(own), "imagegat"), ERR_TOKEN);
	assert_int_equal(read_both(own, strlen(own), "imagegate "), ERR_TOKEN);
	assert_int_equal(read_both(own, strlen(own), ""), ERR_TOKEN);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct buf json = buf_new(1000);

		buf_printf(&json, "{\"iss\":\"%s%s", odd[i],
		           strstr(own, "\",\"aud\":\"imagegate\",\"sub\""));
		/* Unescaped it is refused, or means the same. */
		assert_int_equal(read_both(json.data, json.len, odd[i]),
		                 i == 3 ? ERR_OK : ERR_TOKEN);
		buf_free(&json);
	}
	for (size_t i = 0; i < 4; i++) {
		struct buf json = buf_new(1000);

		claims_write(&json, odd[i], "imagegate", &said);
		assert_int_equal(read_both(json.data, json.len, odd[i]), ERR_OK);
		buf_free(&json);
	}
}

static void written_and_read(void **state)
{
	struct buf json = buf_new(1000);
	struct claims claims;

	(void)state;
	claims_write(&json, "imagegate", "imagegate", &said);
	assert_string_equal(buf_str(&json), own);
	assert_int_equal(read_both(own, strlen(own), "imagegate"), ERR_OK);
	assert_int_equal(read_copy(own, strlen(own), "imagegate", &claims), ERR_OK);
	assert_same(&claims, &said);
	buf_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_byte_changed),
	    cmocka_unit_test(every_byte_lost),
	    cmocka_unit_test(every_byte_inserted),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(issuers),
	    cmocka_unit_test(written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
