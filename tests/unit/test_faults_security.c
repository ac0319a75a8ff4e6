#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "bounds.h"
#include "check.h"
#include "crypto.h"
#include "database.h"
#include "endpoints.h"
#include "faults.h"
#include "log.h"
#include "revocation.h"
#include "table.h"
#include "tally.h"
#include "validator.h"

/*
 * Each module of fcgi-security/ while memory runs out, the body breaks or the account store fails,
 * at every place where it can.
 */

enum { NOW = 1767225600, ROUNDS = 5000 };

#define ACCOUNT "0123456789abcdef"

static const char key_text[] = "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n";
static const struct password_cost cost = {.rounds = ROUNDS, .derive = crypto_pbkdf2};
static struct keys *keys;
static struct token_rules rules = {
    .issuer = "imagegate", .audience = "imagegate", .lifetime = 3600};
static char bearer[1024]; /* the header of a good token of ACCOUNT and generation 1 */
static char stored[PASSWORD_HASH_SIZE];

static int set_up(void **state)
{
	struct buf problems = buf_new(LIMIT_PROBLEMS);
	struct buf token = buf_new(LIMIT_TOKEN);
	struct claims claims;
	int failed = 0;

	(void)state;
	log_open("test", LOG_LEVEL_ERROR);
	failed = keys_parse(key_text, strlen(key_text), &keys, &problems) != ERR_OK;
	rules.keys = keys;
	failed |= token_claims(&rules, ACCOUNT, 1, NOW, NOW, &claims) != ERR_OK ||
	          token_sign(&rules, &claims, &token) != ERR_OK ||
	          password_make(&cost, "old password", 12, stored) != ERR_OK;
	(void)snprintf(bearer, sizeof(bearer), "Bearer %s", buf_str(&token));
	buf_free(&token);
	buf_free(&problems);
	return failed;
}

static int tear_down(void **state)
{
	(void)state;
	keys_free(keys);
	return 0;
}

/* --- modules without a request --- */

static enum err parse_keys(void *ctx)
{
	struct buf problems = buf_new(LIMIT_PROBLEMS);
	struct keys *parsed = NULL;
	enum err err = keys_parse(key_text, strlen(key_text), &parsed, &problems);

	(void)ctx;
	assert_true((err == ERR_OK) == (parsed != NULL));
	keys_free(parsed);
	buf_free(&problems);
	return err;
}

static void keys_are_parsed(void **state)
{
	(void)state;
	fault_each(parse_keys, NULL, ERR_NOMEM);
}

static enum err hash_password(void *ctx)
{
	char text[PASSWORD_HASH_SIZE] = "";
	enum err err = password_make(&cost, "a password", 10, text);
	enum err other = ERR_OK;

	(void)ctx;
	if (err != ERR_OK) {
		assert_string_equal(text, "");
		return err;
	}
	other = password_check(&cost, "another one", 11, text);
	assert_true(other == ERR_CREDENTIALS || other == ERR_NOMEM);
	return password_check(&cost, "a password", 10, text);
}

static void passwords(void **state)
{
	(void)state;
	fault_each(hash_password, NULL, ERR_NOMEM);
}

static enum err use_token(void *ctx)
{
	struct buf token = buf_new(LIMIT_TOKEN);
	struct claims claims;
	const char *why = NULL;
	enum err err = token_claims(&rules, ACCOUNT, 7, NOW, NOW, &claims);

	(void)ctx;
	if (err == ERR_OK)
		err = token_sign(&rules, &claims, &token);
	claims = (struct claims){0};
	if (err == ERR_OK)
		err = token_check(&rules, token.data, token.len, NOW, &claims, &why);
	assert_int_equal(claims.gen, err == ERR_OK ? 7 : 0);
	buf_free(&token);
	return err;
}

/*
 * A good token with another header than ours, which libjwt has to look at too, and with spaces in
 * its payload, which therefore is read as any JSON is.
 */
static void foreign_token(char token[sizeof(bearer)])
{
	/* {"typ":"JWT","kid":"k1","alg":"HS256" } */
	static const char header[] = "eyJ0eXAiOiJKV1QiLCJraWQiOiJrMSIsImFsZyI6IkhTMjU2IiB9.ICAg";
	const struct key *key = keys_signer(keys);
	const char *payload = strchr(bearer, '.');
	uint8_t mac[CRYPTO_SHA256_LEN];
	char signature[64];
	size_t len = 0;

	assert_non_null(payload);
	(void)snprintf(token, sizeof(bearer), "%s%s", header, payload + 1);
	*strrchr(token, '.') = '\0';
	len = strlen(token);
	assert_int_equal(crypto_hmac_sha256(key->data, key->len, token, len, mac), ERR_OK);
	(void)EVP_EncodeBlock((unsigned char *)signature, mac, sizeof(mac));
	for (char *at = signature; *at != '\0'; at++)
		*at = *at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? '\0' : *at;
	(void)snprintf(token + len, sizeof(bearer) - len, ".%s", signature);
}

static enum err check_token(void *ctx)
{
	struct claims claims;
	const char *token = ctx;
	const char *why = NULL;

	return token_check(&rules, token, strlen(token), NOW, &claims, &why);
}

/* Whatever fails, it never is a good one. */
static enum err check_forged_token(void *ctx)
{
	enum err err = check_token(ctx);

	assert_int_not_equal(err, ERR_OK);
	return err == ERR_TOKEN ? ERR_OK : err;
}

static void tokens(void **state)
{
	char token[sizeof(bearer)];
	char *at = NULL;

	(void)state;
	fault_each(use_token, NULL, ERR_NOMEM);
	foreign_token(token);
	fault_each(check_token, token, ERR_NOMEM);
	at = &token[strlen(token) - 5];
	*at = *at == 'A' ? 'B' : 'A';
	fault_each(check_forged_token, token, ERR_NOMEM);
}

static enum err use_table(void *ctx)
{
	const char *path = ctx;
	struct table_entry entry = {.account = ACCOUNT, .generation = 3, .until = NOW};
	struct table *table = NULL;
	enum err err = table_write(path, &entry, 1, NOW * INT64_C(1000));

	if (err == ERR_OK)
		err = table_new(path, &table);
	if (err == ERR_OK)
		err = table_refresh(table);
	if (err == ERR_OK)
		assert_int_equal(table_generation(table, ACCOUNT), 3);
	table_free(table);
	return err;
}

/* --- handlers --- */

/* A request whose body, and the store behind it, may fail at every call. */
struct exchange {
	const char *route, *method, *body, *authorization;
	int status; /* of the answer when nothing fails */
	size_t at;
};

static enum err broken_read(void *ctx, void *data, size_t cap, size_t *ret_len)
{
	struct exchange *exchange = ctx;
	size_t n = strlen(exchange->body) - exchange->at;

	if (fault_due())
		return ERR_CUT;
	n = n < cap ? n : cap;
	memcpy(data, exchange->body + exchange->at, n);
	exchange->at += n;
	*ret_len = n;
	return ERR_OK;
}

static bool never_gone(void *ctx)
{
	(void)ctx;
	return false;
}

static struct request request_of(struct exchange *exchange)
{
	exchange->at = 0;
	return (struct request){
	    .id = "r1",
	    .route = exchange->route,
	    .method = exchange->method,
	    .authorization = exchange->authorization,
	    .accept = "",
	    .content_type = "application/json",
	    .remote_addr = "192.0.2.1",
	    .account = "",
	    .object = "",
	    .content_length = (int64_t)strlen(exchange->body),
	    .read = broken_read,
	    .gone = never_gone,
	    .ctx = exchange,
	};
}

/*
 * The answer as an error.  Whatever failed, it is the one of success or a problem of this server,
 * or of the body if that broke; or the buffers have stuck, of which the accept loop makes a 500.
 */
static enum err outcome(const struct exchange *exchange, const struct response *resp)
{
	if (buf_err(&resp->header) != ERR_OK)
		return buf_err(&resp->header);
	if (buf_err(&resp->body) != ERR_OK)
		return buf_err(&resp->body);
	if (resp->status == exchange->status)
		return ERR_OK;
	if (resp->status == 503 || resp->status == err_problem(ERR_NOMEM)->status)
		return ERR_NOMEM;
	return resp->status == 400 ? ERR_CUT : ERR_INTERNAL;
}

static enum err create(void *ctx, const char *login, const char *password_hash, const char *address,
                       char ret_id[ACCOUNT_ID_LEN + 1])
{
	(void)ctx;
	(void)address;
	assert_string_equal(login, "somebody");
	assert_memory_equal(password_hash, "$pbkdf2-sha256$5000$", 20);
	if (fault_due())
		return ERR_UNAVAILABLE;
	memcpy(ret_id, ACCOUNT, sizeof(ACCOUNT));
	return ERR_OK;
}

static enum err login_taken(void *ctx, const char *login, bool *ret)
{
	(void)ctx;
	(void)login;
	*ret = false;
	return fault_due() ? ERR_TIMEOUT : ERR_OK;
}

static enum err find(struct account *ret)
{
	if (fault_due())
		return ERR_UNAVAILABLE;
	*ret = (struct account){.id = ACCOUNT, .login = "somebody", .generation = 1};
	(void)snprintf(ret->password_hash, sizeof(ret->password_hash), "%s", stored);
	return ERR_OK;
}

static enum err by_login(void *ctx, const char *login, struct account *ret)
{
	(void)ctx;
	(void)login;
	return find(ret);
}

static enum err by_id(void *ctx, const char *id, struct account *ret)
{
	(void)ctx;
	assert_string_equal(id, ACCOUNT);
	return find(ret);
}

/* Of who logs in, or fails to. */
static enum err record(void *ctx, const char *who, const char *address)
{
	(void)ctx;
	(void)who;
	(void)address;
	return fault_due() ? ERR_TIMEOUT : ERR_OK;
}

static enum err rehash(void *ctx, const char *id, const char *old_hash, const char *new_hash)
{
	(void)ctx;
	(void)id;
	(void)old_hash;
	(void)new_hash;
	return fault_due() ? ERR_TIMEOUT : ERR_OK;
}

static enum err log_out(void *ctx, const char *id, int64_t generation, const char *address)
{
	(void)ctx;
	(void)address;
	assert_string_equal(id, ACCOUNT);
	assert_int_equal(generation, 1);
	return fault_due() ? ERR_TIMEOUT : ERR_OK;
}

static enum err change_password(void *ctx, const struct account *account, const char *new_hash,
                                const char *address)
{
	(void)ctx;
	(void)address;
	assert_string_equal(account->id, ACCOUNT);
	assert_memory_equal(new_hash, "$pbkdf2-sha256$", 15);
	return fault_due() ? ERR_TIMEOUT : ERR_OK;
}

static const char *why(void *ctx)
{
	(void)ctx;
	return "as the test wants";
}

static int64_t now(void)
{
	return NOW;
}

static struct tally *tally;

static enum err ask_endpoints(void *ctx)
{
	struct endpoints deps = {
	    .accounts = {.create = create,
	                 .login_taken = login_taken,
	                 .by_login = by_login,
	                 .by_id = by_id,
	                 .logged_in = record,
	                 .login_failed = record,
	                 .rehash = rehash,
	                 .log_out = log_out,
	                 .change_password = change_password,
	                 .why = why},
	    /* More rounds than the stored hash has, so that it is renewed. */
	    .cost = {.rounds = ROUNDS + 1000, .derive = crypto_pbkdf2},
	    .rules = rules,
	    /* So many that none is too many. */
	    .throttle = {.tally = tally, .failures = 1000000},
	    .session_max = 12 * 3600,
	    .max_wait_ms = 1000,
	    .password_min = 8,
	    .registration = true,
	    .now = now,
	};
	struct exchange *exchange = ctx;
	struct request req = request_of(exchange);
	struct response resp = response_new();
	enum err err = ERR_OK;

	if (strcmp(exchange->route, "register") == 0)
		deps.cost.rounds = ROUNDS;
	endpoints_handle(&deps, &req, &resp);
	err = outcome(exchange, &resp);
	response_free(&resp);
	return err;
}

static void endpoints(void **state)
{
	static struct exchange exchanges[] = {
	    {.route = "register",
	     .method = "POST",
	     .body = "{\"login\":\"somebody\",\"password\":\"a password\"}",
	     .authorization = "",
	     .status = 201},
	    {.route = "token",
	     .method = "POST",
	     .body = "{\"login\":\"somebody\",\"password\":\"old password\"}",
	     .authorization = "",
	     .status = 200},
	    {.route = "token-plain",
	     .method = "POST",
	     .body = "{\"login\":\"somebody\",\"password\":\"old password\"}",
	     .authorization = "",
	     .status = 200},
	    {.route = "token",
	     .method = "POST",
	     .body = "{\"login\":\"somebody\",\"password\":\"wrong password\"}",
	     .authorization = "",
	     .status = 401},
	    {.route = "user", .method = "GET", .body = "", .authorization = bearer, .status = 200},
	    {.route = "user", .method = "GET", .body = "", .authorization = "", .status = 401},
	    {.route = "renew",
	     .method = "POST",
	     .body = "",
	     .authorization = bearer,
	     .status = 200},
	    {.route = "logout",
	     .method = "DELETE",
	     .body = "",
	     .authorization = bearer,
	     .status = 204},
	    {.route = "password",
	     .method = "PUT",
	     .body = "{\"password\":\"old password\",\"new_password\":\"another password\"}",
	     .authorization = bearer,
	     .status = 204},
	    {.route = "ready", .method = "GET", .body = "", .authorization = "", .status = 204},
	    {.route = "none", .method = "GET", .body = "", .authorization = "", .status = 404},
	};

	char folder[] = "/dev/shm/test_faults_security.XXXXXX";
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/tally", folder);
	assert_int_equal(tally_open(path, 300, &tally), ERR_OK);
	for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++)
		fault_each(ask_endpoints, &exchanges[i], ERR_CUT);
	tally_close(tally);
	(void)unlink(path);
	(void)rmdir(folder);
}

static int64_t now_ms(void)
{
	return NOW * INT64_C(1000);
}

static const char *table_path;

static enum err ask_validator(void *ctx)
{
	struct validator validator = {.rules = rules, .now_ms = now_ms};
	struct exchange *exchange = ctx;
	struct request req = request_of(exchange);
	struct response resp = response_new();
	enum err err = table_new(table_path, &validator.table);

	if (err != ERR_OK)
		return err;
	validator_handle(&validator, &req, &resp);
	err = outcome(exchange, &resp);
	/* Nobody is let in who is not named. */
	if (err == ERR_OK && exchange->status == 204)
		assert_non_null(strstr(buf_str(&resp.header), "X-Account-Id: " ACCOUNT "\r\n"));
	response_free(&resp);
	table_free(validator.table);
	return err;
}

static void table_and_validator(void **state)
{
	static struct exchange good = {.route = "validate",
	                               .method = "GET",
	                               .body = "",
	                               .authorization = bearer,
	                               .status = 204};
	static struct exchange revoked = {.route = "validate",
	                                  .method = "GET",
	                                  .body = "",
	                                  .authorization = bearer,
	                                  .status = 401};
	struct table_entry entry = {.account = ACCOUNT, .generation = 2, .until = NOW};
	char folder[] = "/tmp/test_faults_security.XXXXXX";
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/table", folder);
	table_path = path;
	fault_each(use_table, path, ERR_NOMEM);
	assert_int_equal(table_write(path, &entry, 1, now_ms()), ERR_OK);
	fault_each(ask_validator, &revoked, ERR_NOMEM);
	assert_int_equal(table_write(path, NULL, 0, now_ms()), ERR_OK);
	fault_each(ask_validator, &good, ERR_NOMEM);
	(void)unlink(path);
	(void)rmdir(folder);
}

/* --- the database --- */

static struct db_settings db_settings = {
    .host = "127.0.0.1",
    .name = "imagegate",
    .user = "accounts",
    .password = "the password",
    .app = "test",
    .timeout_ms = 5000,
    .channel = "revocations",
};

static enum err use_accounts(struct db *db)
{
	struct account_store accounts = account_store(db);
	struct account account = {0};
	char id[ACCOUNT_ID_LEN + 1] = "";
	bool taken = true;
	enum err err = accounts.create(db, "somebody", "hash", "192.0.2.1", id);

	assert_string_equal(id, err == ERR_OK ? ACCOUNT : "");
	if (err == ERR_OK)
		err = accounts.login_taken(db, "somebody", &taken);
	if (err == ERR_OK)
		assert_false(taken);
	if (err == ERR_OK)
		err = accounts.by_login(db, "somebody", &account);
	assert_string_equal(account.login, err == ERR_OK ? "somebody" : "");
	if (err == ERR_OK)
		err = accounts.by_id(db, ACCOUNT, &account);
	if (err == ERR_OK)
		err = accounts.logged_in(db, ACCOUNT, "192.0.2.1");
	if (err == ERR_OK)
		err = accounts.login_failed(db, "somebody", "192.0.2.1");
	if (err == ERR_OK)
		err = accounts.rehash(db, ACCOUNT, "old", "new");
	if (err == ERR_OK)
		err = accounts.change_password(db, &account, "new", "192.0.2.1");
	if (err == ERR_OK)
		err = accounts.log_out(db, ACCOUNT, 1, "192.0.2.1");
	return err;
}

static enum err use_revocations(struct db *db)
{
	struct table_entry *entries = NULL;
	size_t n = 0;
	enum err err = revocation_list(db, &entries, &n);

	if (err == ERR_OK) {
		assert_int_equal(n, 1);
		assert_int_equal(entries[0].generation, 5);
	}
	revocation_list_free(entries);
	return err;
}

static enum err use_database(void *ctx)
{
	struct db *db = NULL;
	enum err err = db_new(&db_settings, &db);

	(void)ctx;
	if (err == ERR_OK)
		err = use_accounts(db);
	if (err == ERR_OK)
		err = use_revocations(db);
	/* Whatever happened, it goes on when memory is there again. */
	fault_pause();
	if (db != NULL)
		assert_int_equal(use_accounts(db), ERR_OK);
	db_free(db);
	fault_resume();
	return err;
}

static void database(void **state)
{
	static const struct database_answer answers[] = {
	    {"account_create", {ACCOUNT}},
	    {"account_login_taken", {"f"}},
	    {"account_by_login", {ACCOUNT, "somebody", "hash", "1", "f"}},
	    {"account_by_id", {"somebody", "1", "f", "1767225600"}},
	    {"account_change_password", {"t"}},
	    {"account_log_out", {"t"}},
	    {"revocations WHERE", {ACCOUNT, "5", "1767225600"}},
	    {"", {""}},
	};
	pid_t pid = database_start(db_settings.password, answers, &db_settings.port);

	(void)state;
	fault_each(use_database, NULL, ERR_UNAVAILABLE);
	database_stop(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_parsed),
	    cmocka_unit_test(passwords),
	    cmocka_unit_test(tokens),
	    cmocka_unit_test(endpoints),
	    cmocka_unit_test(table_and_validator),
	    cmocka_unit_test(database),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
