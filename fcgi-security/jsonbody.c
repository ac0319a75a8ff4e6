#include "jsonbody.h"
#include "media_type.h"

enum err jsonbody_read(const struct request *req, char body[LIMIT_JSON_BODY], size_t *ret_len,
                       const char **why)
{
	enum err err = ERR_OK;

	*why = NULL;
	if (!media_type_is(req->content_type, "application/json")) {
		*why = "The Content-Type must be application/json.";
		return ERR_MEDIA_TYPE;
	}
	err = request_body(req, body, LIMIT_JSON_BODY, ret_len);
	if (err == ERR_TOO_LARGE)
		*why = "The body may have at most 8192 bytes.";
	return err;
}
