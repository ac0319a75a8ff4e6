#include <string.h>
#include <strings.h>

#include "authorization.h"
#include "bounds.h"

enum err authorization_bearer(const char *header, const char **ret_token, size_t *ret_len)
{
	static const char scheme[] = "Bearer";
	static const char b64token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-._~+/";
	size_t scheme_len = sizeof(scheme) - 1;
	const char *token = NULL;
	size_t spaces = 0;
	size_t len = 0;

	if (strnlen(header, LIMIT_AUTHORIZATION + 1) > LIMIT_AUTHORIZATION)
		return ERR_TOKEN;
	if (strncasecmp(header, scheme, scheme_len) != 0)
		return ERR_TOKEN;
	spaces = strspn(header + scheme_len, " ");
	token = header + scheme_len + spaces;
	len = strspn(token, b64token);
	if (spaces == 0 || len == 0)
		return ERR_TOKEN;
	len += strspn(token + len, "=");
	if (token[len] != '\0' || len > LIMIT_TOKEN)
		return ERR_TOKEN;
	*ret_token = token;
	*ret_len = len;
	return ERR_OK;
}
