#include <stdio.h>
#include <string.h>

#include "log.h"
#include "name.h"
#include "sign.h"

enum {
	AUTH_MAX = 1024, /* bytes of an Authorization header */
	PATH_MAX_LEN = 1 + 63 + 1 + NAME_MAX_LEN + 1
};

/* Sign GET ${object}, with no body, at the time ${date}. */
static enum err sign_get(struct sign *sign, const char *object, const char *date, struct buf *out)
{
	char path[PATH_MAX_LEN];
	char signature[SIGV4_SIGNATURE_LEN + 1];
	const struct sigv4_header headers[] = {
	    {"host", sign->host},
	    {"x-amz-content-sha256", SIGV4_EMPTY_SHA256},
	    {"x-amz-date", date},
	};
	const struct sigv4_request request = {
	    .method = "GET",
	    .path = path,
	    .query = "",
	    .headers = headers,
	    .n_headers = sizeof(headers) / sizeof(headers[0]),
	};

	(void)snprintf(path, sizeof(path), "/%s/%s", sign->bucket, object);
	return sigv4_sign(&sign->sigv4, &request, out, signature);
}

static void answer(struct sign *sign, const struct request *req, struct response *resp)
{
	struct buf authorization = buf_new(AUTH_MAX);
	char date[SIGV4_DATE_LEN + 1];
	enum err err = ERR_OK;

	sigv4_date(sign->now(NULL), date);
	err = sign_get(sign, req->object, date, &authorization);
	if (err != ERR_OK) {
		log_error("signing failed: %s", err_problem(err)->detail);
		response_problem(resp, req, err == ERR_NOMEM ? ERR_NOMEM : ERR_INTERNAL, NULL);
		goto out;
	}
	resp->status = 204;
	response_header(resp, "X-Store-Authorization", "%s", buf_str(&authorization));
	response_header(resp, "X-Store-Date", "%s", date);
	response_header(resp, "X-Store-Content-Sha256", "%s", SIGV4_EMPTY_SHA256);
out:
	buf_free(&authorization);
}

static void refuse_method(struct response *resp, const struct request *req)
{
	response_problem(resp, req, ERR_METHOD, NULL);
	response_header(resp, "Allow", "GET, HEAD");
}

void sign_handle(void *sign, const struct request *req, struct response *resp)
{
	if (strcmp(req->route, "sign") != 0)
		response_problem(resp, req, ERR_NOT_FOUND, NULL);
	else if (strcmp(req->method, "GET") != 0 && strcmp(req->method, "HEAD") != 0)
		refuse_method(resp, req);
	else if (!name_is_object(req->object))
		response_problem(resp, req, ERR_NOT_FOUND, "There is no image of this name.");
	else
		answer(sign, req, resp);
}
