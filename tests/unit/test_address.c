#include <string.h>

#include "address.h"
#include "check.h"

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {"",          "192.0.2",        "192.0.2.1:80",
	                                  "unix:",     "192.0.2.256",    "2001:db8::1%eth0",
	                                  "[2001::1]", "2001:db8::1/64", "host.example"};
	uint8_t network[ADDRESS_NETWORK_LEN];
	uint8_t before[ADDRESS_NETWORK_LEN];

	(void)state;
	memset(network, 7, sizeof(network));
	memcpy(before, network, sizeof(before));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(address_network(bad[i], network), ERR_MALFORMED);
		assert_memory_equal(network, before, sizeof(before));
	}
}

static int same(const char *a, const char *b)
{
	uint8_t left[ADDRESS_NETWORK_LEN];
	uint8_t right[ADDRESS_NETWORK_LEN];

	assert_int_equal(address_network(a, left), ERR_OK);
	assert_int_equal(address_network(b, right), ERR_OK);
	return memcmp(left, right, sizeof(left)) == 0;
}

static void others_are_other_networks(void **state)
{
	(void)state;
	assert_false(same("192.0.2.1", "192.0.2.2"));
	assert_false(same("2001:db8:0:1::1", "2001:db8:0:2::1"));
	assert_false(same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
	/* Not mapped, whatever the first bytes look like. */
	assert_false(same("192.0.2.1", "::192.0.2.1"));
}

static void one_client_is_one_network(void **state)
{
	(void)state;
	assert_true(same("192.0.2.1", "192.0.2.1"));
	assert_true(same("192.0.2.1", "::ffff:192.0.2.1"));
	assert_true(same("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"));
	assert_true(same("2001:db8::1", "2001:DB8:0:0::2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_no_address_is_refused),
	    cmocka_unit_test(others_are_other_networks),
	    cmocka_unit_test(one_client_is_one_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
