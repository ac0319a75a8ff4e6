#ifndef LIB_METRICS_H
#define LIB_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "request.h"
#include "response.h"

/*
 * What a pool counts, in one file of a tmpfs that all its workers map and the metrics program
 * reads.
 *
 * Each worker has a slot of its own, so there is no lock and no shared cache line.  A lock of the
 * kernel (F_OFD_SETLK of fcntl(2)) on the slot's first byte is what makes it the worker's; it ends
 * with the worker, however that dies, and the next one goes on counting where it stood.  Every
 * change is one atomic addition or store to one word, all zeros are a valid file, and nothing is
 * true only of several words together: so the file is right after a worker died at any instruction.
 * Should there be more workers than slots, the last ones share slots and are not seen as workers.
 *
 * Before metrics_open(), and after it failed, the same functions count for nobody.
 *
 * docs/metrics.md explains each name.
 */

/* Where a pool's folder is for its workers. */
#define METRICS_FOLDER "/run/imagegate-metrics"

/* Words that only grow: X(name, metric, labels). */
#define METRICS_COUNTERS(X)                                                                        \
	X(VALIDATION_OK, "imagegate_validations_total", "result=\"ok\"")                           \
	X(VALIDATION_ABSENT, "imagegate_validations_total", "result=\"absent\"")                   \
	X(VALIDATION_SCHEME, "imagegate_validations_total", "result=\"scheme\"")                   \
	X(VALIDATION_MALFORMED, "imagegate_validations_total", "result=\"malformed\"")             \
	X(VALIDATION_HEADER, "imagegate_validations_total", "result=\"header\"")                   \
	X(VALIDATION_KEY, "imagegate_validations_total", "result=\"key\"")                         \
	X(VALIDATION_SIGNATURE, "imagegate_validations_total", "result=\"signature\"")             \
	X(VALIDATION_CLAIMS, "imagegate_validations_total", "result=\"claims\"")                   \
	X(VALIDATION_EXPIRED, "imagegate_validations_total", "result=\"expired\"")                 \
	X(VALIDATION_EARLY, "imagegate_validations_total", "result=\"early\"")                     \
	X(VALIDATION_REVOKED, "imagegate_validations_total", "result=\"revoked\"")                 \
	X(VALIDATION_UNAVAILABLE, "imagegate_validations_total", "result=\"unavailable\"")         \
	X(LOGIN_OK, "imagegate_logins_total", "result=\"ok\"")                                     \
	X(LOGIN_REFUSED, "imagegate_logins_total", "result=\"refused\"")                           \
	X(LOGIN_THROTTLED, "imagegate_logins_total", "result=\"throttled\"")                       \
	X(LOGIN_MALFORMED, "imagegate_logins_total", "result=\"malformed\"")                       \
	X(LOGIN_UNAVAILABLE, "imagegate_logins_total", "result=\"unavailable\"")                   \
	X(UPLOAD_JPEG, "imagegate_uploads_total", "result=\"stored\",type=\"jpeg\"")               \
	X(UPLOAD_PNG, "imagegate_uploads_total", "result=\"stored\",type=\"png\"")                 \
	X(UPLOAD_GIF, "imagegate_uploads_total", "result=\"stored\",type=\"gif\"")                 \
	X(UPLOAD_WEBP, "imagegate_uploads_total", "result=\"stored\",type=\"webp\"")               \
	X(UPLOAD_AVIF, "imagegate_uploads_total", "result=\"stored\",type=\"avif\"")               \
	X(UPLOAD_MALFORMED, "imagegate_uploads_total", "result=\"malformed\",type=\"none\"")       \
	X(UPLOAD_SLOW, "imagegate_uploads_total", "result=\"slow\",type=\"none\"")                 \
	X(UPLOAD_TOO_LARGE, "imagegate_uploads_total", "result=\"too_large\",type=\"none\"")       \
	X(UPLOAD_TYPE, "imagegate_uploads_total", "result=\"media_type\",type=\"none\"")           \
	X(UPLOAD_QUOTA, "imagegate_uploads_total", "result=\"quota\",type=\"none\"")               \
	X(UPLOAD_FULL, "imagegate_uploads_total", "result=\"full\",type=\"none\"")                 \
	X(UPLOAD_UNAVAILABLE, "imagegate_uploads_total", "result=\"unavailable\",type=\"none\"")   \
	X(UPLOAD_BYTES, "imagegate_upload_bytes_total", "")                                        \
	X(AUDIT_FAILURES, "imagegate_audit_failures_total", "")

/* Histograms of seconds: X(name, metric, labels). */
#define METRICS_TIMERS(X)                                                                          \
	X(PBKDF2, "imagegate_pbkdf2_seconds", "")                                                  \
	X(DATABASE_READY, "imagegate_database_seconds", "operation=\"ready\"")                     \
	X(DATABASE_REGISTER, "imagegate_database_seconds", "operation=\"register\"")               \
	X(DATABASE_LOGIN, "imagegate_database_seconds", "operation=\"login\"")                     \
	X(DATABASE_ACCOUNT, "imagegate_database_seconds", "operation=\"account\"")                 \
	X(DATABASE_REHASH, "imagegate_database_seconds", "operation=\"rehash\"")                   \
	X(DATABASE_LOGOUT, "imagegate_database_seconds", "operation=\"logout\"")                   \
	X(DATABASE_PASSWORD, "imagegate_database_seconds", "operation=\"password\"")               \
	X(DATABASE_AUDIT, "imagegate_database_seconds", "operation=\"audit\"")                     \
	X(DATABASE_REVOCATIONS, "imagegate_database_seconds", "operation=\"revocations\"")         \
	X(STORE_PUT, "imagegate_store_seconds", "operation=\"put\"")                               \
	X(STORE_LIST, "imagegate_store_seconds", "operation=\"list\"")                             \
	X(STORE_DELETE, "imagegate_store_seconds", "operation=\"delete\"")

/* A worker's routes: X(name, ROUTE, method, route of the HTTP contract).  No two alike. */
#define METRICS_ROUTES(X)                                                                          \
	X(REGISTER, "register", "POST", "/v1/register")                                            \
	X(TOKEN, "token", "POST", "/v1/token")                                                     \
	X(TOKEN_PLAIN, "token-plain", "POST", "/token")                                            \
	X(RENEW, "renew", "POST", "/v1/token/renew")                                               \
	X(LOGOUT, "logout", "DELETE", "/v1/token")                                                 \
	X(USER, "user", "GET", "/v1/user")                                                         \
	X(PASSWORD, "password", "PUT", "/v1/user/password")                                        \
	X(VALIDATE, "validate", "GET", "/auth")                                                    \
	X(READY, "ready", "GET", "/readyz")                                                        \
	X(UPLOAD, "upload", "POST", "/v1/upload")                                                  \
	X(UPLOAD_PLAIN, "upload-plain", "POST", "/upload")                                         \
	X(LIST, "list", "GET", "/v1/images")                                                       \
	X(SIGN, "sign", "GET", "/v1/user/{filename}")                                              \
	X(REMOVE, "remove", "DELETE", "/v1/user/{filename}")                                       \
	X(OTHER, "", "other", "other")

/* The statuses that are told apart; the last row is all others. */
#define METRICS_STATUSES(X)                                                                        \
	X(200)                                                                                     \
	X(201)                                                                                     \
	X(204)                                                                                     \
	X(400)                                                                                     \
	X(401)                                                                                     \
	X(403)                                                                                     \
	X(404)                                                                                     \
	X(405)                                                                                     \
	X(408)                                                                                     \
	X(409)                                                                                     \
	X(413)                                                                                     \
	X(415)                                                                                     \
	X(429)                                                                                     \
	X(500)                                                                                     \
	X(503)                                                                                     \
	X(504)                                                                                     \
	X(507)                                                                                     \
	X(0)

#define METRICS_NAME(name, ...) METRIC_##name,
enum metrics_counter { METRICS_COUNTERS(METRICS_NAME) METRICS_COUNTER_COUNT };
#undef METRICS_NAME
#define METRICS_NAME(name, ...) TIMER_##name,
enum metrics_timer { METRICS_TIMERS(METRICS_NAME) METRICS_TIMER_COUNT };
#undef METRICS_NAME
#define METRICS_NAME(name, ...) ROUTE_##name,
enum metrics_route { METRICS_ROUTES(METRICS_NAME) METRICS_ROUTE_COUNT };
#undef METRICS_NAME
#define METRICS_NAME(name) STATUS_##name,
enum metrics_status { METRICS_STATUSES(METRICS_NAME) METRICS_STATUS_COUNT };
#undef METRICS_NAME

/* The upper bounds of the buckets, in microseconds; one more bucket has the rest. */
#define METRICS_BOUNDS                                                                             \
	500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000,      \
	    5000000, 10000000
enum { METRICS_BUCKETS = 15 };

/* A histogram.  There is no count: it is the sum of the buckets. */
struct metrics_histogram {
	uint64_t buckets[METRICS_BUCKETS]; /* not cumulative */
	uint64_t micros;                   /* the sum of all observations */
};

/* What a slot holds, and a pool's sum of it. */
struct metrics_counts {
	uint64_t counters[METRICS_COUNTER_COUNT];
	uint64_t requests[METRICS_ROUTE_COUNT][METRICS_STATUS_COUNT];
	uint64_t restarts; /* workers that took the slot of one that had died */
	struct metrics_histogram timers[METRICS_TIMER_COUNT];
	struct metrics_histogram durations[METRICS_ROUTE_COUNT];
};

/* What is known of a pool. */
struct metrics_pool {
	struct metrics_counts counts;
	uint64_t workers;           /* alive */
	uint64_t busy;              /* of those, with a request in hand */
	uint64_t memory;            /* bytes that they have resident */
	uint64_t descriptors;       /* that they have open */
	uint64_t revocations;       /* entries of the list as it was last read */
	uint64_t revocations_at_ms; /* when it was, in milliseconds since 1970; 0 for never */
};

/*
 * Take a slot in the file of ${folder}, which is made if there is none.  ERR_UNAVAILABLE: errno
 * says why.  ERR_MALFORMED: the file is something else.
 */
MUST_CHECK enum err metrics_open(const char *folder);

/* Leave the slot as it is; from here on counts are for nobody. */
void metrics_close(void);

/* Add ${n} to a counter. */
void metrics_add(enum metrics_counter counter, uint64_t n);

/* Add the time since ${start}, of clock_steady_us(), to a histogram. */
void metrics_since(enum metrics_timer timer, int64_t start);

/* A request is in hand from here on. */
void metrics_begin(void);

/*
 * The request in hand is answered and took ${micros}.  Every few seconds this also looks at the
 * worker's own memory and descriptors.
 */
void metrics_end(const struct request *req, const struct response *resp, int64_t micros);

/* The list of revocations was read at ${at_ms}, and had ${n} entries.  Looks at memory as well. */
void metrics_revocations(uint64_t n, int64_t at_ms);

/* Add all of ${from} to ${to}. */
void metrics_sum(struct metrics_counts *to, const struct metrics_counts *from);

/*
 * Read into *${ret} what the file in ${folder} says.  Takes any file: one that grows, shrinks or
 * holds nonsense gives wrong numbers at worst.  ERR_NOT_FOUND: there is none that can be read.
 */
MUST_CHECK enum err metrics_read(const char *folder, struct metrics_pool *ret);

#endif
