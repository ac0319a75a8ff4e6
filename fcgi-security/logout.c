#include "logout.h"
#include "bearer.h"

void logout_handle(const struct endpoints *deps, const struct request *req, struct response *resp)
{
	const struct account_store *accounts = &deps->accounts;
	struct claims claims;
	enum err err = ERR_OK;

	if (!endpoints_method(req, "DELETE", resp))
		return;
	err = bearer_claims(deps, req, &claims);
	if (err != ERR_OK) {
		response_problem(resp, req, err, NULL);
		return;
	}
	err = accounts->log_out(accounts->ctx, claims.sub, claims.gen, req->remote_addr);
	if (err == ERR_OK)
		resp->status = 204;
	else if (err == ERR_TOKEN)
		response_problem(resp, req, err, NULL);
	else
		endpoints_store_problem(deps, req, err, resp);
}
