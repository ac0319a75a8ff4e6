#include "login.h"
#include "attempt.h"
#include "credentials.h"
#include "crypto.h"
#include "grant.h"
#include "log.h"
#include "metrics.h"

/* Whether ${given} proves to be ${account}, which is NULL for an unknown login.  ERR_CREDENTIALS.
 */
static enum err authenticate(const struct endpoints *deps, const struct credentials *given,
                             const struct account *account)
{
	const char *stored = account == NULL ? NULL : account->password_hash;
	enum err err = password_check(&deps->cost, given->password, given->password_len, stored);

	if (err == ERR_MALFORMED) {
		log_error("account %s has a password hash that is not understood",
		          account == NULL ? "" : account->id);
		return ERR_CREDENTIALS;
	}
	if (err == ERR_OK && (account == NULL || account->disabled))
		return ERR_CREDENTIALS;
	return err;
}

/* Replace the hash of ${account} if it is weaker than today's.  The login does not depend on it. */
static void refresh_hash(const struct endpoints *deps, const struct credentials *given,
                         const struct account *account)
{
	const struct account_store *accounts = &deps->accounts;
	char hash[PASSWORD_HASH_SIZE];
	enum err err = ERR_OK;

	if (!password_outdated(&deps->cost, account->password_hash))
		return;
	err = password_make(&deps->cost, given->password, given->password_len, hash);
	if (err == ERR_OK)
		err = accounts->rehash(accounts->ctx, account->id, account->password_hash, hash);
	if (err != ERR_OK)
		log_warn("the password hash of account %s was not renewed", account->id);
}

/* The password was not proven: answer ${err}. */
static void refuse(const struct endpoints *deps, const struct request *req,
                   const struct credentials *given, enum err err, struct response *resp)
{
	response_problem(resp, req, err, NULL);
	if (err == ERR_CREDENTIALS)
		attempt_failed(deps, req, given->login);
}

/* The password of ${account} was right. */
static void accept(const struct endpoints *deps, const struct request *req,
                   const struct credentials *given, const struct account *account,
                   struct response *resp)
{
	const struct account_store *accounts = &deps->accounts;

	attempt_succeeded(deps, req, given->login);
	refresh_hash(deps, given, account);
	if (accounts->logged_in(accounts->ctx, account->id, req->remote_addr) != ERR_OK) {
		metrics_add(METRIC_AUDIT_FAILURES, 1);
		log_warn("audit: a login was not recorded: %s", accounts->why(accounts->ctx));
	}
	grant_answer(deps, req, account->id, account->generation, deps->now(), resp);
}

static void log_in(const struct endpoints *deps, const struct request *req,
                   const struct credentials *given, struct response *resp)
{
	const struct account_store *accounts = &deps->accounts;
	struct account account = {0};
	enum err found = accounts->by_login(accounts->ctx, given->login, &account);
	enum err err = ERR_OK;

	if (found != ERR_OK && found != ERR_NOT_FOUND) {
		endpoints_store_problem(deps, req, found, resp);
		return;
	}
	if (req->gone(req->ctx)) {
		response_problem(resp, req, ERR_CUT, "The client has gone.");
		goto out;
	}
	err = authenticate(deps, given, found == ERR_OK ? &account : NULL);
	if (err == ERR_OK)
		accept(deps, req, given, &account, resp);
	else
		refuse(deps, req, given, err, resp);
out:
	crypto_wipe(&account, sizeof(account));
}

/* Read the credentials of ${req} and answer. */
static void answer(const struct endpoints *deps, const struct request *req, struct response *resp)
{
	struct credentials given;
	const char *why = NULL;
	enum err err = ERR_OK;

	if (!endpoints_method(req, "POST", resp))
		return;
	err = credentials_read(req, &given, &why);
	if (err != ERR_OK) {
		response_problem(resp, req, err, why == NULL ? NULL : "%s", why);
		return;
	}
	if (attempt_allowed(deps, req, given.login, resp))
		log_in(deps, req, &given, resp);
	credentials_wipe(&given);
}

/* What the answer counts as. */
static enum metrics_counter result_of(int status)
{
	switch (status) {
	case 200:
		return METRIC_LOGIN_OK;
	case 401:
		return METRIC_LOGIN_REFUSED;
	case 429:
		return METRIC_LOGIN_THROTTLED;
	default:
		return status < 500 ? METRIC_LOGIN_MALFORMED : METRIC_LOGIN_UNAVAILABLE;
	}
}

void login_handle(const struct endpoints *deps, const struct request *req, struct response *resp)
{
	answer(deps, req, resp);
	metrics_add(result_of(resp->status), 1);
}
