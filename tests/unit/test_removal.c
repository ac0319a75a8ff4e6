#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Store and cache of an account with many images. */
enum { MANY = 2 * LISTING_MAX + 30 };
static struct {
	bool stored[MANY], cached[MANY];
	bool foreign; /* the store has but names that are not ours, and more of them than a page */
	size_t fails; /* the how manyth step fails; 0 for none */
	size_t happens; /* how many did */
} shelf;

static enum err shelf_step(char *why)
{
	(void)snprintf(why, STORE_WHY_LEN, "the shelf is stuck");
	return ++shelf.happens == shelf.fails ? ERR_UNAVAILABLE : ERR_OK;
}

static void shelf_name(size_t i, char object[NAME_MAX_LEN + 1])
{
	(void)snprintf(object, NAME_MAX_LEN + 1, ACCOUNT "/vuci4ialvv%020zu.jpg", i);
}

static size_t shelf_index(const char *object)
{
	char expected[NAME_MAX_LEN + 1];
	size_t i = strtoul(object + strlen(ACCOUNT) + 1 + NAME_TIME_LEN, NULL, 10);

	assert_in_range(i, 0, MANY - 1);
	shelf_name(i, expected);
	assert_string_equal(object, expected);
	return i;
}

static enum err shelf_list(void *ctx, const char *prefix, const char *after, size_t max,
                           struct listing *ret, char why[STORE_WHY_LEN])
{
	(void)ctx;
	assert_string_equal(prefix, ACCOUNT "/");
	assert_string_equal(after, "");
	assert_int_equal(max, LISTING_MAX);
	ret->truncated = shelf.foreign;
	for (size_t i = 0; i < MANY && !ret->truncated; i++) {
		ret->truncated = shelf.stored[i] && ret->n == max;
		if (shelf.stored[i] && ret->n < max)
			shelf_name(i, ret->entries[ret->n++].object);
	}
	return shelf_step(why);
}

/* At this moment somebody reads it once more. */
static enum err shelf_remove(void *ctx, const char *key, char why[STORE_WHY_LEN])
{
	size_t i = shelf_index(key);
	enum err err = shelf_step(why);

	(void)ctx;
	assert_false(shelf.cached[i]);
	shelf.cached[i] = true;
	shelf.stored[i] = shelf.stored[i] && err != ERR_OK;
	return err;
}

static enum err shelf_purge(void *ctx, const char *object, char why[PURGE_WHY_LEN])
{
	size_t i = shelf_index(object);
	enum err err = shelf_step(why);

	(void)ctx;
	shelf.cached[i] = shelf.cached[i] && err != ERR_OK;
	return err;
}

static void erase(const char *method, const char *account)
{
	static const struct store_gallery shelves = {.list = shelf_list, .remove = shelf_remove};
	static const struct removal eraser = {.store = &shelves, .purge = shelf_purge};
	struct request req = gallery_request(method);

	req.account = account;
	response_clear(&resp);
	removal_erase(&eraser, &req, &resp);
}

static void fill_shelf(void)
{
	memset(&shelf, 0, sizeof(shelf));
	for (size_t i = 0; i < MANY; i++)
		shelf.stored[i] = shelf.cached[i] = true;
}

static size_t on_shelf(void)
{
	size_t n = 0;

	for (size_t i = 0; i < MANY; i++)
		n += shelf.stored[i] || shelf.cached[i];
	return n;
}

static void test_erase_refuses(void **state)
{
	(void)state;
	fill_shelf();
	erase("GET", ACCOUNT);
	assert_int_equal(resp.status, 405);
	erase("DELETE", "");
	assert_int_equal(resp.status, 400);
	erase("DELETE", ACCOUNT "/");
	assert_int_equal(resp.status, 400);
	erase("DELETE", "0123456789ABCDEF");
	assert_int_equal(resp.status, 400);
	assert_int_equal(shelf.happens, 0);
}

static void test_erases_page_after_page(void **state)
{
	static const char *const said[] = {"{\"removed\":100}\n", "{\"removed\":100}\n",
	                                   "{\"removed\":30}\n", "{\"removed\":0}\n"};

	(void)state;
	fill_shelf();
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		erase("DELETE", ACCOUNT);
		assert_int_equal(resp.status, 200);
		assert_string_equal(buf_str(&resp.body), said[i]);
	}
	assert_int_equal(on_shelf(), 0);
}

/* Whichever step fails, no number is given, and the same request does the rest. */
static void test_erase_failures(void **state)
{
	(void)state;
	for (size_t fails = 1; fails <= 7; fails++) {
		fill_shelf();
		shelf.fails = fails;
		erase("DELETE", ACCOUNT);
		assert_int_equal(resp.status, 503);
		assert_null(strstr(buf_str(&resp.body), "removed"));
		for (size_t i = 0; i < 3; i++)
			erase("DELETE", ACCOUNT);
		/* A reader's copy, if the gateway did not answer after the store had. */
		assert_int_equal(on_shelf(), fails % 3 == 1 && fails > 1 ? 1 : 0);
	}
}

static void test_erase_is_not_misled_by_foreign_names(void **state)
{
	(void)state;
	fill_shelf();
	shelf.foreign = true;
	erase("DELETE", ACCOUNT);
	assert_int_equal(resp.status, 503);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_refuses_methods), TEST(test_refuses_a_request_of_nobody),
	    TEST(test_refuses_names),   TEST(test_refuses_another_owner),
	    TEST(test_failures),        TEST(test_unknown),
	    TEST(test_removes),         TEST(test_takes_down),
	    TEST(test_erase_refuses),   TEST(test_erases_page_after_page),
	    TEST(test_erase_failures),  TEST(test_erase_is_not_misled_by_foreign_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
