#include <string.h>

#include "buf.h"
#include "check.h"

static void over_the_maximum_sticks(void **state)
{
	struct buf buf = buf_new(4);

	(void)state;
	buf_puts(&buf, "abc");
	buf_puts(&buf, "de");
	assert_int_equal(buf_err(&buf), ERR_TOO_LARGE);
	buf_puts(&buf, "f");
	assert_int_equal(buf_err(&buf), ERR_TOO_LARGE);
	assert_string_equal(buf_str(&buf), "abc");
	buf_free(&buf);
}

static void printf_over_the_maximum_sticks(void **state)
{
	struct buf buf = buf_new(4);

	(void)state;
	buf_printf(&buf, "%d", 12345);
	assert_int_equal(buf_err(&buf), ERR_TOO_LARGE);
	assert_string_equal(buf_str(&buf), "");
	buf_clear(&buf);
	buf_puts(&buf, "abc");
	buf_printf(&buf, "%d", 12);
	assert_int_equal(buf_err(&buf), ERR_TOO_LARGE);
	assert_string_equal(buf_str(&buf), "abc");
	assert_int_equal(buf.len, 3);
	buf_free(&buf);
}

static void clear_forgets_the_error(void **state)
{
	struct buf buf = buf_new(4);

	(void)state;
	buf_puts(&buf, "abcde");
	buf_clear(&buf);
	buf_puts(&buf, "abcd");
	assert_int_equal(buf_err(&buf), ERR_OK);
	assert_string_equal(buf_str(&buf), "abcd");
	buf_free(&buf);
}

static void an_empty_buffer_is_a_string(void **state)
{
	struct buf buf = buf_new(4);

	(void)state;
	assert_string_equal(buf_str(&buf), "");
	buf_free(&buf);
	buf_free(&buf);
	buf_free(NULL);
}

static void grows_past_its_first_allocation(void **state)
{
	struct buf buf = buf_new(100000);

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_printf(&buf, "%05d", i);
	assert_int_equal(buf_err(&buf), ERR_OK);
	assert_int_equal(buf.len, 50000);
	assert_memory_equal(buf.data + 49995, "09999", 6);
	buf_free(&buf);
}

static void json_escapes_what_could_break_a_line(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"", "\"\""},
	    {"a\"b\\c", "\"a\\\"b\\\\c\""},
	    {"\n\r\t\x1f\x7f", "\"\\u000a\\u000d\\u0009\\u001f\\u007f\""},
	    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
	     "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
	    {"\xff", "\"\\ufffd\""},
	    {"\xc0\xaf", "\"\\ufffd\\ufffd\""},                       /* overlong */
	    {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},            /* a surrogate */
	    {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* above U+10FFFF */
	    {"a\xe2\x82", "\"a\\ufffd\\ufffd\""},                     /* cut */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf buf = buf_new(100);

		buf_jsons(&buf, cases[i].in);
		assert_string_equal(buf_str(&buf), cases[i].out);
		buf_free(&buf);
	}
}

static void json_of_null_and_of_nul(void **state)
{
	struct buf buf = buf_new(100);

	(void)state;
	buf_jsons(&buf, NULL);
	buf_json(&buf, "a\0b", 3);
	assert_string_equal(buf_str(&buf), "null\"a\\u0000b\"");
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(over_the_maximum_sticks),
	    cmocka_unit_test(printf_over_the_maximum_sticks),
	    cmocka_unit_test(clear_forgets_the_error),
	    cmocka_unit_test(an_empty_buffer_is_a_string),
	    cmocka_unit_test(grows_past_its_first_allocation),
	    cmocka_unit_test(json_escapes_what_could_break_a_line),
	    cmocka_unit_test(json_of_null_and_of_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
