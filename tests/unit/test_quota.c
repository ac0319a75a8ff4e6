#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "quota.h"

#define GIB  (INT64_C(1) << 30)
#define MINE "0123456789abcdef"

enum { MIDNIGHT = 1767225600, NOW = MIDNIGHT + 3600 };

static char folder[] = "/dev/shm/test_quota.XXXXXX";
static char path[64];
static struct quota quota;
static int64_t left;
static int64_t wait_told;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof(path), "%s/table", folder);
	quota.limit = 1000;
	left = wait_told = -1;
	return tally_open(path, QUOTA_DAY, &quota.tally) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	tally_close(quota.tally);
	return unlink(path);
}

static enum err check(int64_t bytes, int64_t now)
{
	return quota_check(&quota, MINE, bytes, now, &left, &wait_told);
}

static void count(int64_t bytes)
{
	assert_int_equal(quota_count(&quota, MINE, bytes, NOW), ERR_OK);
}

static void a_byte_too_many_waits_for_midnight(void **state)
{
	(void)state;
	assert_int_equal(check(1001, NOW), ERR_TOO_MANY);
	assert_int_equal(left, 1000);
	assert_int_equal(check(1000, NOW), ERR_OK);
	count(999);
	assert_int_equal(check(2, NOW), ERR_TOO_MANY);
	assert_int_equal(left, 1);
	assert_int_equal(wait_told, QUOTA_DAY - 3600);
	assert_int_equal(check(1, NOW), ERR_OK);
	count(1);
	assert_int_equal(check(1, NOW), ERR_TOO_MANY);
	assert_int_equal(check(1, MIDNIGHT + QUOTA_DAY - 1), ERR_TOO_MANY);
	assert_int_equal(wait_told, 1);
	assert_int_equal(check(1000, MIDNIGHT + QUOTA_DAY), ERR_OK);
}

static void more_than_the_limit_leaves_nothing(void **state)
{
	(void)state;
	count(900);
	count(900);
	assert_int_equal(check(1, NOW), ERR_TOO_MANY);
	assert_int_equal(left, 0);
}

static void only_what_was_stored_counts(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(check(1000, NOW), ERR_OK);
}

static void accounts_have_their_own(void **state)
{
	(void)state;
	count(1000);
	assert_int_equal(quota_check(&quota, "0123456789abcdeg", 1000, NOW, &left, &wait_told),
	                 ERR_OK);
}

/* Large limits are counted in units: what is lost by rounding is far below any image. */
static void large_limits_are_kept_closely(void **state)
{
	static const int64_t limits[] = {10 * GIB, 1024 * GIB};

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int64_t piece = limits[i] / 100;

		quota.limit = limits[i];
		(void)tear_down(NULL);
		assert_int_equal(tally_open(path, QUOTA_DAY, &quota.tally), ERR_OK);
		for (int k = 0; k < 99; k++) {
			assert_int_equal(check(piece, NOW), ERR_OK);
			count(piece);
		}
		assert_int_equal(check(piece + limits[i] / 10000, NOW), ERR_TOO_MANY);
		assert_true(left <= piece + 99 && left > piece - limits[i] / 10000);
		/* The images of other workers come on top, up to the whole limit again. */
		count(limits[i]);
		assert_int_equal(check(1, NOW), ERR_TOO_MANY);
	}
}

static void without_a_table_there_is_no_limit(void **state)
{
	const struct quota none = {.tally = NULL};

	(void)state;
	assert_int_equal(quota_check(&none, MINE, INT64_MAX, NOW, &left, &wait_told), ERR_OK);
	assert_int_equal(quota_count(&none, MINE, INT64_MAX, NOW), ERR_OK);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_byte_too_many_waits_for_midnight), TEST(more_than_the_limit_leaves_nothing),
	    TEST(only_what_was_stored_counts),        TEST(accounts_have_their_own),
	    TEST(large_limits_are_kept_closely),      TEST(without_a_table_there_is_no_limit),
	};
	int failed = 0;

	if (mkdtemp(folder) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(folder);
	return failed;
}
