#include <string.h>

#include "crypto.h"
#include "flatjson.h"
#include "jsonbody.h"
#include "passwords.h"

/* The rule that the two break, as a sentence; NULL if there is none. */
static const char *broken_rule(const char *password, size_t password_len, const char *new_password,
                               size_t new_password_len)
{
	if (password == NULL)
		return "The member password is missing or no string.";
	if (new_password == NULL)
		return "The member new_password is missing or no string.";
	if (password_len > LIMIT_PASSWORD || new_password_len > LIMIT_PASSWORD)
		return "A password has at most 1024 bytes.";
	return NULL;
}

enum err passwords_parse(const void *text, size_t len, struct passwords *ret, const char **why)
{
	struct flatjson *json = NULL;
	const char *password = NULL;
	const char *new_password = NULL;
	size_t password_len = 0;
	size_t new_password_len = 0;
	enum err err = ERR_OK;

	*why = NULL;
	err = flatjson_parse(text, len, &json, why);
	if (err != ERR_OK)
		return err;
	password = flatjson_string(json, "password", &password_len);
	new_password = flatjson_string(json, "new_password", &new_password_len);
	*why = broken_rule(password, password_len, new_password, new_password_len);
	if (*why != NULL || password == NULL || new_password == NULL) {
		err = ERR_MALFORMED;
		goto out;
	}
	*ret =
	    (struct passwords){.password_len = password_len, .new_password_len = new_password_len};
	memcpy(ret->password, password, password_len);
	memcpy(ret->new_password, new_password, new_password_len);
out:
	flatjson_free(json);
	return err;
}

enum err passwords_read(const struct request *req, struct passwords *ret, const char **why)
{
	char body[LIMIT_JSON_BODY];
	size_t len = 0;
	enum err err = jsonbody_read(req, body, &len, why);

	if (err == ERR_OK)
		err = passwords_parse(body, len, ret, why);
	crypto_wipe(body, sizeof(body));
	return err;
}

void passwords_wipe(struct passwords *passwords)
{
	crypto_wipe(passwords, sizeof(*passwords));
}
