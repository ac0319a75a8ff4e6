#include "identity.h"
#include "authorization.h"

enum err identity_check(const struct token_rules *rules, const char *header, int64_t now,
                        struct claims *ret, const char **ret_why)
{
	const char *token = NULL;
	size_t len = 0;
	enum err err = ERR_OK;

	if (header[0] == '\0') {
		*ret_why = "absent";
		return ERR_TOKEN;
	}
	err = authorization_bearer(header, &token, &len);
	if (err != ERR_OK) {
		*ret_why = "scheme";
		return err;
	}
	return token_check(rules, token, len, now, ret, ret_why);
}
