#include <string.h>

#include "credentials.h"
#include "crypto.h"
#include "flatjson.h"
#include "jsonbody.h"

static bool login_ok(const char *login, size_t len)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._@+-";

	return len >= 1 && len <= LIMIT_LOGIN && strspn(login, allowed) == len;
}

/* The rule that ${login} or ${password} breaks, as a sentence; NULL if there is none. */
static const char *broken_rule(const char *login, size_t login_len, const char *password,
                               size_t password_len)
{
	if (login == NULL)
		return "The member login is missing or no string.";
	if (password == NULL)
		return "The member password is missing or no string.";
	if (!login_ok(login, login_len))
		return "A login has 1 to 64 characters of A-Z a-z 0-9 . _ @ + -";
	if (password_len > LIMIT_PASSWORD)
		return "A password has at most 1024 bytes.";
	return NULL;
}

enum err credentials_parse(const void *text, size_t len, struct credentials *ret, const char **why)
{
	struct flatjson *json = NULL;
	const char *login = NULL;
	const char *password = NULL;
	size_t login_len = 0;
	size_t password_len = 0;
	enum err err = ERR_OK;

	*why = NULL;
	err = flatjson_parse(text, len, &json, why);
	if (err != ERR_OK)
		return err;
	login = flatjson_string(json, "login", &login_len);
	password = flatjson_string(json, "password", &password_len);
	*why = broken_rule(login, login_len, password, password_len);
	if (*why != NULL || login == NULL || password == NULL) {
		err = ERR_MALFORMED;
		goto out;
	}
	*ret = (struct credentials){.password_len = password_len};
	memcpy(ret->login, login, login_len);
	memcpy(ret->password, password, password_len);
out:
	flatjson_free(json);
	return err;
}

enum err credentials_read(const struct request *req, struct credentials *ret, const char **why)
{
	char body[LIMIT_JSON_BODY];
	size_t len = 0;
	enum err err = jsonbody_read(req, body, &len, why);

	if (err == ERR_OK)
		err = credentials_parse(body, len, ret, why);
	crypto_wipe(body, sizeof(body));
	return err;
}

void credentials_wipe(struct credentials *credentials)
{
	crypto_wipe(credentials, sizeof(*credentials));
}
