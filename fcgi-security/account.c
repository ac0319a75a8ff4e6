#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account.h"
#include "address.h"
#include "clock.h"
#include "metrics.h"
#include "request.h"

enum { INTEGER_SIZE = sizeof("-9223372036854775808") };

/* Copy the text in ${row} 0, ${col} to ${text} of ${size} bytes.  ERR_INTERNAL: none, or too long.
 */
static enum err text_value(const struct db_result *result, size_t col, char *text, size_t size)
{
	const char *value = db_text(result, 0, col);

	if (value == NULL || strlen(value) >= size)
		return ERR_INTERNAL;
	(void)snprintf(text, size, "%s", value);
	return ERR_OK;
}

/* As text_value(), of an account id. */
static enum err id_value(const struct db_result *result, size_t col, char id[ACCOUNT_ID_LEN + 1])
{
	enum err err = text_value(result, col, id, ACCOUNT_ID_LEN + 1);

	if (err != ERR_OK)
		return err;
	return request_account_ok(id) ? ERR_OK : ERR_INTERNAL;
}

/* ${address} if it is one, else NULL: a wrong one must not keep anybody from logging in. */
static const char *address_or_null(const char *address)
{
	uint8_t network[ADDRESS_NETWORK_LEN];

	return address_network(address, network) == ERR_OK ? address : NULL;
}

/* db_query(), timed. */
static enum err query(struct db *db, enum metrics_timer timer, enum db_repeat repeat,
                      const char *sql, const char *const *params, int n, struct db_result **ret)
{
	int64_t start = clock_steady_us();
	enum err err = db_query(db, repeat, sql, params, n, ret);

	metrics_since(timer, start);
	return err;
}

static enum err create(void *ctx, const char *login, const char *password_hash, const char *address,
                       char ret_id[ACCOUNT_ID_LEN + 1])
{
	static const char sql[] = "SELECT imagegate.account_create($1, $2)"
				  " FROM imagegate.audit_from($3)";
	const char *const params[] = {login, password_hash, address_or_null(address)};
	struct db_result *result = NULL;
	char id[ACCOUNT_ID_LEN + 1];
	enum err err = query(ctx, TIMER_DATABASE_REGISTER, DB_ONCE, sql, params, 3, &result);

	if (err != ERR_OK)
		return err;
	if (db_rows(result) == 1 && db_text(result, 0, 0) == NULL)
		err = ERR_CONFLICT;
	else
		err = id_value(result, 0, id);
	db_result_free(result);
	if (err == ERR_OK)
		memcpy(ret_id, id, sizeof(id));
	return err;
}

static enum err login_taken(void *ctx, const char *login, bool *ret)
{
	const char *const params[] = {login};
	struct db_result *result = NULL;
	enum err err = query(ctx, TIMER_DATABASE_READY, DB_REPEATABLE,
	                     "SELECT imagegate.account_login_taken($1)", params, 1, &result);

	if (err != ERR_OK)
		return err;
	err = db_flag(result, 0, 0, ret);
	db_result_free(result);
	return err;
}

/* Fill *${ret} from the row of by_login(). */
static enum err login_row(const struct db_result *result, struct account *ret)
{
	enum err err = ERR_OK;

	if (db_rows(result) == 0)
		return ERR_NOT_FOUND;
	err = id_value(result, 0, ret->id);
	if (err == ERR_OK)
		err = text_value(result, 1, ret->login, sizeof(ret->login));
	if (err == ERR_OK)
		err = db_integer(result, 0, 3, &ret->generation);
	if (err == ERR_OK)
		err = db_flag(result, 0, 4, &ret->disabled);
	/* A hash that cannot be right must not make this account answer differently from others. */
	if (text_value(result, 2, ret->password_hash, sizeof(ret->password_hash)) != ERR_OK)
		ret->password_hash[0] = '\0';
	return err;
}

static enum err by_login(void *ctx, const char *login, struct account *ret)
{
	static const char sql[] = "SELECT id, login, password_hash, generation, disabled"
				  " FROM imagegate.account_by_login($1)";
	const char *const params[] = {login};
	struct db_result *result = NULL;
	struct account account = {0};
	enum err err = query(ctx, TIMER_DATABASE_LOGIN, DB_REPEATABLE, sql, params, 1, &result);

	if (err != ERR_OK)
		return err;
	err = login_row(result, &account);
	db_result_free(result);
	if (err == ERR_OK)
		*ret = account;
	return err;
}

/* Fill *${ret} from the row of by_id(). */
static enum err id_row(const struct db_result *result, struct account *ret)
{
	enum err err = ERR_OK;

	if (db_rows(result) == 0)
		return ERR_NOT_FOUND;
	err = text_value(result, 0, ret->login, sizeof(ret->login));
	if (err == ERR_OK)
		err = db_integer(result, 0, 1, &ret->generation);
	if (err == ERR_OK)
		err = db_flag(result, 0, 2, &ret->disabled);
	if (err == ERR_OK)
		err = db_integer(result, 0, 3, &ret->created_at);
	return err;
}

static enum err by_id(void *ctx, const char *id, struct account *ret)
{
	static const char sql[] = "SELECT login, generation, disabled,"
				  " floor(extract(epoch FROM created_at))::bigint"
				  " FROM imagegate.account_by_id($1)";
	const char *const params[] = {id};
	struct db_result *result = NULL;
	struct account account = {0};
	enum err err = query(ctx, TIMER_DATABASE_ACCOUNT, DB_REPEATABLE, sql, params, 1, &result);

	if (err != ERR_OK)
		return err;
	(void)snprintf(account.id, sizeof(account.id), "%s", id);
	err = id_row(result, &account);
	db_result_free(result);
	if (err == ERR_OK)
		*ret = account;
	return err;
}

static enum err logged_in(void *ctx, const char *id, const char *address)
{
	static const char sql[] = "SELECT imagegate.account_logged_in($1)"
				  " FROM imagegate.audit_from($2)";
	const char *const params[] = {id, address_or_null(address)};
	struct db_result *result = NULL;
	enum err err = query(ctx, TIMER_DATABASE_AUDIT, DB_REPEATABLE, sql, params, 2, &result);

	db_result_free(result);
	return err;
}

static enum err login_failed(void *ctx, const char *login, const char *address)
{
	static const char sql[] = "SELECT imagegate.audit_login_failed($1, $2)";
	const char *const params[] = {login, address_or_null(address)};
	struct db_result *result = NULL;
	enum err err = query(ctx, TIMER_DATABASE_AUDIT, DB_REPEATABLE, sql, params, 2, &result);

	db_result_free(result);
	return err;
}

static enum err rehash(void *ctx, const char *id, const char *old_hash, const char *new_hash)
{
	const char *const params[] = {id, old_hash, new_hash};
	struct db_result *result = NULL;
	/* Repeatable: once the hash was replaced, the old one no longer matches. */
	enum err err = query(ctx, TIMER_DATABASE_REHASH, DB_REPEATABLE,
	                     "SELECT imagegate.account_rehash($1, $2, $3)", params, 3, &result);

	db_result_free(result);
	return err;
}

/* Run ${sql}, whose one value says whether it did anything.  ERR_TOKEN: it did not. */
static enum err if_live(struct db *db, enum metrics_timer timer, enum db_repeat repeat,
                        const char *sql, const char *const *params, int n)
{
	struct db_result *result = NULL;
	bool done = false;
	enum err err = query(db, timer, repeat, sql, params, n, &result);

	if (err != ERR_OK)
		return err;
	err = db_flag(result, 0, 0, &done);
	db_result_free(result);
	if (err != ERR_OK)
		return err;
	return done ? ERR_OK : ERR_TOKEN;
}

static enum err log_out(void *ctx, const char *id, int64_t generation, const char *address)
{
	static const char sql[] = "SELECT imagegate.account_log_out($1, $2)"
				  " FROM imagegate.audit_from($3)";
	char number[INTEGER_SIZE];
	const char *const params[] = {id, number, address_or_null(address)};

	(void)snprintf(number, sizeof(number), "%" PRId64, generation);
	/* Repeatable: once it was done, the generation no longer matches. */
	return if_live(ctx, TIMER_DATABASE_LOGOUT, DB_REPEATABLE, sql, params, 3);
}

static enum err change_password(void *ctx, const struct account *account, const char *new_hash,
                                const char *address)
{
	static const char sql[] = "SELECT imagegate.account_change_password($1, $2, $3, $4)"
				  " FROM imagegate.audit_from($5)";
	char number[INTEGER_SIZE];
	const char *const params[] = {account->id, number, account->password_hash, new_hash,
	                              address_or_null(address)};

	(void)snprintf(number, sizeof(number), "%" PRId64, account->generation);
	/* Not repeated: that the first try succeeded would look like a failure. */
	return if_live(ctx, TIMER_DATABASE_PASSWORD, DB_ONCE, sql, params, 5);
}

static const char *why(void *ctx)
{
	return db_why(ctx);
}

struct account_store account_store(struct db *db)
{
	return (struct account_store){
	    .ctx = db,
	    .create = create,
	    .login_taken = login_taken,
	    .by_login = by_login,
	    .by_id = by_id,
	    .logged_in = logged_in,
	    .login_failed = login_failed,
	    .rehash = rehash,
	    .log_out = log_out,
	    .change_password = change_password,
	    .why = why,
	};
}
