#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "throttle.h"

enum { NOW = 1767225700, WINDOW = 300, FAILURES = 3 };

static char folder[] = "/dev/shm/test_throttle.XXXXXX";
static char path[64];
static struct throttle throttle = {.failures = FAILURES};
static int64_t clock_now;
static int64_t wait_told;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof(path), "%s/table", folder);
	clock_now = NOW;
	wait_told = -1;
	return tally_open(path, WINDOW, &throttle.tally) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	tally_close(throttle.tally);
	return unlink(path);
}

static enum err check(const char *login, const char *address)
{
	return throttle_check(&throttle, login, address, clock_now, &wait_told);
}

static void count(const char *login, const char *address)
{
	assert_int_equal(throttle_count(&throttle, login, address, clock_now), ERR_OK);
}

static void use_up(const char *login, const char *address)
{
	for (int i = 0; i < FAILURES; i++) {
		assert_int_equal(check(login, address), ERR_OK);
		count(login, address);
	}
	assert_int_equal(wait_told, -1);
	assert_int_equal(check(login, address), ERR_TOO_MANY);
}

static void the_next_attempt_waits_for_the_window(void **state)
{
	(void)state;
	use_up("bob", "192.0.2.1");
	assert_int_equal(wait_told, 200);
	clock_now += 199;
	assert_int_equal(check("bob", "192.0.2.1"), ERR_TOO_MANY);
	assert_int_equal(wait_told, 1);
	clock_now += 1;
	assert_int_equal(check("bob", "192.0.2.1"), ERR_OK);
	wait_told = -1;
	use_up("bob", "192.0.2.1");
}

static void a_case_is_no_way_round(void **state)
{
	(void)state;
	use_up("bob", "192.0.2.1");
	assert_int_equal(check("BOB", "192.0.2.1"), ERR_TOO_MANY);
	assert_int_equal(check("Bob", "::ffff:192.0.2.1"), ERR_TOO_MANY);
}

static void an_ipv6_client_has_one_network(void **state)
{
	(void)state;
	use_up("bob", "2001:db8::1");
	assert_int_equal(check("bob", "2001:db8::ffff:2"), ERR_TOO_MANY);
	assert_int_equal(check("bob", "2001:db8:0:1::1"), ERR_OK);
}

static void nobody_is_locked_out_by_a_stranger(void **state)
{
	(void)state;
	use_up("bob", "192.0.2.1");
	for (int i = 0; i < 1000; i++)
		count("bob", "192.0.2.1");
	assert_int_equal(check("bob", "192.0.2.2"), ERR_OK);
	assert_int_equal(check("bob", "2001:db8::1"), ERR_OK);
	assert_int_equal(check("alice", "192.0.2.1"), ERR_OK);
	assert_int_equal(check("bo", "192.0.2.1"), ERR_OK);
}

static void who_has_no_address_shares_one(void **state)
{
	(void)state;
	use_up("bob", "unix:");
	assert_int_equal(check("bob", ""), ERR_TOO_MANY);
	assert_int_equal(check("bob", "192.0.2.1"), ERR_OK);
}

static void a_right_password_forgets(void **state)
{
	(void)state;
	for (int i = 0; i < FAILURES; i++)
		count("bob", "192.0.2.1");
	assert_int_equal(throttle_forget(&throttle, "Bob", "192.0.2.1", clock_now), ERR_OK);
	use_up("bob", "192.0.2.1");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_next_attempt_waits_for_the_window), TEST(a_case_is_no_way_round),
	    TEST(an_ipv6_client_has_one_network),        TEST(nobody_is_locked_out_by_a_stranger),
	    TEST(who_has_no_address_shares_one),         TEST(a_right_password_forgets),
	};
	int failed = 0;

	if (mkdtemp(folder) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(folder);
	return failed;
}
