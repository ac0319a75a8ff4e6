#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "keys.h"

#define K32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" /* bytes 00 to 1f */
#define K31 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg"

static const char kid32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ01._-z";

/* Parse a copy of exactly ${len} bytes; it must be refused with the ${lines} of problems. */
static void refused(const char *text, size_t len, const char *lines)
{
	struct buf problems = buf_new(4096);
	struct keys *keys = NULL;
	char *copy = malloc(len == 0 ? 1 : len);

	assert_non_null(copy);
	memcpy(copy, text, len);
	assert_int_equal(keys_parse(copy, len, &keys, &problems), ERR_MALFORMED);
	assert_null(keys);
	assert_string_equal(buf_str(&problems), lines);
	buf_free(&problems);
	free(copy);
}

static struct keys *parsed(const char *text)
{
	struct buf problems = buf_new(4096);
	struct keys *keys = NULL;

	assert_int_equal(keys_parse(text, strlen(text), &keys, &problems), ERR_OK);
	assert_non_null(keys);
	assert_int_equal(problems.len, 0);
	buf_free(&problems);
	return keys;
}

static void bad_lines(void **state)
{
	static const struct {
		const char *line;
		const char *problem;
	} cases[] = {
	    {K32, "expected a kid, one space and a key"},
	    {"secret", "expected a kid, one space and a key"},
	    {"k1\t" K32, "expected a kid, one space and a key"},
	    {" ", "the kid is not 1 to 32 of A-Z a-z 0-9 . _ -"},
	    {" " K32, "the kid is not 1 to 32 of A-Z a-z 0-9 . _ -"},
	    {" # no comment " K32, "the kid is not 1 to 32 of A-Z a-z 0-9 . _ -"},
	    {"k\"1 " K32, "the kid is not 1 to 32 of A-Z a-z 0-9 . _ -"},
	    {"k/1 " K32, "the kid is not 1 to 32 of A-Z a-z 0-9 . _ -"},
	    {"k\xc3\xa4 " K32, "the kid is not 1 to 32 of A-Z a-z 0-9 . _ -"},
	    {"ABCDEFGHIJKLMNOPQRSTUVWXYZ01._-zz " K32,
	     "the kid is not 1 to 32 of A-Z a-z 0-9 . _ -"},
	    {"k1 ", "the key is shorter than 32 bytes"},
	    {"k1 secret", "the key is not base64url without padding"},
	    {"k1 secrets", "the key is shorter than 32 bytes"},
	    {"k1 c2VjcmV0", "the key is shorter than 32 bytes"},
	    {"k1 " K31, "the key is shorter than 32 bytes"},
	    {"k1  " K32, "the key is not base64url without padding"},
	    {"k1 " K32 " ", "the key is not base64url without padding"},
	    {"k1 " K32 "\r", "the key is not base64url without padding"},
	    {"k1 " K32 "=", "the key is not base64url without padding"},
	    {"k1 " K32 " # comment", "the key is not base64url without padding"},
	    {"k1 +AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
	     "the key is not base64url without padding"},
	    {"k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
	     "the key is not base64url without padding"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf want = buf_new(1000);

		buf_printf(&want, "JWT_KEYS: line 1: %s\n", cases[i].problem);
		refused(cases[i].line, strlen(cases[i].line), buf_str(&want));
		buf_free(&want);
	}
}

static void nul_inside(void **state)
{
	static const char in_kid[] = "k\0 " K32;
	static const char in_key[] = "k1 " K31 "\0";

	(void)state;
	refused(in_kid, sizeof(in_kid) - 1,
	        "JWT_KEYS: line 1: the kid is not 1 to 32 of A-Z a-z 0-9 . _ -\n");
	refused(in_key, sizeof(in_key) - 1,
	        "JWT_KEYS: line 1: the key is not base64url without padding\n");
}

static void no_key(void **state)
{
	(void)state;
	refused("", 0, "JWT_KEYS: there is no key\n");
	refused("\n\n", 2, "JWT_KEYS: there is no key\n");
	refused("# k1 " K32 "\n", strlen("# k1 " K32 "\n"), "JWT_KEYS: there is no key\n");
}

static void too_much(void **state)
{
	struct buf text = buf_new(65536);

	(void)state;
	buf_puts(&text, "long ");
	for (int i = 0; i < 257; i++)
		buf_puts(&text, "AAAA");
	refused(text.data, text.len, "JWT_KEYS: line 1: the key is too long\n");
	buf_clear(&text);
	for (int i = 0; i < KEYS_MAX + 1; i++)
		buf_printf(&text, "k%d %s\n", i, K32);
	refused(text.data, text.len, "JWT_KEYS: line 17: too many keys\n");
	buf_free(&text);
}

static void all_problems_are_named(void **state)
{
	static const char text[] = "# keys\n"
				   "k1 " K32 "\n"
				   "\n"
				   "k1 " K32 "\n"
				   "k2 short\n"
				   "k3";

	(void)state;
	refused(text, sizeof(text) - 1,
	        "JWT_KEYS: line 4: the kid was used on an earlier line\n"
	        "JWT_KEYS: line 5: the key is not base64url without padding\n"
	        "JWT_KEYS: line 6: expected a kid, one space and a key\n");
}

static void unknown_kids(void **state)
{
	struct keys *keys = parsed("k1 " K32);

	(void)state;
	assert_null(keys_find(keys, "", 0));
	assert_null(keys_find(keys, "k", 1));
	assert_null(keys_find(keys, "k2", 2));
	assert_null(keys_find(keys, "K1", 2));
	assert_null(keys_find(keys, "k1", 3));
	assert_null(keys_find(keys, "k1 ", 3));
	keys_free(keys);
}

static void one_key(void **state)
{
	struct keys *keys = parsed("k1 " K32);
	const struct key *key = keys_find(keys, "k1xyz", 2);

	(void)state;
	assert_ptr_equal(key, keys_signer(keys));
	assert_string_equal(key->kid, "k1");
	assert_int_equal(key->len, 32);
	for (uint8_t i = 0; i < 32; i++)
		assert_int_equal(key->data[i], i);
	keys_free(keys);
}

static void the_first_signs(void **state)
{
	struct buf text = buf_new(4096);
	struct keys *keys = NULL;

	(void)state;
	buf_printf(&text, "# new\n\n%s %s\n# old\nold %s%s\n", kid32, K32, K31, K31);
	keys = parsed(buf_str(&text));
	assert_string_equal(keys_signer(keys)->kid, kid32);
	assert_non_null(keys_find(keys, kid32, 32));
	assert_int_equal(keys_find(keys, "old", 3)->len, 63);
	keys_free(keys);
	buf_free(&text);
}

static void free_nothing(void **state)
{
	(void)state;
	keys_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_lines),    cmocka_unit_test(nul_inside),
	    cmocka_unit_test(no_key),       cmocka_unit_test(too_much),
	    cmocka_unit_test(unknown_kids), cmocka_unit_test(all_problems_are_named),
	    cmocka_unit_test(one_key),      cmocka_unit_test(the_first_signs),
	    cmocka_unit_test(free_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
