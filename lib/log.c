#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "log.h"
#include "trace.h"

static const char *log_app = "-";
static enum log_level log_least = LOG_LEVEL_INFO;
static const char *log_id; /* of the request in hand */
static const char *log_traceparent;

void log_open(const char *app, enum log_level least)
{
	log_app = app;
	log_least = least;
}

void log_request(const char *id, const char *traceparent)
{
	log_id = id;
	log_traceparent = traceparent;
}

/* The members that every line begins with, up to and without the message. */
static void begin(struct buf *line, enum log_level level)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	struct timespec now;
	struct tm tm;
	char stamp[32];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(line, "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"app\":\"%s\",\"pid\":%d",
	           stamp, now.tv_nsec / 1000000, names[level], log_app, (int)getpid());
	if (log_id != NULL) {
		buf_puts(line, ",\"request_id\":");
		buf_jsons(line, log_id);
	}
	if (log_traceparent != NULL && log_traceparent[0] != '\0')
		buf_printf(line, ",\"trace_id\":\"%.*s\"", TRACE_ID_LEN, trace_id(log_traceparent));
}

/* Write ${line} whole, unless memory or room ran out: then a line that says so. */
static void end(struct buf *line)
{
	static const char lost[] = "{\"level\":\"error\",\"message\":\"a log line was lost\"}\n";
	ssize_t n = 0;

	buf_puts(line, "}\n");
	if (line->err == ERR_OK)
		n = write(STDERR_FILENO, line->data, line->len);
	else
		n = write(STDERR_FILENO, lost, sizeof(lost) - 1);
	(void)n; /* there is nowhere to say that the log cannot be written */
	buf_free(line);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	struct buf line = buf_new(LIMIT_LOG_LINE);
	char message[LIMIT_LOG_LINE / 8]; /* an escape takes up to six bytes a byte */
	int saved = errno;
	va_list ap;

	if (level < log_least)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	begin(&line, level);
	buf_puts(&line, ",\"message\":");
	buf_jsons(&line, message);
	end(&line);
	errno = saved;
}

void log_lines(enum log_level level, const struct buf *lines)
{
	const char *at = buf_str(lines);

	while (*at != '\0') {
		size_t len = strcspn(at, "\n");

		log_write(level, "%.*s", (int)len, at);
		at += len + (at[len] == '\n');
	}
}

void log_access(const struct request *req, const struct response *resp, int64_t micros)
{
	struct buf line = buf_new(LIMIT_LOG_LINE);

	if (LOG_LEVEL_INFO < log_least)
		return;
	begin(&line, LOG_LEVEL_INFO);
	buf_puts(&line, ",\"message\":\"request\",\"route\":");
	buf_jsons(&line, req->route);
	buf_puts(&line, ",\"method\":");
	buf_jsons(&line, req->method);
	buf_printf(&line, ",\"status\":%d,\"duration_us\":%" PRId64, resp->status, micros);
	end(&line);
}
