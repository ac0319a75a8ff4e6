#include "bearer.h"
#include "identity.h"
#include "log.h"

enum err bearer_claims(const struct endpoints *deps, const struct request *req,
                       struct claims *claims)
{
	const char *why = NULL;
	enum err err = identity_check(&deps->rules, req->authorization, deps->now(), claims, &why);

	if (err != ERR_OK)
		log_debug("no valid token: %s", why);
	return err;
}

enum err bearer_account(const struct endpoints *deps, const struct request *req,
                        struct claims *claims, struct account *account)
{
	const struct account_store *accounts = &deps->accounts;
	enum err err = bearer_claims(deps, req, claims);

	if (err != ERR_OK)
		return err;
	err = accounts->by_id(accounts->ctx, claims->sub, account);
	if (err == ERR_NOT_FOUND)
		return ERR_TOKEN;
	if (err != ERR_OK) {
		log_warn("database: %s", accounts->why(accounts->ctx));
		return err;
	}
	return account->disabled || claims->gen != account->generation ? ERR_TOKEN : ERR_OK;
}
