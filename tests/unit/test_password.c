#include <stdio.h>
#include <string.h>

#include "check.h"
#include "crypto.h"
#include "lines.h"
#include "password.h"

static uint64_t rounds_spent;

static enum err count_rounds(const void *password, size_t password_len, const void *salt,
                             size_t salt_len, uint32_t rounds, void *key, size_t key_len)
{
	rounds_spent += rounds;
	return crypto_pbkdf2(password, password_len, salt, salt_len, rounds, key, key_len);
}

static enum err fail_to_derive(const void *password, size_t password_len, const void *salt,
                               size_t salt_len, uint32_t rounds, void *key, size_t key_len)
{
	(void)password, (void)password_len, (void)salt, (void)salt_len, (void)rounds;
	memset(key, 0, key_len);
	return ERR_INTERNAL;
}

static const struct password_cost cost = {.rounds = 3000, .derive = count_rounds};
static const char of_empty_1000[] = "$pbkdf2-sha256$1000$AAAAAAAAAAAAAAAAAAAAAA$";

static void assert_malformed(char *line)
{
	struct password_hash hash;
	struct password_hash before;

	memset(&hash, 0x5a, sizeof(hash));
	before = hash;
	if (password_parse(line, &hash) != ERR_MALFORMED)
		fail_msg("taken for a hash: %s", line);
	assert_memory_equal(&hash, &before, sizeof(hash));

	rounds_spent = 0;
	assert_int_equal(password_check(&cost, "", 0, line), ERR_MALFORMED);
	assert_int_equal(rounds_spent, cost.rounds);
	assert_true(password_outdated(&cost, line));
}

static void refuses_what_is_no_hash(void **state)
{
	(void)state;
	each_line("tests/vectors/password/malformed.txt", assert_malformed);
}

/* Separate ${line} of passlib.tsv into the password, which it becomes, and the hash. */
static const char *split(char *line)
{
	char *tab = strchr(line, '\t');

	assert_non_null(tab);
	*tab = '\0';
	return tab + 1;
}

static void assert_other_passwords_fail(char *line)
{
	const char *hash = split(line);
	size_t len = strlen(line);
	char other[1100] = "";

	memcpy(other, line, len);
	other[len] = 'x';
	assert_int_equal(password_check(&cost, other, len + 1, hash), ERR_CREDENTIALS);
	other[len] = '\0';
	if (len == 0)
		return;
	assert_int_equal(password_check(&cost, other, len - 1, hash), ERR_CREDENTIALS);
	other[len - 1] ^= 1;
	assert_int_equal(password_check(&cost, other, len, hash), ERR_CREDENTIALS);
	assert_int_equal(password_check(&cost, "", 0, hash), ERR_CREDENTIALS);
}

static void refuses_other_passwords(void **state)
{
	(void)state;
	each_line("tests/vectors/password/passlib.tsv", assert_other_passwords_fail);
}

static void each_bit_of_the_key_counts(void **state)
{
	char hash[PASSWORD_HASH_SIZE];
	size_t len = 0;

	(void)state;
	assert_int_equal(password_make(&cost, "secret", 6, hash), ERR_OK);
	len = strlen(hash);
	for (size_t i = strlen("$pbkdf2-sha256$3000$"); i < len; i++) {
		char before = hash[i];

		/* The last characters have unused bits: A and Q, A and E differ in used ones. */
		hash[i] = before == 'A' ? 'Q' : 'A';
		assert_int_not_equal(password_check(&cost, "secret", 6, hash), ERR_OK);
		hash[i] = before;
	}
	assert_int_equal(password_check(&cost, "secret", 6, hash), ERR_OK);
}

/* A key of zeros is what an unknown account is compared with: it must open nothing. */
static void nobody_has_no_password(void **state)
{
	const struct password_cost broken = {.rounds = 3000, .derive = fail_to_derive};
	char zeros[PASSWORD_HASH_SIZE];

	(void)state;
	(void)snprintf(zeros, sizeof(zeros), "%s%043d", of_empty_1000, 0);
	memset(zeros + strlen(of_empty_1000), 'A', 43);
	assert_int_equal(password_check(&cost, "", 0, NULL), ERR_CREDENTIALS);
	assert_int_equal(password_check(&broken, "", 0, NULL), ERR_INTERNAL);
	assert_int_equal(password_check(&broken, "", 0, zeros), ERR_INTERNAL);
	assert_int_equal(password_make(&broken, "", 0, zeros), ERR_INTERNAL);
}

static uint64_t spent_on(const char *password, const char *stored)
{
	rounds_spent = 0;
	assert_int_not_equal(password_check(&cost, password, strlen(password), stored),
	                     ERR_INTERNAL);
	return rounds_spent;
}

static void every_check_costs_the_same(void **state)
{
	const struct password_cost older = {.rounds = 1000, .derive = crypto_pbkdf2};
	const struct password_cost newer = {.rounds = 5000, .derive = crypto_pbkdf2};
	char now[PASSWORD_HASH_SIZE];
	char before[PASSWORD_HASH_SIZE];
	char after[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(password_make(&cost, "right", 5, now), ERR_OK);
	assert_int_equal(password_make(&older, "right", 5, before), ERR_OK);
	assert_int_equal(password_make(&newer, "right", 5, after), ERR_OK);
	assert_int_equal(spent_on("wrong", NULL), cost.rounds);
	assert_int_equal(spent_on("wrong", "no hash"), cost.rounds);
	assert_int_equal(spent_on("wrong", now), cost.rounds);
	assert_int_equal(spent_on("right", now), cost.rounds);
	assert_int_equal(spent_on("wrong", before), cost.rounds);
	assert_int_equal(spent_on("right", before), cost.rounds);
	assert_int_equal(spent_on("right", after), newer.rounds);
}

static void assert_password(char *line)
{
	const char *hash = split(line);

	assert_int_equal(password_check(&cost, line, strlen(line), hash), ERR_OK);
}

static void takes_what_passlib_made(void **state)
{
	(void)state;
	each_line("tests/vectors/password/passlib.tsv", assert_password);
}

static void what_is_made_is_salted_and_taken(void **state)
{
	static const char secret[] = "a\0b";
	char first[PASSWORD_HASH_SIZE];
	char second[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(password_make(&cost, secret, sizeof(secret), first), ERR_OK);
	assert_int_equal(password_make(&cost, secret, sizeof(secret), second), ERR_OK);
	assert_string_not_equal(first, second);
	assert_int_equal(password_check(&cost, secret, sizeof(secret), first), ERR_OK);
	assert_int_equal(password_check(&cost, secret, sizeof(secret), second), ERR_OK);
	assert_int_equal(password_check(&cost, "a", 1, second), ERR_CREDENTIALS);
}

static void bounds_of_rounds(void **state)
{
	static const uint32_t good[] = {PASSWORD_ROUNDS_MIN, PASSWORD_ROUNDS_MAX};
	char text[PASSWORD_HASH_SIZE];
	struct password_hash hash;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(text, sizeof(text), "$pbkdf2-sha256$%u$%.22s$%.43s", good[i],
		               "AAAAAAAAAAAAAAAAAAAAAA",
		               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
		assert_int_equal(password_parse(text, &hash), ERR_OK);
		assert_int_equal(hash.rounds, good[i]);
	}
}

static void weaker_ones_are_outdated(void **state)
{
	struct password_cost other = {.rounds = 2999, .derive = crypto_pbkdf2};
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(password_make(&other, "x", 1, hash), ERR_OK);
	assert_true(password_outdated(&cost, hash));
	assert_false(password_outdated(&other, hash));
	other.rounds = 3001;
	assert_int_equal(password_make(&other, "x", 1, hash), ERR_OK);
	assert_false(password_outdated(&cost, hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_what_is_no_hash),
	    cmocka_unit_test(refuses_other_passwords),
	    cmocka_unit_test(each_bit_of_the_key_counts),
	    cmocka_unit_test(nobody_has_no_password),
	    cmocka_unit_test(every_check_costs_the_same),
	    cmocka_unit_test(takes_what_passlib_made),
	    cmocka_unit_test(what_is_made_is_salted_and_taken),
	    cmocka_unit_test(bounds_of_rounds),
	    cmocka_unit_test(weaker_ones_are_outdated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
