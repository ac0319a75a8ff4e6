#include <string.h>

#include "bounds.h"
#include "check.h"
#include "response.h"

static const struct request request = {.id = "0123", .authorization = ""};

static void a_header_cannot_be_split(void **state)
{
	static const char *const values[] = {"a\r\nSet-Cookie: b", "a\nb", "a\tb", "a\x7f"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct response resp = response_new();

		response_header(&resp, "X-First", "1");
		response_header(&resp, "X-Second", "%s", values[i]);
		assert_int_equal(buf_err(&resp.header), ERR_INTERNAL);
		assert_string_equal(buf_str(&resp.header), "X-First: 1\r\n");
		response_free(&resp);
	}
}

static void a_header_block_is_bounded(void **state)
{
	struct response resp = response_new();

	(void)state;
	for (int i = 0; i < LIMIT_HEADER_BLOCK; i++)
		response_header(&resp, "X", "%d", i);
	assert_int_equal(buf_err(&resp.header), ERR_TOO_LARGE);
	response_free(&resp);
}

static void a_problem_replaces_what_was_there(void **state)
{
	struct response resp = response_new();

	(void)state;
	resp.status = 201;
	response_header(&resp, "Location", "/v1/user/x");
	buf_puts(&resp.body, "{}");
	response_problem(&resp, &request, ERR_CONFLICT, "The login \"%s\" is taken.", "bob");
	assert_int_equal(resp.status, 409);
	assert_string_equal(buf_str(&resp.header), "Content-Type: application/problem+json\r\n");
	assert_string_equal(
	    buf_str(&resp.body),
	    "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,"
	    "\"detail\":\"The login \\\"bob\\\" is taken.\",\"request_id\":\"0123\","
	    "\"error\":\"conflict\"}\n");
	response_free(&resp);
}

static void every_error_has_a_problem(void **state)
{
	(void)state;
	for (int err = -1; err <= ERR_COUNT; err++) {
		const struct problem *problem = err_problem((enum err)err);

		assert_true(problem->status >= 400 && problem->status < 600);
		assert_non_null(problem->title);
		assert_non_null(problem->error);
		assert_non_null(problem->detail);
		assert_int_equal(problem->retry_after > 0, problem->status == 503);
	}
	assert_int_equal(err_problem(ERR_OK)->status, 500);
}

static void too_many_says_how_long(void **state)
{
	struct response resp = response_new();

	(void)state;
	response_too_many(&resp, &request, 86400, "Wait a day.");
	assert_int_equal(resp.status, 429);
	assert_non_null(strstr(buf_str(&resp.header), "Retry-After: 86400\r\n"));
	assert_non_null(strstr(buf_str(&resp.body), "\"detail\":\"Wait a day.\""));
	response_free(&resp);
}

static void a_401_has_its_challenge(void **state)
{
	struct request bad = request;
	struct response resp = response_new();

	(void)state;
	response_problem(&resp, &request, ERR_TOKEN, NULL);
	assert_non_null(
	    strstr(buf_str(&resp.header), "WWW-Authenticate: Bearer realm=\"imagegate\"\r\n"));
	bad.authorization = "Bearer x";
	response_problem(&resp, &bad, ERR_TOKEN, NULL);
	assert_non_null(
	    strstr(buf_str(&resp.header),
	           "WWW-Authenticate: Bearer realm=\"imagegate\", error=\"invalid_token\"\r\n"));
	response_problem(&resp, &bad, ERR_CREDENTIALS, NULL);
	assert_non_null(
	    strstr(buf_str(&resp.header), "WWW-Authenticate: Bearer realm=\"imagegate\"\r\n"));
	response_free(&resp);
}

static void a_503_says_when_to_come_back(void **state)
{
	struct response resp = response_new();

	(void)state;
	response_problem(&resp, &request, ERR_UNAVAILABLE, NULL);
	assert_non_null(strstr(buf_str(&resp.header), "Retry-After: 1\r\n"));
	response_free(&resp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_header_cannot_be_split),
	    cmocka_unit_test(a_header_block_is_bounded),
	    cmocka_unit_test(a_problem_replaces_what_was_there),
	    cmocka_unit_test(every_error_has_a_problem),
	    cmocka_unit_test(too_many_says_how_long),
	    cmocka_unit_test(a_401_has_its_challenge),
	    cmocka_unit_test(a_503_says_when_to_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
