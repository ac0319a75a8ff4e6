#include <stdio.h>
#include <string.h>

#include "check.h"
#include "passwords.h"

static const char *why;

static enum err parse(const char *text, struct passwords *ret)
{
	why = NULL;
	return passwords_parse(text, strlen(text), ret, &why);
}

/* ${text} is refused, and the client is told about ${word}. */
static void assert_refused(const char *text, const char *word)
{
	struct passwords given;
	struct passwords before;

	memset(&given, 0x5a, sizeof(given));
	before = given;
	assert_int_equal(parse(text, &given), ERR_MALFORMED);
	assert_non_null(why);
	if (strstr(why, word) == NULL)
		fail_msg("%s: %s", text, why);
	assert_memory_equal(&given, &before, sizeof(given));
}

static void refuses_what_is_no_json_object(void **state)
{
	(void)state;
	assert_refused("", "JSON");
	assert_refused("[]", "JSON");
	assert_refused("{\"password\":\"a\",\"new_password\":\"b\"", "JSON");
	assert_refused("{\"password\":\"a\",\"password\":\"a\",\"new_password\":\"b\"}", "JSON");
	assert_refused("{\"password\":\"a\",\"new_password\":\"b\\u0000\"}", "JSON");
	assert_refused("{\"password\":\"a\",\"new_password\":\"\xff\"}", "JSON");
}

static void names_the_member_that_is_wrong(void **state)
{
	(void)state;
	assert_refused("{}", "member password");
	assert_refused("{\"new_password\":\"b\"}", "member password");
	assert_refused("{\"password\":7,\"new_password\":\"b\"}", "member password");
	assert_refused("{\"password\":\"a\"}", "new_password");
	assert_refused("{\"password\":\"a\",\"new_password\":null}", "new_password");
	assert_refused("{\"password\":\"a\",\"New_Password\":\"b\"}", "new_password");
}

/* Both, with ${a} and ${b} bytes. */
static enum err parse_lengths(int a, int b, struct passwords *ret)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "{\"password\":\"%0*d\",\"new_password\":\"%0*d\"}", a,
	               0, b, 0);
	return parse(text, ret);
}

static void has_a_longest_password(void **state)
{
	struct passwords given = {0};

	(void)state;
	assert_int_equal(parse_lengths(LIMIT_PASSWORD + 1, 8, &given), ERR_MALFORMED);
	assert_non_null(strstr(why, "1024"));
	assert_int_equal(parse_lengths(8, LIMIT_PASSWORD + 1, &given), ERR_MALFORMED);
	assert_non_null(strstr(why, "1024"));
	assert_int_equal(parse_lengths(LIMIT_PASSWORD, LIMIT_PASSWORD, &given), ERR_OK);
	assert_int_equal(given.password_len, LIMIT_PASSWORD);
	assert_int_equal(given.new_password_len, LIMIT_PASSWORD);
}

static void takes_both(void **state)
{
	struct passwords given = {0};
	const struct passwords empty = {0};

	(void)state;
	assert_int_equal(parse("{\"new_password\":\"p\\u00e4\",\"x\":1,\"password\":\"\"}", &given),
	                 ERR_OK);
	assert_int_equal(given.password_len, 0);
	assert_string_equal(given.new_password, "p\xc3\xa4");
	assert_int_equal(given.new_password_len, 3);
	passwords_wipe(&given);
	assert_memory_equal(&given, &empty, sizeof(given));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_what_is_no_json_object),
	    cmocka_unit_test(names_the_member_that_is_wrong),
	    cmocka_unit_test(has_a_longest_password),
	    cmocka_unit_test(takes_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
