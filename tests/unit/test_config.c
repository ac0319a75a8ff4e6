#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "check.h"
#include "config.h"

struct example {
	char *text;
	struct secret secret;
	int64_t number, size, duration;
	bool flag, open;
};

static const struct setting table[] = {
    {"EX_TEXT", SETTING_TEXT, offsetof(struct example, text), "word", 1, 8},
    {"EX_SECRET", SETTING_SECRET, offsetof(struct example, secret), NULL, 4, 64},
    {"EX_NUMBER", SETTING_NUMBER, offsetof(struct example, number), "5", 1, 10},
    {"EX_SIZE", SETTING_SIZE, offsetof(struct example, size), "64M", 1, INT64_C(1) << 40},
    {"EX_DURATION", SETTING_DURATION, offsetof(struct example, duration), "3s", 1, 86400000},
    {"EX_FLAG", SETTING_FLAG, offsetof(struct example, flag), "on", 0, 0},
    {"EX_OPEN", SETTING_OPEN, offsetof(struct example, open), "closed", 0, 0},
};
enum { ROWS = sizeof(table) / sizeof(table[0]) };

static int clear_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		char name[64];

		unsetenv(table[i].name);
		(void)snprintf(name, sizeof(name), "%s_FILE", table[i].name);
		unsetenv(name);
	}
	setenv("EX_SECRET", "secret", 1);
	return 0;
}

/* Loading must fail, with a line of problems that begins with ${start}. */
static void assert_problem(const char *start)
{
	struct buf problems = buf_new(LIMIT_PROBLEMS);
	struct example example = {0};

	assert_int_equal(config_load(table, ROWS, &example, &problems), ERR_MALFORMED);
	if (strncmp(buf_str(&problems), start, strlen(start)) != 0)
		fail_msg("%s", buf_str(&problems));
	config_free(table, ROWS, &example);
	buf_free(&problems);
}

static void refuses_bad_values(void **state)
{
	static const struct {
		const char *name, *value;
	} cases[] = {
	    {"EX_TEXT", ""},
	    {"EX_TEXT", "ninechars"},
	    {"EX_TEXT", "a\tb"},
	    {"EX_TEXT", "caf\xc3\xa9"},
	    {"EX_SECRET", "abc"},
	    {"EX_NUMBER", ""},
	    {"EX_NUMBER", "0"},
	    {"EX_NUMBER", "11"},
	    {"EX_NUMBER", "-1"},
	    {"EX_NUMBER", "5x"},
	    {"EX_NUMBER", " 5"},
	    {"EX_NUMBER", "99999999999999999999"},
	    {"EX_SIZE", "64m"},
	    {"EX_SIZE", "M"},
	    {"EX_SIZE", "64MB"},
	    {"EX_SIZE", "0"},
	    {"EX_SIZE", "999999999999999999G"},
	    {"EX_DURATION", "3"},
	    {"EX_DURATION", "3 s"},
	    {"EX_DURATION", "2d"},
	    {"EX_FLAG", "yes"},
	    {"EX_FLAG", "ON"},
	    {"EX_FLAG", "open"},
	    {"EX_OPEN", "on"},
	    {"EX_OPEN", "Open"},
	    {"EX_OPEN", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		clear_environment(NULL);
		setenv(cases[i].name, cases[i].value, 1);
		assert_problem(cases[i].name);
	}
}

static void refuses_what_is_missing(void **state)
{
	(void)state;
	unsetenv("EX_SECRET");
	assert_problem("EX_SECRET: neither");
}

static void refuses_both_forms(void **state)
{
	(void)state;
	setenv("EX_SECRET_FILE", "/dev/null", 1);
	assert_problem("EX_SECRET: both");
}

static void refuses_unusable_files(void **state)
{
	static const struct {
		const char *path, *problem;
	} cases[] = {
	    {"/nowhere/at/all", "EX_SECRET_FILE: cannot open"},
	    {"/", "EX_SECRET_FILE: cannot read"},
	    {"/dev/zero", "EX_SECRET_FILE: /dev/zero is larger"},
	    {"/dev/null", "EX_SECRET: must have 4"},
	};

	(void)state;
	unsetenv("EX_SECRET");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("EX_SECRET_FILE", cases[i].path, 1);
		assert_problem(cases[i].problem);
	}
}

static void names_all_problems_at_once(void **state)
{
	struct buf problems = buf_new(LIMIT_PROBLEMS);
	struct example example = {0};

	(void)state;
	setenv("EX_NUMBER", "x", 1);
	setenv("EX_FLAG", "x", 1);
	unsetenv("EX_SECRET");
	assert_int_equal(config_load(table, ROWS, &example, &problems), ERR_MALFORMED);
	assert_non_null(strstr(buf_str(&problems), "EX_NUMBER: "));
	assert_non_null(strstr(buf_str(&problems), "EX_FLAG: "));
	assert_non_null(strstr(buf_str(&problems), "EX_SECRET: "));
	config_free(table, ROWS, &example);
	buf_free(&problems);
}

static void takes_defaults_and_values(void **state)
{
	struct buf problems = buf_new(LIMIT_PROBLEMS);
	struct example example = {0};

	(void)state;
	setenv("EX_DURATION", "10m", 1);
	setenv("EX_FLAG", "off", 1);
	assert_int_equal(config_load(table, ROWS, &example, &problems), ERR_OK);
	assert_string_equal(example.text, "word");
	assert_int_equal(example.secret.len, 6);
	assert_memory_equal(example.secret.data, "secret", 7);
	assert_int_equal(example.number, 5);
	assert_int_equal(example.size, 64 << 20);
	assert_int_equal(example.duration, 600000);
	assert_false(example.flag);
	assert_false(example.open);
	assert_int_equal(problems.len, 0);
	config_free(table, ROWS, &example);
	config_free(table, ROWS, &example);
	buf_free(&problems);
}

static void a_file_loses_one_newline(void **state)
{
	struct buf problems = buf_new(LIMIT_PROBLEMS);
	struct example example = {0};
	char path[] = "/tmp/test_config.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "from a file\n\n", 13), 13);
	close(fd);
	unsetenv("EX_SECRET");
	setenv("EX_SECRET_FILE", path, 1);
	assert_int_equal(config_load(table, ROWS, &example, &problems), ERR_OK);
	assert_string_equal(example.secret.data, "from a file\n");
	config_free(table, ROWS, &example);
	buf_free(&problems);
	unlink(path);
}

#define test(name) cmocka_unit_test_setup(name, clear_environment)

static void prints_the_table(void **state)
{
	struct buf out = buf_new(1000);

	(void)state;
	config_print(table, ROWS, &out);
	assert_string_equal(buf_str(&out), "EX_TEXT\ttext\tword\t1\t8\n"
	                                   "EX_SECRET\tsecret\t-\t4\t64\n"
	                                   "EX_NUMBER\tnumber\t5\t1\t10\n"
	                                   "EX_SIZE\tsize\t64M\t1\t1099511627776\n"
	                                   "EX_DURATION\ttime\t3s\t1\t86400000\n"
	                                   "EX_FLAG\ton|off\ton\t-\t-\n"
	                                   "EX_OPEN\topen|closed\tclosed\t-\t-\n");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(refuses_bad_values),         test(refuses_what_is_missing),
	    test(refuses_both_forms),         test(refuses_unusable_files),
	    test(names_all_problems_at_once), test(takes_defaults_and_values),
	    test(a_file_loses_one_newline),   test(prints_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
