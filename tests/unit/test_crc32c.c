#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "crc32c.h"

/* Read one line of the vectors: set ${data} to its bytes, return whether there was one. */
static bool next_vector(FILE *file, uint32_t *ret_crc, uint8_t data[256], size_t *ret_len)
{
	char line[600];
	const char *hex = NULL;

	if (fgets(line, sizeof(line), file) == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	*ret_crc = (uint32_t)strtoul(line, NULL, 16);
	hex = strlen(line) > 9 ? line + 9 : "";
	*ret_len = strlen(hex) / 2;
	for (size_t i = 0; i < *ret_len; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		data[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

static void test_a_flipped_bit_shows(void **state)
{
	uint8_t data[] = "123456789";
	uint32_t good = crc32c(0, data, 9);

	(void)state;
	for (size_t bit = 0; bit < 72; bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(crc32c(0, data, 9), good);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void test_published(void **state)
{
	FILE *file = fopen("tests/vectors/crc32c/published", "re");
	uint8_t data[256];
	uint32_t crc = 0;
	size_t len = 0;
	int count = 0;

	(void)state;
	assert_non_null(file);
	for (; next_vector(file, &crc, data, &len); count++) {
		assert_int_equal(crc32c(0, data, len), crc);
		assert_int_equal(crc32c_portable(0, data, len), crc);
	}
	fclose(file);
	assert_int_equal(count, 7);
}

/* Every length and alignment gives the same by instruction, by table, and in two pieces. */
static void test_ways_agree(void **state)
{
	enum { MAX = 70 };
	uint8_t data[MAX + 8];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 151 + 7);
	for (size_t start = 0; start < 8; start++) {
		for (size_t len = 0; len <= MAX; len++) {
			uint32_t crc = crc32c_portable(0, data + start, len);

			assert_int_equal(crc32c(0, data + start, len), crc);
			for (size_t cut = 0; cut <= len; cut++)
				assert_int_equal(crc32c(crc32c(0, data + start, cut),
				                        data + start + cut, len - cut),
				                 crc);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_flipped_bit_shows),
	    cmocka_unit_test(test_published),
	    cmocka_unit_test(test_ways_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
