#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "bounds.h"
#include "check.h"
#include "log.h"
#include "program.h"

struct settings {
	char *word;
	int64_t number;
	int64_t log_level;
};

#define AT(member) offsetof(struct settings, member)

static const struct setting table[] = {
    {"EX_WORD", SETTING_TEXT, AT(word), NULL, 1, 8},
    {"EX_NUMBER", SETTING_NUMBER, AT(number), "5", 1, 10},
    {"LOG_LEVEL", SETTING_NUMBER, AT(log_level), "1", 0, 3},
};

enum { ROWS = sizeof(table) / sizeof(table[0]), SERVED = 42 };

static int served;          /* how often */
static enum err check_says; /* and ... */
static const char *problem; /* ... what is wrong in its eyes, or NULL */
static char said[LIMIT_LOG_LINE];

static int begin(void **state)
{
	(void)state;
	setenv("EX_WORD", "word", 1);
	unsetenv("EX_NUMBER");
	unsetenv("LOG_LEVEL");
	served = 0;
	check_says = ERR_OK;
	problem = NULL;
	return 0;
}

static enum err check(void *settings, struct buf *problems)
{
	(void)settings;
	if (problem != NULL)
		buf_printf(problems, "%s\n", problem);
	return check_says;
}

static int serve(const void *settings)
{
	const struct settings *s = settings;

	assert_string_equal(s->word, "word");
	assert_int_equal(s->number, 5);
	served++;
	log_info("a line of level 1");
	return SERVED;
}

/* Run the program with the argument, if there is one; its log is in ${said} then. */
static int run(char *argument)
{
	struct settings settings = {0};
	const struct program program = {.name = "example",
	                                .table = table,
	                                .rows = ROWS,
	                                .settings = &settings,
	                                .log_level = &settings.log_level,
	                                .check = check,
	                                .serve = serve};
	char *argv[] = {"example", argument, NULL};
	int saved = dup(STDERR_FILENO);
	int ends[2];
	ssize_t n = 0;
	int status = 0;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	status = program_run(&program, argument == NULL ? 1 : 2, argv);
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(ends[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	assert_null(settings.word);
	return status;
}

static void other_arguments_are_refused(void **state)
{
	(void)state;
	assert_int_equal(run("-x"), EX_USAGE);
	assert_non_null(strstr(said, "\"app\":\"example\""));
	assert_non_null(strstr(said, "usage: example [-s | -t]"));
	assert_int_equal(served, 0);
}

static void all_problems_are_named(void **state)
{
	(void)state;
	unsetenv("EX_WORD");
	setenv("EX_NUMBER", "11", 1);
	problem = "OTHER: is wrong";
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run(i == 0 ? NULL : "-t"), CONFIG_EXIT);
		assert_non_null(strstr(said, "EX_WORD"));
		assert_non_null(strstr(said, "EX_NUMBER"));
		assert_non_null(strstr(said, "OTHER: is wrong"));
	}
	assert_int_equal(served, 0);
}

static void a_line_is_a_problem(void **state)
{
	(void)state;
	problem = "OTHER: is wrong";
	assert_int_equal(run(NULL), CONFIG_EXIT);
	assert_int_equal(served, 0);
}

static void an_error_without_a_line_is_one(void **state)
{
	(void)state;
	check_says = ERR_NOMEM;
	assert_int_equal(run(NULL), CONFIG_EXIT);
	assert_int_equal(served, 0);
}

static void a_check_does_not_serve(void **state)
{
	(void)state;
	assert_int_equal(run("-t"), 0);
	assert_string_equal(said, "");
	assert_int_equal(served, 0);
}

/* Also when the settings could not be used. */
static void the_table_is_printed(void **state)
{
	static const char expected[] = "EX_WORD\ttext\t-\t1\t8\n"
				       "EX_NUMBER\tnumber\t5\t1\t10\n"
				       "LOG_LEVEL\tnumber\t1\t0\t3\n";
	char printed[sizeof(expected) + 1] = "";
	int saved = dup(STDOUT_FILENO);
	int ends[2];

	(void)state;
	unsetenv("EX_WORD");
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fflush(stdout), 0);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	assert_int_equal(run("-s"), 0);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_int_equal(read(ends[0], printed, sizeof(printed)), sizeof(expected) - 1);
	close(ends[0]);
	assert_string_equal(printed, expected);
	assert_string_equal(said, "");
	assert_int_equal(served, 0);
}

static void the_status_is_that_of_the_service(void **state)
{
	(void)state;
	assert_int_equal(run(NULL), SERVED);
	assert_non_null(strstr(said, "a line of level 1"));
	setenv("LOG_LEVEL", "2", 1);
	assert_int_equal(run(NULL), SERVED);
	assert_string_equal(said, "");
	assert_int_equal(served, 2);
}

#define test(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(other_arguments_are_refused), test(all_problems_are_named),
	    test(a_line_is_a_problem),         test(an_error_without_a_line_is_one),
	    test(a_check_does_not_serve),      test(the_status_is_that_of_the_service),
	    test(the_table_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
