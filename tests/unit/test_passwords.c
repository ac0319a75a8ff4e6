#include <stdio.h>
#include <string.h>

#include "check.h"
#include "passwords.h"
#include "refusal.h"

static enum err parse_any(const char *text, size_t len, void *ret, const char **ret_why)
{
	return passwords_parse(text, len, ret, ret_why);
}

static void assert_refused(const char *text, const char *word)
{
	assert_parser_refuses(parse_any, sizeof(struct passwords), text, word);
}

static enum err parse(const char *text, struct passwords *ret)
{
	const char *why = NULL;

	return passwords_parse(text, strlen(text), ret, &why);
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
static const char *lengths(int a, int b)
{
	static char text[4096];

	(void)snprintf(text, sizeof(text), "{\"password\":\"%0*d\",\"new_password\":\"%0*d\"}", a,
	               0, b, 0);
	return text;
}

static void has_a_longest_password(void **state)
{
	struct passwords given = {0};

	(void)state;
	assert_refused(lengths(LIMIT_PASSWORD + 1, 8), "1024");
	assert_refused(lengths(8, LIMIT_PASSWORD + 1), "1024");
	assert_int_equal(parse(lengths(LIMIT_PASSWORD, LIMIT_PASSWORD), &given), ERR_OK);
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
