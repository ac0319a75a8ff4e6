#include <time.h>

#include "identity.h"
#include "log.h"
#include "user.h"

/* The account that the request's token is for.  ERR_TOKEN: it has no live token. */
static enum err bearer(const struct endpoints *deps, const struct request *req, struct account *ret)
{
	const struct account_store *accounts = &deps->accounts;
	struct claims claims;
	const char *why = NULL;
	enum err err = identity_check(&deps->rules, req->authorization, deps->now(), &claims, &why);

	if (err != ERR_OK) {
		log_debug("no valid token: %s", why);
		return err;
	}
	err = accounts->by_id(accounts->ctx, claims.sub, ret);
	if (err == ERR_NOT_FOUND)
		return ERR_TOKEN;
	if (err != ERR_OK) {
		log_warn("database: %s", accounts->why(accounts->ctx));
		return err;
	}
	return ret->disabled || claims.gen != ret->generation ? ERR_TOKEN : ERR_OK;
}

void user_handle(const struct endpoints *deps, const struct request *req, struct response *resp)
{
	struct account account = {0};
	char created[sizeof("-2147481748-01-01T00:00:00Z")] = "";
	struct tm tm;
	time_t created_at = 0;
	enum err err = ERR_OK;

	if (!endpoints_method(req, "GET", resp))
		return;
	err = bearer(deps, req, &account);
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
