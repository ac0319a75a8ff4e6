#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "db.h"

/* What db does with servers that are none; with a real one it meets in the end-to-end tests. */

enum { LIMIT_MS = 300, SOON_MS = 5000 };

/* A listening socket on 127.0.0.1; its port in *${port}. */
static int listen_somewhere(int64_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* A process that answers each connection's first two messages with ${len} bytes of ${answer}. */
static pid_t serve(int fd, const char *answer, size_t len)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	while (pid == 0) {
		char data[4096];
		int peer = accept(fd, NULL, NULL);

		if (peer < 0)
			_exit(1);
		/* First comes the question whether there is TLS. */
		if (read(peer, data, sizeof(data)) == 8 && write(peer, "N", 1) == 1)
			(void)!read(peer, data, sizeof(data));
		(void)!write(peer, answer, len);
		(void)close(peer);
	}
	return pid;
}

static int64_t now_ms(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What a query at ${host}:${port} ends with, which it has to do soon, and twice. */
static enum err query(const char *host, int64_t port)
{
	const struct db_settings settings = {
	    .host = host,
	    .port = port,
	    .name = "imagegate",
	    .user = "accounts",
	    .password = "the password",
	    .app = "test",
	    .timeout_ms = LIMIT_MS,
	};
	struct db *db = NULL;
	struct db_result *result = NULL;
	int64_t start = now_ms();
	enum err first = ERR_OK;
	enum err second = ERR_OK;

	assert_int_equal(db_new(&settings, &db), ERR_OK);
	first = db_query(db, DB_ONCE, "SELECT 1", NULL, 0, &result);
	second = db_query(db, DB_REPEATABLE, "SELECT 1", NULL, 0, &result);
	assert_int_equal(first, second);
	assert_null(result);
	assert_string_not_equal(db_why(db), "");
	assert_null(strstr(db_why(db), "the password"));
	assert_null(strchr(db_why(db), '\n'));
	assert_true(now_ms() - start < SOON_MS);
	db_free(db);
	return first;
}

static void nobody_listens(void **state)
{
	int64_t port = 0;
	int fd = listen_somewhere(&port);

	(void)state;
	(void)close(fd);
	assert_int_equal(query("127.0.0.1", port), ERR_UNAVAILABLE);
	assert_int_equal(query("localhost", port), ERR_UNAVAILABLE);
	assert_int_equal(query("/nonexistent", port), ERR_UNAVAILABLE);
}

static void there_is_no_such_host(void **state)
{
	enum err err = query("no.such.host.invalid", 5432);

	(void)state;
	assert_true(err == ERR_UNAVAILABLE || err == ERR_TIMEOUT);
}

/* The kernel accepts, the process never does: this is how a stopped server looks. */
static void a_frozen_server(void **state)
{
	int64_t port = 0;
	int fd = listen_somewhere(&port);

	(void)state;
	assert_int_equal(query("127.0.0.1", port), ERR_TIMEOUT);
	(void)close(fd);
}

static void servers_that_talk_nonsense(void **state)
{
	static const struct {
		const char *answer;
		size_t len;
	} rows[] = {
	    {"", 0},
	    {"HTTP/1.1 400 Bad Request\r\n\r\n", 28},
	    {"R\0\0\0\x03", 5},
	    {"R\xff\xff\xff\xff\0\0\0\0", 9},
	    {"R\0\0\0\x08\0\0\0\x63", 9},
	    {"E\0\0\0\x05\0", 6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t port = 0;
		int fd = listen_somewhere(&port);
		pid_t pid = serve(fd, rows[i].answer, rows[i].len);

		assert_int_equal(query("127.0.0.1", port), ERR_UNAVAILABLE);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		(void)close(fd);
	}
}

/* AuthenticationCleartextPassword, AuthenticationOk, AuthenticationMD5Password. */
static void a_server_that_does_not_prove_itself(void **state)
{
	static const struct {
		const char *answer;
		size_t len;
	} rows[] = {
	    {"R\0\0\0\x08\0\0\0\x03", 9},
	    {"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", 15},
	    {"R\0\0\0\x0c\0\0\0\x05salt", 13},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t port = 0;
		int fd = listen_somewhere(&port);
		pid_t pid = serve(fd, rows[i].answer, rows[i].len);

		assert_int_equal(query("127.0.0.1", port), ERR_UNAVAILABLE);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		(void)close(fd);
	}
}

static void waiting_without_a_connection(void **state)
{
	const struct db_settings settings = {.host = "/nonexistent", .timeout_ms = LIMIT_MS};
	struct db *db = NULL;
	int ends[2];

	(void)state;
	assert_int_equal(db_new(&settings, &db), ERR_OK);
	assert_int_equal(pipe(ends), 0);
	assert_false(db_wait(db, ends[0], 1));
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_true(db_wait(db, ends[0], SOON_MS));
	(void)close(ends[0]);
	(void)close(ends[1]);
	db_free(db);
	db_free(NULL);
	db_result_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_listens),
	    cmocka_unit_test(there_is_no_such_host),
	    cmocka_unit_test(a_frozen_server),
	    cmocka_unit_test(servers_that_talk_nonsense),
	    cmocka_unit_test(a_server_that_does_not_prove_itself),
	    cmocka_unit_test(waiting_without_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
