#include <stdbool.h>
#include <stdlib.h>

#include "chunked.h"
#include "crc32c.h"
#include "sigv4_vector.h"

enum { SEED_LEN = SIGV4_SIGNATURE_LEN + 1 };

static struct chunked chunked;
static const char no_seed[SEED_LEN];
static const char no_date[SIGV4_DATE_LEN + 1];

/* A source of bytes that fails where it is told to. */
struct source {
	int64_t given;
	int64_t fails_at; /* -1 for never */
	size_t largest;   /* that was asked for at once */
	uint32_t crc;
	char letter; /* 0 for a pattern */
};

static enum err pull(void *ctx, void *data, size_t len)
{
	struct source *source = ctx;
	unsigned char *bytes = data;

	if (source->fails_at >= 0 && source->given + (int64_t)len > source->fails_at)
		return ERR_CUT;
	for (size_t i = 0; i < len; i++)
		bytes[i] = source->letter != 0
		               ? (unsigned char)source->letter
		               : (unsigned char)((source->given + (int64_t)i) * 131 >> 3);
	source->given += (int64_t)len;
	source->crc = crc32c_portable(source->crc, data, len);
	if (len > source->largest)
		source->largest = len;
	return ERR_OK;
}

/* Make the whole body; return it, of ${*ret_len} bytes and a NUL. */
static char *whole(struct source *source, size_t *ret_len)
{
	size_t cap = (size_t)chunked_length(chunked.mode, chunked.left) + 1;
	char *body = calloc(1, cap);

	assert_non_null(body);
	*ret_len = 0;
	do {
		assert_int_equal(chunked_next(&chunked, pull, source), ERR_OK);
		assert_in_range(chunked.frame_len, 1, CHUNKED_FRAME_MAX);
		assert_in_range(*ret_len + chunked.frame_len, 0, cap - 1);
		memcpy(body + *ret_len, chunked.frame, chunked.frame_len);
		*ret_len += chunked.frame_len;
	} while (chunked.left > 0);
	return body;
}

/* An error of the source comes through, and whatever was made before has no end. */
static void test_source_fails(void **state)
{
	static const int64_t lengths[] = {1, 65536, 65537, 200000};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct source source = {.fails_at = lengths[i] - 1};
		enum err err = ERR_OK;

		chunked_begin(&chunked, CHUNKED_TRAILER, lengths[i], NULL, no_date, no_seed);
		while (chunked.left > 0 && err == ERR_OK) {
			err = chunked_next(&chunked, pull, &source);
			if (err == ERR_OK)
				assert_memory_equal(chunked.frame, "10000\r\n", 7);
		}
		assert_int_equal(err, ERR_CUT);
		assert_true(chunked.left > 0);
	}
}

/* Without a valid date nothing can be signed, and no frame is made. */
static void test_signing_fails(void **state)
{
	struct vector vector;
	struct sigv4 sigv4;
	struct source source = {.fails_at = -1};

	(void)state;
	vector_load("tests/vectors/sigv4/put-chunked", &vector);
	assert_int_equal(sigv4_init(&sigv4, &vector.access_key, &vector.secret_key, vector.region),
	                 ERR_OK);
	chunked_begin(&chunked, CHUNKED_SIGNED, 10, &sigv4, no_date, no_seed);
	assert_int_equal(chunked_next(&chunked, pull, &source), ERR_INTERNAL);
	assert_int_equal(chunked.frame_len, 0);
}

static enum err pull_digits(void *ctx, void *data, size_t len)
{
	(void)ctx;
	assert_int_equal(len, 9);
	memcpy(data, "123456789", 9);
	return ERR_OK;
}

/* The check value of CRC-32C is e3069283. */
static void test_trailer(void **state)
{
	static const char body[] = "9\r\n123456789\r\n0\r\nx-amz-checksum-crc32c:4waSgw==\r\n\r\n";

	(void)state;
	chunked_begin(&chunked, CHUNKED_TRAILER, 9, NULL, no_date, no_seed);
	assert_int_equal(chunked_next(&chunked, pull_digits, NULL), ERR_OK);
	assert_int_equal(chunked.frame_len, sizeof(body) - 1);
	assert_memory_equal(chunked.frame, body, sizeof(body) - 1);
	assert_int_equal(chunked_length(CHUNKED_TRAILER, 9), sizeof(body) - 1);
	assert_string_equal(chunked.checksum, "4waSgw==");
}

/* The example of the documentation: 66,560 bytes, three signatures, 66,824 bytes on the wire. */
static void test_published(void **state)
{
	struct vector vector;
	struct sigv4 sigv4;
	struct source source = {.fails_at = -1, .letter = 'a'};
	size_t len = 0;
	const char *at = NULL;
	char *body = NULL;

	(void)state;
	vector_load("tests/vectors/sigv4/put-chunked", &vector);
	assert_int_equal(sigv4_init(&sigv4, &vector.access_key, &vector.secret_key, vector.region),
	                 ERR_OK);
	assert_int_equal(chunked_length(CHUNKED_SIGNED, vector.length), vector.frame_length);
	chunked_begin(&chunked, CHUNKED_SIGNED, vector.length, &sigv4, "20130524T000000Z",
	              vector.signature);
	body = whole(&source, &len);
	assert_int_equal(len, vector.frame_length);
	at = body;
	for (size_t i = 0; i < vector.n_chunks; i++) {
		static const char *const heads[] = {"10000", "400", "0"};
		char head[200];

		(void)snprintf(head, sizeof(head), "%s;chunk-signature=%s\r\n", heads[i],
		               vector.chunks[i]);
		assert_memory_equal(at, head, strlen(head));
		at += strlen(head) + strtoul(heads[i], NULL, 16) + 2;
	}
	assert_ptr_equal(at, body + len);
	free(body);
}

/* Take ${body} apart as a server does; return the payload's length, and its checksum. */
static size_t decode(const char *body, size_t len, uint32_t *ret_crc, char trailer[64])
{
	const char *at = body;
	size_t sum = 0;

	*ret_crc = 0;
	for (;;) {
		char *end = NULL;
		size_t size = strtoul(at, &end, 16);

		assert_memory_equal(end, "\r\n", 2);
		at = end + 2;
		if (size == 0)
			break;
		assert_in_range(size, 1, len - (size_t)(at - body));
		*ret_crc = crc32c_portable(*ret_crc, at, size);
		sum += size;
		assert_memory_equal(at + size, "\r\n", 2);
		at += size + 2;
	}
	(void)snprintf(trailer, 64, "%s", at);
	assert_int_equal(strlen(at), body + len - at);
	return sum;
}

static void test_lengths(void **state)
{
	static const int64_t lengths[] = {1,    2,     15,    16,    17,     255,    256,   4095,
	                                  4096, 65535, 65536, 65537, 131071, 131072, 131073};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct source source = {.fails_at = -1};
		uint32_t crc = 0;
		size_t len = 0;
		char trailer[64];
		char expected[64];
		char *body = NULL;

		chunked_begin(&chunked, CHUNKED_TRAILER, lengths[i], NULL, no_date, no_seed);
		body = whole(&source, &len);
		assert_int_equal(len, chunked_length(CHUNKED_TRAILER, lengths[i]));
		assert_int_equal(decode(body, len, &crc, trailer), lengths[i]);
		assert_int_equal(crc, source.crc);
		assert_in_range(source.largest, 1, CHUNKED_DATA_MAX);
		(void)snprintf(expected, sizeof(expected), "x-amz-checksum-crc32c:%s\r\n\r\n",
		               chunked.checksum);
		assert_string_equal(trailer, expected);
		free(body);
	}
}

static void test_payload_names(void **state)
{
	(void)state;
	assert_string_equal(chunked_payload(CHUNKED_TRAILER), "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
	assert_string_equal(chunked_payload(CHUNKED_SIGNED), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_source_fails), cmocka_unit_test(test_signing_fails),
	    cmocka_unit_test(test_trailer),      cmocka_unit_test(test_published),
	    cmocka_unit_test(test_lengths),      cmocka_unit_test(test_payload_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
