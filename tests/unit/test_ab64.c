#include <string.h>

#include "ab64.h"
#include "check.h"

static void refuses_what_is_not_ab64(void **state)
{
	static const char *const bad[] = {"A",    "AAAAA", "A=",    "AA==", "AA+A", "AA-A",
	                                  "AA_A", "AA A",  "AA\nA", "AB",   "AAB",  "AA\xc3\xa9"};
	uint8_t data[8];
	size_t len = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ab64_decode(bad[i], strlen(bad[i]), data, sizeof(data), &len),
		                 ERR_MALFORMED);
	assert_int_equal(ab64_decode("AA\0A", 4, data, sizeof(data), &len), ERR_MALFORMED);
	assert_int_equal(ab64_decode("AAAA", 4, data, 2, &len), ERR_TOO_LARGE);
	assert_int_equal(len, 99);
}

/* RFC 4648 section 10, without padding. */
static void known_texts(void **state)
{
	static const struct {
		const char *data, *text;
	} rows[] = {
	    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
	    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "./8"},
	};
	char text[16];
	uint8_t data[16];
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].data);

		ab64_encode((const uint8_t *)rows[i].data, n, text);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(strlen(text), AB64_LEN(n));
		assert_int_equal(ab64_decode(text, strlen(text), data, n, &len), ERR_OK);
		assert_int_equal(len, n);
		assert_memory_equal(data, rows[i].data, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_what_is_not_ab64),
	    cmocka_unit_test(known_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
