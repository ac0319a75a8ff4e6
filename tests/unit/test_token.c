#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "token.h"

enum { IAT = 1767225600, NOW = IAT + 60 };

static struct keys *keys;
static struct token_rules rules = {
    .issuer = "imagegate", .audience = "imagegate", .lifetime = 3600};

/* The first token of the file of good ones: the one that PyJWT made and others check against. */
static char *published;

static FILE *open_vectors(const char *path)
{
	FILE *file = fopen(path, "re");

	if (file == NULL)
		fail_msg("cannot open %s", path);
	return file;
}

static void load_keys(void)
{
	FILE *file = open_vectors("tests/vectors/token/keys");
	struct buf problems = buf_new(1000);
	char text[1000];
	size_t len = fread(text, 1, sizeof(text), file);

	fclose(file);
	assert_int_equal(keys_parse(text, len, &keys, &problems), ERR_OK);
	assert_int_equal(problems.len, 0);
	rules.keys = keys;
}

/* Check a copy of exactly ${len} bytes, so that the sanitizer sees a read beyond them. */
static enum err check(const char *token, size_t len, int64_t now, struct claims *ret,
                      const char **ret_why)
{
	char *copy = malloc(len == 0 ? 1 : len);
	enum err err = ERR_OK;

	assert_non_null(copy);
	memcpy(copy, token, len);
	err = token_check(&rules, copy, len, now, ret, ret_why);
	free(copy);
	return err;
}

/* Refused, for a reason, and nothing was handed out.  Return the reason. */
static const char *refused(const char *token, size_t len, int64_t now)
{
	struct claims untouched;
	struct claims claims;
	const char *why = NULL;
	enum err err = ERR_OK;

	memset(&untouched, 0x5a, sizeof(untouched));
	claims = untouched;
	err = check(token, len, now, &claims, &why);
	if (err != ERR_TOKEN)
		fail_msg("error %d instead of %d for %.*s", (int)err, ERR_TOKEN, (int)len, token);
	assert_non_null(why);
	assert_memory_equal(&claims, &untouched, sizeof(claims));
	return why;
}

static int setup(void **state)
{
	FILE *file = open_vectors("tests/vectors/token/accepted");
	char line[8192];

	(void)state;
	load_keys();
	assert_non_null(fgets(line, sizeof(line), file));
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	published = strdup(strrchr(line, ' ') + 1);
	return published == NULL;
}

static int teardown(void **state)
{
	(void)state;
	keys_free(keys);
	free(published);
	return 0;
}

static void refused_vectors(void **state)
{
	FILE *file = open_vectors("tests/vectors/token/refused");
	char line[16384];
	int n = 0;

	(void)state;
	while (fgets(line, sizeof(line), file) != NULL) {
		char *rest = NULL;
		const char *now = strtok_r(line, " \n", &rest);
		const char *reason = strtok_r(NULL, " ", &rest);
		const char *name = strtok_r(NULL, " ", &rest);
		const char *token = strtok_r(NULL, "\n", &rest);
		const char *why = NULL;

		if (now[0] == '#')
			continue;
		assert_non_null(token);
		why = refused(token, strlen(token), strtoll(now, NULL, 10));
		if (strcmp(why, reason) != 0)
			fail_msg("%s: refused for %s, not for %s", name, why, reason);
		n++;
	}
	fclose(file);
	assert_true(n > 200);
}

static void every_bit_flipped(void **state)
{
	size_t len = strlen(published);

	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		published[bit / 8] = (char)(published[bit / 8] ^ 1 << bit % 8);
		(void)refused(published, len, NOW);
		published[bit / 8] = (char)(published[bit / 8] ^ 1 << bit % 8);
	}
}

static void every_byte_lost(void **state)
{
	size_t len = strlen(published);
	char *copy = malloc(len);

	(void)state;
	assert_non_null(copy);
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, published, i);
		(void)refused(copy, i, NOW);
		memcpy(copy + i, published + i + 1, len - i - 1);
		(void)refused(copy, len - 1, NOW);
	}
	free(copy);
}

static void every_byte_inserted(void **state)
{
	size_t len = strlen(published);
	char *copy = malloc(len + 1);

	(void)state;
	assert_non_null(copy);
	for (size_t i = 0; i <= len; i++) {
		for (int c = 0; c < 256; c += 7) {
			memcpy(copy, published, i);
			copy[i] = (char)c;
			memcpy(copy + i + 1, published + i, len - i);
			(void)refused(copy, len + 1, NOW);
		}
	}
	free(copy);
}

static void long_ones(void **state)
{
	enum { LEN = 100 * 1024 };
	char *text = malloc(LEN);
	size_t len = strlen(published);

	(void)state;
	assert_non_null(text);
	memset(text, 'A', LEN);
	assert_string_equal(refused(text, LEN, NOW), "malformed");
	memcpy(text, published, len);
	assert_string_equal(refused(text, LEN, NOW), "malformed");
	text[LEN / 3] = '.';
	text[LEN / 2] = '.';
	(void)refused(text, LEN, NOW);
	(void)refused(text, LIMIT_TOKEN, NOW);
	(void)refused(text, LIMIT_TOKEN + 1, NOW);
	memset(text, '.', LEN);
	(void)refused(text, LEN, NOW);
	(void)refused(text, 0, NOW);
	free(text);
}

/* A token that ends where the limit is, and one that is a byte longer, both well signed. */
static void length_limit(void **state)
{
	struct token_rules long_rules = rules;
	struct claims claims;
	const char *why = NULL;
	char *issuer = calloc(1, LIMIT_TOKEN);
	size_t seen = 0;

	(void)state;
	assert_non_null(issuer);
	memset(issuer, 'i', 2000);
	long_rules.issuer = issuer;
	assert_int_equal(token_claims(&rules, "0123456789abcdef", 0, NOW, NOW, &claims), ERR_OK);
	for (size_t len = 2000; seen <= LIMIT_TOKEN + 1; len++) {
		struct buf token = buf_new(2L * LIMIT_TOKEN);
		enum err err = ERR_OK;

		issuer[len] = 'i';
		assert_int_equal(token_sign(&long_rules, &claims, &token), ERR_OK);
		err = token_check(&long_rules, token.data, token.len, NOW, &claims, &why);
		assert_int_equal(err, token.len <= LIMIT_TOKEN ? ERR_OK : ERR_TOKEN);
		seen = token.len;
		buf_free(&token);
	}
	free(issuer);
}

static void other_rules(void **state)
{
	struct token_rules other = rules;
	struct claims claims;
	const char *why = NULL;
	size_t len = strlen(published);

	(void)state;
	other.lifetime = 3599;
	assert_int_equal(token_check(&other, published, len, NOW, &claims, &why), ERR_TOKEN);
	assert_string_equal(why, "claims");
	other = rules;
	other.issuer = "imagegat";
	assert_int_equal(token_check(&other, published, len, NOW, &claims, &why), ERR_TOKEN);
	other = rules;
	other.audience = "imagegate ";
	assert_int_equal(token_check(&other, published, len, NOW, &claims, &why), ERR_TOKEN);
	assert_string_equal(why, "claims");
	assert_int_equal(token_check(&rules, published, len, INT64_MIN, &claims, &why), ERR_TOKEN);
	assert_string_equal(why, "early");
}

static void accepted_vectors(void **state)
{
	FILE *file = open_vectors("tests/vectors/token/accepted");
	char line[16384];
	int n = 0;

	(void)state;
	while (fgets(line, sizeof(line), file) != NULL) {
		char *rest = NULL;
		const char *now = strtok_r(line, " \n", &rest);
		const char *name = strtok_r(NULL, " ", &rest);
		const char *token = strtok_r(NULL, "\n", &rest);
		const char *why = "none";
		struct claims claims;

		if (now[0] == '#')
			continue;
		assert_non_null(token);
		if (check(token, strlen(token), strtoll(now, NULL, 10), &claims, &why) != ERR_OK)
			fail_msg("%s: refused for %s", name, why);
		assert_string_equal(claims.sub, "0123456789abcdef");
		assert_string_equal(claims.jti, "00000000000000000000000000000001");
		assert_int_equal(claims.iat, IAT);
		assert_int_equal(claims.exp, IAT + 3600);
		n++;
	}
	fclose(file);
	assert_true(n > 10);
}

static void all_claims_are_read(void **state)
{
	struct claims in = {.sub = "vvvvvvvvvvvvvvvv",
	                    .jti = "0123456789abcdef0123456789abcdef",
	                    .iat = NOW,
	                    .exp = NOW + 3,
	                    .gen = 7,
	                    .auth_time = NOW - 9};
	struct claims out;
	struct buf token = buf_new(LIMIT_TOKEN);
	const char *why = NULL;

	(void)state;
	assert_int_equal(token_sign(&rules, &in, &token), ERR_OK);
	assert_int_equal(check(token.data, token.len, NOW, &out, &why), ERR_OK);
	assert_string_equal(out.sub, in.sub);
	assert_string_equal(out.jti, in.jti);
	assert_int_equal(out.iat, in.iat);
	assert_int_equal(out.exp, in.exp);
	assert_int_equal(out.gen, in.gen);
	assert_int_equal(out.auth_time, in.auth_time);
	buf_free(&token);
}

static void no_claims_for_what_is_no_account(void **state)
{
	static const char *const bad[] = {"",
	                                  "0123456789abcde",
	                                  "0123456789abcdef0",
	                                  "0123456789abcdeF",
	                                  "0123456789abcdew",
	                                  "../../../../etc/"};
	struct claims claims;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(token_claims(&rules, bad[i], 0, NOW, NOW, &claims), ERR_INTERNAL);
}

static void claims_are_new_each_time(void **state)
{
	struct claims a;
	struct claims b;

	(void)state;
	assert_int_equal(token_claims(&rules, "0123456789abcdef", 3, NOW - 1, NOW, &a), ERR_OK);
	assert_int_equal(token_claims(&rules, "0123456789abcdef", 3, NOW - 1, NOW, &b), ERR_OK);
	assert_string_not_equal(a.jti, b.jti);
	assert_int_equal(strspn(a.jti, "0123456789abcdef"), CLAIMS_JTI_LEN);
	assert_int_equal(a.iat, NOW);
	assert_int_equal(a.exp, NOW + 3600);
	assert_int_equal(a.gen, 3);
	assert_int_equal(a.auth_time, NOW - 1);
}

static void signing_into_too_little_room(void **state)
{
	struct claims claims;

	(void)state;
	assert_int_equal(token_claims(&rules, "0123456789abcdef", 0, NOW, NOW, &claims), ERR_OK);
	for (size_t max = 0; max < strlen(published); max += 5) {
		struct buf token = buf_new(max);

		assert_int_equal(token_sign(&rules, &claims, &token), ERR_TOO_LARGE);
		buf_free(&token);
	}
}

/* Byte for byte what PyJWT makes of the same claims, behind what the buffer held before. */
static void signs_as_published(void **state)
{
	struct claims claims = {.sub = "0123456789abcdef",
	                        .jti = "00000000000000000000000000000001",
	                        .iat = IAT,
	                        .exp = IAT + 3600,
	                        .auth_time = IAT};
	struct buf token = buf_new(LIMIT_TOKEN);

	(void)state;
	buf_puts(&token, "before:");
	assert_int_equal(token_sign(&rules, &claims, &token), ERR_OK);
	assert_memory_equal(token.data, "before:", 7);
	assert_string_equal(token.data + 7, published);
	buf_free(&token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refused_vectors),
	    cmocka_unit_test(every_bit_flipped),
	    cmocka_unit_test(every_byte_lost),
	    cmocka_unit_test(every_byte_inserted),
	    cmocka_unit_test(long_ones),
	    cmocka_unit_test(length_limit),
	    cmocka_unit_test(other_rules),
	    cmocka_unit_test(no_claims_for_what_is_no_account),
	    cmocka_unit_test(signing_into_too_little_room),
	    cmocka_unit_test(accepted_vectors),
	    cmocka_unit_test(all_claims_are_read),
	    cmocka_unit_test(claims_are_new_each_time),
	    cmocka_unit_test(signs_as_published),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
