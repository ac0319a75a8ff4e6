#include "attempt.h"
#include "log.h"
#include "metrics.h"

bool attempt_allowed(const struct endpoints *deps, const struct request *req, const char *login,
                     struct response *resp)
{
	int64_t wait = 0;
	enum err err = throttle_check(&deps->throttle, login, req->remote_addr, deps->now(), &wait);

	if (err == ERR_TOO_MANY)
		response_too_many(resp, req, wait,
		                  "Too many failures of this login from this address; wait.");
	else if (err != ERR_OK)
		response_problem(resp, req, err, NULL);
	return err == ERR_OK;
}

void attempt_failed(const struct endpoints *deps, const struct request *req, const char *login)
{
	const struct account_store *accounts = &deps->accounts;

	if (throttle_count(&deps->throttle, login, req->remote_addr, deps->now()) != ERR_OK)
		log_error("a failed login was not counted");
	if (accounts->login_failed(accounts->ctx, login, req->remote_addr) != ERR_OK) {
		metrics_add(METRIC_AUDIT_FAILURES, 1);
		log_warn("audit: a failed login was not recorded: %s",
		         accounts->why(accounts->ctx));
	}
}

void attempt_succeeded(const struct endpoints *deps, const struct request *req, const char *login)
{
	if (throttle_forget(&deps->throttle, login, req->remote_addr, deps->now()) != ERR_OK)
		log_error("the failures of a login were not forgotten");
}
