#include <string.h>

#include "check.h"
#include "request.h"

/* A body that arrives in pieces of ${step} bytes, and is cut after ${cut} of them if that is not 0.
 */
struct source {
	const char *data;
	size_t len, at, step, cut;
};

static enum err read_source(void *ctx, void *data, size_t cap, size_t *ret_len)
{
	struct source *source = ctx;
	size_t n = source->len - source->at;

	if (source->cut > 0 && source->at >= source->cut)
		return ERR_CUT;
	n = n < source->step ? n : source->step;
	n = n < cap ? n : cap;
	memcpy(data, source->data + source->at, n);
	source->at += n;
	*ret_len = n;
	return ERR_OK;
}

static enum err body(struct source *source, int64_t content_length, char *data, size_t max,
                     size_t *len)
{
	struct request req = {.read = read_source, .ctx = source, .content_length = content_length};

	source->at = 0;
	return request_body(&req, data, max, len);
}

static void a_body_is_bounded(void **state)
{
	char data[4];
	size_t len = 99;

	(void)state;
	for (size_t step = 1; step <= 5; step++) {
		struct source source = {.data = "abcde", .len = 5, .step = step};

		assert_int_equal(body(&source, 5, data, sizeof(data), &len), ERR_TOO_LARGE);
		assert_int_equal(body(&source, -1, data, sizeof(data), &len), ERR_TOO_LARGE);
		assert_int_equal(len, 99);
	}
}

static void a_cut_body_is_an_error(void **state)
{
	struct source source = {.data = "abcd", .len = 4, .step = 1, .cut = 3};
	char data[8];
	size_t len = 99;

	(void)state;
	assert_int_equal(body(&source, 4, data, sizeof(data), &len), ERR_CUT);
	assert_int_equal(len, 99);
}

static void a_body_may_fill_its_room(void **state)
{
	char data[4];
	size_t len = 0;

	(void)state;
	for (size_t step = 1; step <= 5; step++) {
		struct source source = {.data = "abcd", .len = 4, .step = step};

		assert_int_equal(body(&source, 4, data, sizeof(data), &len), ERR_OK);
		assert_int_equal(len, 4);
		assert_memory_equal(data, "abcd", 4);
	}
}

static void account_ids(void **state)
{
	static const char *const bad[] = {
	    "",
	    "0123456789abcde",
	    "0123456789abcdef0",
	    "0123456789abcdeF",
	    "0123456789abcdew",
	    "0123456789abcd-f",
	    "0123456789abcd\ne",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(request_account_ok(bad[i]));
	assert_true(request_account_ok("0123456789abcdef"));
	assert_true(request_account_ok("vvvvvvvvvvvvvvvv"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_body_is_bounded),
	    cmocka_unit_test(a_cut_body_is_an_error),
	    cmocka_unit_test(a_body_may_fill_its_room),
	    cmocka_unit_test(account_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
