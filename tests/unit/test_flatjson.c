#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "buf.h"
#include "check.h"
#include "flatjson.h"

static enum err parse(const char *text, size_t len, struct flatjson **json)
{
	const char *why = NULL;
	enum err err = flatjson_parse(text, len, json, &why);

	if (err == ERR_MALFORMED)
		assert_non_null(why);
	return err;
}

static void refuses_what_is_not_one_flat_object(void **state)
{
	static const char *const cases[] = {
	    "",
	    " ",
	    "null",
	    "1",
	    "\"a\"",
	    "[]",
	    "[{}]",
	    "{",
	    "{}}",
	    "{} {}",
	    "{\"a\":1,}",
	    "{'a':1}",
	    "{a:1}",
	    "{\"a\" 1}",
	    "{\"a\":01}",
	    "{\"a\":{}}",
	    "{\"a\":[]}",
	    "{\"a\":NaN}",
	    "{\"a\":1e999}",
	    "{\"a\":99999999999999999999}",
	    "{\"a\":1,\"a\":2}",
	    "{\"a\":1,\"\\u0061\":2}",
	    "{\"a\":\"\\u0000\"}",
	    "{\"a\":\"\\ud800\"}",
	    "{\"a\":\"\xff\"}",
	    "{\"a\":\"\xc0\xaf\"}",
	    "{\"a\":\"x\ny\"}",
	    "\xef\xbb\xbf{}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flatjson *json = NULL;

		assert_int_equal(parse(cases[i], strlen(cases[i]), &json), ERR_MALFORMED);
		assert_null(json);
	}
}

static void refuses_a_raw_nul(void **state)
{
	struct flatjson *json = NULL;

	(void)state;
	assert_int_equal(parse("{\"a\":\"x\0y\"}", 11, &json), ERR_MALFORMED);
	assert_int_equal(parse("{}\0", 3, &json), ERR_MALFORMED);
	assert_int_equal(parse("{\"a\":1\0}", 8, &json), ERR_MALFORMED);
}

static void refuses_depth_and_width(void **state)
{
	enum { DEPTH = 10000 };
	char *deep = malloc(2 * DEPTH);
	struct buf wide = buf_new(10000);
	struct flatjson *json = NULL;

	(void)state;
	memset(deep, '[', 2 * DEPTH);
	assert_int_equal(parse(deep, 2 * DEPTH, &json), ERR_MALFORMED);
	buf_puts(&wide, "{\"m\":1");
	for (int i = 0; i < LIMIT_JSON_MEMBERS; i++)
		buf_printf(&wide, ",\"m%d\":1", i);
	buf_puts(&wide, "}");
	assert_int_equal(parse(wide.data, wide.len, &json), ERR_MALFORMED);
	buf_free(&wide);
	free(deep);
}

static void types_are_checked(void **state)
{
	static const char text[] = "{\"s\":\"1\",\"i\":1,\"f\":1.0,\"t\":true,\"n\":null}";
	struct flatjson *json = NULL;
	int64_t number = 0;
	size_t len = 0;

	(void)state;
	assert_int_equal(parse(text, strlen(text), &json), ERR_OK);
	assert_true(flatjson_has(json, "n"));
	assert_false(flatjson_has(json, "absent"));
	assert_null(flatjson_string(json, "i", &len));
	assert_null(flatjson_string(json, "n", &len));
	assert_null(flatjson_string(json, "absent", &len));
	assert_int_equal(flatjson_integer(json, "s", &number), ERR_MALFORMED);
	assert_int_equal(flatjson_integer(json, "f", &number), ERR_MALFORMED);
	assert_int_equal(flatjson_integer(json, "t", &number), ERR_MALFORMED);
	assert_int_equal(flatjson_integer(json, "absent", &number), ERR_MALFORMED);
	assert_int_equal(flatjson_integer(json, "i", &number), ERR_OK);
	assert_int_equal(number, 1);
	flatjson_free(json);
	flatjson_free(NULL);
}

static void strings_keep_their_bytes(void **state)
{
	static const char text[] = " {\"a\" : \"x\\u00e9\\ud83d\\ude00\\n\"} ";
	struct flatjson *json = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(parse(text, strlen(text), &json), ERR_OK);
	assert_string_equal(flatjson_string(json, "a", &len), "x\xc3\xa9\xf0\x9f\x98\x80\n");
	assert_int_equal(len, 8);
	flatjson_free(json);
}

/* What takes most memory for its length is parsed to its end: the arena is large enough. */
static void hungry_texts(void **state)
{
	static const struct {
		const char *begin, *piece;
	} rows[] = {
	    {"[{}", ",{}"},         {"[[]", ",[]"},       {"", "["},          {"", "[{\"\":"},
	    {"", "{\"\":"},         {"", "[{},"},         {"[0", ",0"},       {"[1.5", ",1.5"},
	    {"[\"\"", ",\"\""},     {"[\"a\"", ",\"a\""}, {"[\"", "\\u00e4"}, {"[\"", "a"},
	    {"[null", ",{\"\":0}"}, {"[1e1", ",1e1"},     {"{\"", "\\n"},
	};
	static char text[LIMIT_JSON_BODY];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t max = 1; max <= sizeof(text); max *= 2) {
			size_t len = strlen(rows[i].begin);
			struct flatjson *json = NULL;
			const char *why = NULL;

			memcpy(text, rows[i].begin, len < max ? len : max);
			while (len + strlen(rows[i].piece) <= max) {
				memcpy(text + len, rows[i].piece, strlen(rows[i].piece));
				len += strlen(rows[i].piece);
			}
			assert_int_equal(flatjson_parse(text, len < max ? len : max, &json, &why),
			                 ERR_MALFORMED);
		}
	}
}

/* The same of members with different names. */
static void many_members(void **state)
{
	struct buf text = buf_new(LIMIT_JSON_BODY);
	struct flatjson *json = NULL;
	const char *why = NULL;

	(void)state;
	buf_puts(&text, "{\"\":0");
	for (int i = 0; text.len < LIMIT_JSON_BODY - 20; i++)
		buf_printf(&text, ",\"%x\":%s", i, i % 2 == 0 ? "{}" : "[]");
	buf_puts(&text, "}");
	assert_int_equal(buf_err(&text), ERR_OK);
	assert_int_equal(flatjson_parse(text.data, text.len, &json, &why), ERR_MALFORMED);
	assert_string_equal(why, "The JSON object has too many members.");
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hungry_texts),
	    cmocka_unit_test(many_members),
	    cmocka_unit_test(refuses_what_is_not_one_flat_object),
	    cmocka_unit_test(refuses_a_raw_nul),
	    cmocka_unit_test(refuses_depth_and_width),
	    cmocka_unit_test(types_are_checked),
	    cmocka_unit_test(strings_keep_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
