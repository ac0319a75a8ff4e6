#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "gallery_request.h"
#include "listing.h"
#include "removal.h"

/* Store and cache. */
static struct {
	bool stored, cached;
	bool neighbour; /* the store has an object whose key begins like that one */
	enum err list_err, remove_err, purge_err;
	char steps[64]; /* what was done, in order */
} fake;

static struct response resp;

static void step(const char *name, const char *object)
{
	assert_string_equal(object, OBJECT);
	strcat(fake.steps, name);
}

static enum err fake_list(void *ctx, const char *prefix, const char *after, size_t max,
                          struct listing *ret, char why[STORE_WHY_LEN])
{
	assert_ptr_equal(ctx, &fake);
	assert_string_equal(after, "");
	assert_int_equal(max, 1);
	step("list ", prefix);
	(void)snprintf(why, STORE_WHY_LEN, "the fake store lists nothing");
	if (fake.list_err != ERR_OK)
		return fake.list_err;
	ret->n = fake.stored;
	(void)snprintf(ret->entries[0].object, sizeof(ret->entries[0].object), "%s", OBJECT);
	if (fake.neighbour && !fake.stored)
		ret->foreign = 1;
	return ERR_OK;
}

static enum err fake_remove(void *ctx, const char *key, char why[STORE_WHY_LEN])
{
	assert_ptr_equal(ctx, &fake);
	step("remove ", key);
	(void)snprintf(why, STORE_WHY_LEN, "the fake store keeps it");
	fake.stored = fake.stored && fake.remove_err != ERR_OK;
	return fake.remove_err;
}

static enum err fake_purge(void *ctx, const char *object, char why[PURGE_WHY_LEN])
{
	assert_ptr_equal(ctx, &fake);
	step("purge ", object);
	(void)snprintf(why, PURGE_WHY_LEN, "the fake gateway keeps it");
	fake.cached = fake.cached && fake.purge_err != ERR_OK;
	return fake.purge_err;
}

static const struct store_gallery store = {.list = fake_list, .remove = fake_remove, .ctx = &fake};
static const struct removal removal = {.store = &store, .purge = fake_purge, .ctx = &fake};

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.stored = fake.cached = true;
	resp = response_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	response_free(&resp);
	return 0;
}

static void ask(const char *method, const char *account, const char *object)
{
	struct request req = gallery_request(method);

	req.account = account;
	req.object = object;
	removal_handle(&removal, &req, &resp);
}

static void take_down(const char *method, const char *object)
{
	struct request req = gallery_request(method);

	req.account = "";
	req.object = object;
	removal_takedown(&removal, &req, &resp);
}

static void nothing_done(int status)
{
	assert_int_equal(resp.status, status);
	assert_string_equal(fake.steps, "");
}

static void test_refuses_methods(void **state)
{
	static const char *const methods[] = {"", "delete", "GET", "HEAD", "POST", "PUT"};

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		ask(methods[i], ACCOUNT, OBJECT);
		nothing_done(405);
		assert_non_null(strstr(buf_str(&resp.header), "Allow: DELETE\r\n"));
		take_down(methods[i], OBJECT);
		nothing_done(405);
	}
}

static void test_refuses_a_request_of_nobody(void **state)
{
	static const char *const accounts[] = {"", "0123456789abcde", "0123456789ABCDEF",
	                                       "0123456789abcdef0"};

	(void)state;
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		ask("DELETE", accounts[i], OBJECT);
		nothing_done(500);
	}
}

static void test_refuses_names(void **state)
{
	static const char *const names[] = {"",
	                                    "/",
	                                    ACCOUNT "/",
	                                    OBJECT "x",
	                                    "../" OBJECT,
	                                    ACCOUNT "/" REST "?versionId=x",
	                                    ACCOUNT "//" REST};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ask("DELETE", ACCOUNT, names[i]);
		nothing_done(404);
		take_down("DELETE", names[i]);
		nothing_done(400);
	}
}

static void test_refuses_another_owner(void **state)
{
	(void)state;
	ask("DELETE", OTHER, OBJECT);
	nothing_done(403);
	assert_true(fake.stored);
}

/* Whichever part fails: 503, and the same request later does the rest. */
static void test_failures(void **state)
{
	enum err *const parts[] = {&fake.list_err, &fake.remove_err, &fake.purge_err};
	static const enum err errors[] = {ERR_UNAVAILABLE, ERR_TIMEOUT};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (size_t j = 0; j < sizeof(errors) / sizeof(errors[0]); j++) {
			fake.stored = fake.cached = true;
			*parts[i] = errors[j];
			ask("DELETE", ACCOUNT, OBJECT);
			assert_int_equal(resp.status, 503);
			assert_non_null(strstr(buf_str(&resp.header), "Retry-After: "));
			assert_null(strstr(buf_str(&resp.body), "fake"));
			assert_true(fake.cached);
			take_down("DELETE", OBJECT);
			assert_int_equal(resp.status, 503);
			*parts[i] = ERR_OK;
			fake.steps[0] = '\0';
			ask("DELETE", ACCOUNT, OBJECT);
			assert_true(resp.status == 204 ||
			            (parts[i] == &fake.purge_err && resp.status == 404));
			assert_false(fake.stored || fake.cached);
			fake.steps[0] = '\0';
		}
	}
}

/* What the store does not have, the cache must not have either. */
static void test_unknown(void **state)
{
	(void)state;
	fake.stored = false;
	fake.neighbour = true;
	ask("DELETE", ACCOUNT, OBJECT);
	assert_int_equal(resp.status, 404);
	assert_string_equal(fake.steps, "list purge ");
	assert_false(fake.cached);
}

static void test_removes(void **state)
{
	(void)state;
	ask("DELETE", ACCOUNT, OBJECT);
	assert_int_equal(resp.status, 204);
	assert_int_equal(resp.body.len, 0);
	assert_string_equal(fake.steps, "list remove purge ");
	assert_false(fake.stored || fake.cached);
}

static void test_takes_down(void **state)
{
	(void)state;
	take_down("DELETE", FILE_OF);
	assert_int_equal(resp.status, 204);
	assert_string_equal(fake.steps, "list remove purge ");
	take_down("DELETE", FILE_OF);
	assert_int_equal(resp.status, 204);
	assert_string_equal(fake.steps, "list remove purge list purge ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_refuses_methods), TEST(test_refuses_a_request_of_nobody),
	    TEST(test_refuses_names),   TEST(test_refuses_another_owner),
	    TEST(test_failures),        TEST(test_unknown),
	    TEST(test_removes),         TEST(test_takes_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
