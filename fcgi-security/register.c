#include "register.h"
#include "credentials.h"
#include "newpassword.h"

static void answer_created(struct response *resp, const char *login, const char *id)
{
	resp->status = 201;
	response_header(resp, "Content-Type", "application/json");
	buf_puts(&resp->body, "{\"login\":");
	buf_jsons(&resp->body, login);
	buf_puts(&resp->body, ",\"id\":");
	buf_jsons(&resp->body, id);
	buf_puts(&resp->body, "}\n");
}

static void answer_conflict(const struct request *req, struct response *resp)
{
	response_problem(resp, req, ERR_CONFLICT, "This login is taken.");
}

static void register_account(const struct endpoints *deps, const struct request *req,
                             const struct credentials *given, struct response *resp)
{
	char id[ACCOUNT_ID_LEN + 1];
	char hash[PASSWORD_HASH_SIZE];
	bool taken = false;
	enum err err = deps->accounts.login_taken(deps->accounts.ctx, given->login, &taken);

	if (err != ERR_OK) {
		endpoints_store_problem(deps, req, err, resp);
		return;
	}
	if (taken) {
		answer_conflict(req, resp);
		return;
	}
	if (req->gone(req->ctx)) {
		response_problem(resp, req, ERR_CUT, "The client has gone.");
		return;
	}
	err = password_make(&deps->cost, given->password, given->password_len, hash);
	if (err != ERR_OK) {
		response_problem(resp, req, err, NULL);
		return;
	}
	err = deps->accounts.create(deps->accounts.ctx, given->login, hash, req->remote_addr, id);
	if (err == ERR_CONFLICT)
		answer_conflict(req, resp);
	else if (err != ERR_OK)
		endpoints_store_problem(deps, req, err, resp);
	else
		answer_created(resp, given->login, id);
}

void register_handle(const struct endpoints *deps, const struct request *req, struct response *resp)
{
	struct credentials given;
	const char *why = NULL;
	enum err err = ERR_OK;

	if (!endpoints_method(req, "POST", resp))
		return;
	if (!deps->registration) {
		response_problem(resp, req, ERR_FORBIDDEN, "Registration is closed.");
		return;
	}
	err = credentials_read(req, &given, &why);
	if (err != ERR_OK) {
		response_problem(resp, req, err, why == NULL ? NULL : "%s", why);
		return;
	}
	if (newpassword_ok(deps, req, given.password, given.password_len, resp))
		register_account(deps, req, &given, resp);
	credentials_wipe(&given);
}
