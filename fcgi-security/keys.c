#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "keys.h"

struct keys {
	size_t n;
	struct key key[KEYS_MAX];
};

static bool kid_ok(const char *kid, size_t len)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";

	if (len == 0 || len > KEYS_KID_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (memchr(allowed, kid[i], sizeof(allowed) - 1) == NULL)
			return false;
	}
	return true;
}

/*
 * Append the key that the ${len} bytes of ${line} hold to ${keys}.  Return what is wrong with the
 * line, NULL if nothing is.
 */
static const char *add(struct keys *keys, const char *line, size_t len)
{
	struct key *key = &keys->key[keys->n];
	const char *space = memchr(line, ' ', len);
	size_t kid_len = 0;
	enum err err = ERR_OK;

	if (space == NULL)
		return "expected a kid, one space and a key";
	kid_len = (size_t)(space - line);
	if (!kid_ok(line, kid_len))
		return "the kid is not 1 to 32 of A-Z a-z 0-9 . _ -";
	if (keys_find(keys, line, kid_len) != NULL)
		return "the kid was used on an earlier line";
	if (keys->n == KEYS_MAX)
		return "too many keys";
	err =
	    base64url_decode(space + 1, len - kid_len - 1, key->data, sizeof(key->data), &key->len);
	if (err == ERR_TOO_LARGE)
		return "the key is too long";
	if (err != ERR_OK)
		return "the key is not base64url without padding";
	if (key->len < KEYS_BYTES_MIN)
		return "the key is shorter than 32 bytes";
	memcpy(key->kid, line, kid_len);
	key->kid[kid_len] = '\0';
	keys->n++;
	return NULL;
}

/* Parse all lines of ${text}; whether there was no problem. */
static bool parse_lines(struct keys *keys, const char *text, size_t len, struct buf *problems)
{
	const char *end = text + len;
	const char *next = text;
	bool good = true;

	for (size_t number = 1; next < end; number++) {
		const char *line = next;
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t line_len = (size_t)((newline == NULL ? end : newline) - line);
		const char *problem = NULL;

		next = newline == NULL ? end : newline + 1;
		if (line_len == 0 || line[0] == '#')
			continue;
		problem = add(keys, line, line_len);
		if (problem == NULL)
			continue;
		buf_printf(problems, "JWT_KEYS: line %zu: %s\n", number, problem);
		good = false;
	}
	if (good && keys->n == 0) {
		buf_puts(problems, "JWT_KEYS: there is no key\n");
		good = false;
	}
	return good;
}

enum err keys_parse(const char *text, size_t len, struct keys **ret, struct buf *problems)
{
	struct keys *keys = calloc(1, sizeof(*keys));

	if (keys == NULL)
		return ERR_NOMEM;
	if (!parse_lines(keys, text, len, problems)) {
		keys_free(keys);
		return ERR_MALFORMED;
	}
	for (size_t i = 0; i < keys->n; i++) {
		struct key *key = &keys->key[i];

		if (crypto_hmac_new(key->data, key->len, &key->hmac) != ERR_OK) {
			keys_free(keys);
			return ERR_NOMEM;
		}
	}
	*ret = keys;
	return ERR_OK;
}

const struct key *keys_signer(const struct keys *keys)
{
	return &keys->key[0];
}

const struct key *keys_find(const struct keys *keys, const char *kid, size_t len)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct key *key = &keys->key[i];

		if (strlen(key->kid) == len && memcmp(key->kid, kid, len) == 0)
			return key;
	}
	return NULL;
}

void keys_free(struct keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->n; i++)
		crypto_hmac_free(keys->key[i].hmac);
	crypto_wipe(keys, sizeof(*keys));
	free(keys);
}
