#include <string.h>

#include "attempt.h"
#include "bearer.h"
#include "change.h"
#include "crypto.h"
#include "log.h"
#include "newpassword.h"
#include "passwords.h"

/* Fill *${account} for the bearer of the token, its password_hash included.  Errors are logged. */
static enum err load(const struct endpoints *deps, const struct request *req,
                     struct account *account)
{
	const struct account_store *accounts = &deps->accounts;
	struct claims claims;
	enum err err = bearer_account(deps, req, &claims, account);

	if (err != ERR_OK)
		return err;
	err = accounts->by_login(accounts->ctx, account->login, account);
	/* In between the account may have changed, or the login may have become another account's.
	 */
	if (err == ERR_OK && (strcmp(account->id, claims.sub) != 0 || account->disabled ||
	                      account->generation != claims.gen))
		return ERR_TOKEN;
	if (err == ERR_NOT_FOUND)
		return ERR_TOKEN;
	if (err != ERR_OK)
		log_warn("database: %s", accounts->why(accounts->ctx));
	return err;
}

/* Whether ${given} holds the password of ${account}.  ERR_FORBIDDEN: it does not. */
static enum err authenticate(const struct endpoints *deps, const struct passwords *given,
                             const struct account *account)
{
	enum err err = password_check(&deps->cost, given->password, given->password_len,
	                              account->password_hash);

	if (err == ERR_MALFORMED)
		log_error("account %s has a password hash that is not understood", account->id);
	return err == ERR_MALFORMED || err == ERR_CREDENTIALS ? ERR_FORBIDDEN : err;
}

/* Store the new password.  ERR_TOKEN: the account is no longer as ${account} says. */
static enum err store(const struct endpoints *deps, const struct request *req,
                      const struct passwords *given, const struct account *account)
{
	const struct account_store *accounts = &deps->accounts;
	char hash[PASSWORD_HASH_SIZE];
	enum err err =
	    password_make(&deps->cost, given->new_password, given->new_password_len, hash);

	if (err != ERR_OK)
		return err;
	err = accounts->change_password(accounts->ctx, account, hash, req->remote_addr);
	if (err != ERR_OK && err != ERR_TOKEN)
		log_warn("database: %s", accounts->why(accounts->ctx));
	return err;
}

static void change(const struct endpoints *deps, const struct request *req,
                   const struct passwords *given, const struct account *account,
                   struct response *resp)
{
	enum err err = ERR_OK;

	if (req->gone(req->ctx)) {
		response_problem(resp, req, ERR_CUT, "The client has gone.");
		return;
	}
	err = authenticate(deps, given, account);
	if (err == ERR_FORBIDDEN) {
		attempt_failed(deps, req, account->login);
		response_problem(resp, req, err, "The password is wrong.");
		return;
	}
	if (err == ERR_OK) {
		attempt_succeeded(deps, req, account->login);
		err = store(deps, req, given, account);
	}
	if (err == ERR_OK)
		resp->status = 204;
	else if (err == ERR_TOKEN)
		/* A login may have renewed the hash; if the token died, the next try says so. */
		response_problem(resp, req, ERR_UNAVAILABLE,
		                 "The account was changed at the same time; try again.");
	else
		response_problem(resp, req, err, NULL);
}

void change_handle(const struct endpoints *deps, const struct request *req, struct response *resp)
{
	struct account account = {0};
	struct passwords given = {0};
	const char *why = NULL;
	enum err err = ERR_OK;

	if (!endpoints_method(req, "PUT", resp))
		return;
	err = load(deps, req, &account);
	if (err != ERR_OK) {
		response_problem(resp, req, err, NULL);
		goto out;
	}
	err = passwords_read(req, &given, &why);
	if (err != ERR_OK) {
		response_problem(resp, req, err, why == NULL ? NULL : "%s", why);
		goto out;
	}
	if (newpassword_ok(deps, req, given.new_password, given.new_password_len, resp) &&
	    attempt_allowed(deps, req, account.login, resp))
		change(deps, req, &given, &account, resp);
out:
	passwords_wipe(&given);
	crypto_wipe(&account, sizeof(account));
}
