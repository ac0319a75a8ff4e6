#include <stdbool.h>

#include "sign.h"
#include "sigv4_vector.h"

static time_t new_year(time_t *ret)
{
	(void)ret;
	return 1767225600;
}

static struct vector vector;
static struct sign sign = {.host = "storage:9000", .bucket = "images", .now = new_year};
static struct response resp;

static int setup(void **state)
{
	(void)state;
	vector_load("tests/vectors/sigv4/get-image", &vector);
	resp = response_new();
	return sigv4_init(&sign.sigv4, &vector.access_key, &vector.secret_key, vector.region) ==
	               ERR_OK
	           ? 0
	           : -1;
}

static int teardown(void **state)
{
	(void)state;
	response_free(&resp);
	return 0;
}

static void ask(const char *route, const char *method, const char *object)
{
	struct request req = {.id = "r",
	                      .route = route,
	                      .method = method,
	                      .authorization = "",
	                      .accept = "",
	                      .content_type = "",
	                      .remote_addr = "",
	                      .account = "",
	                      .object = object,
	                      .content_length = -1};

	response_clear(&resp);
	sign_handle(&sign, &req, &resp);
}

static void refused(int status)
{
	assert_int_equal(resp.status, status);
	assert_null(strstr(buf_str(&resp.header), "X-Store"));
	assert_null(strstr(buf_str(&resp.header), "Signature"));
	assert_null(strstr(buf_str(&resp.body), "Signature"));
}

static void test_refuses_names(void **state)
{
	static const char *const bad[] = {
	    "",
	    "/",
	    "0123456789abcdef/",
	    "0123456789abcdef-vuci4ialvv0123456789abcdefghij.avif",
	    "0123456789abcdef/vuci4ialvv0123456789abcdefghij.svg",
	    "0123456789abcdef/vuci4ialvv0123456789abcdefghij.avif?acl",
	    "0123456789abcdef/vuci4ialvv0123456789abcdefghij.avif\r\nx: y",
	    "../0123456789abcdef/vuci4ialvv0123456789abcdefghij.avif",
	    "other/0123456789abcdef/vuci4ialvv0123456789abcdefghij.avif",
	    "0123456789abcdef/VUCI4IALVV0123456789abcdefghij.avif",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask("sign", "GET", bad[i]);
		refused(404);
	}
}

static void test_refuses_methods_and_routes(void **state)
{
	static const char *const methods[] = {"", "get", "PUT", "POST", "DELETE", "OPTIONS"};
	const char *object = vector.request.path + strlen("/images/");

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		ask("sign", methods[i], object);
		refused(405);
		assert_non_null(strstr(buf_str(&resp.header), "Allow: GET, HEAD\r\n"));
	}
	ask("", "GET", object);
	refused(404);
	ask("upload", "GET", object);
	refused(404);
}

static void test_failure_is_no_signature(void **state)
{
	char host[5000];

	(void)state;
	memset(host, 'a', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	sign.host = host;
	ask("sign", "GET", vector.request.path + strlen("/images/"));
	sign.host = "storage:9000";
	refused(500);
}

/* The signature that botocore makes for the same request. */
static void test_signs(void **state)
{
	static const char *const methods[] = {"GET", "HEAD"};
	char expected[1000];

	(void)state;
	(void)snprintf(expected, sizeof(expected),
	               "X-Store-Authorization: AWS4-HMAC-SHA256 "
	               "Credential=%s/20260101/%s/s3/aws4_request,"
	               "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=%s\r\n"
	               "X-Store-Date: 20260101T000000Z\r\n"
	               "X-Store-Content-Sha256: %s\r\n",
	               vector.access_key.data, vector.region, vector.signature, SIGV4_EMPTY_SHA256);
	for (size_t i = 0; i < 2; i++) {
		ask("sign", methods[i], vector.request.path + strlen("/images/"));
		assert_int_equal(resp.status, 204);
		assert_string_equal(buf_str(&resp.header), expected);
		assert_int_equal(resp.body.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refuses_names),
	    cmocka_unit_test(test_refuses_methods_and_routes),
	    cmocka_unit_test(test_failure_is_no_signature),
	    cmocka_unit_test(test_signs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
