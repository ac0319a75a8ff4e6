#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "purge.h"

/* The gateway here is a child process that reads a request and answers as the test says. */

#define TEXT_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OBJECT  "0123456789abcdef/vuci4ialvv0123456789abcdefghij.jpg"
#define REQUEST "GET /" OBJECT " HTTP/1.0\r\nHost: purge\r\n\r\n"

static char folder[] = "/tmp/test_purge.XXXXXX";
static char path[64];
static struct purge purge = {.socket = path, .timeout_ms = 5000};
static char why[PURGE_WHY_LEN];
static pid_t child;

static void answer(int listener, const char *text)
{
	char request[sizeof(REQUEST)] = "";
	int fd = accept(listener, NULL, NULL);
	size_t len = 0;

	alarm(20);
	while (len < sizeof(REQUEST) - 1) {
		ssize_t n = read(fd, request + len, sizeof(REQUEST) - 1 - len);

		if (n <= 0)
			_exit(2);
		len += (size_t)n;
	}
	if (strcmp(request, REQUEST) != 0)
		_exit(3);
	/* NULL: say nothing until the client goes. */
	if (text == NULL)
		_exit(read(fd, request, 1) == 0 ? 0 : 4);
	for (; *text != '\0'; text++) {
		if (send(fd, text, 1, MSG_NOSIGNAL) != 1)
			break; /* the client has read enough */
	}
	_exit(0);
}

static void begin(const char *text)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)unlink(path);
	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		answer(listener, text);
	close(listener);
}

static void end(void)
{
	int status = 0;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_bad_paths(void **state)
{
	static const char *const bad[] = {"", "purge.sock", "./purge.sock", "/" TEXT_64 TEXT_64};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf problems = buf_new(1000);

		purge_check(bad[i], &problems);
		assert_non_null(strstr(buf_str(&problems), "PURGE_SOCKET: "));
		buf_free(&problems);
	}
}

static void test_nobody_there(void **state)
{
	(void)state;
	(void)unlink(path);
	assert_int_equal(purge_object(&purge, OBJECT, why), ERR_UNAVAILABLE);
	assert_non_null(strstr(why, "connect"));
}

static void test_only_names(void **state)
{
	(void)state;
	assert_int_equal(purge_object(&purge, "", why), ERR_INTERNAL);
	assert_int_equal(purge_object(&purge, OBJECT " HTTP/1.0\r\n\r\n", why), ERR_INTERNAL);
	assert_int_equal(purge_object(&purge, "../x", why), ERR_INTERNAL);
}

static void test_answers_not_believed(void **state)
{
	static const char *const answers[] = {
	    "",
	    "H",
	    "HTTP/1.1 200",
	    "HTTP/1.1 204 No Content\r\n\r\n",
	    "HTTP/1.1 400 Bad Request\r\n\r\n",
	    "HTTP/1.1 405 Not Allowed\r\n\r\n",
	    "HTTP/1.1 404 Not Found\r\n\r\n",
	    "HTTP/1.1 500 Internal Server Error\r\n\r\n",
	    "HTTP/1.1 2000 OK\r\n\r\n",
	    "200 OK HTTP/1.1 200 OK\r\n\r\n",
	    "\x01\x02 garbage 200 \r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		begin(answers[i]);
		assert_int_equal(purge_object(&purge, OBJECT, why), ERR_UNAVAILABLE);
		assert_string_not_equal(why, "");
		end();
	}
}

static void test_no_answer(void **state)
{
	struct purge hasty = {.socket = path, .timeout_ms = 50};

	(void)state;
	begin(NULL);
	assert_int_equal(purge_object(&hasty, OBJECT, why), ERR_TIMEOUT);
	end();
}

static void test_purges(void **state)
{
	(void)state;
	begin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(purge_object(&purge, OBJECT, why), ERR_OK);
	end();
	begin("HTTP/1.1 412 Precondition Failed\r\n\r\n");
	assert_int_equal(purge_object(&purge, OBJECT, why), ERR_OK);
	assert_string_equal(why, "");
	end();
}

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/sock", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bad_paths),  cmocka_unit_test(test_nobody_there),
	    cmocka_unit_test(test_only_names), cmocka_unit_test(test_answers_not_believed),
	    cmocka_unit_test(test_no_answer),  cmocka_unit_test(test_purges),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
