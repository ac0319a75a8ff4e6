#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "name.h"

#define ACCOUNT "0123456789abcdef"
#define REST    "vuci4ialvv0123456789abcdefghij"

static void test_new_refuses(void **state)
{
	static const char *const accounts[] = {"",
	                                       "0123456789abcde",
	                                       "0123456789abcdefg",
	                                       "0123456789abcdeF",
	                                       "0123456789abcdew",
	                                       "../../../../../.",
	                                       "0123456789abcde/"};
	static const char *const extensions[] = {"", "svg", "JPG", "jpeg", ".jpg", "jpg ", "jp"};
	struct name name = {.file = "untouched"};

	(void)state;
	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++)
		assert_int_equal(name_new(accounts[i], 0, "jpg", &name), ERR_INTERNAL);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		assert_int_equal(name_new(ACCOUNT, 0, extensions[i], &name), ERR_INTERNAL);
	assert_int_equal(name_new(ACCOUNT, -1, "jpg", &name), ERR_INTERNAL);
	assert_int_equal(name_new(ACCOUNT, INT64_C(1) << 50, "jpg", &name), ERR_INTERNAL);
	assert_int_equal(name_new(ACCOUNT, INT64_MAX, "jpg", &name), ERR_INTERNAL);
	assert_string_equal(name.file, "untouched");
}

static void test_form_refuses(void **state)
{
	static const char *const bad[] = {
	    "",
	    "-",
	    "/",
	    ACCOUNT,
	    ACCOUNT "-",
	    ACCOUNT "/",
	    ACCOUNT "/" REST,
	    ACCOUNT "/" REST ".",
	    ACCOUNT "/" REST ".jp",
	    ACCOUNT "/" REST ".jpgg",
	    ACCOUNT "/" REST ".jpg/",
	    ACCOUNT "/" REST ".jpg?acl",
	    ACCOUNT "/" REST ".jpg\r\n",
	    ACCOUNT "/" REST ".svg",
	    ACCOUNT "/" REST ".JPG",
	    ACCOUNT "/" REST "0.jpg",
	    ACCOUNT "0/" REST ".jpg",
	    "/" ACCOUNT "/" REST ".jpg",
	    ACCOUNT "//" REST ".jpg",
	    ACCOUNT "-/" REST ".jpg",
	    ACCOUNT "%2f" REST ".jpg",
	    ACCOUNT "/" REST "..jpg",
	    "0123456789abcde/" REST ".jpg",
	    "0123456789ABCDEF/" REST ".jpg",
	    "0123456789abcdew/" REST ".jpg",
	    ACCOUNT "/vuci4ialvv0123456789abcdefghi.jpg",
	    ACCOUNT "/vuci4ialvv0123456789abcdefghiw.jpg",
	    ACCOUNT "/../../../../../../../../../../...jpg",
	    " " ACCOUNT "/" REST ".jpg",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(name_is_object(bad[i]));
		assert_false(name_is_file(bad[i]));
	}
	assert_false(name_is_object(ACCOUNT "-" REST ".jpg"));
	assert_false(name_is_file(ACCOUNT "/" REST ".jpg"));
}

static void test_parse(void **state)
{
	struct name name = {.file = "untouched"};

	(void)state;
	assert_int_equal(name_parse("", &name), ERR_MALFORMED);
	assert_int_equal(name_parse(ACCOUNT "+" REST ".jpg", &name), ERR_MALFORMED);
	assert_int_equal(name_parse(ACCOUNT "/" REST ".jpg ", &name), ERR_MALFORMED);
	assert_string_equal(name.file, "untouched");
	assert_int_equal(name_parse(ACCOUNT "/" REST ".jpg", &name), ERR_OK);
	assert_string_equal(name.file, ACCOUNT "-" REST ".jpg");
	assert_int_equal(name_parse(ACCOUNT "-" REST ".avif", &name), ERR_OK);
	assert_string_equal(name.object, ACCOUNT "/" REST ".avif");
	assert_false(name_is_of(&name, ""));
	assert_false(name_is_of(&name, "0123456789abcde"));
	assert_false(name_is_of(&name, ACCOUNT "-"));
	assert_false(name_is_of(&name, "fedcba9876543210"));
	assert_true(name_is_of(&name, ACCOUNT));
}

static void test_bucket_refuses(void **state)
{
	(void)state;
	assert_false(name_is_bucket(""));
	assert_false(name_is_bucket("ab"));
	assert_false(name_is_bucket("Images"));
	assert_false(name_is_bucket("a/b"));
	assert_false(name_is_bucket("images?x"));
	assert_false(
	    name_is_bucket("0123456789012345678901234567890123456789012345678901234567890123"));
	assert_true(name_is_bucket("images"));
}

static void test_new(void **state)
{
	static const char *const extensions[] = {"jpg", "png", "gif", "webp", "avif"};

	(void)state;
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		struct name name;
		char suffix[8];

		(void)snprintf(suffix, sizeof(suffix), ".%s", extensions[i]);
		assert_int_equal(name_new(ACCOUNT, INT64_C(1767225600000), extensions[i], &name),
		                 ERR_OK);
		assert_memory_equal(name.file, ACCOUNT "-vuci4ialvv", 27);
		assert_memory_equal(name.object, ACCOUNT "/vuci4ialvv", 27);
		assert_string_equal(name.file + 17, name.object + 17);
		assert_string_equal(name.file + 47, suffix);
		assert_true(name_time(&name) == INT64_C(1767225600000));
		assert_true(name_is_file(name.file));
		assert_true(name_is_object(name.object));
	}
}

/* A later name sorts before an earlier one, at the ends of the range too. */
static void test_newest_first(void **state)
{
	static const int64_t times[] = {
	    0, 1, 31, 32, INT64_C(1767225600000), INT64_C(1767225600001), (INT64_C(1) << 50) - 1};
	struct name earlier, later;

	(void)state;
	assert_int_equal(name_new(ACCOUNT, times[0], "png", &earlier), ERR_OK);
	assert_memory_equal(earlier.file + 17, "vvvvvvvvvv", 10);
	for (size_t i = 1; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_int_equal(name_new(ACCOUNT, times[i], "png", &later), ERR_OK);
		assert_true(strcmp(later.object, earlier.object) < 0);
		assert_true(name_time(&later) == times[i]);
		earlier = later;
	}
	assert_memory_equal(later.file + 17, "0000000000", 10);
}

/* Each of the random characters takes each of the 32 values. */
static void test_random(void **state)
{
	uint32_t seen[NAME_RANDOM_LEN] = {0};
	struct name name;

	(void)state;
	for (int n = 0; n < 2000; n++) {
		assert_int_equal(name_new(ACCOUNT, 0, "png", &name), ERR_OK);
		for (size_t i = 0; i < NAME_RANDOM_LEN; i++) {
			char c = name.file[27 + i];

			seen[i] |= UINT32_C(1) << (c <= '9' ? c - '0' : c - 'a' + 10);
		}
	}
	for (size_t i = 0; i < NAME_RANDOM_LEN; i++)
		assert_int_equal(seen[i], UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_new_refuses),    cmocka_unit_test(test_form_refuses),
	    cmocka_unit_test(test_bucket_refuses), cmocka_unit_test(test_new),
	    cmocka_unit_test(test_newest_first),   cmocka_unit_test(test_random),
	    cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
