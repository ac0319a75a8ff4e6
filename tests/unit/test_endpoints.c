#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "check.h"
#include "crypto.h"
#include "endpoints.h"

enum {
	NOW = 1767225600,
	LIFETIME = 3600,
	SESSION = 12 * 3600,
	ROUNDS = 5000,
	FAILURES = 5,
	WINDOW = 300
};

/* --- a store of one account, each of whose operations can be made to fail --- */

static const char id[] = "0123456789abcdef";

static struct store {
	bool exists;
	struct account account;
	enum err create_err, login_taken_err, by_login_err, by_id_err, logged_in_err, rehash_err,
	    login_failed_err, log_out_err, change_err;
	bool renamed; /* by_login() finds another account */
	bool raced;   /* somebody else raises the generation while the password is hashed */
	int created, looked, logins, rehashes, failures, logouts, changes;
	char address[64]; /* that the last operation was told */
} store;

static enum err create(void *ctx, const char *login, const char *password_hash, const char *address,
                       char ret_id[ACCOUNT_ID_LEN + 1])
{
	struct store *s = ctx;

	s->created++;
	(void)snprintf(s->address, sizeof(s->address), "%s", address);
	if (s->create_err != ERR_OK)
		return s->create_err;
	s->exists = true;
	(void)snprintf(s->account.id, sizeof(s->account.id), "%s", id);
	(void)snprintf(s->account.login, sizeof(s->account.login), "%s", login);
	(void)snprintf(s->account.password_hash, sizeof(s->account.password_hash), "%s",
	               password_hash);
	memcpy(ret_id, id, sizeof(id));
	return ERR_OK;
}

static enum err login_taken(void *ctx, const char *login, bool *ret)
{
	struct store *s = ctx;

	s->looked++;
	*ret = s->exists && strcmp(login, s->account.login) == 0;
	return s->login_taken_err;
}

static enum err by_login(void *ctx, const char *login, struct account *ret)
{
	struct store *s = ctx;

	s->looked++;
	if (s->by_login_err != ERR_OK)
		return s->by_login_err;
	if (!s->exists || strcmp(login, s->account.login) != 0)
		return ERR_NOT_FOUND;
	*ret = s->account;
	if (s->renamed)
		ret->id[0] = 'v';
	return ERR_OK;
}

static enum err by_id(void *ctx, const char *account, struct account *ret)
{
	struct store *s = ctx;

	s->looked++;
	if (s->by_id_err != ERR_OK)
		return s->by_id_err;
	if (!s->exists || strcmp(account, s->account.id) != 0)
		return ERR_NOT_FOUND;
	*ret = s->account;
	return ERR_OK;
}

static enum err logged_in(void *ctx, const char *account, const char *address)
{
	struct store *s = ctx;

	assert_string_equal(account, id);
	(void)snprintf(s->address, sizeof(s->address), "%s", address);
	s->logins++;
	return s->logged_in_err;
}

static enum err login_failed(void *ctx, const char *login, const char *address)
{
	struct store *s = ctx;

	assert_int_not_equal(login[0], '\0');
	(void)snprintf(s->address, sizeof(s->address), "%s", address);
	s->failures++;
	return s->login_failed_err;
}

static enum err rehash(void *ctx, const char *account, const char *old_hash, const char *new_hash)
{
	struct store *s = ctx;

	assert_string_equal(account, id);
	assert_string_equal(old_hash, s->account.password_hash);
	s->rehashes++;
	if (s->rehash_err == ERR_OK)
		(void)snprintf(s->account.password_hash, sizeof(s->account.password_hash), "%s",
		               new_hash);
	return s->rehash_err;
}

static enum err log_out(void *ctx, const char *account, int64_t generation, const char *address)
{
	struct store *s = ctx;

	(void)snprintf(s->address, sizeof(s->address), "%s", address);

	if (s->log_out_err != ERR_OK)
		return s->log_out_err;
	if (!s->exists || strcmp(account, s->account.id) != 0 || s->account.disabled ||
	    generation != s->account.generation)
		return ERR_TOKEN;
	s->logouts++;
	s->account.generation++;
	return ERR_OK;
}

static enum err change_password(void *ctx, const struct account *account, const char *new_hash,
                                const char *address)
{
	struct store *s = ctx;

	(void)snprintf(s->address, sizeof(s->address), "%s", address);

	if (s->raced)
		s->account.generation++;
	if (s->change_err != ERR_OK)
		return s->change_err;
	if (strcmp(account->id, s->account.id) != 0 ||
	    account->generation != s->account.generation ||
	    strcmp(account->password_hash, s->account.password_hash) != 0)
		return ERR_TOKEN;
	s->changes++;
	s->account.generation++;
	(void)snprintf(s->account.password_hash, sizeof(s->account.password_hash), "%s", new_hash);
	return ERR_OK;
}

static const char *why(void *ctx)
{
	(void)ctx;
	return "as the test wants";
}

/* --- the endpoints around it --- */

static uint64_t rounds_spent;
static char folder[] = "/dev/shm/test_endpoints.XXXXXX";
static char path[64];
static int64_t clock_now;
static struct keys *keys;
static struct response resp;
static struct endpoints deps;

static enum err count_rounds(const void *password, size_t password_len, const void *salt,
                             size_t salt_len, uint32_t rounds, void *key, size_t key_len)
{
	rounds_spent += rounds;
	return crypto_pbkdf2(password, password_len, salt, salt_len, rounds, key, key_len);
}

static int64_t now(void)
{
	return clock_now;
}

static int set_up(void **state)
{
	static const char text[] = "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n";
	struct buf problems = buf_new(LIMIT_PROBLEMS);

	(void)state;
	store = (struct store){0};
	rounds_spent = 0;
	clock_now = NOW;
	resp = response_new();
	if (keys_parse(text, strlen(text), &keys, &problems) != ERR_OK)
		return -1;
	buf_free(&problems);
	deps = (struct endpoints){
	    .accounts = {.ctx = &store,
	                 .create = create,
	                 .login_taken = login_taken,
	                 .by_login = by_login,
	                 .by_id = by_id,
	                 .logged_in = logged_in,
	                 .login_failed = login_failed,
	                 .rehash = rehash,
	                 .log_out = log_out,
	                 .change_password = change_password,
	                 .why = why},
	    .cost = {.rounds = ROUNDS, .derive = count_rounds},
	    .rules = {.keys = keys,
	              .issuer = "imagegate",
	              .audience = "imagegate",
	              .lifetime = LIFETIME},
	    .session_max = SESSION,
	    .password_min = 8,
	    .throttle.failures = FAILURES,
	    .registration = true,
	    .max_wait_ms = 3000,
	    .now = now,
	};
	(void)snprintf(path, sizeof(path), "%s/logins", folder);
	return tally_open(path, WINDOW, &deps.throttle.tally) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	response_free(&resp);
	keys_free(keys);
	keys = NULL;
	tally_close(deps.throttle.tally);
	return unlink(path);
}

/* --- requests --- */

struct client {
	const char *body;
	size_t at;
	bool cut, gone;
};

static enum err read_body(void *ctx, void *data, size_t cap, size_t *ret_len)
{
	struct client *client = ctx;
	size_t n = strlen(client->body) - client->at;

	if (n == 0 && client->cut)
		return ERR_CUT;
	n = n < cap ? n : cap;
	memcpy(data, client->body + client->at, n);
	client->at += n;
	*ret_len = n;
	return ERR_OK;
}

static bool client_gone(void *ctx)
{
	return ((struct client *)ctx)->gone;
}

/* A POST of JSON; its parts can be changed before send(). */
static struct request post(const char *route)
{
	return (struct request){
	    .id = "r1",
	    .route = route,
	    .method = "POST",
	    .authorization = "",
	    .accept = "",
	    .content_type = "application/json",
	    .remote_addr = "192.0.2.1",
	    .account = "",
	    .object = "",
	    .read = read_body,
	    .gone = client_gone,
	};
}

static struct request get(const char *route, const char *authorization)
{
	struct request req = post(route);

	req.method = "GET";
	req.content_type = "";
	req.authorization = authorization;
	return req;
}

static int send_as(struct request req, struct client client)
{
	req.ctx = &client;
	req.content_length = (int64_t)strlen(client.body);
	response_clear(&resp);
	endpoints_handle(&deps, &req, &resp);
	assert_int_equal(buf_err(&resp.header), ERR_OK);
	assert_int_equal(buf_err(&resp.body), ERR_OK);
	return resp.status;
}

static int send_body(struct request req, const char *body)
{
	return send_as(req, (struct client){.body = body});
}

static int try_login(const char *login, const char *password)
{
	char body[256];

	(void)snprintf(body, sizeof(body), "{\"login\":\"%s\",\"password\":\"%s\"}", login,
	               password);
	return send_body(post("token"), body);
}

static bool in_header(const char *line)
{
	return strstr(buf_str(&resp.header), line) != NULL;
}

static bool in_body(const char *text)
{
	return strstr(buf_str(&resp.body), text) != NULL;
}

/* The store gets the account `bob` whose password is `right password`, hashed in ${rounds}. */
static void add_bob(uint32_t rounds)
{
	const struct password_cost cost = {.rounds = rounds, .derive = crypto_pbkdf2};

	store.exists = true;
	store.account =
	    (struct account){.id = "0123456789abcdef", .login = "bob", .created_at = NOW};
	assert_int_equal(password_make(&cost, "right password", 14, store.account.password_hash),
	                 ERR_OK);
}

static const char bob[] = "{\"login\":\"bob\",\"password\":\"right password\"}";
static const enum err troubles[] = {ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_NOMEM};
enum { TROUBLES = sizeof(troubles) / sizeof(troubles[0]) };

/* --- all routes --- */

static void unknown_routes_are_not_found(void **state)
{
	(void)state;
	assert_int_equal(send_body(post(""), bob), 404);
	assert_int_equal(send_body(post("Token"), bob), 404);
	assert_int_equal(send_body(post("token/renew"), bob), 404);
	assert_int_equal(store.looked, 0);
}

static void other_methods_are_refused(void **state)
{
	static const struct {
		const char *route, *allowed;
	} rows[] = {{"register", "POST"}, {"token", "POST"},    {"token-plain", "POST"},
	            {"renew", "POST"},    {"logout", "DELETE"}, {"user", "GET"},
	            {"password", "PUT"},  {"ready", "GET"}};
	static const char *const methods[] = {"GET",   "HEAD",    "POST",    "PUT", "DELETE",
	                                      "PATCH", "OPTIONS", "CONNECT", "get", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t k = 0; k < sizeof(methods) / sizeof(methods[0]); k++) {
			struct request req = post(rows[i].route);
			char allow[32];

			if (strcmp(methods[k], rows[i].allowed) == 0)
				continue;
			req.method = methods[k];
			assert_int_equal(send_body(req, bob), 405);
			(void)snprintf(allow, sizeof(allow), "Allow: %s\r\n", rows[i].allowed);
			assert_true(in_header(allow));
		}
	}
	assert_int_equal(store.looked, 0);
}

static void bad_bodies_are_refused(void **state)
{
	static const char *const routes[] = {"register", "token", "token-plain"};
	static const char *const types[] = {"", "text/plain", "application/x-www-form-urlencoded",
	                                    "application/jsonp"};

	(void)state;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		struct request req = post(routes[i]);
		static char large[LIMIT_JSON_BODY + 2];

		memset(large, ' ', sizeof(large) - 1);
		assert_int_equal(send_body(req, large), 413);
		assert_true(in_body("8192"));
		assert_int_equal(send_body(req, ""), 400);
		assert_int_equal(send_body(req, "{\"login\":\"bob\"}"), 400);
		assert_true(in_body("password"));
		assert_int_equal(send_body(req, "{\"login\":\"b'b\",\"password\":\"12345678\"}"),
		                 400);
		assert_true(in_body("A login has"));
		assert_int_equal(send_as(req, (struct client){.body = bob, .cut = true}), 400);
		for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++) {
			req.content_type = types[k];
			assert_int_equal(send_body(req, bob), 415);
		}
	}
	assert_int_equal(store.looked + store.created, 0);
	assert_int_equal(rounds_spent, 0);
}

static void what_waited_too_long_is_refused(void **state)
{
	static const char *const routes[] = {"register", "token", "token-plain", "user"};

	(void)state;
	add_bob(ROUNDS);
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		struct request req = post(routes[i]);

		req.waited_ms = 3001;
		assert_int_equal(send_body(req, bob), 503);
		assert_true(in_header("Retry-After: 5\r\n"));
	}
	assert_int_equal(store.looked + store.created, 0);
	assert_int_equal(rounds_spent, 0);
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		struct request req = post(routes[i]);

		req.waited_ms = 3000;
		assert_int_not_equal(send_body(req, bob), 503);
	}
}

/* --- register --- */

static void closed_registration_is_forbidden(void **state)
{
	(void)state;
	deps.registration = false;
	assert_int_equal(send_body(post("register"), bob), 403);
	assert_int_equal(store.looked + store.created, 0);
}

static void short_passwords_are_refused(void **state)
{
	(void)state;
	assert_int_equal(
	    send_body(post("register"), "{\"login\":\"bob\",\"password\":\"1234567\"}"), 400);
	assert_true(in_body("at least 8 bytes"));
	assert_int_equal(send_body(post("register"), "{\"login\":\"bob\",\"password\":\"\"}"), 400);
	deps.password_min = 15;
	assert_int_equal(send_body(post("register"), bob), 400);
	assert_true(in_body("at least 15 bytes"));
	assert_int_equal(store.created, 0);
	deps.password_min = 14;
	assert_int_equal(send_body(post("register"), bob), 201);
}

static void the_commonest_passwords_are_refused(void **state)
{
	(void)state;
	assert_int_equal(
	    send_body(post("register"), "{\"login\":\"bob\",\"password\":\"PassWord1\"}"), 400);
	assert_true(in_body("commonest"));
	assert_int_equal(store.created + store.looked, 0);
	assert_int_equal(rounds_spent, 0);
}

static void taken_logins_are_a_conflict(void **state)
{
	(void)state;
	add_bob(ROUNDS);
	assert_int_equal(send_body(post("register"), bob), 409);
	assert_int_equal(rounds_spent, 0);
	assert_int_equal(store.created, 0);
}

static void a_login_taken_meanwhile_is_a_conflict(void **state)
{
	(void)state;
	store.create_err = ERR_CONFLICT;
	assert_int_equal(send_body(post("register"), bob), 409);
	assert_false(in_body(id));
}

static void register_without_database(void **state)
{
	(void)state;
	for (size_t i = 0; i < TROUBLES; i++) {
		store = (struct store){.login_taken_err = troubles[i]};
		assert_int_equal(send_body(post("register"), bob), 503);
		assert_true(in_header("Retry-After: "));
		assert_int_equal(store.created, 0);
		assert_int_equal(rounds_spent, 0);
	}
	for (size_t i = 0; i < TROUBLES; i++) {
		store = (struct store){.create_err = troubles[i]};
		assert_int_equal(send_body(post("register"), bob), 503);
		assert_int_equal(store.created, 1);
		assert_false(in_body(id));
	}
}

static void nothing_is_hashed_for_who_has_gone(void **state)
{
	(void)state;
	(void)send_as(post("register"), (struct client){.body = bob, .gone = true});
	assert_int_equal(store.created, 0);
	assert_int_equal(rounds_spent, 0);
	add_bob(ROUNDS);
	(void)send_as(post("token"), (struct client){.body = bob, .gone = true});
	assert_int_not_equal(resp.status, 200);
	assert_int_equal(store.logins, 0);
	assert_int_equal(rounds_spent, 0);
}

static void register_makes_an_account(void **state)
{
	(void)state;
	assert_int_equal(send_body(post("register"), bob), 201);
	assert_true(in_header("Content-Type: application/json\r\n"));
	assert_string_equal(buf_str(&resp.body),
	                    "{\"login\":\"bob\",\"id\":\"0123456789abcdef\"}\n");
	assert_int_equal(rounds_spent, ROUNDS);
	assert_string_equal(store.address, "192.0.2.1");
	assert_int_equal(
	    password_check(&deps.cost, "right password", 14, store.account.password_hash), ERR_OK);
}

/* --- token --- */

static void assert_same_refusal(const char *login, const char *password)
{
	static const char expected[] =
	    "{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,"
	    "\"detail\":\"The login or the password is wrong.\",\"request_id\":\"r1\","
	    "\"error\":\"unauthorized\"}\n";

	rounds_spent = 0;
	assert_int_equal(try_login(login, password), 401);
	assert_string_equal(buf_str(&resp.body), expected);
	assert_string_equal(buf_str(&resp.header),
	                    "Content-Type: application/problem+json\r\n"
	                    "WWW-Authenticate: Bearer realm=\"imagegate\"\r\n");
	assert_int_equal(rounds_spent, ROUNDS);
	assert_int_equal(store.logins + store.rehashes, 0);
	assert_int_equal(store.failures, 1);
	assert_string_equal(store.address, "192.0.2.1");
	store.failures = 0;
	clock_now += WINDOW;
}

static void every_failed_login_looks_and_costs_the_same(void **state)
{
	(void)state;
	assert_same_refusal("bob", "right password");
	assert_same_refusal("bob", "");
	add_bob(ROUNDS);
	assert_same_refusal("bob", "wrong password");
	assert_same_refusal("bob", "right passwor");
	assert_same_refusal("alice", "right password");
	add_bob(1000);
	assert_same_refusal("bob", "wrong password");
	store.account.disabled = true;
	assert_same_refusal("bob", "wrong password");
	assert_same_refusal("bob", "right password");
	add_bob(ROUNDS);
	store.account.disabled = true;
	assert_same_refusal("bob", "right password");
	store.account = (struct account){.id = "0123456789abcdef", .login = "bob"};
	assert_same_refusal("bob", "right password");
	assert_same_refusal("bob", "");
}

/* Fail until it is too often; the answer to that must be the last one's. */
static void use_up(const char *login)
{
	for (int i = 0; i < FAILURES; i++)
		assert_int_equal(try_login(login, "wrong password"), 401);
	store.looked = store.failures = 0;
	rounds_spent = 0;
	assert_int_equal(try_login(login, "wrong password"), 429);
	assert_int_equal(store.looked + store.failures, 0);
	assert_int_equal(rounds_spent, 0);
}

static void too_many_failures_wait(void **state)
{
	char unknown[512];

	(void)state;
	assert_int_equal(NOW % WINDOW, 0);
	clock_now = NOW + 100;
	use_up("bob");
	assert_true(in_header("Retry-After: 200\r\n"));
	(void)snprintf(unknown, sizeof(unknown), "%s", buf_str(&resp.body));
	clock_now += WINDOW;
	add_bob(ROUNDS);
	use_up("bob");
	assert_true(in_header("Retry-After: 200\r\n"));
	assert_string_equal(buf_str(&resp.body), unknown);
	assert_int_equal(try_login("BOB", "right password"), 429);
	assert_int_equal(try_login("bob", "right password"), 429);
	assert_int_equal(rounds_spent, 0);
	clock_now += 200;
	assert_int_equal(try_login("bob", "right password"), 200);
}

static void a_throttled_login_is_open_from_elsewhere(void **state)
{
	struct request req = post("token");

	(void)state;
	add_bob(ROUNDS);
	use_up("bob");
	req.remote_addr = "192.0.2.2";
	assert_int_equal(send_body(req, bob), 200);
	assert_string_equal(store.address, "192.0.2.2");
	req.remote_addr = "2001:db8::1";
	assert_int_equal(send_body(req, bob), 200);
	assert_int_equal(try_login("bob", "right password"), 429);
}

static void a_right_password_forgets_the_failures(void **state)
{
	(void)state;
	add_bob(ROUNDS);
	for (int i = 0; i < FAILURES - 1; i++)
		assert_int_equal(try_login("bob", "wrong password"), 401);
	assert_int_equal(try_login("bob", "right password"), 200);
	use_up("bob");
}

/* What a client or the database did is no failure of the login. */
static void only_wrong_passwords_count(void **state)
{
	(void)state;
	add_bob(ROUNDS);
	for (int i = 0; i <= FAILURES; i++) {
		(void)send_as(post("token"), (struct client){.body = bob, .gone = true});
		assert_int_equal(send_body(post("token"), "{\"login\":\"bob\"}"), 400);
		store.by_login_err = ERR_UNAVAILABLE;
		assert_int_equal(try_login("bob", "right password"), 503);
		store.by_login_err = ERR_OK;
	}
	assert_int_equal(store.failures, 0);
	assert_int_equal(try_login("bob", "right password"), 200);
}

static void token_without_database(void **state)
{
	(void)state;
	add_bob(ROUNDS);
	for (size_t i = 0; i < TROUBLES; i++) {
		store.by_login_err = troubles[i];
		assert_int_equal(try_login("bob", "right password"), 503);
		assert_true(in_header("Retry-After: "));
	}
	assert_int_equal(rounds_spent, 0);
}

static void a_login_survives_what_is_only_recorded(void **state)
{
	(void)state;
	add_bob(1000);
	store.login_failed_err = ERR_TIMEOUT;
	assert_int_equal(try_login("bob", "wrong password"), 401);
	assert_int_equal(store.failures, 1);
	store.logged_in_err = ERR_TIMEOUT;
	store.rehash_err = ERR_UNAVAILABLE;
	assert_int_equal(try_login("bob", "right password"), 200);
	assert_int_equal(store.rehashes, 1);
	assert_int_equal(store.logins, 1);
}

/* The claims of the token in the body, which begins after ${before} and ends before ${after}. */
static struct claims claims_in_body(const char *before, const char *after)
{
	const char *token = buf_str(&resp.body) + strlen(before);
	size_t len = resp.body.len - strlen(before) - strlen(after);
	struct claims claims = {0};
	const char *reason = NULL;

	assert_true(resp.body.len > strlen(before) + strlen(after));
	assert_memory_equal(buf_str(&resp.body), before, strlen(before));
	assert_string_equal(token + len, after);
	assert_int_equal(token_check(&deps.rules, token, len, clock_now, &claims, &reason), ERR_OK);
	return claims;
}

static void a_token_says_who_and_when(void **state)
{
	struct claims claims;

	(void)state;
	add_bob(ROUNDS);
	store.account.generation = 7;
	assert_int_equal(try_login("bob", "right password"), 200);
	assert_true(in_header("Content-Type: application/json\r\n"));
	assert_true(in_header("Cache-Control: no-store\r\n"));
	claims = claims_in_body("{\"access_token\":\"",
	                        "\",\"token_type\":\"Bearer\",\"expires_in\":3600}\n");
	assert_string_equal(claims.sub, id);
	assert_int_equal(claims.gen, 7);
	assert_int_equal(claims.iat, NOW);
	assert_int_equal(claims.auth_time, NOW);
	assert_int_equal(claims.exp, NOW + LIFETIME);
	assert_int_equal(store.logins, 1);
	assert_int_equal(store.rehashes, 0);
	assert_int_equal(rounds_spent, ROUNDS);
}

static void accept_chooses_the_form(void **state)
{
	static const struct {
		const char *route, *accept;
		bool text;
	} rows[] = {
	    {"token", "", false},
	    {"token", "*/*", false},
	    {"token", "text/*", false},
	    {"token", "text/html", false},
	    {"token", "application/json, text/plain, */*", false},
	    {"token", "text/plain;q=0", false},
	    {"token", "text/plain", true},
	    {"token", "Text/Plain; q=0.5, */*", true},
	    {"token-plain", "", true},
	    {"token-plain", "*/*", true},
	    {"token-plain", "text/plain", true},
	    {"token-plain", "application/json;q=0", true},
	    {"token-plain", "application/json", false},
	    {"token-plain", "text/plain, Application/JSON", false},
	};

	(void)state;
	add_bob(ROUNDS);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request req = post(rows[i].route);

		req.accept = rows[i].accept;
		assert_int_equal(send_body(req, bob), 200);
		assert_true(in_header("Cache-Control: no-store\r\n"));
		if (rows[i].text) {
			assert_true(in_header("Content-Type: text/plain\r\n"));
			(void)claims_in_body("", "");
		} else {
			assert_true(in_header("Content-Type: application/json\r\n"));
		}
	}
}

static void a_login_renews_a_weaker_hash(void **state)
{
	struct password_hash hash;

	(void)state;
	add_bob(1000);
	assert_int_equal(try_login("bob", "right password"), 200);
	assert_int_equal(store.rehashes, 1);
	assert_int_equal(password_parse(store.account.password_hash, &hash), ERR_OK);
	assert_int_equal(hash.rounds, ROUNDS);
	rounds_spent = 0;
	assert_int_equal(try_login("bob", "right password"), 200);
	assert_int_equal(store.rehashes, 1);
	assert_int_equal(rounds_spent, ROUNDS);

	add_bob(ROUNDS + 1000);
	assert_int_equal(try_login("bob", "right password"), 200);
	assert_int_equal(store.rehashes, 1);
}

static void escapes_in_json_are_decoded(void **state)
{
	(void)state;
	add_bob(ROUNDS);
	assert_int_equal(try_login("\\u0062ob", "right\\u0020p\\u0061ssword"), 200);
}

/* --- user --- */

/* Log bob in and return his Authorization header, valid until the next call. */
static const char *bearer(void)
{
	static char header[LIMIT_AUTHORIZATION];
	struct request req = post("token");

	req.accept = "text/plain";
	assert_int_equal(send_body(req, bob), 200);
	(void)snprintf(header, sizeof(header), "Bearer %s", buf_str(&resp.body));
	return header;
}

static void user_needs_a_token(void **state)
{
	static const char *const bad[] = {"Bearer", "Bearer ", "Bearer a.b.c",
	                                  "Basic Ym9iOng=", "x"};

	(void)state;
	assert_int_equal(send_body(get("user", ""), ""), 401);
	assert_true(in_header("WWW-Authenticate: Bearer realm=\"imagegate\"\r\n"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(send_body(get("user", bad[i]), ""), 401);
		assert_true(in_header("error=\"invalid_token\""));
	}
	assert_int_equal(store.looked, 0);
}

static void user_looks_at_the_account(void **state)
{
	const char *header = NULL;

	(void)state;
	add_bob(ROUNDS);
	store.account.generation = 3;
	header = bearer();
	store.account.generation = 4;
	assert_int_equal(send_body(get("user", header), ""), 401);
	store.account.generation = 2;
	assert_int_equal(send_body(get("user", header), ""), 401);
	store.account.generation = 3;
	store.account.disabled = true;
	assert_int_equal(send_body(get("user", header), ""), 401);
	store.account.disabled = false;
	store.exists = false;
	assert_int_equal(send_body(get("user", header), ""), 401);
	store.exists = true;
	clock_now = NOW + LIFETIME;
	assert_int_equal(send_body(get("user", header), ""), 401);
	clock_now = NOW + LIFETIME - 1;
	assert_int_equal(send_body(get("user", header), ""), 200);
}

static void user_without_database(void **state)
{
	const char *header = NULL;

	(void)state;
	add_bob(ROUNDS);
	header = bearer();
	for (size_t i = 0; i < TROUBLES; i++) {
		store.by_id_err = troubles[i];
		assert_int_equal(send_body(get("user", header), ""), 503);
		assert_true(in_header("Retry-After: "));
	}
}

static void user_says_who(void **state)
{
	(void)state;
	add_bob(ROUNDS);
	assert_int_equal(send_body(get("user", bearer()), ""), 200);
	assert_true(in_header("Content-Type: application/json\r\n"));
	assert_string_equal(buf_str(&resp.body), "{\"login\":\"bob\",\"id\":\"0123456789abcdef\","
	                                         "\"created_at\":\"2026-01-01T00:00:00Z\"}\n");
}

/* --- renew, logout, password: what they have in common --- */

/* ${route} as its client asks for it. */
static struct request with_token(const char *route, const char *authorization)
{
	struct request req = get(route, authorization);

	req.method = strcmp(route, "logout") == 0  ? "DELETE"
	             : strcmp(route, "renew") == 0 ? "POST"
	                                           : "PUT";
	req.content_type = "application/json";
	return req;
}

static const char *const routes[] = {"renew", "logout", "password"};
enum { WITH_TOKEN = sizeof(routes) / sizeof(routes[0]) };
static const char change_body[] =
    "{\"password\":\"right password\",\"new_password\":\"another password\"}";

static void a_token_is_needed(void **state)
{
	(void)state;
	add_bob(ROUNDS);
	for (size_t i = 0; i < WITH_TOKEN; i++) {
		assert_int_equal(send_body(with_token(routes[i], ""), change_body), 401);
		assert_true(in_header("WWW-Authenticate: Bearer realm=\"imagegate\"\r\n"));
		assert_int_equal(send_body(with_token(routes[i], "Bearer a.b.c"), "no JSON"), 401);
		assert_true(in_header("error=\"invalid_token\""));
	}
	assert_int_equal(store.looked + store.logouts + store.changes, 0);
	assert_int_equal(rounds_spent, 0);
}

static void the_token_has_to_be_live(void **state)
{
	char header[LIMIT_AUTHORIZATION];

	(void)state;
	for (size_t i = 0; i < WITH_TOKEN; i++) {
		struct request req = with_token(routes[i], header);

		clock_now = NOW;
		add_bob(ROUNDS);
		store.account.generation = 3;
		(void)snprintf(header, sizeof(header), "%s", bearer());
		rounds_spent = 0;
		store.account.generation = 4;
		assert_int_equal(send_body(req, change_body), 401);
		store.account.generation = 2;
		assert_int_equal(send_body(req, change_body), 401);
		store.account.generation = 3;
		store.account.disabled = true;
		assert_int_equal(send_body(req, change_body), 401);
		store.account.disabled = false;
		store.exists = false;
		assert_int_equal(send_body(req, change_body), 401);
		store.exists = true;
		clock_now = NOW + LIFETIME;
		assert_int_equal(send_body(req, change_body), 401);
		assert_int_equal(store.account.generation, 3);
		assert_int_equal(rounds_spent, 0);
	}
	assert_int_equal(store.logouts + store.changes, 0);
}

static void nothing_goes_on_without_database(void **state)
{
	char header[LIMIT_AUTHORIZATION];

	(void)state;
	add_bob(ROUNDS);
	(void)snprintf(header, sizeof(header), "%s", bearer());
	for (size_t i = 0; i < TROUBLES; i++) {
		store.by_id_err = store.log_out_err = troubles[i];
		for (size_t k = 0; k < WITH_TOKEN; k++) {
			assert_int_equal(send_body(with_token(routes[k], header), change_body),
			                 503);
			assert_true(in_header("Retry-After: "));
		}
	}
	store.by_id_err = ERR_OK;
	for (size_t i = 0; i < TROUBLES; i++) {
		store.by_login_err = troubles[i];
		assert_int_equal(send_body(with_token("password", header), change_body), 503);
		store.by_login_err = ERR_OK;
		store.change_err = troubles[i];
		assert_int_equal(send_body(with_token("password", header), change_body), 503);
		store.change_err = ERR_OK;
	}
	assert_int_equal(store.changes + store.logouts, 0);
}

/* --- renew --- */

static void renewing_keeps_generation_and_time_of_login(void **state)
{
	static const char before[] = "{\"access_token\":\"";
	static const char after[] = "\",\"token_type\":\"Bearer\",\"expires_in\":3600}\n";
	char header[LIMIT_AUTHORIZATION];
	struct claims claims;

	(void)state;
	add_bob(ROUNDS);
	store.account.generation = 7;
	(void)snprintf(header, sizeof(header), "%s", bearer());
	rounds_spent = 0;
	clock_now = NOW + 100;
	assert_int_equal(send_body(with_token("renew", header), ""), 200);
	assert_true(in_header("Cache-Control: no-store\r\n"));
	assert_true(in_header("Content-Type: application/json\r\n"));
	claims = claims_in_body(before, after);
	assert_string_equal(claims.sub, id);
	assert_int_equal(claims.gen, 7);
	assert_int_equal(claims.iat, NOW + 100);
	assert_int_equal(claims.auth_time, NOW);
	assert_int_equal(claims.exp, NOW + 100 + LIFETIME);
	assert_int_equal(rounds_spent, 0);
	assert_int_equal(store.logins, 1);
}

/* Renew again and again until the session ends; return the number of tokens. */
static int renew_to_the_end(void)
{
	char header[LIMIT_AUTHORIZATION];
	int n = 0;

	(void)snprintf(header, sizeof(header), "%s", bearer());
	for (;; n++) {
		struct request req = with_token("renew", header);

		clock_now += LIFETIME - 1;
		req.accept = "text/plain";
		if (send_body(req, "") != 200)
			return n;
		assert_true(in_header("Content-Type: text/plain\r\n"));
		(void)snprintf(header, sizeof(header), "Bearer %s", buf_str(&resp.body));
	}
}

static void a_session_ends(void **state)
{
	(void)state;
	add_bob(ROUNDS);
	assert_int_equal(renew_to_the_end(), SESSION / (LIFETIME - 1));
	assert_int_equal(resp.status, 401);
	deps.session_max = LIFETIME / 2;
	clock_now = NOW;
	assert_int_equal(renew_to_the_end(), 0);
	assert_int_equal(resp.status, 401);
}

static void no_token_outlives_its_session(void **state)
{
	char header[LIMIT_AUTHORIZATION];

	(void)state;
	add_bob(ROUNDS);
	deps.session_max = LIFETIME + 100;
	(void)snprintf(header, sizeof(header), "%s", bearer());
	clock_now = NOW + LIFETIME - 1;
	assert_int_equal(send_body(with_token("renew", header), ""), 200);
	assert_true(in_body("\"expires_in\":101}"));
	/* The setting was lowered since the login. */
	deps.session_max = LIFETIME - 1;
	assert_int_equal(send_body(with_token("renew", header), ""), 401);
	assert_true(in_body("session has ended"));
}

static void another_cells_clock_may_be_ahead(void **state)
{
	static const char before[] = "{\"access_token\":\"";
	static const char after[] = "\",\"token_type\":\"Bearer\",\"expires_in\":3600}\n";
	char header[LIMIT_AUTHORIZATION];

	(void)state;
	add_bob(ROUNDS);
	clock_now = NOW + TOKEN_LEEWAY;
	(void)snprintf(header, sizeof(header), "%s", bearer());
	clock_now = NOW;
	assert_int_equal(send_body(with_token("renew", header), ""), 200);
	assert_int_equal(claims_in_body(before, after).auth_time, NOW + TOKEN_LEEWAY);
}

/* --- logout --- */

static void logging_out_ends_all_tokens(void **state)
{
	char header[LIMIT_AUTHORIZATION];
	struct request req = with_token("logout", header);

	(void)state;
	add_bob(ROUNDS);
	(void)snprintf(header, sizeof(header), "%s", bearer());
	assert_int_equal(send_body(req, ""), 204);
	assert_int_equal(resp.body.len, 0);
	assert_int_equal(store.account.generation, 1);
	assert_int_equal(send_body(req, ""), 401);
	assert_true(in_header("error=\"invalid_token\""));
	assert_int_equal(send_body(get("user", header), ""), 401);
	assert_int_equal(store.logouts, 1);
	assert_int_equal(send_body(get("user", bearer()), ""), 200);
}

/* --- password --- */

static void a_change_with_a_bad_body_is_refused(void **state)
{
	static const char *const types[] = {"", "text/plain", "application/x-www-form-urlencoded"};
	static const struct {
		const char *body, *word;
	} bad[] = {
	    {"", "JSON"},
	    {"{\"password\":\"right password\"}", "new_password"},
	    {"{\"new_password\":\"another password\"}", "member password"},
	    {"{\"password\":\"right password\",\"new_password\":7}", "new_password"},
	    {"{\"password\":\"right password\",\"new_password\":\"1234567\"}", "at least 8 bytes"},
	    {"{\"password\":\"right password\",\"new_password\":\"QWERTYUIOP\"}", "commonest"},
	};
	char header[LIMIT_AUTHORIZATION];
	struct request req = with_token("password", header);

	(void)state;
	add_bob(ROUNDS);
	(void)snprintf(header, sizeof(header), "%s", bearer());
	rounds_spent = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(send_body(req, bad[i].body), 400);
		assert_true(in_body(bad[i].word));
	}
	assert_int_equal(send_as(req, (struct client){.body = change_body, .cut = true}), 400);
	(void)send_as(req, (struct client){.body = change_body, .gone = true});
	assert_int_not_equal(resp.status, 204);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		req.content_type = types[i];
		assert_int_equal(send_body(req, change_body), 415);
	}
	assert_int_equal(rounds_spent, 0);
	assert_int_equal(store.changes, 0);
}

static void the_old_password_is_needed(void **state)
{
	static const char wrong[] =
	    "{\"password\":\"wrong password\",\"new_password\":\"another password\"}";
	char header[LIMIT_AUTHORIZATION];
	struct request req = with_token("password", header);

	(void)state;
	add_bob(ROUNDS);
	(void)snprintf(header, sizeof(header), "%s", bearer());
	for (int i = 0; i < 3; i++) {
		/* The same cost: as strong as today's, weaker, and no hash at all. */
		add_bob(i == 0 ? ROUNDS : 1000);
		if (i == 2)
			store.account.password_hash[0] = '\0';
		rounds_spent = 0;
		assert_int_equal(send_body(req, wrong), 403);
		assert_true(in_body("The password is wrong."));
		assert_int_equal(rounds_spent, ROUNDS);
	}
	assert_int_equal(store.changes, 0);
	assert_int_equal(store.account.generation, 0);
}

/* With those of logins: a stolen token is no way to guess without limit. */
static void wrong_passwords_are_limited(void **state)
{
	static const char wrong[] =
	    "{\"password\":\"wrong password\",\"new_password\":\"another password\"}";
	char header[LIMIT_AUTHORIZATION];
	struct request req = with_token("password", header);

	(void)state;
	add_bob(ROUNDS);
	(void)snprintf(header, sizeof(header), "%s", bearer());
	assert_int_equal(try_login("bob", "wrong password"), 401);
	for (int i = 1; i < FAILURES; i++)
		assert_int_equal(send_body(req, wrong), 403);
	assert_int_equal(store.failures, FAILURES);
	rounds_spent = 0;
	assert_int_equal(send_body(req, change_body), 429);
	assert_true(in_header("Retry-After: "));
	assert_int_equal(try_login("bob", "right password"), 429);
	assert_int_equal(rounds_spent, 0);
	req.remote_addr = "198.51.100.1";
	assert_int_equal(send_body(req, change_body), 204);
	assert_string_equal(store.address, "198.51.100.1");
}

static void a_change_that_meets_another_does_nothing(void **state)
{
	char header[LIMIT_AUTHORIZATION];
	struct request req = with_token("password", header);

	(void)state;
	add_bob(ROUNDS);
	(void)snprintf(header, sizeof(header), "%s", bearer());
	rounds_spent = 0;
	store.renamed = true;
	assert_int_equal(send_body(req, change_body), 401);
	store.renamed = false;
	store.by_login_err = ERR_NOT_FOUND;
	assert_int_equal(send_body(req, change_body), 401);
	store.by_login_err = ERR_OK;
	assert_int_equal(rounds_spent, 0);
	store.raced = true;
	assert_int_equal(send_body(req, change_body), 503);
	assert_true(in_body("at the same time"));
	assert_true(in_header("Retry-After: "));
	assert_int_equal(send_body(req, change_body), 401);
	assert_int_equal(store.changes, 0);
}

static void a_changed_password_opens_the_account(void **state)
{
	char header[LIMIT_AUTHORIZATION];

	(void)state;
	add_bob(1000);
	(void)snprintf(header, sizeof(header), "%s", bearer());
	assert_int_equal(send_body(with_token("password", header), change_body), 204);
	assert_int_equal(resp.body.len, 0);
	assert_int_equal(store.changes, 1);
	assert_false(password_outdated(&deps.cost, store.account.password_hash));
	assert_int_equal(send_body(get("user", header), ""), 401);
	assert_int_equal(try_login("bob", "right password"), 401);
	assert_int_equal(try_login("bob", "another password"), 200);
}

/* --- ready --- */

static void ready_asks_the_database(void **state)
{
	(void)state;
	for (size_t i = 0; i < TROUBLES; i++) {
		store.login_taken_err = troubles[i];
		assert_int_equal(send_body(get("ready", ""), ""), 503);
	}
	store.login_taken_err = ERR_INTERNAL;
	assert_int_equal(send_body(get("ready", ""), ""), 503);
	store.login_taken_err = ERR_OK;
	assert_int_equal(send_body(get("ready", ""), ""), 204);
	assert_int_equal(resp.body.len, 0);
}

static void a_busy_pool_is_ready(void **state)
{
	struct request req = get("ready", "");

	(void)state;
	req.waited_ms = 60000;
	assert_int_equal(send_body(req, ""), 204);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(unknown_routes_are_not_found),
	    TEST(other_methods_are_refused),
	    TEST(bad_bodies_are_refused),
	    TEST(what_waited_too_long_is_refused),
	    TEST(closed_registration_is_forbidden),
	    TEST(short_passwords_are_refused),
	    TEST(the_commonest_passwords_are_refused),
	    TEST(taken_logins_are_a_conflict),
	    TEST(a_login_taken_meanwhile_is_a_conflict),
	    TEST(register_without_database),
	    TEST(nothing_is_hashed_for_who_has_gone),
	    TEST(register_makes_an_account),
	    TEST(every_failed_login_looks_and_costs_the_same),
	    TEST(too_many_failures_wait),
	    TEST(a_throttled_login_is_open_from_elsewhere),
	    TEST(a_right_password_forgets_the_failures),
	    TEST(only_wrong_passwords_count),
	    TEST(token_without_database),
	    TEST(a_login_survives_what_is_only_recorded),
	    TEST(a_token_says_who_and_when),
	    TEST(accept_chooses_the_form),
	    TEST(a_login_renews_a_weaker_hash),
	    TEST(escapes_in_json_are_decoded),
	    TEST(user_needs_a_token),
	    TEST(user_looks_at_the_account),
	    TEST(user_without_database),
	    TEST(user_says_who),
	    TEST(a_token_is_needed),
	    TEST(the_token_has_to_be_live),
	    TEST(nothing_goes_on_without_database),
	    TEST(renewing_keeps_generation_and_time_of_login),
	    TEST(a_session_ends),
	    TEST(no_token_outlives_its_session),
	    TEST(another_cells_clock_may_be_ahead),
	    TEST(logging_out_ends_all_tokens),
	    TEST(a_change_with_a_bad_body_is_refused),
	    TEST(the_old_password_is_needed),
	    TEST(wrong_passwords_are_limited),
	    TEST(a_change_that_meets_another_does_nothing),
	    TEST(a_changed_password_opens_the_account),
	    TEST(ready_asks_the_database),
	    TEST(a_busy_pool_is_ready),
	};

	int failed = 0;

	if (mkdtemp(folder) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(folder);
	return failed;
}
