#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "request.h"
#include "response.h"

/*
 * The log: one JSON object a line on standard error, written with one write(2).  Members: time
 * (RFC 3339, UTC, milliseconds), level, app, pid, message, and while a request is in hand
 * request_id and, if it has one, trace_id.  All text is escaped, so that no client can forge or
 * break a line.  Only mains, handlers and the accept loop log; library code returns errors.
 */
enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* Name the program.  ${app} must live as long as the program logs. */
void log_open(const char *app, enum log_level least);

/*
 * From here on lines carry ${id} as request_id and, unless it is empty, the trace-id of
 * ${traceparent} as trace_id.  Both are borrowed until the next call; two NULL end that.
 */
void log_request(const char *id, const char *traceparent);

/* Write a line.  Never fails; an overlong message is cut.  errno is preserved. */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Write one line for each line of ${lines}. */
void log_lines(enum log_level level, const struct buf *lines);

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

/* The line of a finished request: route, method, status and ${micros} that it took. */
void log_access(const struct request *req, const struct response *resp, int64_t micros);

#endif
