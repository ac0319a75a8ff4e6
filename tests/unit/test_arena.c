#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "check.h"

/* A process that takes more than there is is aborted. */
static void more_than_there_is(void **state)
{
	static const size_t sizes[] = {101, SIZE_MAX, SIZE_MAX - 5};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int status = 0;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct arena arena = {0};

			(void)signal(SIGABRT, SIG_DFL);
			if (arena_open(&arena, 100) == ERR_OK)
				(void)arena_hook_malloc(sizes[i]);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
	}
}

static void all_there_is(void **state)
{
	struct arena arena = {0};
	char *first = NULL;
	char *second = NULL;

	(void)state;
	assert_int_equal(arena_open(&arena, 100), ERR_OK);
	first = arena_hook_malloc(1);
	second = arena_hook_malloc(84);
	arena_close();
	assert_int_equal((uintptr_t)second % _Alignof(max_align_t), 0);
	assert_true(second > first);
	memset(second, 's', 84);
	*first = 'f';
	assert_int_equal(second[0], 's');
	arena_hook_free(first);
	assert_int_equal(*first, 'f');
	arena_free(&arena);
	assert_null(arena.data);
	arena_free(&arena);
}

static void pieces_grow_and_shrink(void **state)
{
	struct arena arena = {0};
	char *piece = NULL;

	(void)state;
	assert_int_equal(arena_open(&arena, 1000), ERR_OK);
	piece = arena_hook_realloc(NULL, 6);
	memcpy(piece, "arena", 6);
	piece = arena_hook_realloc(piece, 200);
	assert_string_equal(piece, "arena");
	memset(piece + 5, 'x', 195);
	piece = arena_hook_realloc(piece, 3);
	assert_memory_equal(piece, "are", 3);
	arena_close();
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(more_than_there_is),
	    cmocka_unit_test(all_there_is),
	    cmocka_unit_test(pieces_grow_and_shrink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
