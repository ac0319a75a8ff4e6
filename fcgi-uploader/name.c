#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "crypto.h"
#include "name.h"
#include "request.h"

#define TIME_END ((INT64_C(1) << 50) - 1) /* milliseconds since 1970 */

static const char alphabet[] = "0123456789abcdefghijklmnopqrstuv";
static const char *const extensions[] = {"jpg", "png", "gif", "webp", "avif"};

static bool extension_ok(const char *text)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		if (strcmp(text, extensions[i]) == 0)
			return true;
	}
	return false;
}

static void put_time(int64_t now_ms, char text[NAME_TIME_LEN])
{
	int64_t left = TIME_END - now_ms;

	for (size_t i = NAME_TIME_LEN; i > 0; i--) {
		text[i - 1] = alphabet[left & 31];
		left >>= 5;
	}
}

/* A byte a character: 32 divides 256, so each is as likely as the next. */
static enum err put_random(char text[NAME_RANDOM_LEN])
{
	uint8_t bytes[NAME_RANDOM_LEN];
	enum err err = crypto_random(bytes, sizeof(bytes));

	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < sizeof(bytes); i++)
		text[i] = alphabet[bytes[i] & 31];
	return ERR_OK;
}

enum err name_new(const char *account, int64_t now_ms, const char *extension, struct name *ret)
{
	char when[NAME_TIME_LEN];
	char random[NAME_RANDOM_LEN];
	enum err err = ERR_OK;

	if (!request_account_ok(account) || !extension_ok(extension) || now_ms < 0 ||
	    now_ms > TIME_END)
		return ERR_INTERNAL;
	err = put_random(random);
	if (err != ERR_OK)
		return err;
	put_time(now_ms, when);
	(void)snprintf(ret->file, sizeof(ret->file), "%s-%.*s%.*s.%s", account, NAME_TIME_LEN, when,
	               NAME_RANDOM_LEN, random, extension);
	memcpy(ret->object, ret->file, sizeof(ret->object));
	ret->object[ACCOUNT_ID_LEN] = '/';
	return ERR_OK;
}

static bool name_ok(const char *text, char separator)
{
	const size_t rest = NAME_TIME_LEN + NAME_RANDOM_LEN;

	if (strspn(text, alphabet) != ACCOUNT_ID_LEN || text[ACCOUNT_ID_LEN] != separator)
		return false;
	text += ACCOUNT_ID_LEN + 1;
	return strspn(text, alphabet) == rest && text[rest] == '.' && extension_ok(text + rest + 1);
}

bool name_is_file(const char *text)
{
	return name_ok(text, '-');
}

bool name_is_object(const char *text)
{
	return name_ok(text, '/');
}

enum err name_parse(const char *text, struct name *ret)
{
	if (!name_is_file(text) && !name_is_object(text))
		return ERR_MALFORMED;
	(void)snprintf(ret->file, sizeof(ret->file), "%s", text);
	(void)snprintf(ret->object, sizeof(ret->object), "%s", text);
	ret->file[ACCOUNT_ID_LEN] = '-';
	ret->object[ACCOUNT_ID_LEN] = '/';
	return ERR_OK;
}

bool name_is_of(const struct name *name, const char *account)
{
	return request_account_ok(account) && memcmp(name->file, account, ACCOUNT_ID_LEN) == 0;
}

int64_t name_time(const struct name *name)
{
	const char *text = name->file + ACCOUNT_ID_LEN + 1;
	int64_t left = 0;

	for (size_t i = 0; i < NAME_TIME_LEN; i++)
		left = left << 5 | (strchr(alphabet, text[i]) - alphabet);
	return TIME_END - left;
}

bool name_is_bucket(const char *text)
{
	size_t len = strlen(text);

	return len >= 3 && len <= 63 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}
