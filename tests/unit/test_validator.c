#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "log.h"
#include "validator.h"

enum { IAT = 1767225600 };

#define ACCOUNT "0123456789abcdef"

static char folder[] = "/tmp/test_validator.XXXXXX";
static char path[sizeof(folder) + 8];

static int64_t clock_ms;
static struct keys *keys;
static struct validator validator;
static struct response resp;
static struct buf authorization;

static int64_t now_ms(void)
{
	return clock_ms;
}

static int make_validator(void **state)
{
	static const char text[] = "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n";
	struct buf problems = buf_new(1000);

	(void)state;
	if (mkdtemp(folder) == NULL ||
	    keys_parse(text, sizeof(text) - 1, &keys, &problems) != ERR_OK)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/table", folder);
	resp = response_new();
	authorization = buf_new(200000);
	return 0;
}

static int free_validator(void **state)
{
	(void)state;
	keys_free(keys);
	response_free(&resp);
	buf_free(&authorization);
	unlink(path);
	return rmdir(folder);
}

/* Each test begins in the second after IAT with a fresh table in which nobody is revoked. */
static int begin(void **state)
{
	(void)state;
	clock_ms = IAT * 1000L + 1500;
	validator = (struct validator){
	    .rules = {.keys = keys,
	              .issuer = "imagegate",
	              .audience = "imagegate",
	              .lifetime = 3600},
	    .now_ms = now_ms,
	};
	return table_new(path, &validator.table) != ERR_OK ||
	       table_write(path, NULL, 0, clock_ms) != ERR_OK;
}

static int end(void **state)
{
	(void)state;
	table_free(validator.table);
	return 0;
}

/* The header with a good token of the generation ${gen} that expires at ${exp}. */
static const char *bearer(int64_t gen, int64_t exp)
{
	struct claims claims;

	assert_int_equal(token_claims(&validator.rules, ACCOUNT, gen, IAT, IAT, &claims), ERR_OK);
	claims.exp = exp;
	buf_clear(&authorization);
	buf_puts(&authorization, "Bearer ");
	assert_int_equal(token_sign(&validator.rules, &claims, &authorization), ERR_OK);
	return authorization.data;
}

static void ask_soon(const char *route, const char *header)
{
	struct request req = {.id = "0123",
	                      .route = route,
	                      .method = "POST",
	                      .authorization = header,
	                      .accept = "",
	                      .content_type = "",
	                      .remote_addr = "",
	                      .account = "vvvvvvvvvvvvvvvv",
	                      .object = "",
	                      .content_length = -1};

	response_clear(&resp);
	validator_handle(&validator, &req, &resp);
	assert_int_equal(buf_err(&resp.header), ERR_OK);
	assert_int_equal(buf_err(&resp.body), ERR_OK);
}

/* The same, so long after the last request that the table is looked at. */
static void ask(const char *route, const char *header)
{
	validator.looked_at = clock_ms - VALIDATOR_LOOK_MS;
	ask_soon(route, header);
}

static void refuses(const char *header, int status)
{
	ask("validate", header);
	assert_int_equal(resp.status, status);
	assert_null(strstr(buf_str(&resp.header), "X-A"));
	assert_null(strstr(buf_str(&resp.body), ACCOUNT));
	assert_non_null(
	    strstr(buf_str(&resp.header), "Content-Type: application/problem+json\r\n"));
}

static void accepts(const char *header)
{
	ask("validate", header);
	assert_int_equal(resp.status, 204);
	assert_non_null(strstr(buf_str(&resp.header), "X-Account-Id: " ACCOUNT "\r\n"));
	assert_int_equal(resp.body.len, 0);
}

static void no_token(void **state)
{
	(void)state;
	refuses("", 401);
	assert_non_null(
	    strstr(buf_str(&resp.header), "WWW-Authenticate: Bearer realm=\"imagegate\"\r\n"));
}

static void bad_tokens(void **state)
{
	static const char *const bad[] = {"None", "Bearer", "Bearer None", "Basic YTpi",
	                                  "Bearer .."};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		refuses(bad[i], 401);
		assert_non_null(strstr(buf_str(&resp.header), "error=\"invalid_token\"\r\n"));
	}
	refuses(bearer(0, IAT + 3600) + 7, 401);
	refuses(bearer(0, IAT + 3601), 401);
}

static void every_bit_flipped(void **state)
{
	size_t len = 0;

	(void)state;
	accepts(bearer(0, IAT + 3600));
	len = authorization.len;
	for (size_t bit = 7L * 8; bit < len * 8; bit++) {
		authorization.data[bit / 8] = (char)(authorization.data[bit / 8] ^ 1 << bit % 8);
		refuses(authorization.data, 401);
		authorization.data[bit / 8] = (char)(authorization.data[bit / 8] ^ 1 << bit % 8);
	}
	accepts(authorization.data);
}

static void a_long_token(void **state)
{
	(void)state;
	bearer(0, IAT + 3600);
	for (int i = 0; i < 1024; i++)
		buf_printf(&authorization, "%0100d", 0);
	refuses(authorization.data, 401);
}

static void expiry(void **state)
{
	const char *header = bearer(0, IAT + 3);

	(void)state;
	clock_ms = (IAT + 3) * 1000L - 1;
	accepts(header);
	clock_ms += 1;
	refuses(header, 401);
}

static void revoked(void **state)
{
	struct table_entry entry = {.account = {"0123456789abcde"}, .generation = 2, .until = 2};

	(void)state;
	entry.account[ACCOUNT_ID_LEN - 1] = 'f';
	accepts(bearer(1, IAT + 3600));
	assert_int_equal(table_write(path, &entry, 1, clock_ms), ERR_OK);
	refuses(bearer(0, IAT + 3600), 401);
	refuses(bearer(1, IAT + 3600), 401);
	assert_non_null(strstr(buf_str(&resp.header), "error=\"invalid_token\"\r\n"));
	accepts(bearer(2, IAT + 3600));
	accepts(bearer(3, IAT + 3600));
	entry.account[ACCOUNT_ID_LEN - 1] = 'g';
	assert_int_equal(table_write(path, &entry, 1, clock_ms), ERR_OK);
	accepts(bearer(1, IAT + 3600));
}

static void a_good_table_is_looked_at_now_and_then(void **state)
{
	struct table_entry entry = {.account = {"0123456789abcde"}, .generation = 2, .until = 2};

	(void)state;
	entry.account[ACCOUNT_ID_LEN - 1] = 'f';
	accepts(bearer(1, IAT + 3600));
	assert_int_equal(table_write(path, &entry, 1, clock_ms), ERR_OK);
	clock_ms += VALIDATOR_LOOK_MS - 1;
	ask_soon("validate", bearer(1, IAT + 3600));
	assert_int_equal(resp.status, 204);
	clock_ms += 1;
	ask_soon("validate", bearer(1, IAT + 3600));
	assert_int_equal(resp.status, 401);
	/* One that is no good is looked at each time. */
	unlink(path);
	refuses(bearer(2, IAT + 3600), 503);
	assert_int_equal(table_write(path, NULL, 0, clock_ms), ERR_OK);
	ask_soon("validate", bearer(1, IAT + 3600));
	assert_int_equal(resp.status, 204);
	/* The clock was set back. */
	assert_int_equal(table_write(path, &entry, 1, clock_ms), ERR_OK);
	clock_ms -= 1;
	ask_soon("validate", bearer(1, IAT + 3600));
	assert_int_equal(resp.status, 401);
}

static void no_table(void **state)
{
	(void)state;
	accepts(bearer(0, IAT + 3600));
	unlink(path);
	refuses(bearer(0, IAT + 3600), 503);
	assert_non_null(strstr(buf_str(&resp.header), "Retry-After: "));
	refuses("Bearer None", 401);
	ask("ready", "");
	assert_int_equal(resp.status, 503);
	assert_int_equal(table_write(path, NULL, 0, clock_ms), ERR_OK);
	accepts(bearer(0, IAT + 3600));
}

static void damaged_table(void **state)
{
	(void)state;
	accepts(bearer(0, IAT + 3600));
	assert_int_equal(truncate(path, 31), 0);
	refuses(bearer(0, IAT + 3600), 503);
}

static void other_routes(void **state)
{
	static const char *const routes[] = {"", "Validate", "validate ", "upload", "health"};

	(void)state;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		ask(routes[i], bearer(0, IAT + 3600));
		assert_int_equal(resp.status, 404);
		assert_null(strstr(buf_str(&resp.header), "X-A"));
	}
}

/* What the handler writes to the log while ${n} requests are answered at ${at}. */
static void log_of(int64_t at, int n, char *text, size_t cap)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t len = 0;

	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	clock_ms = at;
	for (int i = 0; i < n; i++)
		ask("validate", bearer(0, IAT + 3600));
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	len = fread(text, 1, cap - 1, file);
	text[len] = '\0';
	fclose(file);
}

static void stale_table_goes_on_and_is_logged_once(void **state)
{
	int64_t start = clock_ms;
	char text[4096];

	(void)state;
	log_of(start, 3, text, sizeof(text));
	assert_non_null(strstr(text, "up to date"));
	log_of(start + TABLE_STALE_MS, 3, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(resp.status, 204);
	log_of(start + TABLE_STALE_MS + 1, 3, text, sizeof(text));
	assert_non_null(strstr(text, "10001 ms old"));
	assert_ptr_equal(strchr(text, '\n'), strrchr(text, '\n'));
	assert_int_equal(resp.status, 204);
	ask("ready", "");
	assert_int_equal(resp.status, 503);
	assert_int_equal(table_write(path, NULL, 0, clock_ms), ERR_OK);
	log_of(clock_ms, 3, text, sizeof(text));
	assert_non_null(strstr(text, "up to date"));
	assert_ptr_equal(strchr(text, '\n'), strrchr(text, '\n'));
	unlink(path);
	log_of(clock_ms, 3, text, sizeof(text));
	assert_non_null(strstr(text, "nobody gets in"));
	assert_ptr_equal(strchr(text, '\n'), strrchr(text, '\n'));
	assert_null(strstr(text, "eyJ"));
}

static void ready(void **state)
{
	(void)state;
	ask("ready", "");
	assert_int_equal(resp.status, 204);
	assert_int_equal(resp.header.len, 0);
	clock_ms += TABLE_STALE_MS;
	ask("ready", "");
	assert_int_equal(resp.status, 204);
	clock_ms += 1;
	ask("ready", "");
	assert_int_equal(resp.status, 503);
}

static void kept_for_this_second_only(void **state)
{
	(void)state;
	accepts(bearer(0, IAT + 3600));
	assert_non_null(strstr(buf_str(&resp.header), "X-Accel-Expires: @1767225601\r\n"));
	clock_ms = (IAT + 3600) * 1000L - 1;
	accepts(bearer(0, IAT + 3600));
	assert_non_null(strstr(buf_str(&resp.header), "X-Accel-Expires: @1767229199\r\n"));
	assert_null(strstr(buf_str(&resp.header), "WWW-Authenticate"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(no_token, begin, end),
	    cmocka_unit_test_setup_teardown(bad_tokens, begin, end),
	    cmocka_unit_test_setup_teardown(every_bit_flipped, begin, end),
	    cmocka_unit_test_setup_teardown(a_long_token, begin, end),
	    cmocka_unit_test_setup_teardown(expiry, begin, end),
	    cmocka_unit_test_setup_teardown(revoked, begin, end),
	    cmocka_unit_test_setup_teardown(a_good_table_is_looked_at_now_and_then, begin, end),
	    cmocka_unit_test_setup_teardown(no_table, begin, end),
	    cmocka_unit_test_setup_teardown(damaged_table, begin, end),
	    cmocka_unit_test_setup_teardown(other_routes, begin, end),
	    cmocka_unit_test_setup_teardown(stale_table_goes_on_and_is_logged_once, begin, end),
	    cmocka_unit_test_setup_teardown(ready, begin, end),
	    cmocka_unit_test_setup_teardown(kept_for_this_second_only, begin, end),
	};

	log_open("test_validator", LOG_LEVEL_INFO);
	return cmocka_run_group_tests(tests, make_validator, free_validator);
}
