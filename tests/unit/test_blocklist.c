#include <stdio.h>
#include <string.h>

#include "blocklist.h"
#include "check.h"

static bool has(const char *password)
{
	return blocklist_has(password, strlen(password));
}

static void most_passwords_are_not_on_it(void **state)
{
	static const char *const good[] = {
	    "",
	    "a",
	    "correct horse battery",
	    "passwor",
	    "password ",
	    " password",
	    "passwordx1",
	    "p\xc3\xa4ssword",
	    "zzzzzzzzzz",
	    "\xff\xff\xff\xff\xff\xff\xff\xff",
	};
	static char longest[1025];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_false(has(good[i]));
	memset(longest, 'a', sizeof(longest) - 1);
	assert_false(has(longest));
	assert_false(blocklist_has("password\0", 9));
	assert_false(blocklist_has("password", 7));
}

/* Some of the list, its first, its last and its longest word among them. */
static void common_ones_are_in_any_case(void **state)
{
	static const char *const bad[] = {"00000000", "12345678",  "password",    "PASSWORD",
	                                  "PassWord", "qwerty123", "QwertyUiop",  "trustno1",
	                                  "zxcvbnm1", "Iloveyou",  "zxcvbnm123",  "P@ssw0rd",
	                                  "11111111", "abcd1234",  "112233445566"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!has(bad[i]))
			fail_msg("%s is missing", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(most_passwords_are_not_on_it),
	    cmocka_unit_test(common_ones_are_in_any_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
