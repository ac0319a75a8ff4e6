#include "renewal.h"
#include "bearer.h"
#include "grant.h"

void renewal_handle(const struct endpoints *deps, const struct request *req, struct response *resp)
{
	struct account account = {0};
	struct claims claims;
	enum err err = ERR_OK;

	if (!endpoints_method(req, "POST", resp))
		return;
	err = bearer_account(deps, req, &claims, &account);
	if (err != ERR_OK)
		response_problem(resp, req, err, NULL);
	else
		grant_answer(deps, req, claims.sub, claims.gen, claims.auth_time, resp);
}
