#include <time.h>

#include "bearer.h"
#include "user.h"

void user_handle(const struct endpoints *deps, const struct request *req, struct response *resp)
{
	struct account account = {0};
	struct claims claims;
	char created[sizeof("-2147481748-01-01T00:00:00Z")] = "";
	struct tm tm;
	time_t created_at = 0;
	enum err err = ERR_OK;

	if (!endpoints_method(req, "GET", resp))
		return;
	err = bearer_account(deps, req, &claims, &account);
	if (err != ERR_OK) {
		response_problem(resp, req, err, NULL);
		return;
	}
	created_at = (time_t)account.created_at;
	if (gmtime_r(&created_at, &tm) == NULL ||
	    strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		response_problem(resp, req, ERR_INTERNAL, NULL);
		return;
	}
	resp->status = 200;
	response_header(resp, "Content-Type", "application/json");
	response_header(resp, "Cache-Control", "no-store");
	buf_puts(&resp->body, "{\"login\":");
	buf_jsons(&resp->body, account.login);
	buf_puts(&resp->body, ",\"id\":");
	buf_jsons(&resp->body, account.id);
	buf_printf(&resp->body, ",\"created_at\":\"%s\"}\n", created);
}
