#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "check.h"
#include "exposition.h"

static struct exposition_pool pools[2];
static struct exposition_gateway gateway;
static struct buf text;

static int begin(void **state)
{
	(void)state;
	memset(pools, 0, sizeof(pools));
	pools[0] = (struct exposition_pool){.name = "accounts", .app = "security", .known = true};
	pools[1] = (struct exposition_pool){.name = "validate", .app = "security", .known = true};
	memset(&gateway, 0, sizeof(gateway));
	text = buf_new(LIMIT_RESPONSE_BODY);
	return 0;
}

static int end(void **state)
{
	(void)state;
	buf_free(&text);
	return 0;
}

static const char *print(void)
{
	buf_clear(&text);
	exposition_print(&text, pools, 2, &gateway, 5500, "1.2.3");
	assert_int_equal(buf_err(&text), ERR_OK);
	return buf_str(&text);
}

static bool has_line(const char *line)
{
	char whole[300];

	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	return strstr(print(), whole) != NULL;
}

static void an_absent_pool_has_no_numbers(void **state)
{
	(void)state;
	pools[0].pool.workers = 1;
	pools[1].known = false;
	assert_true(has_line("imagegate_pool_up{pool=\"accounts\"} 1"));
	assert_true(has_line("imagegate_pool_up{pool=\"validate\"} 0"));
	assert_true(has_line("imagegate_workers{pool=\"accounts\"} 1"));
	assert_null(strstr(print(), "imagegate_workers{pool=\"validate\"}"));
	assert_null(strstr(print(), "imagegate_validations_total{"));
}

static void a_pool_without_workers_is_down(void **state)
{
	(void)state;
	assert_true(has_line("imagegate_pool_up{pool=\"accounts\"} 0"));
}

static void zeros_are_there_when_all_is_known(void **state)
{
	(void)state;
	assert_true(has_line("imagegate_validations_total{result=\"revoked\"} 0"));
	assert_true(has_line("imagegate_audit_failures_total 0"));
	assert_true(has_line("imagegate_pbkdf2_seconds_count 0"));
	assert_true(has_line("imagegate_build_info{version=\"1.2.3\"} 1"));
	assert_null(strstr(print(), "http_requests_total{"));
	assert_null(strstr(print(), "imagegate_revocations "));
}

static void pools_of_an_app_are_one(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		pools[i].pool.counts.requests[ROUTE_READY][STATUS_204] = 2;
		pools[i].pool.counts.requests[ROUTE_OTHER][STATUS_0] = 1;
	}
	assert_true(has_line("http_requests_total{app_name=\"security\",method=\"GET\","
	                     "route=\"/readyz\",status=\"204\"} 4"));
	assert_true(has_line("http_requests_total{app_name=\"security\",method=\"other\","
	                     "route=\"other\",status=\"other\"} 2"));
}

static void buckets_are_cumulative(void **state)
{
	struct metrics_histogram *histogram = &pools[0].pool.counts.timers[TIMER_PBKDF2];

	(void)state;
	histogram->buckets[0] = 1;
	histogram->buckets[1] = 2;
	histogram->buckets[METRICS_BUCKETS - 1] = 4;
	histogram->micros = 61000001;
	assert_true(has_line("imagegate_pbkdf2_seconds_bucket{le=\"0.0005\"} 1"));
	assert_true(has_line("imagegate_pbkdf2_seconds_bucket{le=\"0.001\"} 3"));
	assert_true(has_line("imagegate_pbkdf2_seconds_bucket{le=\"10\"} 3"));
	assert_true(has_line("imagegate_pbkdf2_seconds_bucket{le=\"+Inf\"} 7"));
	assert_true(has_line("imagegate_pbkdf2_seconds_sum 61.000001"));
	assert_true(has_line("imagegate_pbkdf2_seconds_count 7"));
}

static void the_list_has_an_age(void **state)
{
	(void)state;
	pools[1].pool.revocations = 9;
	pools[1].pool.revocations_at_ms = 5000;
	assert_true(has_line("imagegate_revocations 9"));
	assert_true(has_line("imagegate_revocations_age_seconds 0.500000"));
	pools[1].pool.revocations_at_ms = UINT64_C(1) << 63; /* nonsense, and no trap */
	assert_non_null(strstr(print(), "imagegate_revocations_age_seconds "));
}

static void caches_that_are_not_known_are_left_out(void **state)
{
	(void)state;
	assert_null(strstr(print(), "imagegate_cache"));
	gateway.counted = true;
	gateway.caches.counts[CACHE_IMAGE][CACHE_RESULT_REVALIDATED] = 7;
	gateway.caches.malformed = 3;
	assert_true(
	    has_line("imagegate_cache_results_total{cache=\"image\",result=\"revalidated\"} 7"));
	assert_true(
	    has_line("imagegate_cache_results_total{cache=\"auth\",result=\"revalidated\"} 0"));
	assert_true(has_line("imagegate_cache_results_malformed_total 3"));
}

static void a_certificate_has_an_end(void **state)
{
	(void)state;
	assert_null(strstr(print(), "imagegate_certificate"));
	gateway.certificate_end = 1234567890;
	assert_true(has_line("imagegate_certificate_not_after_seconds 1234567890"));
}

/* Everything that can be printed, in the largest numbers there are, fits into an answer. */
static void the_largest_fits(void **state)
{
	(void)state;
	memset(&gateway, 0x7f, sizeof(gateway));
	gateway.counted = true;
	for (int i = 0; i < 2; i++) {
		memset(&pools[i].pool, 0x7f, sizeof(pools[i].pool));
		pools[i].app = i == 0 ? "security" : "uploader";
	}
	(void)print();
}

#define test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(an_absent_pool_has_no_numbers),
	    test(a_pool_without_workers_is_down),
	    test(zeros_are_there_when_all_is_known),
	    test(pools_of_an_app_are_one),
	    test(buckets_are_cumulative),
	    test(the_list_has_an_age),
	    test(caches_that_are_not_known_are_left_out),
	    test(a_certificate_has_an_end),
	    test(the_largest_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
