#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "bounds.h"
#include "response.h"

struct response response_new(void)
{
	return (struct response){.header = buf_new(LIMIT_HEADER_BLOCK),
	                         .body = buf_new(LIMIT_RESPONSE_BODY)};
}

void response_free(struct response *resp)
{
	buf_free(&resp->header);
	buf_free(&resp->body);
	resp->status = 0;
}

void response_clear(struct response *resp)
{
	buf_clear(&resp->header);
	buf_clear(&resp->body);
	resp->status = 0;
}

static bool has_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return true;
	}
	return false;
}

void response_header(struct response *resp, const char *name, const char *fmt, ...)
{
	struct buf *header = &resp->header;
	size_t start = header->len;
	va_list ap;

	buf_printf(header, "%s: ", name);
	va_start(ap, fmt);
	buf_vprintf(header, fmt, ap);
	va_end(ap);
	if (header->err == ERR_OK && has_control(header->data + start, header->len - start)) {
		header->len = start;
		header->data[start] = '\0';
		header->err = ERR_INTERNAL;
	}
	buf_puts(header, "\r\n");
}

/* RFC 6750 section 3: the error code only if the client did present something. */
static void challenge(struct response *resp, const struct request *req, enum err err)
{
	bool presented = err == ERR_TOKEN && req->authorization[0] != '\0';

	response_header(resp, "WWW-Authenticate", "Bearer realm=\"imagegate\"%s",
	                presented ? ", error=\"invalid_token\"" : "");
}

void response_problem(struct response *resp, const struct request *req, enum err err,
                      const char *fmt, ...)
{
	const struct problem *problem = err_problem(err);
	struct buf detail = buf_new(LIMIT_HEADER_BLOCK);
	va_list ap;

	response_clear(resp);
	if (fmt != NULL) {
		va_start(ap, fmt);
		buf_vprintf(&detail, fmt, ap);
		va_end(ap);
	}
	resp->status = problem->status;
	response_header(resp, "Content-Type", "application/problem+json");
	if (problem->retry_after > 0)
		response_header(resp, "Retry-After", "%d", problem->retry_after);
	if (problem->status == 401)
		challenge(resp, req, err);

	buf_printf(&resp->body,
	           "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":",
	           problem->title, problem->status);
	buf_jsons(&resp->body, detail.len > 0 ? buf_str(&detail) : problem->detail);
	buf_puts(&resp->body, ",\"request_id\":");
	buf_jsons(&resp->body, req->id);
	buf_printf(&resp->body, ",\"error\":\"%s\"}\n", problem->error);
	buf_free(&detail);
}

void response_too_many(struct response *resp, const struct request *req, int64_t wait,
                       const char *detail)
{
	response_problem(resp, req, ERR_TOO_MANY, "%s", detail);
	response_header(resp, "Retry-After", "%" PRId64, wait);
}
