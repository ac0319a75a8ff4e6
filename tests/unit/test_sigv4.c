#include <stdlib.h>

#include "sigv4_vector.h"

static void load(const char *path, struct vector *vector, struct sigv4 *sigv4)
{
	vector_load(path, vector);
	assert_int_equal(
	    sigv4_init(sigv4, &vector->access_key, &vector->secret_key, vector->region), ERR_OK);
}

static enum err sign(struct sigv4 *sigv4, const struct sigv4_request *request, char *signature)
{
	struct buf authorization = buf_new(1000);
	enum err err = sigv4_sign(sigv4, request, &authorization, signature);

	buf_free(&authorization);
	return err;
}

static void test_bad_credentials(void **state)
{
	static char good[] = "key", empty[] = "", space[] = "a b", slash[] = "a/b",
		    line[] = "a\r\nb", high[] = "a\xc3\xa4";
	static char longest[SIGV4_KEY_MAX + 2];
	char *bad[] = {empty, space, slash, line, high, longest};
	struct secret ok = {.data = good, .len = 3};
	struct sigv4 sigv4;

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct secret secret = {.data = bad[i], .len = strlen(bad[i])};
		struct buf problems = buf_new(1000);

		assert_int_equal(sigv4_init(&sigv4, &secret, &ok, "r"), ERR_MALFORMED);
		assert_int_equal(sigv4_init(&sigv4, &ok, &ok, bad[i]), ERR_MALFORMED);
		sigv4_check(&secret, bad[i], &problems);
		assert_non_null(strstr(buf_str(&problems), "STORE_ACCESS_KEY: "));
		assert_non_null(strstr(buf_str(&problems), "\nSTORE_REGION: "));
		buf_free(&problems);
	}
	assert_int_equal(sigv4_init(&sigv4, &ok, &(struct secret){.data = empty}, "r"),
	                 ERR_MALFORMED);
	assert_int_equal(sigv4_init(&sigv4, &ok,
	                            &(struct secret){.data = longest, .len = sizeof(longest) - 1},
	                            "r"),
	                 ERR_MALFORMED);
}

static void test_missing_header(void **state)
{
	struct vector vector;
	struct sigv4 sigv4;
	char signature[SIGV4_SIGNATURE_LEN + 1] = "untouched";

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = {"host", "x-amz-content-sha256", "x-amz-date"};

		load("tests/vectors/sigv4/list-objects", &vector, &sigv4);
		assert_string_equal(vector.headers[i].name, names[i]);
		vector.headers[i].name = "other";
		assert_int_equal(sign(&sigv4, &vector.request, signature), ERR_INTERNAL);
		assert_string_equal(signature, "untouched");
	}
}

static void test_bad_date(void **state)
{
	struct vector vector;
	struct sigv4 sigv4;
	char signature[SIGV4_SIGNATURE_LEN + 1] = "untouched";

	(void)state;
	load("tests/vectors/sigv4/list-objects", &vector, &sigv4);
	vector.headers[2].value = "20130524";
	assert_int_equal(sign(&sigv4, &vector.request, signature), ERR_INTERNAL);
	assert_int_equal(sigv4_chunk(&sigv4, "", "a", 1, signature), ERR_INTERNAL);
}

static void test_too_large(void **state)
{
	struct vector vector;
	struct sigv4 sigv4;
	char signature[SIGV4_SIGNATURE_LEN + 1];
	char *path = calloc(1, 5001);

	(void)state;
	assert_non_null(path);
	memset(path, '/', 5000);
	load("tests/vectors/sigv4/list-objects", &vector, &sigv4);
	vector.request.path = path;
	assert_int_equal(sign(&sigv4, &vector.request, signature), ERR_TOO_LARGE);
	free(path);
}

/* Whatever is signed changes the signature. */
static void test_changes_show(void **state)
{
	struct vector vector;
	struct sigv4 sigv4;
	char signature[SIGV4_SIGNATURE_LEN + 1];
	struct sigv4_request changed[4];

	(void)state;
	load("tests/vectors/sigv4/list-objects", &vector, &sigv4);
	for (size_t i = 0; i < 4; i++)
		changed[i] = vector.request;
	changed[0].method = "HEAD";
	changed[1].path = "/b";
	changed[2].query = "max-keys=2&prefix=K";
	changed[3].n_headers--;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(sign(&sigv4, &changed[i], signature), ERR_OK);
		assert_string_not_equal(signature, vector.signature);
	}
	assert_int_equal(sign(&sigv4, &changed[3], signature), ERR_INTERNAL);
	vector.headers[0].value = "example.org";
	assert_int_equal(sign(&sigv4, &vector.request, signature), ERR_OK);
	assert_string_not_equal(signature, vector.signature);
}

static void test_published(void **state)
{
	static const char *const files[] = {"get-object", "put-object", "list-objects",
	                                    "put-chunked", "get-image"};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[100];
		struct vector vector;
		struct sigv4 sigv4;
		char signature[SIGV4_SIGNATURE_LEN + 1];

		(void)snprintf(path, sizeof(path), "tests/vectors/sigv4/%s", files[i]);
		load(path, &vector, &sigv4);
		assert_int_equal(sign(&sigv4, &vector.request, signature), ERR_OK);
		assert_string_equal(signature, vector.signature);
		/* Once more, with the signing key at hand. */
		assert_int_equal(sign(&sigv4, &vector.request, signature), ERR_OK);
		assert_string_equal(signature, vector.signature);
		sigv4_wipe(&sigv4);
	}
}

static void test_authorization(void **state)
{
	struct vector vector;
	struct sigv4 sigv4;
	struct buf authorization = buf_new(1000);
	char signature[SIGV4_SIGNATURE_LEN + 1];

	(void)state;
	load("tests/vectors/sigv4/get-object", &vector, &sigv4);
	assert_int_equal(sigv4_sign(&sigv4, &vector.request, &authorization, signature), ERR_OK);
	assert_string_equal(
	    buf_str(&authorization),
	    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
	    "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
	    "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	buf_free(&authorization);
}

static void test_published_chunks(void **state)
{
	struct vector vector;
	struct sigv4 sigv4;
	char signature[SIGV4_SIGNATURE_LEN + 1];
	char *data = malloc(66560);
	const size_t sizes[] = {65536, 1024, 0};

	(void)state;
	assert_non_null(data);
	memset(data, 'a', 66560);
	load("tests/vectors/sigv4/put-chunked", &vector, &sigv4);
	assert_int_equal(sign(&sigv4, &vector.request, signature), ERR_OK);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(sigv4_chunk(&sigv4, "20130524T000000Z", data, sizes[i], signature),
		                 ERR_OK);
		assert_string_equal(signature, vector.chunks[i]);
	}
	free(data);
}

/* The signing key is kept for a day and no longer. */
static void test_new_day(void **state)
{
	struct vector vector;
	struct sigv4 sigv4;
	struct sigv4 fresh;
	char kept[SIGV4_SIGNATURE_LEN + 1];
	char made[SIGV4_SIGNATURE_LEN + 1];

	(void)state;
	load("tests/vectors/sigv4/list-objects", &vector, &sigv4);
	fresh = sigv4;
	assert_int_equal(sign(&sigv4, &vector.request, kept), ERR_OK);
	vector.headers[2].value = "20130525T000000Z";
	assert_int_equal(sign(&sigv4, &vector.request, kept), ERR_OK);
	assert_int_equal(sign(&fresh, &vector.request, made), ERR_OK);
	assert_string_equal(kept, made);
	vector.headers[2].value = "20130524T000000Z";
	assert_int_equal(sign(&sigv4, &vector.request, kept), ERR_OK);
	assert_string_equal(kept, vector.signature);
}

static void test_date(void **state)
{
	char date[SIGV4_DATE_LEN + 1];

	(void)state;
	sigv4_date(1369353600, date);
	assert_string_equal(date, "20130524T000000Z");
	sigv4_date(1767225599, date);
	assert_string_equal(date, "20251231T235959Z");
}

static void test_uri_encode(void **state)
{
	struct buf out = buf_new(1000);

	(void)state;
	sigv4_uri_encode(&out, "AZaz09-._~/ +%\xc3\xa4\x01", true);
	assert_string_equal(buf_str(&out), "AZaz09-._~/%20%2B%25%C3%A4%01");
	buf_clear(&out);
	sigv4_uri_encode(&out, "a/b", false);
	assert_string_equal(buf_str(&out), "a%2Fb");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bad_credentials), cmocka_unit_test(test_missing_header),
	    cmocka_unit_test(test_bad_date),        cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_changes_show),    cmocka_unit_test(test_published),
	    cmocka_unit_test(test_authorization),   cmocka_unit_test(test_published_chunks),
	    cmocka_unit_test(test_new_day),         cmocka_unit_test(test_date),
	    cmocka_unit_test(test_uri_encode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
