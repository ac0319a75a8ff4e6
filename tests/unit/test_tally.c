#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "tally.h"

enum { NOW = 1767225600, WINDOW = 300, CHILDREN = 4, ADDITIONS = 20000 };

static char folder[] = "/dev/shm/test_tally.XXXXXX";
static char path[64];
static struct tally *tally;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof(path), "%s/table", folder);
	return tally_open(path, WINDOW, &tally) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	tally_close(tally);
	tally = NULL;
	return unlink(path);
}

static int64_t get(const char *key, int64_t now)
{
	int64_t count = -1;

	assert_int_equal(tally_get(tally, key, strlen(key), now, &count), ERR_OK);
	return count;
}

static int64_t add(const char *key, int64_t n, int64_t now)
{
	int64_t count = -1;

	assert_int_equal(tally_add(tally, key, strlen(key), n, now, &count), ERR_OK);
	return count;
}

/* --- the file --- */

static void a_file_of_something_else_is_refused(void **state)
{
	struct tally *other = NULL;
	char bad[64];
	int fd = -1;

	(void)state;
	(void)snprintf(bad, sizeof(bad), "%s/bad", folder);
	fd = open(bad, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(tally_open(bad, WINDOW, &other), ERR_MALFORMED);
	assert_int_equal(ftruncate(fd, TALLY_SIZE - 1), 0);
	assert_int_equal(tally_open(bad, WINDOW, &other), ERR_MALFORMED);
	assert_int_equal(ftruncate(fd, TALLY_SIZE), 0);
	assert_int_equal(tally_open(bad, WINDOW, &other), ERR_MALFORMED);
	close(fd);
	assert_int_equal(unlink(bad), 0);
	assert_int_equal(symlink(path, bad), 0);
	assert_int_equal(tally_open(bad, WINDOW, &other), ERR_UNAVAILABLE);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(unlink(bad), 0);
	assert_null(other);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
	struct tally *other = NULL;

	(void)state;
	assert_int_equal(tally_open("/nowhere/table", WINDOW, &other), ERR_UNAVAILABLE);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(tally_open("no-folder", WINDOW, &other), ERR_UNAVAILABLE);
	assert_int_equal(tally_open("/table", WINDOW, &other), ERR_UNAVAILABLE);
	assert_null(other);
}

static void the_file_is_the_owners_alone(void **state)
{
	struct stat status;

	(void)state;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(status.st_size, TALLY_SIZE);
	assert_true(status.st_blocks * 512 >= TALLY_SIZE);
}

static void counters_outlive_who_opened_them(void **state)
{
	(void)state;
	assert_int_equal(add("a", 3, NOW), 3);
	tally_close(tally);
	tally = NULL;
	assert_int_equal(tally_open(path, WINDOW, &tally), ERR_OK);
	assert_int_equal(get("a", NOW), 3);
}

/* Each file has a key of its own, or whoever knows it could choose logins that meet. */
static void two_files_hash_differently(void **state)
{
	static char first[TALLY_SIZE];
	static char second[TALLY_SIZE];
	FILE *file = fopen(path, "r");

	(void)state;
	add("a", 1, NOW);
	assert_int_equal(fread(first, 1, TALLY_SIZE, file), TALLY_SIZE);
	(void)fclose(file);
	(void)tear_down(NULL);
	assert_int_equal(set_up(NULL), 0);
	add("a", 1, NOW);
	file = fopen(path, "r");
	assert_int_equal(fread(second, 1, TALLY_SIZE, file), TALLY_SIZE);
	(void)fclose(file);
	assert_memory_not_equal(first + 8, second + 8, 32);
	assert_memory_not_equal(first + 64, second + 64, TALLY_SIZE - 64);
}

/* --- counting --- */

static void others_are_not_counted(void **state)
{
	(void)state;
	assert_int_equal(add("a", 5, NOW), 5);
	assert_int_equal(get("b", NOW), 0);
	assert_int_equal(get("", NOW), 0);
	assert_int_equal(get("aa", NOW), 0);
	assert_int_equal(add("b", 1, NOW), 1);
	assert_int_equal(get("a", NOW), 5);
}

static void a_window_ends_for_all(void **state)
{
	(void)state;
	assert_int_equal(NOW % WINDOW, 0);
	assert_int_equal(tally_left(tally, NOW), WINDOW);
	assert_int_equal(tally_left(tally, NOW + WINDOW - 1), 1);
	assert_int_equal(add("a", 7, NOW), 7);
	assert_int_equal(get("a", NOW + WINDOW - 1), 7);
	assert_int_equal(get("a", NOW + WINDOW), 0);
	assert_int_equal(get("a", NOW - 1), 0);
	assert_int_equal(add("a", 1, NOW + WINDOW), 1);
	assert_int_equal(get("a", NOW), 0);
}

static void a_counter_stays_at_its_maximum(void **state)
{
	(void)state;
	assert_int_equal(add("a", TALLY_MAX - 1, NOW), TALLY_MAX - 1);
	assert_int_equal(add("a", 1, NOW), TALLY_MAX);
	assert_int_equal(add("a", 1, NOW), TALLY_MAX);
	assert_int_equal(add("a", INT64_MAX, NOW), TALLY_MAX);
	assert_int_equal(add("b", INT64_MAX, NOW), TALLY_MAX);
}

static void clearing_takes_one_counter(void **state)
{
	(void)state;
	add("a", 5, NOW);
	add("b", 6, NOW);
	assert_int_equal(tally_clear(tally, "a", 1, NOW), ERR_OK);
	assert_int_equal(get("a", NOW), 0);
	assert_int_equal(get("b", NOW), 6);
	assert_int_equal(tally_clear(tally, "a", 1, NOW), ERR_OK);
	assert_int_equal(add("a", 1, NOW), 1);
	/* Of a window that has passed nothing is taken. */
	assert_int_equal(tally_clear(tally, "b", 1, NOW + WINDOW), ERR_OK);
	assert_int_equal(get("b", NOW), 6);
}

/*
 * More keys than there is room for: the lowest make room, the highest stay.  With so many keys a
 * few may share their 38 bits of hash.
 */
static void too_many_keys_let_somebody_pass(void **state)
{
	int64_t kept = 0;
	int shared = 0;
	char key[16];

	(void)state;
	add("high", 1000, NOW);
	for (int i = 0; i < 2 * TALLY_KEYS; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		if (add(key, 1, NOW) != 1)
			shared++;
	}
	assert_in_range(shared, 0, 8);
	for (int i = 0; i < 2 * TALLY_KEYS; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		kept += get(key, NOW);
	}
	assert_in_range(get("high", NOW), 1000, 1001);
	assert_in_range(kept, TALLY_KEYS / 2, TALLY_KEYS + 2 * 8);
	/* The next window has room again. */
	assert_int_equal(add("k0", 1, NOW + WINDOW), 1);
	assert_int_equal(get("k0", NOW + WINDOW), 1);
}

/* --- processes --- */

/* A process that opens the file by itself and adds 1 to `shared`, ${times} times. */
static pid_t adder(int times)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct tally *own = NULL;
		int64_t count = 0;

		if (tally_open(path, WINDOW, &own) != ERR_OK)
			_exit(1);
		for (int i = 0; i < times; i++) {
			if (tally_add(own, "shared", 6, 1, NOW, &count) != ERR_OK)
				_exit(1);
		}
		_exit(0);
	}
	return pid;
}

static void processes_lose_no_count(void **state)
{
	pid_t pids[CHILDREN];

	(void)state;
	for (int i = 0; i < CHILDREN; i++)
		pids[i] = adder(ADDITIONS);
	for (int i = 0; i < CHILDREN; i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(get("shared", NOW), CHILDREN * ADDITIONS);
}

/* Each is killed while it counts: what it counted stays, and nobody else waits for it. */
static void killed_processes_leave_good_counters(void **state)
{
	int64_t before = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		pid_t pid = adder(INT32_MAX);
		int64_t seen = 0;

		while ((seen = get("shared", NOW)) <= before)
			;
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		before = get("shared", NOW);
		assert_true(before >= seen);
		assert_int_equal(add("shared", 1, NOW), before + 1);
		assert_int_equal(add("other", 1, NOW), i + 1);
		before++;
	}
}

/* All find no file and make one: they end up with the same. */
static void processes_that_start_together_share(void **state)
{
	pid_t pids[CHILDREN];

	(void)state;
	for (int round = 0; round < 20; round++) {
		tally_close(tally);
		tally = NULL;
		assert_int_equal(unlink(path), 0);
		for (int i = 0; i < CHILDREN; i++)
			pids[i] = adder(1);
		for (int i = 0; i < CHILDREN; i++) {
			int status = -1;

			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		assert_int_equal(tally_open(path, WINDOW, &tally), ERR_OK);
		assert_int_equal(get("shared", NOW), CHILDREN);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_file_of_something_else_is_refused),
	    TEST(a_folder_that_is_not_there_is_an_error),
	    TEST(the_file_is_the_owners_alone),
	    TEST(counters_outlive_who_opened_them),
	    TEST(two_files_hash_differently),
	    TEST(others_are_not_counted),
	    TEST(a_window_ends_for_all),
	    TEST(a_counter_stays_at_its_maximum),
	    TEST(clearing_takes_one_counter),
	    TEST(too_many_keys_let_somebody_pass),
	    TEST(processes_lose_no_count),
	    TEST(killed_processes_leave_good_counters),
	    TEST(processes_that_start_together_share),
	};
	int failed = 0;

	if (mkdtemp(folder) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(folder);
	return failed;
}
