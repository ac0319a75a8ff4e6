#include <stdio.h>
#include <string.h>

#include "check.h"
#include "credentials.h"
#include "refusal.h"

static enum err parse_any(const char *text, size_t len, void *ret, const char **ret_why)
{
	return credentials_parse(text, len, ret, ret_why);
}

static void assert_refused(const char *text, const char *word)
{
	assert_parser_refuses(parse_any, sizeof(struct credentials), text, word);
}

static enum err parse(const char *text, struct credentials *ret)
{
	const char *why = NULL;

	return credentials_parse(text, strlen(text), ret, &why);
}

static void refuses_what_is_no_json_object(void **state)
{
	static const char *const bad[] = {
	    "",
	    " ",
	    "null",
	    "7",
	    "\"login\"",
	    "[]",
	    "[{\"login\":\"a\",\"password\":\"b\"}]",
	    "{",
	    "{\"login\":\"a\",\"password\":\"b\"",
	    "{\"login\":\"a\",\"password\":\"b\",}",
	    "{\"login\":\"a\",\"password\":\"b\"}}",
	    "{\"login\":\"a\",\"password\":\"b\"} x",
	    "{'login':'a','password':'b'}",
	    "{login:\"a\",password:\"b\"}",
	    "{\"login\":\"a\",\"password\":\"b\\u0000\"}",
	    "{\"login\":\"a\\u0000\",\"password\":\"b\"}",
	    "{\"login\":\"a\",\"password\":\"\\ud800\"}",
	    "{\"login\":\"a\",\"password\":\"\xff\"}",
	    "{\"login\":\"a\",\"password\":\"\xc0\x80\"}",
	    "{\"login\":\"a\",\"password\":\"\n\"}",
	    "{\"login\":\"a\",\"login\":\"a\",\"password\":\"b\"}",
	    "{\"login\":\"a\",\"password\":\"b\",\"x\":{}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(bad[i], "JSON");
}

static void names_the_member_that_is_wrong(void **state)
{
	(void)state;
	assert_refused("{}", "login");
	assert_refused("{\"password\":\"b\"}", "login");
	assert_refused("{\"login\":7,\"password\":\"b\"}", "login");
	assert_refused("{\"login\":null,\"password\":\"b\"}", "login");
	assert_refused("{\"LOGIN\":\"a\",\"password\":\"b\"}", "login");
	assert_refused("{\"login\":\"a\"}", "password");
	assert_refused("{\"login\":\"a\",\"password\":12345678}", "password");
	assert_refused("{\"login\":\"a\",\"password\":true}", "password");
}

static void names_the_rule_of_a_login(void **state)
{
	static const char *const bad[] = {
	    "",
	    " ",
	    "a b",
	    "a'b",
	    "a\\\"b",
	    "a/b",
	    "a\\\\b",
	    "a;b",
	    "a%b",
	    "a\\nb",
	    "\xc3\xa9",
	    "a*",
	    "a,b",
	    "a:b",
	    "(a)",
	    "a=b",
	    "a\\u007f",
	    "\\u0430",
	    "12345678901234567890123456789012345678901234567890123456789012345",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"login\":\"%s\",\"password\":\"b\"}", bad[i]);
		assert_refused(text, "A login has");
	}
}

static void a_password_is_bounded_in_bytes(void **state)
{
	static const char head[] = "{\"login\":\"a\",\"password\":\"";
	char text[4096];
	struct credentials given;
	int n = 0;

	(void)state;
	n = snprintf(text, sizeof(text), "%s%01025d\"}", head, 0);
	assert_true(n > 0);
	assert_refused(text, "1024");
	n = snprintf(text, sizeof(text), "%s%01023d\xc3\xa9\"}", head, 0);
	assert_refused(text, "1024");
	n = snprintf(text, sizeof(text), "%s%01022d\xc3\xa9\"}", head, 0);
	assert_int_equal(parse(text, &given), ERR_OK);
	assert_int_equal(given.password_len, 1024);
}

static void takes_login_and_password(void **state)
{
	static const struct {
		const char *text, *login, *password;
	} rows[] = {
	    {"{\"login\":\"a\",\"password\":\"b\"}", "a", "b"},
	    {" {\"password\" : \"\" , \"login\" : \"AZaz09._@+-\"}\r\n", "AZaz09._@+-", ""},
	    {"{\"login\":\"\\u0041\",\"password\":\"\\u0041\\\"\\\\\\/\\n\"}", "A", "A\"\\/\n"},
	    {"{\"login\":\"a\",\"password\":\"\\ud83d\\udd11\"}", "a", "\xf0\x9f\x94\x91"},
	    {"{\"login\":\"a\",\"password\":\"b\",\"remember\":true,\"n\":1.5}", "a", "b"},
	    {"{\"login\":\"1234567890123456789012345678901234567890123456789012345678901234\","
	     "\"password\":\"b\"}",
	     "1234567890123456789012345678901234567890123456789012345678901234", "b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct credentials given;

		assert_int_equal(parse(rows[i].text, &given), ERR_OK);
		assert_string_equal(given.login, rows[i].login);
		assert_int_equal(given.password_len, strlen(rows[i].password));
		assert_string_equal(given.password, rows[i].password);
		credentials_wipe(&given);
		assert_string_equal(given.password, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_what_is_no_json_object),
	    cmocka_unit_test(names_the_member_that_is_wrong),
	    cmocka_unit_test(names_the_rule_of_a_login),
	    cmocka_unit_test(a_password_is_bounded_in_bytes),
	    cmocka_unit_test(takes_login_and_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
