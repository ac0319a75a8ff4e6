#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache_results.h"
#include "check.h"

enum { KILLS = 40, LINES = 20000 };

static char folder[] = "/dev/shm/test_cache_results.XXXXXX"; /* a tmpfs, as in the stack */
static char lines[64];
static char counted[64];

static void put(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

static void say(const char *text)
{
	put(lines, text, strlen(text));
}

static int begin(void **state)
{
	(void)state;
	(void)unlink(lines);
	(void)unlink(counted);
	say("");
	put(counted, "", 0);
	return 0;
}

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(lines, sizeof(lines), "%s/results", folder);
	(void)snprintf(counted, sizeof(counted), "%s/counted", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(lines);
	(void)unlink(counted);
	return rmdir(folder);
}

static struct cache_results count(void)
{
	struct cache_results results;

	assert_int_equal(cache_results_count(folder, &results), ERR_OK);
	return results;
}

static uint64_t all(const struct cache_results *results)
{
	uint64_t n = results->malformed;

	for (int c = 0; c < CACHE_COUNT; c++) {
		for (int r = 0; r < CACHE_RESULT_COUNT; r++)
			n += results->counts[c][r];
	}
	return n;
}

static void no_files_are_no_results(void **state)
{
	struct cache_results results;

	(void)state;
	assert_int_equal(cache_results_count("/nowhere", &results), ERR_NOT_FOUND);
	assert_int_equal(unlink(counted), 0);
	assert_int_equal(cache_results_count(folder, &results), ERR_NOT_FOUND);
	assert_int_equal(unlink(lines), 0);
	assert_int_equal(mkfifo(lines, 0600), 0);
	put(counted, "", 0);
	assert_int_equal(cache_results_count(folder, &results), ERR_NOT_FOUND);
	assert_int_equal(unlink(lines), 0);
	assert_int_equal(symlink("/dev/zero", lines), 0);
	assert_int_equal(cache_results_count(folder, &results), ERR_NOT_FOUND);
}

static void each_letter_counts_once(void **state)
{
	struct cache_results results;

	(void)state;
	say("hh\nmm\nee\n-r\n-b\nh-\n--\nhh\n");
	for (int i = 0; i < 2; i++) {
		results = count();
		assert_int_equal(results.counts[CACHE_AUTH][CACHE_RESULT_HIT], 3);
		assert_int_equal(results.counts[CACHE_AUTH][CACHE_RESULT_MISS], 1);
		assert_int_equal(results.counts[CACHE_AUTH][CACHE_RESULT_EXPIRED], 1);
		assert_int_equal(results.counts[CACHE_IMAGE][CACHE_RESULT_HIT], 2);
		assert_int_equal(results.counts[CACHE_IMAGE][CACHE_RESULT_REVALIDATED], 1);
		assert_int_equal(results.counts[CACHE_IMAGE][CACHE_RESULT_BYPASS], 1);
		assert_int_equal(all(&results), 11);
	}
}

static void garbage_counts_as_such(void **state)
{
	static const char zeros[] = "\0\0\n\0";
	struct cache_results results;

	(void)state;
	say("\nh\nhhh\nhx\n?-\nHH\n");
	put(lines, zeros, sizeof(zeros) - 1);
	say("h\nhh\n");
	results = count();
	assert_int_equal(results.malformed, 8);
	assert_int_equal(all(&results), 8 + 2);
}

static void a_cut_line_waits_for_its_end(void **state)
{
	struct cache_results results;

	(void)state;
	say("hh\nm");
	results = count();
	assert_int_equal(all(&results), 2);
	say("m");
	results = count();
	assert_int_equal(all(&results), 2);
	say("\n");
	results = count();
	assert_int_equal(results.counts[CACHE_IMAGE][CACHE_RESULT_MISS], 1);
	assert_int_equal(all(&results), 4);
}

/* Nothing but its end is ever seen of a line that is longer than what is read at a time. */
static void an_endless_line_holds_nobody_up(void **state)
{
	static char x[100000];
	struct cache_results results;

	(void)state;
	memset(x, 'h', sizeof(x));
	put(lines, x, sizeof(x));
	say("\nmm\n");
	results = count();
	assert_true(results.malformed > 1);
	assert_int_equal(all(&results), results.malformed + 2);
	assert_int_equal(results.counts[CACHE_AUTH][CACHE_RESULT_MISS], 1);
}

static void what_is_counted_takes_no_room(void **state)
{
	struct cache_results results;
	struct stat status;

	(void)state;
	for (int i = 0; i < LINES; i++)
		say("hm\n");
	assert_int_equal(stat(lines, &status), 0);
	assert_true(status.st_blocks > 100);
	results = count();
	assert_int_equal(all(&results), 2 * LINES);
	assert_int_equal(stat(lines, &status), 0);
	assert_int_equal(status.st_size, 3 * LINES);
	assert_true(status.st_blocks <= 8);
	say("hm\n");
	results = count();
	assert_int_equal(all(&results), 2 * LINES + 2);
}

static void a_file_that_is_shorter_is_another(void **state)
{
	struct cache_results results;

	(void)state;
	say("hh\nhh\n");
	(void)count();
	assert_int_equal(truncate(lines, 0), 0);
	say("m-\n");
	results = count();
	assert_int_equal(results.counts[CACHE_AUTH][CACHE_RESULT_MISS], 1);
	assert_int_equal(all(&results), 5);
}

/* Of another version, or nonsense: counting begins anew, with what was not counted yet. */
static void sums_that_are_no_sums_are_none(void **state)
{
	char nonsense[4096];
	struct cache_results results;

	(void)state;
	memset(nonsense, 0xff, sizeof(nonsense));
	for (int i = 0; i < LINES; i++)
		say("hm\n");
	(void)count();
	put(counted, nonsense, sizeof(nonsense));
	assert_int_equal(truncate(counted, 0), 0);
	put(counted, nonsense, sizeof(nonsense));
	say("\nmh\n");
	results = count();
	assert_int_equal(results.counts[CACHE_IMAGE][CACHE_RESULT_HIT], 1);
	assert_true(results.malformed <= 2);
}

/* Two containers of the pool are up while one takes over. */
static void who_cannot_count_sees_what_was_counted(void **state)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct cache_results results;
	int fd = open(counted, O_RDWR | O_CLOEXEC);

	(void)state;
	say("hh\n");
	(void)count();
	say("hh\n");
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	results = count();
	assert_int_equal(all(&results), 2);
	close(fd);
	results = count();
	assert_int_equal(all(&results), 4);
}

/* Whenever it is killed, each line counts once. */
static void a_death_loses_and_doubles_nothing(void **state)
{
	struct cache_results results;
	int n = 0;

	(void)state;
	for (int i = 0; i < KILLS; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			for (;;)
				(void)!cache_results_count(folder, &results);
		}
		for (int j = 0; j < 100 * (i + 1); j++, n++)
			say("hm\n");
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	results = count();
	assert_int_equal(results.malformed, 0);
	assert_int_equal(results.counts[CACHE_AUTH][CACHE_RESULT_HIT], n);
	assert_int_equal(results.counts[CACHE_IMAGE][CACHE_RESULT_MISS], n);
}

#define test(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(no_files_are_no_results),
	    test(each_letter_counts_once),
	    test(garbage_counts_as_such),
	    test(a_cut_line_waits_for_its_end),
	    test(an_endless_line_holds_nobody_up),
	    test(what_is_counted_takes_no_room),
	    test(a_file_that_is_shorter_is_another),
	    test(sums_that_are_no_sums_are_none),
	    test(who_cannot_count_sees_what_was_counted),
	    test(a_death_loses_and_doubles_nothing),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
