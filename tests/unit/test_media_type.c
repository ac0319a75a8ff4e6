#include "check.h"
#include "media_type.h"

static void other_types_are_not_it(void **state)
{
	static const char *const others[] = {
	    "",
	    ";",
	    "application",
	    "application/jso",
	    "application/jsonx",
	    "application/json-seq",
	    "application/json x",
	    "application/json, text/plain",
	    "text/plain",
	    "text/plain; type=application/json",
	    "*/*",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(media_type_is(others[i], "application/json"));
}

static void parameters_and_case_do_not_matter(void **state)
{
	static const char *const same[] = {
	    "application/json",
	    "Application/JSON",
	    " application/json ",
	    "application/json;charset=utf-8",
	    "application/json ; charset=utf-8",
	    "application/json;",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		assert_true(media_type_is(same[i], "application/json"));
}

static void wildcards_and_refusals_name_nothing(void **state)
{
	static const char *const headers[] = {
	    "",
	    ",",
	    " , ,",
	    "*/*",
	    "text/*",
	    "text/html",
	    "text/plainer",
	    "text/plain;q=0",
	    "text/plain; Q=0.000",
	    "text/plain;format=flowed; q=0.0, */*",
	    "text/plain;q=0;x=y",
	    "text/html;x=text/plain",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		assert_false(media_type_accepted(headers[i], "text/plain"));
}

static void named_anywhere(void **state)
{
	static const char *const headers[] = {
	    "text/plain",
	    "TEXT/Plain",
	    "text/html, text/plain",
	    "text/html,text/plain;q=0.001",
	    "text/html;q=0,text/plain",
	    ", text/plain ,",
	    "text/plain;q=0, text/plain",
	    "text/plain; charset=utf-8",
	    "text/plain;",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		if (!media_type_accepted(headers[i], "text/plain"))
			fail_msg("%s", headers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(other_types_are_not_it),
	    cmocka_unit_test(parameters_and_case_do_not_matter),
	    cmocka_unit_test(wildcards_and_refusals_name_nothing),
	    cmocka_unit_test(named_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
