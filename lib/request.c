#include <string.h>

#include "bounds.h"
#include "request.h"

enum err request_read(const struct request *req, void *data, size_t cap, size_t *ret_len)
{
	return req->read(req->ctx, data, cap, ret_len);
}

void request_be_patient(const struct request *req, int64_t ms)
{
	req->be_patient(req->ctx, ms);
}

enum err request_body(const struct request *req, void *data, size_t max, size_t *ret_len)
{
	unsigned char *at = data;
	unsigned char beyond;
	size_t len = 0;
	size_t n = 0;

	if (req->content_length > 0 && (uint64_t)req->content_length > max)
		return ERR_TOO_LARGE;
	for (;;) {
		enum err err = len < max ? request_read(req, at + len, max - len, &n)
		                         : request_read(req, &beyond, 1, &n);

		if (err != ERR_OK)
			return err;
		if (n == 0)
			break;
		if (len == max)
			return ERR_TOO_LARGE;
		len += n;
	}
	*ret_len = len;
	return ERR_OK;
}

bool request_account_ok(const char *id)
{
	return strlen(id) == ACCOUNT_ID_LEN &&
	       strspn(id, "0123456789abcdefghijklmnopqrstuv") == ACCOUNT_ID_LEN;
}
