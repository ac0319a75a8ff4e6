#include <string.h>

#include "check.h"
#include "lines.h"
#include "trace.h"

static void assert_taken(char *line)
{
	if (!trace_parent_ok(line))
		fail_msg("refused: %s", line);
}

static void assert_refused(char *line)
{
	if (trace_parent_ok(line))
		fail_msg("taken: %s", line);
}

static void assert_id_taken(char *line)
{
	if (!trace_request_id_ok(line))
		fail_msg("refused: %s", line);
}

static void assert_id_refused(char *line)
{
	if (trace_request_id_ok(line))
		fail_msg("taken: %s", line);
}

static void other_traceparents_are_refused(void **state)
{
	(void)state;
	assert_false(trace_parent_ok(""));
	each_line("tests/vectors/trace/refused", assert_refused);
	each_line("tests/vectors/trace/later", assert_refused);
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
	each_line("tests/vectors/trace/accepted", assert_taken);
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
	each_line("tests/vectors/trace/request-ids-refused", assert_id_refused);
}

static void ids_are_taken(void **state)
{
	(void)state;
	each_line("tests/vectors/trace/request-ids", assert_id_taken);
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
