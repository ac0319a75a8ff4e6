#include <string.h>

#include "base64url.h"
#include "check.h"

static void refuses(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} cases[] = {
	    {"A", ERR_MALFORMED},        {"AAAAA", ERR_MALFORMED}, /* impossible lengths */
	    {"AA==", ERR_MALFORMED},     {"AA A", ERR_MALFORMED},
	    {"+/AA", ERR_MALFORMED},     {"AB", ERR_MALFORMED},
	    {"AAB", ERR_MALFORMED}, /* unused bits that are set */
	    {"AAA=", ERR_MALFORMED},     {"=AAA", ERR_MALFORMED},
	    {"A.AA", ERR_MALFORMED},     {"AAAA.A", ERR_MALFORMED},
	    {"AAAAA.", ERR_MALFORMED},   {"AAAA\xff\xff\xff\xff", ERR_TOO_LARGE},
	    {"AAAAAAAA", ERR_TOO_LARGE}, {"AAAAAAA", ERR_TOO_LARGE},
	};
	uint8_t data[4];
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(base64url_decode(cases[i].text, strlen(cases[i].text), data,
		                                  sizeof(data), &len),
		                 cases[i].err);
}

/* RFC 4648 section 10, and the two characters that differ from base64. */
static void decodes(void **state)
{
	static const struct {
		const char *text, *bytes;
	} cases[] = {
	    {"", ""},           {"Zg", "f"},          {"Zm8", "fo"},          {"Zm9v", "foo"},
	    {"Zm9vYg", "foob"}, {"Zm9vYmE", "fooba"}, {"Zm9vYmFy", "foobar"}, {"-_8", "\xfb\xff"},
	};
	uint8_t data[6];
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(base64url_decode(cases[i].text, strlen(cases[i].text), data,
		                                  sizeof(data), &len),
		                 ERR_OK);
		assert_int_equal(len, strlen(cases[i].bytes));
		assert_memory_equal(data, cases[i].bytes, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(decodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
