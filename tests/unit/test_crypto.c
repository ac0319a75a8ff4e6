#include <stdio.h>
#include <string.h>

#include "check.h"
#include "crypto.h"

static void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
{
	char text[2 * CRYPTO_SHA256_LEN + 1];

	for (size_t i = 0; i < len; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	assert_string_equal(text, hex);
}

/* FIPS 180-4, example "abc". */
static void sha256(void **state)
{
	uint8_t digest[CRYPTO_SHA256_LEN];

	(void)state;
	assert_int_equal(crypto_sha256("abc", 3, digest), ERR_OK);
	assert_hex(digest, sizeof(digest),
	           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(crypto_sha256("", 0, digest), ERR_OK);
	assert_hex(digest, sizeof(digest),
	           "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231 test case 2. */
static void hmac_sha256(void **state)
{
	uint8_t mac[CRYPTO_SHA256_LEN];

	(void)state;
	assert_int_equal(crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac),
	                 ERR_OK);
	assert_hex(mac, sizeof(mac),
	           "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* RFC 4231 test cases 2 and 4, each twice: what went before leaves no trace in a kept key. */
static void hmac_with_a_kept_key(void **state)
{
	static const char *const macs[] = {
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
	    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"};
	struct crypto_hmac *hmac[2] = {NULL, NULL};
	uint8_t key[25];
	uint8_t data[50];
	uint8_t mac[CRYPTO_SHA256_LEN];

	(void)state;
	for (uint8_t i = 0; i < sizeof(key); i++)
		key[i] = i + 1;
	memset(data, 0xcd, sizeof(data));
	assert_int_equal(crypto_hmac_new("Jefe", 4, &hmac[0]), ERR_OK);
	assert_int_equal(crypto_hmac_new(key, sizeof(key), &hmac[1]), ERR_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(crypto_hmac_of(hmac[0], "what do ya want for nothing?", 28, mac),
		                 ERR_OK);
		assert_hex(mac, sizeof(mac), macs[0]);
		assert_int_equal(crypto_hmac_of(hmac[1], data, sizeof(data), mac), ERR_OK);
		assert_hex(mac, sizeof(mac), macs[1]);
	}
	crypto_hmac_free(hmac[0]);
	crypto_hmac_free(hmac[1]);
	crypto_hmac_free(NULL);
}

/* RFC 7914 section 11. */
static void pbkdf2(void **state)
{
	uint8_t key[CRYPTO_SHA256_LEN];

	(void)state;
	assert_int_equal(crypto_pbkdf2("passwd", 6, "salt", 4, 1, key, sizeof(key)), ERR_OK);
	assert_hex(key, sizeof(key),
	           "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
}

static void equal(void **state)
{
	(void)state;
	assert_false(crypto_equal("abc", "abd", 3));
	assert_true(crypto_equal("abc", "abd", 2));
	assert_true(crypto_equal("a", "b", 0));
}

static void random_bytes_differ(void **state)
{
	uint8_t a[16] = {0};
	uint8_t b[16] = {0};

	(void)state;
	assert_int_equal(crypto_random(a, sizeof(a)), ERR_OK);
	assert_int_equal(crypto_random(b, sizeof(b)), ERR_OK);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void wipe(void **state)
{
	char data[] = "secret";

	(void)state;
	crypto_wipe(data, sizeof(data));
	assert_memory_equal(data, "\0\0\0\0\0\0", sizeof(data));
	crypto_wipe(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256),
	    cmocka_unit_test(hmac_sha256),
	    cmocka_unit_test(hmac_with_a_kept_key),
	    cmocka_unit_test(pbkdf2),
	    cmocka_unit_test(equal),
	    cmocka_unit_test(random_bytes_differ),
	    cmocka_unit_test(wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
