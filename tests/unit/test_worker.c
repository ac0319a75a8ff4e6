#include <inttypes.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "fcgi_client.h"
#include "log.h"
#include "worker.h"

enum { PATIENCE = 300 }; /* milliseconds that the route `hurried` has */

static char folder[] = "/tmp/test_worker.XXXXXX";
static char path[64];
static const char *passed_at = "";
static const char *file_length = "";
static const char *repeatable = "";
static const char *request_id = "abc";
static const char *traceparent = "";
static pid_t worker;
static int entered[2]; /* a pipe: the handler writes a byte for each request that it begins */

/* Says what became of the body; the route decides what else happens. */
static void handle(void *deps, const struct request *req, struct response *resp)
{
	char data[8192];
	size_t len = 0;
	enum err err = ERR_OK;

	(void)deps;
	assert_int_equal(write(entered[1], "", 1), 1);
	if (strcmp(req->route, "silent") == 0)
		return;
	if (strcmp(req->route, "early") == 0) {
		resp->status = 200;
		return;
	}
	if (strcmp(req->route, "hurried") == 0)
		request_be_patient(req, PATIENCE);
	if (strcmp(req->route, "patient") == 0)
		request_be_patient(req, 100 * PATIENCE);
	err = request_body(req, data, sizeof(data), &len);
	resp->status = err == ERR_OK ? 200 : err == ERR_SLOW ? 408 : 400;
	response_header(resp, "Content-Type", "text/plain");
	buf_printf(&resp->body, "len=%zu account=%s age=%d gone=%d waited=%" PRId64 ";", len,
	           req->account, (int)req->age_ms, req->gone(req->ctx), req->waited_ms);
	buf_printf(&resp->body, "id=%s traceparent=%s;", req->id, req->traceparent);
	buf_printf(&resp->body, "file=%" PRId64 " repeatable=%d;", req->file_length,
	           req->repeatable);
}

static void tell(void *deps)
{
	(void)deps;
	assert_int_equal(write(entered[1], "", 1), 1);
}

static int start(int (*run)(void))
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	unlink(path);
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	assert_int_equal(pipe(entered), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	worker = fork();
	assert_true(worker >= 0);
	if (worker == 0) {
		dup2(fd, 0);
		close(fd);
		log_open("test", LOG_LEVEL_ERROR);
		exit(run());
	}
	close(fd);
	return 0;
}

static int run_busy(void)
{
	return worker_run(handle, NULL);
}

static int run_idle(void)
{
	return worker_run_idle(handle, tell, 1, NULL);
}

static int start_worker(void **state)
{
	(void)state;
	return start(run_busy);
}

static int start_idle_worker(void **state)
{
	(void)state;
	return start(run_idle);
}

/* The worker must end by itself after SIGTERM, with status 0: also a check for leaks. */
static int stop_worker(void **state)
{
	int status = -1;

	(void)state;
	kill(worker, SIGTERM);
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_int_equal(status, 0);
	close(entered[0]);
	close(entered[1]);
	return 0;
}

/* Send a whole request up to the body, and ${sent} bytes of a body that CONTENT_LENGTH calls
 * ${length}. */
static int send_request(const char *route, const char *length, size_t sent, int keep)
{
	static const char zeros[4096];
	int fd = fcgi_connect(path);

	fcgi_begin(fd, keep);
	fcgi_param(fd, "REQUEST_METHOD", "POST");
	fcgi_param(fd, "REQUEST_ID", request_id);
	fcgi_param(fd, "TRACEPARENT", traceparent);
	fcgi_param(fd, "ROUTE", route);
	fcgi_param(fd, "ACCOUNT_ID", "0123456789abcdef");
	fcgi_param(fd, "REQUEST_TIME", "1.250");
	fcgi_param(fd, "PASSED_AT", passed_at);
	fcgi_param(fd, "FILE_LENGTH", file_length);
	fcgi_param(fd, "REPEATABLE", repeatable);
	fcgi_param(fd, "CONTENT_LENGTH", length);
	fcgi_param(fd, NULL, NULL);
	if (sent > 0)
		fcgi_record(fd, FCGI_INPUT, zeros, sent);
	return fd;
}

static void assert_answer(int fd, const char *start, const char *part)
{
	char text[4096];

	assert_int_equal(fcgi_answer(fd, text, sizeof(text)), 1);
	assert_memory_equal(text, start, strlen(start));
	assert_non_null(strstr(text, part));
	close(fd);
}

/* A request without a body is answered with what the handler saw: ${seen}. */
static void assert_echoed(const char *seen)
{
	int fd = send_request("echo", "0", 0, 0);

	fcgi_record(fd, FCGI_INPUT, "", 0);
	assert_answer(fd, "Status: 200\r\n", seen);
}

static void assert_still_serving(void)
{
	int fd = send_request("echo", "3", 3, 0);

	fcgi_record(fd, FCGI_INPUT, "", 0);
	assert_answer(fd, "Status: 200\r\n",
	              "len=3 account=0123456789abcdef age=1250 gone=0 waited=0;");
}

static void a_short_body_is_cut(void **state)
{
	int fd = send_request("echo", "10", 9, 0);

	(void)state;
	fcgi_record(fd, FCGI_INPUT, "", 0);
	assert_answer(fd, "Status: 400\r\n", "len=0");
}

static void a_long_body_is_cut(void **state)
{
	int fd = send_request("echo", "10", 11, 0);

	(void)state;
	fcgi_record(fd, FCGI_INPUT, "", 0);
	assert_answer(fd, "Status: 400\r\n", "len=0");
}

static void a_body_without_its_length_is_cut(void **state)
{
	static const char *const lengths[] = {"", "-1", "1e1", "9223372036854775808", "0x10", " 4"};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		int fd = send_request("echo", lengths[i], 4, 0);

		fcgi_record(fd, FCGI_INPUT, "", 0);
		assert_answer(fd, "Status: 400\r\n", "len=0");
	}
}

static void what_the_gateway_says_of_a_form(void **state)
{
	static const struct {
		const char *file_length, *repeatable, *seen;
	} rows[] = {
	    {"", "", "file=-1 repeatable=0;"},    {"", "1", "file=-1 repeatable=1;"},
	    {"12", "", "file=12 repeatable=0;"},  {"-5", "0", "file=-1 repeatable=0;"},
	    {"x", "11", "file=-1 repeatable=0;"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		file_length = rows[i].file_length;
		repeatable = rows[i].repeatable;
		assert_echoed(rows[i].seen);
	}
	file_length = repeatable = "";
}

/* How long a request that was passed on ${ago_ms} ago seems to have waited. */
static int64_t waited(int64_t ago_ms)
{
	struct timespec now;
	char text[4096];
	char at[32];
	int64_t ms = 0;
	int fd = -1;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - ago_ms;
	(void)snprintf(at, sizeof(at), "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
	passed_at = at;
	fd = send_request("echo", "0", 0, 0);
	passed_at = "";
	fcgi_record(fd, FCGI_INPUT, "", 0);
	assert_int_equal(fcgi_answer(fd, text, sizeof(text)), 1);
	close(fd);
	assert_non_null(strstr(text, "waited="));
	return strtoll(strstr(text, "waited=") + strlen("waited="), NULL, 10);
}

static void a_wait_is_told(void **state)
{
	(void)state;
	/* A clock that was set back. */
	assert_int_equal(waited(-60000), 0);
	assert_in_range(waited(0), 0, 30000);
	assert_in_range(waited(7200000), 7200000, 7230000);
}

/* What has not the form of an id or of a traceparent goes no further. */
static void what_ties_the_lines_is_checked(void **state)
{
	static const char good[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	static const struct {
		const char *id, *traceparent, *seen;
	} rows[] = {
	    {"a b", good,
	     "id= traceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01;"},
	    {"x\r\nHost: y", "", "id= traceparent=;"},
	    {"{\"}", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	     "id= traceparent=;"},
	    {"a.B_9-", "00-0", "id=a.B_9- traceparent=;"},
	    {"abc", good,
	     "id=abc traceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01;"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		request_id = rows[i].id;
		traceparent = rows[i].traceparent;
		assert_echoed(rows[i].seen);
	}
	request_id = "abc";
	traceparent = "";
}

static void a_half_closed_body_is_cut(void **state)
{
	int fd = send_request("echo", "10", 5, 0);

	(void)state;
	shutdown(fd, SHUT_WR);
	assert_answer(fd, "Status: 400\r\n", "len=0");
}

static void a_gone_client_does_no_harm(void **state)
{
	(void)state;
	close(fcgi_connect(path));
	close(send_request("echo", "10", 5, 0));
	assert_still_serving();
}

static void garbage_does_no_harm(void **state)
{
	static const char junk[64] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	char text[4096];
	int fd = -1;

	(void)state;
	fd = fcgi_connect(path);
	assert_int_equal(send(fd, junk, sizeof(junk), MSG_NOSIGNAL), sizeof(junk));
	shutdown(fd, SHUT_WR);
	(void)fcgi_answer(fd, text, sizeof(text));
	close(fd);
	/* A role that does not exist, and parameters that end inside a pair. */
	fd = fcgi_connect(path);
	fcgi_record(fd, FCGI_BEGIN, "\0\x09\0\0\0\0\0\0", 8);
	close(fd);
	fd = fcgi_connect(path);
	fcgi_begin(fd, 0);
	fcgi_record(fd, FCGI_PARAMETERS, "\x7f\x7fROUTE", 7);
	close(fd);
	assert_still_serving();
}

/* Send ${data} and nothing more; whatever the worker does with it, it goes on. */
static void assert_harmless(const void *data, size_t len)
{
	char text[4096];
	int fd = fcgi_connect(path);

	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
	(void)shutdown(fd, SHUT_WR);
	while (recv(fd, text, sizeof(text), 0) > 0)
		continue;
	(void)close(fd);
	assert_still_serving();
}

/* A record's header: version, type, id (2 bytes), length (2), padding, reserved. */
#define BEGIN     "\1\1\0\1\0\10\0\0"
#define BODY      "\0\1\0\0\0\0\0\0"
#define BYTES(of) {of, sizeof(of) - 1}

static void hostile_records_do_no_harm(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} rows[] = {
	    BYTES("\1"),
	    BYTES("\0\1\0\1\0\10\0\0" BODY),            /* another version, */
	    BYTES("\1\1\0\0\0\10\0\0" BODY),            /* no request, */
	    BYTES("\1\1\0\1\0\0\0\0"),                  /* no role, */
	    BYTES("\1\1\0\1\0\10\0\0\0\2\0\0\0\0\0\0"), /* and another one; */
	    BYTES("\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0"),  /* without a beginning, */
	    BYTES(BEGIN BODY BEGIN BODY),               /* with two, */
	    BYTES(BEGIN BODY "\1\1\0\2\0\10\0\0" BODY), /* of two requests; */
	    BYTES(BEGIN BODY "\1\2\0\1\0\0\0\0"),       /* aborted, */
	    BYTES(BEGIN BODY "\1\3\0\1\0\0\0\0"),       /* ended by the client, */
	    BYTES(BEGIN BODY "\1\77\0\1\0\0\0\0"),      /* of no type, */
	    BYTES(BEGIN BODY "\1\4\0\2\0\0\0\0"),       /* with another's parameters, */
	    BYTES(BEGIN BODY "\1\5\0\1\0\0\0\0"),       /* with a body before its own, */
	    BYTES(BEGIN BODY "\1\4\0\1\0\0\377\0"),     /* with padding that is missing, */
	    BYTES(BEGIN BODY "\1\4\0\1\0\2\0\0\0\0\1\4\0\1\0\0\0\0"), /* with one of no name, */
	    BYTES(BEGIN BODY "\1\4\0\1\0\1\0\0\5"),                   /* with half a length, */
	    BYTES(BEGIN BODY "\1\4\0\1\0\2\0\0\5\5\1\4\0\1\0\0\0\0"), /* with no text for it, */
	    BYTES(BEGIN BODY "\1\4\0\1\0\5\0\0\377\377\377\377\1"),   /* or for 2 GiB. */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_harmless(rows[i].data, rows[i].len);
}

/* Each record cut at each byte. */
static void a_cut_record_does_no_harm(void **state)
{
	char data[512];
	size_t len = fcgi_compose(data, sizeof(data), "echo", "five!");

	(void)state;
	for (size_t i = 0; i < len; i++)
		assert_harmless(data, i);
}

/* A gateway that sends byte by byte is slow, and served. */
static void a_slow_request_is_whole(void **state)
{
	char data[512];
	size_t len = fcgi_compose(data, sizeof(data), "echo", "five!");
	int fd = fcgi_connect(path);
	int queued = 0;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(send(fd, data + i, 1, MSG_NOSIGNAL), 1);
		/* Wait until the worker has read it. */
		do
			assert_int_equal(ioctl(fd, SIOCOUTQ, &queued), 0);
		while (queued > 0);
	}
	assert_answer(fd, "Status: 200\r\n", "len=5");
}

static void a_silent_body_is_slow(void **state)
{
	(void)state;
	assert_answer(send_request("hurried", "10", 5, 0), "Status: 408\r\n", "len=0");
	assert_still_serving();
}

/* However often a byte of it comes. */
static void a_dripping_body_is_slow(void **state)
{
	int fd = send_request("hurried", "500", 5, 0);
	struct pollfd answer = {.fd = fd, .events = POLLIN};

	(void)state;
	while (poll(&answer, 1, PATIENCE / 10) == 0)
		fcgi_record(fd, FCGI_INPUT, "x", 1);
	assert_answer(fd, "Status: 408\r\n", "len=0");
	assert_still_serving();
}

/* With its end in the same read as its last bytes, there is nothing to wait for. */
static void a_body_in_time_is_whole(void **state)
{
	int fd = send_request("patient", "4100", 4096, 0);

	(void)state;
	fcgi_record(fd, FCGI_INPUT, "abcd", 4);
	fcgi_record(fd, FCGI_INPUT, "", 0);
	assert_answer(fd, "Status: 200\r\n", "len=4100");
}

/* What is left of a body after an early answer must never be taken for a request. */
static void a_hidden_request_is_not_seen(void **state)
{
	char text[4096];
	int fd = send_request("early", "4096", 0, 1);

	(void)state;
	fcgi_begin(fd, 1);
	fcgi_param(fd, "ROUTE", "echo");
	fcgi_param(fd, NULL, NULL);
	fcgi_record(fd, FCGI_INPUT, "", 0);
	shutdown(fd, SHUT_WR);
	assert_int_equal(fcgi_answer(fd, text, sizeof(text)), 1);
	assert_null(strstr(text, "account="));
	close(fd);
	assert_still_serving();
}

/* Whether the worker has closed ${fd}, not only its own direction; libfcgi itself would take 2 s.
 */
static bool is_closed(int fd)
{
	struct pollfd entry = {.fd = fd};

	return poll(&entry, 1, 1000) == 1 && (entry.revents & POLLHUP) != 0;
}

static void a_whole_request_is_not_waited_for(void **state)
{
	static const char *const lengths[] = {"", "0", "3"};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t len = lengths[i][0] == '3' ? 3 : 0;
		int fd = send_request("echo", lengths[i], len, 0);

		fcgi_record(fd, FCGI_INPUT, "", 0);
		assert_int_equal(fcgi_answer(fd, text, sizeof(text)), 1);
		assert_true(is_closed(fd));
		close(fd);
	}
}

/* Who is still sending would meet an error, and might not look for the answer. */
static void who_still_sends_is_waited_for(void **state)
{
	char text[4096];
	int fd = send_request("early", "4096", 4096, 0);

	(void)state;
	assert_int_equal(fcgi_answer(fd, text, sizeof(text)), 1);
	fcgi_record(fd, FCGI_INPUT, "", 0);
	close(fd);
	assert_still_serving();
}

static void no_answer_is_a_500(void **state)
{
	int fd = send_request("silent", "0", 0, 0);

	(void)state;
	fcgi_record(fd, FCGI_INPUT, "", 0);
	assert_answer(fd, "Status: 500\r\n", "\"request_id\":\"abc\"");
}

static void health_is_answered(void **state)
{
	int fd = fcgi_connect(path);

	(void)state;
	fcgi_begin(fd, 0);
	fcgi_param(fd, "REQUEST_METHOD", "GET");
	fcgi_param(fd, "ROUTE", "health");
	fcgi_param(fd, NULL, NULL);
	fcgi_record(fd, FCGI_INPUT, "", 0);
	assert_answer(fd, "Status: 204\r\n", "\r\n\r\n");
}

static void a_signal_does_not_cut_a_request(void **state)
{
	int fd = send_request("echo", "8", 4, 0);
	char byte = 0;

	(void)state;
	assert_int_equal(read(entered[0], &byte, 1), 1);
	kill(worker, SIGTERM);
	fcgi_record(fd, FCGI_INPUT, "abcd", 4);
	fcgi_record(fd, FCGI_INPUT, "", 0);
	assert_answer(fd, "Status: 200\r\n", "len=8");
}

static void who_is_idle_has_something_to_do(void **state)
{
	char bytes[2];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(read(entered[0], &bytes[i], 1), 1);
	assert_still_serving();
}

static void descriptor_0_must_listen(void **state)
{
	pid_t pid = fork();
	int status = -1;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		assert_non_null(freopen("/dev/null", "r", stdin));
		_exit(worker_run(handle, NULL));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, start_worker, stop_worker)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_short_body_is_cut),
	    test(a_long_body_is_cut),
	    test(a_body_without_its_length_is_cut),
	    test(what_the_gateway_says_of_a_form),
	    test(a_wait_is_told),
	    test(what_ties_the_lines_is_checked),
	    test(a_half_closed_body_is_cut),
	    test(a_gone_client_does_no_harm),
	    test(garbage_does_no_harm),
	    test(hostile_records_do_no_harm),
	    test(a_cut_record_does_no_harm),
	    test(a_slow_request_is_whole),
	    test(a_silent_body_is_slow),
	    test(a_dripping_body_is_slow),
	    test(a_body_in_time_is_whole),
	    test(a_hidden_request_is_not_seen),
	    test(a_whole_request_is_not_waited_for),
	    test(who_still_sends_is_waited_for),
	    test(no_answer_is_a_500),
	    test(health_is_answered),
	    cmocka_unit_test_setup_teardown(who_is_idle_has_something_to_do, start_idle_worker,
	                                    stop_worker),
	    test(a_signal_does_not_cut_a_request),
	    cmocka_unit_test(descriptor_0_must_listen),
	};
	int failed = 0;

	if (mkdtemp(folder) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(folder);
	return failed;
}
