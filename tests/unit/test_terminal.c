#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"
#include "terminal.h"

/* Read a secret of at most ${cap} bytes from a pipe that holds ${input}. */
static enum err from_pipe(const char *input, char *line, size_t cap, size_t *len)
{
	int ends[2];
	enum err err = ERR_OK;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], input, strlen(input)), (ssize_t)strlen(input));
	(void)close(ends[1]);
	err = terminal_secret(ends[0], "Prompt: ", line, cap, len);
	(void)close(ends[0]);
	return err;
}

static void no_line_or_one_too_long(void **state)
{
	char line[8] = "";
	size_t len = 99;

	(void)state;
	assert_int_equal(from_pipe("", line, sizeof(line), &len), ERR_CUT);
	assert_int_equal(from_pipe("123456789", line, sizeof(line), &len), ERR_TOO_LARGE);
	assert_int_equal(from_pipe("123456789\n", line, sizeof(line), &len), ERR_TOO_LARGE);
	assert_int_equal(terminal_secret(-1, "", line, sizeof(line), &len), ERR_UNAVAILABLE);
	assert_int_equal(len, 99);
}

static void the_first_line_of_a_pipe(void **state)
{
	char line[8] = "";
	size_t len = 0;

	(void)state;
	assert_int_equal(from_pipe("12345678\nrest", line, sizeof(line), &len), ERR_OK);
	assert_int_equal(len, 8);
	assert_memory_equal(line, "12345678", 8);
	assert_int_equal(from_pipe("12", line, sizeof(line), &len), ERR_OK);
	assert_int_equal(len, 2);
	assert_int_equal(from_pipe("\n", line, sizeof(line), &len), ERR_OK);
	assert_int_equal(len, 0);
}

/* Everything that appears on a terminal until its other side is closed. */
static size_t screen(int fd, char *text, size_t cap)
{
	size_t len = 0;
	ssize_t n = 0;

	while (len < cap && (n = read(fd, text + len, cap - len)) > 0)
		len += (size_t)n;
	return len;
}

static void a_terminal_does_not_show_it(void **state)
{
	char text[256] = "";
	char line[32] = "";
	size_t len = 0;
	int outer = -1;
	pid_t pid = forkpty(&outer, NULL, NULL, NULL);
	int status = 0;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct termios mode;
		enum err err = terminal_secret(STDIN_FILENO, "Prompt: ", line, sizeof(line), &len);

		_exit(err == ERR_OK && len == 6 && memcmp(line, "secret", 6) == 0 &&
		              tcgetattr(STDIN_FILENO, &mode) == 0 && (mode.c_lflag & ECHO) != 0
		          ? 0
		          : 1);
	}
	/* What is typed before the prompt is thrown away, with the echo that it had. */
	assert_int_equal(read(outer, text, 8), 8);
	assert_memory_equal(text, "Prompt: ", 8);
	for (struct termios mode = {.c_lflag = ECHO}; (mode.c_lflag & ECHO) != 0;)
		assert_int_equal(tcgetattr(outer, &mode), 0);
	assert_int_equal(write(outer, "secret\n", 7), 7);
	(void)screen(outer, text, sizeof(text) - 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_null(strstr(text, "secret"));
	(void)close(outer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_line_or_one_too_long),
	    cmocka_unit_test(the_first_line_of_a_pipe),
	    cmocka_unit_test(a_terminal_does_not_show_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
