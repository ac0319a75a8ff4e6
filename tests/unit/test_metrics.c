#include <dirent.h>
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
#include "clock.h"
#include "metrics.h"

enum { KILLS = 40, SLOT = 8192 };

static char folder[] = "/tmp/test_metrics.XXXXXX";
static char path[300]; /* of the file, once there is one */

/* Make the path of the file, which only lib/metrics.c knows, and leave the folder empty. */
static int set_up(void **state)
{
	DIR *entries = NULL;

	(void)state;
	if (mkdtemp(folder) == NULL || metrics_open(folder) != ERR_OK)
		return -1;
	metrics_close();
	entries = opendir(folder);
	for (struct dirent *e = readdir(entries); e != NULL; e = readdir(entries)) {
		if (e->d_name[0] != '.')
			(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
	}
	closedir(entries);
	return unlink(path);
}

static int tear_down(void **state)
{
	(void)state;
	metrics_close();
	(void)unlink(path);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static struct metrics_pool read_pool(void)
{
	struct metrics_pool pool;

	assert_int_equal(metrics_read(folder, &pool), ERR_OK);
	return pool;
}

static uint64_t observations(const struct metrics_histogram *histogram)
{
	uint64_t n = 0;

	for (int i = 0; i < METRICS_BUCKETS; i++)
		n += histogram->buckets[i];
	return n;
}

static void answer(const char *route, const char *method, int status)
{
	const struct request req = {.route = route, .method = method};
	const struct response resp = {.status = status};

	metrics_begin();
	metrics_end(&req, &resp, 700);
}

static void no_file_is_no_pool(void **state)
{
	struct metrics_pool pool;

	(void)state;
	assert_int_equal(metrics_read(folder, &pool), ERR_NOT_FOUND);
	assert_int_equal(metrics_read("/nowhere", &pool), ERR_NOT_FOUND);
	assert_int_equal(metrics_open("/nowhere"), ERR_UNAVAILABLE);
	assert_int_equal(errno, ENOENT);
	/* Nobody's counts harm nobody. */
	metrics_add(METRIC_LOGIN_OK, 1);
	answer("token", "POST", 200);
	assert_int_equal(metrics_read(folder, &pool), ERR_NOT_FOUND);
}

/* The file is ${size} bytes of ${byte}: it must be refused or read, whatever it says. */
static void put_file(size_t size, int byte)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < size; i++)
		(void)fputc(byte, file);
	assert_int_equal(fclose(file), 0);
}

static void foreign_files_do_no_harm(void **state)
{
	static const size_t sizes[] = {0, 1, SLOT - 1, SLOT, SLOT + 1, 3 * SLOT};
	struct metrics_pool pool;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put_file(sizes[i], 0xff);
		assert_int_equal(metrics_read(folder, &pool), ERR_OK);
		assert_int_equal(pool.workers, 0);
		assert_int_equal(metrics_open(folder),
		                 sizes[i] % SLOT == 0 ? ERR_OK : ERR_MALFORMED);
		metrics_close();
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(metrics_read(folder, &pool), ERR_NOT_FOUND);
	assert_int_equal(metrics_open(folder), ERR_UNAVAILABLE);
	assert_int_equal(unlink(path), 0);
	/* Nobody waits for the other end. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(metrics_read(folder, &pool), ERR_NOT_FOUND);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(metrics_read(folder, &pool), ERR_NOT_FOUND);
	assert_int_equal(metrics_open(folder), ERR_UNAVAILABLE);
	assert_int_equal(rmdir(path), 0);
}

static void others_cannot_write(void **state)
{
	struct stat status;

	(void)state;
	assert_int_equal(metrics_open(folder), ERR_OK);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777 & ~(unsigned)S_IRGRP, 0600);
}

static void what_is_counted_is_read(void **state)
{
	struct metrics_pool pool;

	(void)state;
	assert_int_equal(metrics_open(folder), ERR_OK);
	metrics_add(METRIC_UPLOAD_BYTES, UINT64_MAX);
	metrics_add(METRIC_UPLOAD_BYTES, 8);
	metrics_since(TIMER_PBKDF2, clock_steady_us() - 600);
	metrics_since(TIMER_PBKDF2, clock_steady_us() - 3600 * INT64_C(1000000));
	metrics_since(TIMER_PBKDF2, clock_steady_us() + 3600 * INT64_C(1000000));
	metrics_revocations(3, 1234);
	answer("token", "POST", 401);
	metrics_begin();
	pool = read_pool();
	assert_int_equal(pool.counts.counters[METRIC_UPLOAD_BYTES], 7);
	assert_int_equal(observations(&pool.counts.timers[TIMER_PBKDF2]), 3);
	assert_int_equal(pool.counts.timers[TIMER_PBKDF2].buckets[METRICS_BUCKETS - 1], 1);
	assert_true(pool.counts.timers[TIMER_PBKDF2].micros >= 3600 * UINT64_C(1000000));
	assert_int_equal(pool.counts.requests[ROUTE_TOKEN][STATUS_401], 1);
	assert_int_equal(pool.counts.durations[ROUTE_TOKEN].buckets[1], 1);
	assert_int_equal(pool.revocations, 3);
	assert_int_equal(pool.revocations_at_ms, 1234);
	assert_int_equal(pool.workers, 1);
	assert_int_equal(pool.busy, 1);
	assert_true(pool.memory > 0);
	assert_true(pool.descriptors > 0);
	metrics_close();
	pool = read_pool();
	assert_int_equal(pool.workers, 0);
	assert_int_equal(pool.busy, 0);
	assert_int_equal(pool.counts.requests[ROUTE_TOKEN][STATUS_401], 1);
	assert_int_equal(pool.counts.restarts, 0);
}

static void what_is_not_known_is_other(void **state)
{
	struct metrics_pool pool;

	(void)state;
	assert_int_equal(metrics_open(folder), ERR_OK);
	answer("../../etc/passwd", "GET", 200);
	answer("token", "BREW", 418);
	answer("", "", -1);
	answer("", "other", 99999);
	pool = read_pool();
	assert_int_equal(pool.counts.requests[ROUTE_OTHER][STATUS_200], 1);
	assert_int_equal(pool.counts.requests[ROUTE_OTHER][STATUS_0], 3);
}

static void what_is_asked_for_again_is_counted_once(void **state)
{
	struct metrics_pool pool;

	(void)state;
	assert_int_equal(metrics_open(folder), ERR_OK);
	answer("upload", "POST", RESPONSE_REPEAT);
	answer("upload", "POST", 201);
	pool = read_pool();
	assert_int_equal(pool.counts.requests[ROUTE_UPLOAD][STATUS_201], 1);
	assert_int_equal(pool.counts.requests[ROUTE_UPLOAD][STATUS_0], 0);
	assert_int_equal(observations(&pool.counts.durations[ROUTE_UPLOAD]), 1);
}

/* A worker that counts without end. */
static pid_t start_worker(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	if (metrics_open(folder) != ERR_OK)
		_exit(1);
	for (;;) {
		metrics_begin();
		metrics_add(METRIC_VALIDATION_OK, 1);
		metrics_since(TIMER_STORE_PUT, clock_steady_us());
		answer("validate", "GET", 204);
	}
}

static void wait_for(uint64_t count)
{
	struct metrics_pool pool = {0};

	while (metrics_read(folder, &pool) != ERR_OK ||
	       pool.counts.counters[METRIC_VALIDATION_OK] < count)
		;
}

static void stop(pid_t pid)
{
	int status = 0;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* Killed anywhere, again and again: nothing goes back, and at most the step in hand is missing. */
static void killed_workers_leave_it_right(void **state)
{
	struct metrics_pool pool = {0};
	uint64_t before = 0;

	(void)state;
	for (uint64_t i = 0; i < KILLS; i++) {
		pid_t pid = start_worker();

		wait_for(before + 1 + (uint64_t)(random() % 997));
		stop(pid);
		pool = read_pool();
		assert_true(pool.counts.counters[METRIC_VALIDATION_OK] > before);
		assert_int_equal(pool.workers, 0);
		assert_int_equal(pool.busy, 0);
		assert_int_equal(pool.counts.restarts, i);
		before = pool.counts.counters[METRIC_VALIDATION_OK];
		assert_true(before - observations(&pool.counts.timers[TIMER_STORE_PUT]) <= i + 1);
		assert_true(before - pool.counts.requests[ROUTE_VALIDATE][STATUS_204] <= i + 1);
	}
}

static void workers_count_side_by_side(void **state)
{
	pid_t pids[3];
	struct metrics_pool pool;

	(void)state;
	for (int i = 0; i < 3; i++)
		pids[i] = start_worker();
	do
		pool = metrics_read(folder, &pool) == ERR_OK ? pool : (struct metrics_pool){0};
	while (pool.workers < 3);
	stop(pids[1]);
	pool = read_pool();
	assert_int_equal(pool.workers, 2);
	stop(pids[0]);
	stop(pids[2]);
	assert_int_equal(read_pool().workers, 0);
}

static void without_a_free_slot_one_is_shared(void **state)
{
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &all), 0);
	assert_int_equal(metrics_open(folder), ERR_OK);
	metrics_add(METRIC_LOGIN_OK, 2);
	metrics_close();
	close(fd);
	assert_int_equal(read_pool().counts.counters[METRIC_LOGIN_OK], 2);
}

#define test(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(no_file_is_no_pool),
	    test(foreign_files_do_no_harm),
	    test(others_cannot_write),
	    test(what_is_counted_is_read),
	    test(what_is_not_known_is_other),
	    test(killed_workers_leave_it_right),
	    test(workers_count_side_by_side),
	    test(without_a_free_slot_one_is_shared),
	    test(what_is_asked_for_again_is_counted_once),
	};

	return cmocka_run_group_tests(tests, set_up, remove_folder);
}
