#include <string.h>

#include "change.h"
#include "endpoints.h"
#include "log.h"
#include "login.h"
#include "logout.h"
#include "register.h"
#include "renewal.h"
#include "user.h"

bool endpoints_method(const struct request *req, const char *allowed, struct response *resp)
{
	if (strcmp(req->method, allowed) == 0)
		return true;
	response_problem(resp, req, ERR_METHOD, NULL);
	response_header(resp, "Allow", "%s", allowed);
	return false;
}

void endpoints_store_problem(const struct endpoints *deps, const struct request *req, enum err err,
                             struct response *resp)
{
	log_warn("database: %s", deps->accounts.why(deps->accounts.ctx));
	response_problem(resp, req, err, NULL);
}

/* Asking for a login that nobody can have shows that the schema is there and that we may use it. */
static void ready(const struct endpoints *deps, const struct request *req, struct response *resp)
{
	bool taken = false;
	enum err err = ERR_OK;

	if (!endpoints_method(req, "GET", resp))
		return;
	err = deps->accounts.login_taken(deps->accounts.ctx, "", &taken);
	if (err == ERR_OK)
		resp->status = 204;
	else
		endpoints_store_problem(deps, req, ERR_UNAVAILABLE, resp);
}

/* A busy pool is ready: to take it away would put its load on others. */
static bool overdue(const struct endpoints *deps, const struct request *req)
{
	return req->waited_ms > deps->max_wait_ms && strcmp(req->route, "ready") != 0;
}

void endpoints_handle(void *deps, const struct request *req, struct response *resp)
{
	static const struct {
		const char *route;
		void (*handle)(const struct endpoints *, const struct request *, struct response *);
	} rows[] = {
	    {"register", register_handle}, {"token", login_handle},   {"token-plain", login_handle},
	    {"renew", renewal_handle},     {"logout", logout_handle}, {"user", user_handle},
	    {"password", change_handle},   {"ready", ready},
	};

	if (overdue(deps, req)) {
		response_problem(resp, req, ERR_BUSY, NULL);
		return;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(req->route, rows[i].route) == 0) {
			rows[i].handle(deps, req, resp);
			return;
		}
	}
	response_problem(resp, req, ERR_NOT_FOUND, NULL);
}
