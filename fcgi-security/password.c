#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ab64.h"
#include "crypto.h"
#include "password.h"

static const char prefix[] = "$pbkdf2-sha256$";

/* Read the rounds at *${at} and the `$` after them; advance *${at} beyond. */
static enum err parse_rounds(const char **at, uint32_t *ret)
{
	const char *s = *at;
	uint32_t rounds = 0;

	if (*s == '0')
		return ERR_MALFORMED;
	for (; *s >= '0' && *s <= '9'; s++) {
		rounds = rounds * 10 + (uint32_t)(*s - '0');
		if (rounds > PASSWORD_ROUNDS_MAX)
			return ERR_MALFORMED;
	}
	if (rounds < PASSWORD_ROUNDS_MIN || *s != '$')
		return ERR_MALFORMED;
	*at = s + 1;
	*ret = rounds;
	return ERR_OK;
}

enum err password_parse(const char *text, struct password_hash *ret)
{
	struct password_hash hash = {0};
	const char *at = text;
	size_t salt_chars = 0;
	size_t salt_len = 0;
	size_t key_len = 0;

	if (strncmp(at, prefix, strlen(prefix)) != 0)
		return ERR_MALFORMED;
	at += strlen(prefix);
	if (parse_rounds(&at, &hash.rounds) != ERR_OK)
		return ERR_MALFORMED;

	salt_chars = strcspn(at, "$");
	if (at[salt_chars] != '$' ||
	    ab64_decode(at, salt_chars, hash.salt, sizeof(hash.salt), &salt_len) != ERR_OK ||
	    salt_len != PASSWORD_SALT_LEN)
		return ERR_MALFORMED;
	at += salt_chars + 1;
	if (ab64_decode(at, strlen(at), hash.key, sizeof(hash.key), &key_len) != ERR_OK ||
	    key_len != PASSWORD_KEY_LEN)
		return ERR_MALFORMED;
	*ret = hash;
	return ERR_OK;
}

enum err password_make(const struct password_cost *cost, const void *password, size_t len,
                       char text[PASSWORD_HASH_SIZE])
{
	uint8_t salt[PASSWORD_SALT_LEN];
	uint8_t key[PASSWORD_KEY_LEN];
	char salt_text[AB64_LEN(sizeof(salt)) + 1];
	char key_text[AB64_LEN(sizeof(key)) + 1];
	enum err err = crypto_random(salt, sizeof(salt));

	if (err != ERR_OK)
		return err;
	err = cost->derive(password, len, salt, sizeof(salt), cost->rounds, key, sizeof(key));
	if (err != ERR_OK)
		return err;
	ab64_encode(salt, sizeof(salt), salt_text);
	ab64_encode(key, sizeof(key), key_text);
	(void)snprintf(text, PASSWORD_HASH_SIZE, "%s%" PRIu32 "$%s$%s", prefix, cost->rounds,
	               salt_text, key_text);
	crypto_wipe(key, sizeof(key));
	crypto_wipe(key_text, sizeof(key_text));
	return ERR_OK;
}

/* What a password is checked against when there is nothing to check it against. */
static struct password_hash nobody(const struct password_cost *cost)
{
	return (struct password_hash){.rounds = cost->rounds};
}

/* Derive the key of ${password} by ${hash} into ${key}, and spend what ${cost} asks for beyond
 * that. */
static enum err derive(const struct password_cost *cost, const struct password_hash *hash,
                       const void *password, size_t len, uint8_t key[PASSWORD_KEY_LEN])
{
	uint8_t unused[PASSWORD_KEY_LEN];
	enum err err = cost->derive(password, len, hash->salt, sizeof(hash->salt), hash->rounds,
	                            key, PASSWORD_KEY_LEN);

	if (err != ERR_OK || hash->rounds >= cost->rounds)
		return err;
	err = cost->derive(password, len, hash->salt, sizeof(hash->salt),
	                   cost->rounds - hash->rounds, unused, sizeof(unused));
	crypto_wipe(unused, sizeof(unused));
	return err;
}

enum err password_check(const struct password_cost *cost, const void *password, size_t len,
                        const char *stored)
{
	struct password_hash hash = nobody(cost);
	uint8_t key[PASSWORD_KEY_LEN];
	enum err known = stored == NULL ? ERR_CREDENTIALS : password_parse(stored, &hash);
	enum err err = derive(cost, &hash, password, len, key);
	bool same = err == ERR_OK && crypto_equal(key, hash.key, sizeof(key));

	crypto_wipe(key, sizeof(key));
	crypto_wipe(&hash, sizeof(hash));
	if (err != ERR_OK)
		return err;
	if (known != ERR_OK)
		return known;
	return same ? ERR_OK : ERR_CREDENTIALS;
}

bool password_outdated(const struct password_cost *cost, const char *stored)
{
	struct password_hash hash = nobody(cost);

	return password_parse(stored, &hash) != ERR_OK || hash.rounds < cost->rounds;
}
