#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "table.h"

static char folder[] = "/tmp/test_table.XXXXXX";
static char path[sizeof(folder) + 8];
static char temporary[sizeof(path) + 4];

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/table", folder);
	(void)snprintf(temporary, sizeof(temporary), "%s.new", path);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static int remove_table(void **state)
{
	(void)state;
	if (unlink(path) != 0 && errno != ENOENT && rmdir(path) != 0)
		return 1;
	return access(temporary, F_OK) == 0;
}

static struct table_entry entry(const char *account, int64_t generation)
{
	struct table_entry made = {.generation = generation, .until = 2000000000};

	memcpy(made.account, account, ACCOUNT_ID_LEN);
	return made;
}

static struct table *opened(void)
{
	struct table *table = NULL;

	assert_int_equal(table_new(path, &table), ERR_OK);
	return table;
}

static void put_file(const void *data, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static size_t get_file(void *data, size_t cap)
{
	FILE *file = fopen(path, "re");
	size_t len = 0;

	assert_non_null(file);
	len = fread(data, 1, cap, file);
	fclose(file);
	return len;
}

/* A table of two entries, byte for byte. */
static const unsigned char good[96] =
    "IGREVOC1"
    "\x15\xcd\x5b\x07\x00\x00\x00\x00" /* synced_at 123456789 */
    "\x02\x00\x00\x00\x00\x00\x00\x00" /* count */
    "\x00\x00\x00\x00\x00\x00\x00\x00"
    "0123456789abcdef"
    "\x01\x02\x00\x00\x00\x00\x00\x00" /* generation 513 */
    "\x00\x94\x35\x77\x00\x00\x00\x00" /* until 2000000000 */
    "vvvvvvvvvvvvvvvv"
    "\x07\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x94\x35\x77\x00\x00\x00"; /* the last byte is the literal's own NUL */

/* Neither a new reader nor one that knew a good table takes the ${len} bytes of ${data}. */
static void refused(const void *data, size_t len)
{
	struct table *fresh = opened();
	struct table *knowing = opened();

	put_file(good, sizeof(good));
	assert_int_equal(table_refresh(knowing), ERR_OK);
	unlink(path);
	put_file(data, len);
	assert_int_equal(table_refresh(fresh), ERR_UNAVAILABLE);
	assert_int_equal(table_refresh(fresh), ERR_UNAVAILABLE);
	assert_int_equal(table_refresh(knowing), ERR_UNAVAILABLE);
	assert_int_equal(table_refresh(knowing), ERR_UNAVAILABLE);
	table_free(fresh);
	table_free(knowing);
}

static void no_file(void **state)
{
	struct table *table = opened();

	(void)state;
	assert_int_equal(table_refresh(table), ERR_UNAVAILABLE);
	assert_int_equal(table_refresh(table), ERR_UNAVAILABLE);
	table_free(table);
}

static void not_a_regular_file(void **state)
{
	struct table *table = opened();

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(table_refresh(table), ERR_UNAVAILABLE);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(table_refresh(table), ERR_UNAVAILABLE);
	table_free(table);
}

static void wrong_sizes(void **state)
{
	unsigned char longer[sizeof(good) + 33] = {0};

	(void)state;
	memcpy(longer, good, sizeof(good));
	for (size_t len = 0; len < sizeof(good); len++)
		refused(good, len);
	for (size_t len = sizeof(good) + 1; len <= sizeof(longer); len++)
		refused(longer, len);
}

static void every_bit_of_the_header(void **state)
{
	unsigned char bad[sizeof(good)];

	(void)state;
	for (size_t bit = 0; bit < 32 * 8; bit++) {
		bool in_synced_at = bit / 64 == 1;

		memcpy(bad, good, sizeof(good));
		bad[bit / 8] = (unsigned char)(bad[bit / 8] ^ 1 << bit % 8);
		if (!in_synced_at || bit == 127)
			refused(bad, sizeof(bad));
	}
}

static void counts_that_overflow(void **state)
{
	static const uint64_t counts[] = {1,
	                                  3,
	                                  UINT64_MAX,
	                                  UINT64_MAX / 32,
	                                  (uint64_t)1 << 59,
	                                  ((uint64_t)1 << 59) + 2,
	                                  (uint64_t)1 << 63};
	unsigned char bad[sizeof(good)];

	(void)state;
	memcpy(bad, good, sizeof(good));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (size_t j = 0; j < 8; j++)
			bad[16 + j] = (unsigned char)(counts[i] >> 8 * j);
		refused(bad, sizeof(bad));
	}
}

static void deleted(void **state)
{
	struct table *table = opened();

	(void)state;
	put_file(good, sizeof(good));
	assert_int_equal(table_refresh(table), ERR_OK);
	unlink(path);
	assert_int_equal(table_refresh(table), ERR_UNAVAILABLE);
	put_file(good, sizeof(good));
	assert_int_equal(table_refresh(table), ERR_OK);
	assert_int_equal(table_generation(table, "vvvvvvvvvvvvvvvv"), 7);
	table_free(table);
}

/* Whatever the entries are, a lookup ends and stays within them. */
static void entries_out_of_order(void **state)
{
	enum { COUNT = 100 };
	static unsigned char bad[32 + 32 * COUNT];
	struct table *table = opened();

	(void)state;
	memcpy(bad, good, 32);
	bad[16] = COUNT;
	for (size_t i = 32; i < sizeof(bad); i++)
		bad[i] = (unsigned char)(i * 2654435761U >> 13);
	put_file(bad, sizeof(bad));
	assert_int_equal(table_refresh(table), ERR_OK);
	for (int i = 0; i < 256; i++) {
		char account[ACCOUNT_ID_LEN];

		memset(account, i, sizeof(account));
		assert_true(table_generation(table, account) >= 0);
	}
	table_free(table);
}

static void negative_generation_revokes_all(void **state)
{
	unsigned char bad[sizeof(good)];
	struct table *table = opened();

	(void)state;
	memcpy(bad, good, sizeof(good));
	bad[55] = 0x80;
	put_file(bad, sizeof(bad));
	assert_int_equal(table_refresh(table), ERR_OK);
	assert_true(table_generation(table, "0123456789abcdef") == INT64_MAX);
	table_free(table);
}

static void bad_entries_are_not_written(void **state)
{
	struct table_entry bad[][2] = {
	    {entry("0123456789abcdef", -1), entry("vvvvvvvvvvvvvvvv", 1)},
	    {entry("vvvvvvvvvvvvvvvv", 1), entry("vvvvvvvvvvvvvvvv", 2)},
	    {entry("0123456789abcdeF", 1), entry("vvvvvvvvvvvvvvvv", 1)},
	    {entry("0123456789abcdew", 1), entry("vvvvvvvvvvvvvvvv", 1)},
	    {entry("0123456789abcde\0", 1), entry("vvvvvvvvvvvvvvvv", 1)},
	    {entry("0123456789abcdef", 1), entry("vvvvvvvvvvvvvvvv", 1)},
	};

	(void)state;
	bad[5][1].until = -1;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(table_write(path, bad[i], 2, 1), ERR_MALFORMED);
	assert_int_equal(table_write(path, NULL, 0, -1), ERR_MALFORMED);
	assert_int_equal(access(path, F_OK), -1);
}

static void nowhere_to_write(void **state)
{
	struct table_entry one = entry("0123456789abcdef", 1);

	(void)state;
	assert_int_equal(table_write("/nonexistent/table", &one, 1, 1), ERR_UNAVAILABLE);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(table_write(path, &one, 1, 1), ERR_UNAVAILABLE);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(access(temporary, F_OK), -1);
}

/* A failed attempt leaves nothing behind and the old table in its place. */
static void failed_in_the_midst(void **state)
{
	struct table_entry entries[] = {entry("0123456789abcdef", 1), entry("vvvvvvvvvvvvvvvv", 8)};
	struct rlimit all;
	struct rlimit little;
	struct table *table = opened();

	(void)state;
	put_file(good, sizeof(good));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	little = all;
	little.rlim_cur = 40;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	assert_int_equal(table_write(path, entries, 2, 1), ERR_UNAVAILABLE);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_int_equal(access(temporary, F_OK), -1);
	assert_int_equal(table_refresh(table), ERR_OK);
	assert_int_equal(table_generation(table, "vvvvvvvvvvvvvvvv"), 7);
	table_free(table);
}

static void a_link_is_not_followed(void **state)
{
	(void)state;
	put_file(good, sizeof(good));
	assert_int_equal(symlink(path, temporary), 0);
	assert_int_equal(table_write(path, NULL, 0, 1), ERR_UNAVAILABLE);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(unlink(temporary), 0);
}

static void written_bytes(void **state)
{
	struct table_entry entries[] = {entry("vvvvvvvvvvvvvvvv", 7),
	                                entry("0123456789abcdef", 513)};
	unsigned char bytes[200];
	struct stat status;
	mode_t mask = umask(077);

	(void)state;
	assert_int_equal(table_write(path, entries, 2, 123456789), ERR_OK);
	umask(mask);
	assert_int_equal(get_file(bytes, sizeof(bytes)), sizeof(good));
	assert_memory_equal(bytes, good, sizeof(good));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
}

static void leftover_is_replaced(void **state)
{
	FILE *file = fopen(temporary, "we");
	unsigned char bytes[100];

	(void)state;
	assert_non_null(file);
	fputs("a longer leftover of a writer that was killed in the midst of its work", file);
	fclose(file);
	assert_int_equal(table_write(path, NULL, 0, 1), ERR_OK);
	assert_int_equal(get_file(bytes, sizeof(bytes)), 32);
}

static void many_entries(void **state)
{
	enum { COUNT = 5000 };
	struct table_entry *entries = calloc(COUNT, sizeof(*entries));
	struct table *table = opened();
	char account[ACCOUNT_ID_LEN + 1];

	(void)state;
	assert_non_null(entries);
	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(account, sizeof(account), "%016d", i * 7919 % COUNT * 2);
		entries[i] = entry(account, i * 7919 % COUNT + 1);
	}
	assert_int_equal(table_write(path, entries, COUNT, 1), ERR_OK);
	assert_int_equal(table_refresh(table), ERR_OK);
	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(account, sizeof(account), "%016d", i * 2);
		assert_int_equal(table_generation(table, account), i + 1);
		(void)snprintf(account, sizeof(account), "%016d", i * 2 + 1);
		assert_int_equal(table_generation(table, account), 0);
	}
	assert_int_equal(table_generation(table, "vvvvvvvvvvvvvvvv"), 0);
	table_free(table);
	free(entries);
}

static void empty_table(void **state)
{
	struct table *table = opened();

	(void)state;
	assert_int_equal(table_write(path, NULL, 0, 1), ERR_OK);
	assert_int_equal(table_refresh(table), ERR_OK);
	assert_int_equal(table_generation(table, "0123456789abcdef"), 0);
	table_free(table);
}

static int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void replaced_again_and_again(void **state)
{
	struct table *table = opened();
	int before = open_descriptors();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct table_entry one = entry("0123456789abcdef", i);

		assert_int_equal(table_write(path, &one, 1, i), ERR_OK);
		assert_int_equal(table_refresh(table), ERR_OK);
		assert_int_equal(table_refresh(table), ERR_OK);
		assert_int_equal(table_generation(table, "0123456789abcdef"), i);
		assert_int_equal(table_age(table, i + 5), 5);
	}
	assert_int_equal(open_descriptors(), before);
	table_free(table);
}

static void ages(void **state)
{
	struct table *table = opened();

	(void)state;
	assert_int_equal(table_write(path, NULL, 0, 1000), ERR_OK);
	assert_int_equal(table_refresh(table), ERR_OK);
	assert_int_equal(table_age(table, 1000), 0);
	assert_int_equal(table_age(table, 12000), 11000);
	assert_int_equal(table_age(table, 400), 600);
	assert_true(table_age(table, INT64_MAX) == INT64_MAX - 1000);
	assert_true(table_age(table, INT64_MIN) == INT64_MAX);
	assert_true(table_age(table, INT64_MIN + 1000) == INT64_MAX);
	table_free(table);
}

static void free_nothing(void **state)
{
	(void)state;
	table_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(no_file, remove_table),
	    cmocka_unit_test_teardown(not_a_regular_file, remove_table),
	    cmocka_unit_test_teardown(wrong_sizes, remove_table),
	    cmocka_unit_test_teardown(every_bit_of_the_header, remove_table),
	    cmocka_unit_test_teardown(counts_that_overflow, remove_table),
	    cmocka_unit_test_teardown(deleted, remove_table),
	    cmocka_unit_test_teardown(entries_out_of_order, remove_table),
	    cmocka_unit_test_teardown(negative_generation_revokes_all, remove_table),
	    cmocka_unit_test_teardown(bad_entries_are_not_written, remove_table),
	    cmocka_unit_test_teardown(nowhere_to_write, remove_table),
	    cmocka_unit_test_teardown(failed_in_the_midst, remove_table),
	    cmocka_unit_test_teardown(a_link_is_not_followed, remove_table),
	    cmocka_unit_test_teardown(written_bytes, remove_table),
	    cmocka_unit_test_teardown(leftover_is_replaced, remove_table),
	    cmocka_unit_test_teardown(many_entries, remove_table),
	    cmocka_unit_test_teardown(empty_table, remove_table),
	    cmocka_unit_test_teardown(replaced_again_and_again, remove_table),
	    cmocka_unit_test_teardown(ages, remove_table),
	    cmocka_unit_test(free_nothing),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
