#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "trace.h"
#include "worker.h"

/*
 * libfcgi's own accept is not used: a signal that comes just before accept(2) would not end it, and
 * one that comes while it reads the parameters would cut the request.  Here the stop signals are
 * unblocked only around accept(2), and the accepted connection is handed to libfcgi as if it were
 * one that was kept open, which is the way by which its accept is passed over.
 */

enum {
	LISTEN_FD = STDIN_FILENO,
	PEER_TIMEOUT = 60, /* seconds that one read from or write to the gateway may wait */
	ACCEPT_PAUSE = 100 /* milliseconds of rest when descriptors or memory ran out */
};

static const int stop_signals[] = {SIGTERM, SIGUSR1, SIGINT, SIGHUP};
static volatile sig_atomic_t stopping;
static int null_fd = -1;

/*
 * Descriptor 0 becomes /dev/null, so that an accept(2) that begins after the signal fails at once
 * instead of waiting for one more connection.
 */
static void on_stop(int number)
{
	int saved = errno;

	(void)number;
	stopping = 1;
	(void)dup2(null_fd, LISTEN_FD);
	errno = saved;
}

/* Install the handlers; return in ${stop} the set of stop signals, blocked from here on. */
static enum err catch_signals(sigset_t *stop)
{
	struct sigaction action = {.sa_handler = on_stop};

	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null_fd < 0)
		return ERR_INTERNAL;
	sigemptyset(stop);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(stop_signals[0]); i++)
		sigaddset(stop, stop_signals[i]);
	action.sa_mask = *stop;
	sigprocmask(SIG_BLOCK, stop, NULL);
	for (size_t i = 0; i < sizeof(stop_signals) / sizeof(stop_signals[0]); i++)
		sigaction(stop_signals[i], &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	return ERR_OK;
}

static void rest(void)
{
	struct timespec pause = {.tv_nsec = ACCEPT_PAUSE * 1000000L};

	nanosleep(&pause, NULL);
}

/* What a program does, and with what. */
struct work {
	worker_handler *handle;
	void (*idle)(void *deps); /* may be NULL: then accept(2) waits for ever */
	void *deps;
};

/* The next connection, or -1 when the loop is to end: stopped, or no listening socket. */
static int next_connection(const sigset_t *stop, const struct work *work)
{
	struct timeval timeout = {.tv_sec = PEER_TIMEOUT};

	while (!stopping) {
		int fd = -1;
		int error = 0;

		sigprocmask(SIG_UNBLOCK, stop, NULL);
		fd = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC);
		error = errno;
		sigprocmask(SIG_BLOCK, stop, NULL);
		if (fd >= 0) {
			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
			return fd;
		}
		if (stopping || error == EINTR || error == ECONNABORTED)
			continue;
		if (error == EAGAIN && work->idle != NULL) {
			work->idle(work->deps);
			continue;
		}
		log_error("accept: %s", strerror(error));
		if (error == ENOTSOCK || error == EBADF || error == EINVAL || error == EOPNOTSUPP)
			return -1;
		rest();
	}
	return -1;
}

static const char *param(const FCGX_Request *fcgi, const char *name)
{
	const char *value = FCGX_GetParam(name, fcgi->envp);

	return value == NULL ? "" : value;
}

/* ${text} if it has the form that ${ok} asks for, else nothing: it goes into logs and headers. */
static const char *checked(const char *text, bool (*ok)(const char *))
{
	return ok(text) ? text : "";
}

/* The decimal number ${text} with up to 18 digits, or -1. */
static int64_t number_of(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
		return -1;
	return strtoll(text, NULL, 10);
}

/* nginx's $request_time or $msec, seconds with three decimals, in milliseconds; 0 if it is none. */
static int64_t milliseconds_of(const char *text)
{
	int64_t seconds = 0;
	int64_t thousandths = 0;
	const char *point = strchr(text, '.');

	if (point == NULL || point - text > 12 || strlen(point + 1) != 3)
		return 0;
	seconds = strtoll(text, NULL, 10);
	thousandths = number_of(point + 1);
	return seconds < 0 || thousandths < 0 ? 0 : seconds * 1000 + thousandths;
}

/* How long ago ${passed} was, in milliseconds since 1970 by the clock of the gateway, which is
 * ours. */
static int64_t waited_since(int64_t passed)
{
	int64_t waited = clock_unix_ms() - passed;

	return passed == 0 || waited < 0 ? 0 : waited;
}

/* The request in hand, and how much of its body was read. */
struct exchange {
	FCGX_Request *fcgi;
	int64_t content_length;
	int64_t received;
	int64_t patience; /* microseconds that reads may wait for more of it */
};

static void be_patient(void *ctx, int64_t ms)
{
	struct exchange *exchange = ctx;

	exchange->patience = 1000 * ms;
}

/* Let the next read from the gateway wait no longer than patience lasts. */
static void limit_wait(const struct exchange *exchange)
{
	struct timeval timeout = {.tv_sec = exchange->patience / 1000000,
	                          .tv_usec = exchange->patience % 1000000};

	if (timeout.tv_sec < PEER_TIMEOUT)
		setsockopt(exchange->fcgi->ipcFd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		           sizeof(timeout));
}

/*
 * Read at least one and up to ${want} bytes: what libfcgi has at hand, or else what comes next.  By
 * itself it would read on until it had them all, and a body that drips in would never be too slow.
 */
static int read_some(FCGX_Stream *in, char *data, int want)
{
	int n = FCGX_GetStr(data, 1, in);
	int at_hand = (int)(in->stop - in->rdNext);

	if (n == 1 && want > 1 && at_hand > 0)
		n += FCGX_GetStr(data + 1, want - 1 < at_hand ? want - 1 : at_hand, in);
	return n;
}

static enum err read_body(void *ctx, void *data, size_t cap, size_t *ret_len)
{
	struct exchange *exchange = ctx;
	FCGX_Stream *in = exchange->fcgi->in;
	int64_t start = clock_steady_us();
	int n = 0;

	if (exchange->patience <= 0)
		return ERR_SLOW;
	limit_wait(exchange);
	n = read_some(in, data, cap > INT32_MAX ? INT32_MAX : (int)cap);
	exchange->patience -= clock_steady_us() - start;
	if (n > 0) {
		exchange->received += n;
		*ret_len = (size_t)n;
		return exchange->received > exchange->content_length ? ERR_CUT : ERR_OK;
	}
	if (FCGX_GetError(in) == EAGAIN)
		return ERR_SLOW;
	/* libfcgi reports a cut body like a complete one: only both of these together tell. */
	if (FCGX_GetError(in) != 0 || exchange->received != exchange->content_length)
		return ERR_CUT;
	*ret_len = 0;
	return ERR_OK;
}

static bool client_gone(void *ctx)
{
	const struct exchange *exchange = ctx;
	struct pollfd fd = {.fd = exchange->fcgi->ipcFd, .events = POLLRDHUP};

	return poll(&fd, 1, 0) > 0 && (fd.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

static struct request request_of(struct exchange *exchange)
{
	const FCGX_Request *fcgi = exchange->fcgi;

	return (struct request){
	    .id = checked(param(fcgi, "REQUEST_ID"), trace_request_id_ok),
	    .traceparent = checked(param(fcgi, "TRACEPARENT"), trace_parent_ok),
	    .route = param(fcgi, "ROUTE"),
	    .method = param(fcgi, "REQUEST_METHOD"),
	    .authorization = param(fcgi, "AUTHORIZATION"),
	    .accept = param(fcgi, "ACCEPT"),
	    .content_type = param(fcgi, "CONTENT_TYPE"),
	    .remote_addr = param(fcgi, "REMOTE_ADDR"),
	    .account = param(fcgi, "ACCOUNT_ID"),
	    .object = param(fcgi, "OBJECT"),
	    .limit = param(fcgi, "LIMIT"),
	    .after = param(fcgi, "AFTER"),
	    .content_length = number_of(param(fcgi, "CONTENT_LENGTH")),
	    .file_length = number_of(param(fcgi, "FILE_LENGTH")),
	    .repeatable = strcmp(param(fcgi, "REPEATABLE"), "1") == 0,
	    .age_ms = milliseconds_of(param(fcgi, "REQUEST_TIME")),
	    .waited_ms = waited_since(milliseconds_of(param(fcgi, "PASSED_AT"))),
	    .read = read_body,
	    .be_patient = be_patient,
	    .gone = client_gone,
	    .ctx = exchange,
	};
}

/* Send ${resp}; one that a handler could not finish becomes the problem that says so. */
static void send_response(FCGX_Request *fcgi, const struct request *req, struct response *resp)
{
	if (resp->status == 0 || buf_err(&resp->header) != ERR_OK || buf_err(&resp->body) != ERR_OK)
		response_problem(resp, req, ERR_INTERNAL, NULL);
	if (buf_err(&resp->header) != ERR_OK || buf_err(&resp->body) != ERR_OK) {
		resp->status = 500;
		buf_clear(&resp->header);
		buf_clear(&resp->body);
	}
	/* Without a Status line the gateway would take the answer for a 200. */
	FCGX_FPrintF(fcgi->out, "Status: %d\r\n", resp->status);
	if (resp->header.len > 0)
		FCGX_PutStr(resp->header.data, (int)resp->header.len, fcgi->out);
	if (resp->body.len > 0)
		FCGX_FPrintF(fcgi->out, "Content-Length: %d\r\n", (int)resp->body.len);
	FCGX_PutStr("\r\n", 2, fcgi->out);
	if (resp->body.len > 0)
		FCGX_PutStr(resp->body.data, (int)resp->body.len, fcgi->out);
}

/*
 * Whether the gateway has no more to send, and all that it sent was read.  The end of an empty body
 * comes with the parameters, and who reads a body reads up to its end.
 */
static bool has_ended(const struct exchange *exchange)
{
	FCGX_Stream *in = exchange->fcgi->in;

	if (exchange->content_length == 0)
		(void)FCGX_GetChar(in);
	return FCGX_HasSeenEOF(in) != 0 && FCGX_GetError(in) == 0;
}

static bool is_health(const struct request *req)
{
	return strcmp(req->route, "health") == 0 && strcmp(req->method, "GET") == 0;
}

/* Answer the one request that ${fcgi} holds. */
static void serve(FCGX_Request *fcgi, struct response *resp, const struct work *work)
{
	struct exchange exchange = {.fcgi = fcgi, .patience = INT64_MAX};
	struct request req = request_of(&exchange);
	int64_t start = clock_steady_us();
	int64_t micros = 0;

	exchange.content_length = req.content_length < 0 ? 0 : req.content_length;
	response_clear(resp);
	log_request(req.id, req.traceparent);
	if (is_health(&req)) {
		resp->status = 204;
		send_response(fcgi, &req, resp);
		goto out;
	}
	metrics_begin();
	work->handle(work->deps, &req, resp);
	send_response(fcgi, &req, resp);
	micros = clock_steady_us() - start;
	log_access(&req, resp, micros);
	metrics_end(&req, resp, micros);
out:
	/* What libfcgi calls detached it closes at once.  Else it waits until the gateway has
	 * closed the connection, which might lose the answer if it met an error in sending the
	 * rest. */
	if (has_ended(&exchange))
		FCGX_Detach(fcgi);
	log_request(NULL, NULL);
}

static int run(const struct work *work)
{
	struct response resp = response_new();
	FCGX_Request fcgi;
	sigset_t stop;
	int fd = -1;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&fcgi, -1, 0) != 0 ||
	    catch_signals(&stop) != ERR_OK) {
		log_error("the FastCGI library does not start");
		return 1;
	}
	while ((fd = next_connection(&stop, work)) >= 0) {
		fcgi.ipcFd = fd;
		fcgi.keepConnection = 1;
		if (FCGX_Accept_r(&fcgi) != 0)
			continue;
		serve(&fcgi, &resp, work);
		/* Never a second request on a connection: what is left of a body would be parsed as
		 * one. */
		fcgi.keepConnection = 0;
		FCGX_Finish_r(&fcgi);
	}
	response_free(&resp);
	return stopping ? 0 : 1;
}

int worker_run(worker_handler *handle, void *deps)
{
	const struct work work = {.handle = handle, .deps = deps};

	return run(&work);
}

int worker_run_idle(worker_handler *handle, void (*idle)(void *deps), int seconds, void *deps)
{
	const struct work work = {.handle = handle, .idle = idle, .deps = deps};
	struct timeval timeout = {.tv_sec = seconds};

	/* Of a listening socket this is how long accept(2) waits. */
	setsockopt(LISTEN_FD, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return run(&work);
}
