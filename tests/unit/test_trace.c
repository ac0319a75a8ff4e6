#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "trace.h"

/* Ask ${ok} about each line of ${path}, without its newline; each must be ${expected}. */
static void each_line(const char *path, bool (*ok)(const char *), bool expected)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	size_t n = 0;

	assert_non_null(file);
	while (getline(&line, &cap, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (ok(line) != expected)
			fail_msg("%s: %s", path, line);
		n++;
	}
	free(line);
	(void)fclose(file);
	assert_true(n > 3);
}

static void other_traceparents_are_refused(void **state)
{
	(void)state;
	assert_false(trace_parent_ok(""));
	each_line("tests/vectors/trace/refused", trace_parent_ok, false);
	each_line("tests/vectors/trace/later", trace_parent_ok, false);
}

/* Each place, with each character there that does not belong there. */
static void every_character_counts(void **state)
{
	static const char good[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	char text[sizeof(good)];

	(void)state;
	assert_int_equal(strlen(good), TRACE_PARENT_LEN);
	for (size_t i = 0; i < TRACE_PARENT_LEN; i++) {
		for (int c = 0; c < 256; c++) {
			bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

			memcpy(text, good, sizeof(good));
			text[i] = (char)c;
			if (text[i] != good[i] && (i < 2 || good[i] == '-' || !digit))
				assert_false(trace_parent_ok(text));
			else
				assert_true(trace_parent_ok(text));
		}
	}
}

static void traceparents_are_taken(void **state)
{
	(void)state;
	each_line("tests/vectors/trace/accepted", trace_parent_ok, true);
	assert_memory_equal(trace_id("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
	                    "4bf92f3577b34da6a3ce929d0e0e4736", TRACE_ID_LEN);
}

static void other_ids_are_refused(void **state)
{
	(void)state;
	assert_false(trace_request_id_ok(""));
	assert_false(trace_request_id_ok("a\nb"));
	assert_false(trace_request_id_ok("a\r\nb: c"));
	assert_false(trace_request_id_ok("a\n"));
	each_line("tests/vectors/trace/request-ids-refused", trace_request_id_ok, false);
}

static void ids_are_taken(void **state)
{
	(void)state;
	each_line("tests/vectors/trace/request-ids", trace_request_id_ok, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(other_traceparents_are_refused),
	    cmocka_unit_test(every_character_counts),
	    cmocka_unit_test(traceparents_are_taken),
	    cmocka_unit_test(other_ids_are_refused),
	    cmocka_unit_test(ids_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
