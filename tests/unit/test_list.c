#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "gallery_request.h"
#include "list.h"
#include "listing.h"

/* The store's side. */
static struct {
	enum err err;
	struct listing listing;
	int calls;
	size_t max; /* what was asked for */
	char prefix[64];
	char after[64];
} fake;

static struct response resp;

static enum err fake_list(void *ctx, const char *prefix, const char *after, size_t max,
                          struct listing *ret, char why[STORE_WHY_LEN])
{
	assert_ptr_equal(ctx, &fake);
	fake.calls++;
	fake.max = max;
	(void)snprintf(fake.prefix, sizeof(fake.prefix), "%s", prefix);
	(void)snprintf(fake.after, sizeof(fake.after), "%s", after);
	(void)snprintf(why, STORE_WHY_LEN, "the fake store refuses");
	if (fake.err == ERR_OK)
		*ret = fake.listing;
	return fake.err;
}

static const struct store_gallery store = {.list = fake_list, .ctx = &fake};

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	resp = response_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	response_free(&resp);
	return 0;
}

static void ask(const char *limit, const char *after)
{
	struct request req = gallery_request("GET");

	req.limit = limit;
	req.after = after;
	response_clear(&resp);
	list_handle(&store, &req, &resp);
}

static void hold(const char *object, int64_t size)
{
	struct listing_entry *entry = &fake.listing.entries[fake.listing.n++];

	(void)snprintf(entry->object, sizeof(entry->object), "%s", object);
	entry->size = size;
}

static void test_refuses_methods(void **state)
{
	static const char *const methods[] = {"", "get", "POST", "DELETE", "HEAD"};

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct request req = gallery_request(methods[i]);

		list_handle(&store, &req, &resp);
		assert_int_equal(resp.status, 405);
		assert_non_null(strstr(buf_str(&resp.header), "Allow: GET, HEAD\r\n"));
	}
	assert_int_equal(fake.calls, 0);
}

static void test_refuses_a_request_of_nobody(void **state)
{
	static const char *const accounts[] = {"", "0123456789abcde", "0123456789ABCDEF",
	                                       "0123456789abcdef0", "0123456789abcde/"};

	(void)state;
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		struct request req = gallery_request("GET");

		req.account = accounts[i];
		list_handle(&store, &req, &resp);
		assert_int_equal(resp.status, 500);
	}
	assert_int_equal(fake.calls, 0);
}

static void test_refuses_limits(void **state)
{
	static const char *const limits[] = {"-",  "0",   "000",   "101", "999",  "-1",
	                                     "+1", "1.5", "1e1",   "0x1", "1000", " 1",
	                                     "1 ", "%31", "1\r\n", "ten"};

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		ask(limits[i], "");
		assert_int_equal(resp.status, 400);
		assert_non_null(strstr(buf_str(&resp.body), "limit must be"));
	}
	assert_int_equal(fake.calls, 0);
}

static void test_refuses_names_to_go_on_from(void **state)
{
	static const char *const names[] = {
	    "-",           OTHER "-" REST,
	    OBJECT,        ACCOUNT,
	    ACCOUNT "-",   FILE_OF "x",
	    " " FILE_OF,   ACCOUNT "-" REST "&prefix=",
	    "../" FILE_OF, ACCOUNT "-vuci4ialvv0123456789abcdefghij.svg"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ask("", names[i]);
		assert_int_equal(resp.status, 400);
		assert_non_null(strstr(buf_str(&resp.body), "after must be"));
	}
	assert_int_equal(fake.calls, 0);
}

static void test_store_fails(void **state)
{
	static const enum err errors[] = {ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_NOMEM};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fake.err = errors[i];
		ask("", "");
		assert_int_equal(resp.status, 503);
		assert_non_null(strstr(buf_str(&resp.header), "Retry-After: "));
		assert_null(strstr(buf_str(&resp.body), "fake store"));
	}
}

/* There is more, but no name to go on from. */
static void test_only_foreign_names(void **state)
{
	(void)state;
	fake.listing.truncated = true;
	fake.listing.foreign = LISTING_MAX;
	ask("", "");
	assert_int_equal(resp.status, 503);
}

static void test_none(void **state)
{
	(void)state;
	ask("", "");
	assert_int_equal(resp.status, 200);
	assert_string_equal(buf_str(&resp.body), "{\"images\":[],\"next\":null}\n");
	assert_non_null(strstr(buf_str(&resp.header), "Content-Type: application/json\r\n"));
	assert_non_null(strstr(buf_str(&resp.header), "Cache-Control: no-store\r\n"));
	assert_string_equal(fake.prefix, ACCOUNT "/");
	assert_string_equal(fake.after, "");
	assert_int_equal(fake.max, 100);
}

static void test_a_page(void **state)
{
	(void)state;
	hold(OBJECT, 5);
	hold(ACCOUNT "/vuci4ialvu0123456789abcdefghij.webp", 0);
	fake.listing.truncated = true;
	ask("2", FILE_OF);
	assert_int_equal(resp.status, 200);
	assert_string_equal(buf_str(&resp.body),
	                    "{\"images\":[{\"filename\":\"" FILE_OF
	                    "\",\"size\":5,\"created_at\":\"2026-01-01T00:00:00.000Z\"},"
	                    "{\"filename\":\"" ACCOUNT
	                    "-vuci4ialvu0123456789abcdefghij.webp\",\"size\":0,"
	                    "\"created_at\":\"2026-01-01T00:00:00.001Z\"}],"
	                    "\"next\":\"" ACCOUNT "-vuci4ialvu0123456789abcdefghij.webp\"}\n");
	assert_int_equal(fake.max, 2);
	assert_string_equal(fake.after, OBJECT);
}

/* The longest names and numbers: a page has room for them. */
static void test_a_full_page(void **state)
{
	(void)state;
	for (int i = 0; i < LISTING_MAX; i++)
		hold(ACCOUNT "/vuci4ialvv0123456789abcdefghij.avif", INT64_MAX);
	fake.listing.truncated = true;
	ask("100", "");
	assert_int_equal(resp.status, 200);
	assert_int_equal(buf_err(&resp.body), ERR_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_refuses_methods),
	    TEST(test_refuses_a_request_of_nobody),
	    TEST(test_refuses_limits),
	    TEST(test_refuses_names_to_go_on_from),
	    TEST(test_store_fails),
	    TEST(test_only_foreign_names),
	    TEST(test_none),
	    TEST(test_a_page),
	    TEST(test_a_full_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
