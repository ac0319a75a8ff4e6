#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "check.h"
#include "flatjson.h"
#include "log.h"
#include "trace.h"

static int saved_stderr = -1;
static int from_log = -1;

static int catch_stderr(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	from_log = ends[0];
	log_open("test", LOG_LEVEL_INFO);
	return 0;
}

static int release_stderr(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(from_log);
	return 0;
}

/* What was logged must be one line and one flat JSON object; check its member ${name}. */
static void assert_line(const char *name, const char *value)
{
	char line[LIMIT_LOG_LINE + 1];
	struct flatjson *json = NULL;
	const char *why = NULL;
	const char *member = NULL;
	ssize_t n = read(from_log, line, sizeof(line));
	size_t len = 0;

	assert_true(n > 1 && n <= LIMIT_LOG_LINE);
	assert_ptr_equal(memchr(line, '\n', (size_t)n), line + n - 1);
	assert_int_equal(flatjson_parse(line, (size_t)n, &json, &why), ERR_OK);
	member = flatjson_string(json, name, &len);
	if (value == NULL)
		assert_null(member);
	else
		assert_string_equal(member, value);
	flatjson_free(json);
}

static void a_client_cannot_forge_a_line(void **state)
{
	(void)state;
	log_info("login %s", "bob\"}\n{\"level\":\"error");
	assert_line("message", "login bob\"}\n{\"level\":\"error");
}

static void an_overlong_message_is_cut(void **state)
{
	char message[3 * LIMIT_LOG_LINE];

	(void)state;
	memset(message, '\x01', sizeof(message));
	message[sizeof(message) - 1] = '\0';
	log_info("%s", message);
	assert_line("level", "info");
}

static void levels_below_are_silent(void **state)
{
	(void)state;
	log_debug("not this");
	log_warn("but this");
	assert_line("message", "but this");
}

static void lines_carry_the_request_id(void **state)
{
	(void)state;
	log_request("0123", "");
	log_info("within");
	assert_line("request_id", "0123");
	log_request(NULL, NULL);
	log_info("after");
	assert_line("request_id", NULL);
}

static void lines_carry_the_trace_id(void **state)
{
	(void)state;
	log_request("0123", "");
	log_info("without a trace");
	assert_line("trace_id", NULL);
	log_request("0123", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
	log_info("within one");
	assert_line("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736");
	log_request(NULL, NULL);
	log_info("after");
	assert_line("trace_id", NULL);
}

/* What there is of it fits beside the longest message. */
static void the_longest_line_is_whole(void **state)
{
	char id[TRACE_REQUEST_ID_MAX + 1];
	char message[LIMIT_LOG_LINE];

	(void)state;
	memset(id, 'x', TRACE_REQUEST_ID_MAX);
	id[TRACE_REQUEST_ID_MAX] = '\0';
	memset(message, '\x01', sizeof(message));
	message[sizeof(message) - 1] = '\0';
	log_request(id, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
	log_info("%s", message);
	assert_line("request_id", id);
	log_request(NULL, NULL);
}

static void each_line_becomes_one(void **state)
{
	struct buf lines = buf_new(100);
	char text[LIMIT_LOG_LINE];
	ssize_t n = 0;

	(void)state;
	buf_puts(&lines, "one\ntwo\n");
	log_lines(LOG_LEVEL_ERROR, &lines);
	buf_free(&lines);
	/* A pipe keeps no borders between writes: two lines are read as one piece. */
	n = read(from_log, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "\"message\":\"one\"}\n{"));
	assert_non_null(strstr(text, "\"message\":\"two\"}\n"));
}

static void an_access_line_has_no_secret(void **state)
{
	struct request req = {
	    .id = "0123", .route = "token", .method = "POST", .authorization = "Bearer secret"};
	struct response resp = response_new();
	char text[LIMIT_LOG_LINE];
	ssize_t n = 0;

	(void)state;
	resp.status = 200;
	log_access(&req, &resp, 1234);
	n = read(from_log, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "\"route\":\"token\""));
	assert_null(strstr(text, "secret"));
	response_free(&resp);
}

#define test(name) cmocka_unit_test_setup_teardown(name, catch_stderr, release_stderr)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_client_cannot_forge_a_line), test(an_overlong_message_is_cut),
	    test(levels_below_are_silent),      test(lines_carry_the_request_id),
	    test(lines_carry_the_trace_id),     test(the_longest_line_is_whole),
	    test(each_line_becomes_one),        test(an_access_line_has_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
