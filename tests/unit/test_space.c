#include <sys/statvfs.h>

#include "check.h"
#include "space.h"

#define DISK "/dev/shm"

static void a_disk_that_is_not_there_takes_nothing(void **state)
{
	const struct space space = {.path = "/nowhere/at/all", .floor = 1};

	(void)state;
	assert_int_equal(space_check(&space, 1), ERR_INTERNAL);
}

static void less_than_the_floor_is_full(void **state)
{
	struct statvfs disk;
	struct space space = {.path = DISK};
	int64_t free_bytes = 0;

	(void)state;
	assert_int_equal(statvfs(DISK, &disk), 0);
	free_bytes = (int64_t)(disk.f_bavail * disk.f_frsize);
	space.floor = free_bytes * 2;
	assert_int_equal(space_check(&space, 1), ERR_FULL);
	space.floor = 1;
	assert_int_equal(space_check(&space, free_bytes * 2), ERR_FULL);
	assert_int_equal(space_check(&space, INT64_MAX), ERR_FULL);
	space.floor = free_bytes / 4;
	assert_int_equal(space_check(&space, free_bytes / 4), ERR_OK);
}

static void without_a_floor_everything_fits(void **state)
{
	const struct space space = {.path = "/nowhere/at/all", .floor = 0};

	(void)state;
	assert_int_equal(space_check(&space, INT64_MAX), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_disk_that_is_not_there_takes_nothing),
	    cmocka_unit_test(less_than_the_floor_is_full),
	    cmocka_unit_test(without_a_floor_everything_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
