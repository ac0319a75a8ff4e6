#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "faults.h"
#include "fcgi_client.h"
#include "log.h"
#include "worker.h"

/*
 * The accept loop while memory runs out for an answer, a read from the gateway fails, or accept(2)
 * does.  The worker is a child process, and its first request meets the faults; the second one must
 * find nothing left of them.  (Faults of libfcgi's own allocations are left out: it does not look
 * at what malloc() returns.  There a worker dies, and its pool makes another.)
 */

static char folder[] = "/tmp/test_faults_worker.XXXXXX";
static char path[64];
static int listener = -1;
static size_t *steps; /* shared: how many the child has counted */
static enum { BEGIN, READING, ANSWERING, OVER } phase;

/* Whether a call of the system, one more step, is to fail. */
static bool call_fails(void)
{
	bool due = false;

	fault_resume();
	due = fault_due();
	if (phase != ANSWERING)
		fault_pause();
	return due;
}

ssize_t read(int fd, void *data, size_t size)
{
	if ((phase == READING || phase == ANSWERING) && call_fails()) {
		errno = ECONNRESET;
		return -1;
	}
	return syscall(SYS_read, fd, data, size);
}

/* The first try may fail; whoever comes second meets no fault. */
int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict len, int flags)
{
	static bool tried;
	bool fails = false;
	int connection = -1;

	fault_pause();
	if (!tried)
		fails = call_fails();
	tried = true;
	*steps = fault_steps();
	if (fails) {
		errno = EMFILE;
		return -1;
	}
	connection = (int)syscall(SYS_accept4, fd, address, len, flags);
	if (connection >= 0)
		phase = phase == BEGIN ? READING : OVER;
	return connection;
}

static void handle(void *deps, const struct request *req, struct response *resp)
{
	char data[16] = "";
	size_t len = 0;
	enum err err = ERR_OK;

	(void)deps;
	if (phase == READING) {
		phase = ANSWERING;
		fault_resume();
	}
	err = request_body(req, data, sizeof(data), &len);
	if (err != ERR_OK) {
		response_problem(resp, req, err, NULL);
		return;
	}
	resp->status = 200;
	response_header(resp, "Content-Type", "text/plain");
	buf_printf(&resp->body, "%.*s\n", (int)len, data);
}

static pid_t start_worker(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		assert_int_equal(dup2(listener, STDIN_FILENO), STDIN_FILENO);
		exit(worker_run(handle, NULL));
	}
	return pid;
}

/* Everything that comes until the connection ends, however it does. */
static size_t hear(int fd, char *data, size_t cap)
{
	size_t len = 0;
	ssize_t n = 0;

	while (len < cap && (n = recv(fd, data + len, cap - len, 0)) > 0)
		len += (size_t)n;
	return len;
}

/* One request: ERR_OK for its answer, another error for another answer or none. */
static enum err ask(void)
{
	char data[4096];
	int fd = fcgi_connect(path);
	size_t len = fcgi_compose(data, sizeof(data), "echo", "five!");

	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
	len = hear(fd, data, sizeof(data));
	close(fd);
	if (memmem(data, len, "Status: 200\r\n", 13) != NULL) {
		assert_non_null(memmem(data, len, "\r\n\r\nfive!\n", 10));
		return ERR_OK;
	}
	assert_null(memmem(data, len, "five!", 5));
	assert_true(len == 0 || memmem(data, len, "Status: 400\r\n", 13) != NULL ||
	            memmem(data, len, "Status: 500\r\n", 13) != NULL);
	return ERR_NOMEM;
}

static enum err serve(void *ctx)
{
	enum err err = ERR_OK;
	int status = -1;
	pid_t pid = -1;

	(void)ctx;
	fault_pause();
	pid = start_worker();
	err = ask();
	assert_int_equal(ask(), ERR_OK);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fault_resume();
	for (size_t i = 0; i < *steps; i++)
		(void)fault_due();
	return err;
}

static void accept_loop(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	memcpy(address.sun_path, path, sizeof(path));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 16), 0);
	steps =
	    mmap(NULL, sizeof(*steps), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(steps, MAP_FAILED);
	fault_each(serve, NULL, ERR_NOMEM);
	(void)munmap(steps, sizeof(*steps));
	(void)close(listener);
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(accept_loop),
	};

	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
