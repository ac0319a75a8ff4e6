#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ab64.h"
#include "password.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken for a hash has bounded numbers and is the only way to write them. */
static void check(const char *text, const struct password_hash *hash)
{
	char salt[AB64_LEN(PASSWORD_SALT_LEN) + 1];
	char key[AB64_LEN(PASSWORD_KEY_LEN) + 1];
	char again[PASSWORD_HASH_SIZE];

	if (hash->rounds < PASSWORD_ROUNDS_MIN || hash->rounds > PASSWORD_ROUNDS_MAX)
		abort();
	ab64_encode(hash->salt, sizeof(hash->salt), salt);
	ab64_encode(hash->key, sizeof(hash->key), key);
	(void)snprintf(again, sizeof(again), "$pbkdf2-sha256$%" PRIu32 "$%s$%s", hash->rounds, salt,
	               key);
	if (strcmp(again, text) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct password_hash hash;
	char *text = text_of(data, size);

	if (text == NULL)
		return 0;
	if (password_parse(text, &hash) == ERR_OK)
		check(text, &hash);
	free(text);
	return 0;
}
