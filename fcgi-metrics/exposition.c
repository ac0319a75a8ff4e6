#include <inttypes.h>
#include <string.h>

#include "exposition.h"

/* A metric that stands in the rows of a list of metrics.h. */
struct family {
	const char *name, *help;
};

static const struct family counter_families[] = {
    {"imagegate_validations_total", "Tokens that were looked at, by what was found."},
    {"imagegate_logins_total", "Logins, by how they ended."},
    {"imagegate_uploads_total", "Uploads, by how they ended and by type of what was stored."},
    {"imagegate_upload_bytes_total", "Bytes of the images that were stored."},
    {"imagegate_audit_failures_total", "Lines of the audit that could not be written."},
};

static const struct family timer_families[] = {
    {"imagegate_pbkdf2_seconds", "Time to hash a password."},
    {"imagegate_database_seconds", "Time until the database answered, by operation."},
    {"imagegate_store_seconds", "Time of a request to the store, by operation."},
};

#define ROW(name, metric, labels) {metric, labels},
static const struct row {
	const char *metric, *labels;
} counters[] = {METRICS_COUNTERS(ROW)}, timers[] = {METRICS_TIMERS(ROW)};
#undef ROW

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void head(struct buf *text, const char *name, const char *type, const char *help)
{
	buf_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* ${micros} as seconds. */
static void seconds(struct buf *text, uint64_t micros)
{
	buf_printf(text, "%" PRIu64 ".%06" PRIu64, micros / 1000000, micros % 1000000);
}

static void histogram(struct buf *text, const char *metric, const char *labels,
                      const struct metrics_histogram *from)
{
	static const uint64_t bounds[] = {METRICS_BOUNDS};
	const char *comma = labels[0] == '\0' ? "" : ",";
	const char *open = labels[0] == '\0' ? "" : "{";
	const char *close = labels[0] == '\0' ? "" : "}";
	uint64_t count = 0;

	for (size_t i = 0; i < LEN(bounds); i++) {
		count += from->buckets[i];
		buf_printf(text, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", metric, labels, comma,
		           (double)bounds[i] / 1e6, count);
	}
	count += from->buckets[METRICS_BUCKETS - 1];
	buf_printf(text, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", metric, labels, comma, count);
	buf_printf(text, "%s_sum%s%s%s ", metric, open, labels, close);
	seconds(text, from->micros);
	buf_printf(text, "\n%s_count%s%s%s %" PRIu64 "\n", metric, open, labels, close, count);
}

static bool is_empty(const struct metrics_histogram *from)
{
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		if (from->buckets[i] != 0)
			return false;
	}
	return true;
}

/* ---- requests, by app_name ---- */

#define ROW(name, word, method, route) {method, route},
static const struct {
	const char *method, *route;
} routes[] = {METRICS_ROUTES(ROW)};
#undef ROW

static void request_counts(struct buf *text, const char *app, const struct metrics_counts *from)
{
#define ROW(number) #number,
	static const char *const statuses[] = {METRICS_STATUSES(ROW)};
#undef ROW

	for (size_t r = 0; r < METRICS_ROUTE_COUNT; r++) {
		for (size_t s = 0; s < METRICS_STATUS_COUNT; s++) {
			if (from->requests[r][s] == 0)
				continue;
			buf_printf(text,
			           "http_requests_total{app_name=\"%s\",method=\"%s\",route=\"%s\","
			           "status=\"%s\"} %" PRIu64 "\n",
			           app, routes[r].method, routes[r].route,
			           s == STATUS_0 ? "other" : statuses[s], from->requests[r][s]);
		}
	}
}

static void request_times(struct buf *text, const char *app, const struct metrics_counts *from)
{
	for (size_t r = 0; r < METRICS_ROUTE_COUNT; r++) {
		struct buf labels = buf_new(200);

		buf_printf(&labels, "app_name=\"%s\",method=\"%s\",route=\"%s\"", app,
		           routes[r].method, routes[r].route);
		if (!is_empty(&from->durations[r]))
			histogram(text, "http_request_duration_seconds", buf_str(&labels),
			          &from->durations[r]);
		buf_free(&labels);
	}
}

/* Print what the pools of each app_name counted together; those of one stand side by side. */
static void each_app(struct buf *text, const struct exposition_pool *pools, size_t n,
                     void (*print)(struct buf *, const char *, const struct metrics_counts *))
{
	for (size_t i = 0; i < n;) {
		const char *app = pools[i].app;
		struct metrics_counts counts = {0};

		for (; i < n && strcmp(pools[i].app, app) == 0; i++)
			metrics_sum(&counts, &pools[i].pool.counts);
		print(text, app, &counts);
	}
}

/* ---- imagegate's own ---- */

static void count_rows(struct buf *text, const struct metrics_counts *from, bool zeros)
{
	for (size_t f = 0; f < LEN(counter_families); f++) {
		const char *name = counter_families[f].name;

		head(text, name, "counter", counter_families[f].help);
		for (size_t i = 0; i < METRICS_COUNTER_COUNT; i++) {
			if (strcmp(counters[i].metric, name) != 0 ||
			    (from->counters[i] == 0 && !zeros))
				continue;
			buf_puts(text, name);
			if (counters[i].labels[0] != '\0')
				buf_printf(text, "{%s}", counters[i].labels);
			buf_printf(text, " %" PRIu64 "\n", from->counters[i]);
		}
	}
}

static void timer_rows(struct buf *text, const struct metrics_counts *from, bool zeros)
{
	for (size_t f = 0; f < LEN(timer_families); f++) {
		const char *name = timer_families[f].name;

		head(text, name, "histogram", timer_families[f].help);
		for (size_t i = 0; i < METRICS_TIMER_COUNT; i++) {
			if (strcmp(timers[i].metric, name) == 0 &&
			    (zeros || !is_empty(&from->timers[i])))
				histogram(text, name, timers[i].labels, &from->timers[i]);
		}
	}
}

/* ---- the pools themselves ---- */

static uint64_t workers(const struct exposition_pool *pool)
{
	return pool->pool.workers;
}

static uint64_t busy(const struct exposition_pool *pool)
{
	return pool->pool.busy;
}

static uint64_t restarts(const struct exposition_pool *pool)
{
	return pool->pool.counts.restarts;
}

static uint64_t memory(const struct exposition_pool *pool)
{
	return pool->pool.memory;
}

static uint64_t descriptors(const struct exposition_pool *pool)
{
	return pool->pool.descriptors;
}

static void pool_rows(struct buf *text, const struct exposition_pool *pools, size_t n)
{
	static const struct {
		const char *name, *type, *help;
		uint64_t (*value)(const struct exposition_pool *);
	} rows[] = {
	    {"imagegate_workers", "gauge", "Workers that are alive.", workers},
	    {"imagegate_workers_busy", "gauge", "Workers with a request in hand.", busy},
	    {"imagegate_worker_restarts_total", "counter",
	     "Workers that took the place of one that had died.", restarts},
	    {"imagegate_worker_memory_bytes", "gauge", "Resident memory of all workers.", memory},
	    {"imagegate_worker_descriptors", "gauge", "Open descriptors of all workers.",
	     descriptors},
	};

	head(text, "imagegate_pool_up", "gauge", "Whether the pool counts and has a live worker.");
	for (size_t i = 0; i < n; i++)
		buf_printf(text, "imagegate_pool_up{pool=\"%s\"} %d\n", pools[i].name,
		           pools[i].known && pools[i].pool.workers > 0);
	for (size_t r = 0; r < LEN(rows); r++) {
		head(text, rows[r].name, rows[r].type, rows[r].help);
		for (size_t i = 0; i < n; i++) {
			if (pools[i].known)
				buf_printf(text, "%s{pool=\"%s\"} %" PRIu64 "\n", rows[r].name,
				           pools[i].name, rows[r].value(&pools[i]));
		}
	}
}

static void revocations(struct buf *text, const struct exposition_pool *pools, size_t n,
                        int64_t now_ms)
{
	const struct metrics_pool *from = NULL;
	uint64_t now = (uint64_t)now_ms;
	uint64_t at = 0;

	for (size_t i = 0; i < n; i++) {
		if (pools[i].known && pools[i].pool.revocations_at_ms != 0)
			from = &pools[i].pool;
	}
	if (from == NULL)
		return;
	at = from->revocations_at_ms;
	head(text, "imagegate_revocations", "gauge", "Entries of the list of revocations.");
	buf_printf(text, "imagegate_revocations %" PRIu64 "\n", from->revocations);
	head(text, "imagegate_revocations_age_seconds", "gauge",
	     "Time since the list of revocations was read from the database.");
	buf_puts(text, "imagegate_revocations_age_seconds ");
	seconds(text, at < now ? (now - at) * 1000 : 0);
	buf_puts(text, "\n");
}

static void cache_rows(struct buf *text, const struct cache_results *from)
{
#define ROW(name, label) label,
	static const char *const caches[] = {CACHE_RESULTS_CACHES(ROW)};
#undef ROW
#define ROW(name, letter, label) label,
	static const char *const results[] = {CACHE_RESULTS(ROW)};
#undef ROW

	head(text, "imagegate_cache_results_total", "counter",
	     "What the gateway's caches had for requests that needed a token.");
	for (size_t c = 0; c < LEN(caches); c++) {
		for (size_t r = 0; r < LEN(results); r++)
			buf_printf(
			    text,
			    "imagegate_cache_results_total{cache=\"%s\",result=\"%s\"} %" PRIu64
			    "\n",
			    caches[c], results[r], from->counts[c][r]);
	}
	head(text, "imagegate_cache_results_malformed_total", "counter",
	     "Lines about the gateway's caches that made no sense.");
	buf_printf(text, "imagegate_cache_results_malformed_total %" PRIu64 "\n", from->malformed);
}

static void certificate_row(struct buf *text, int64_t end)
{
	const char *name = "imagegate_certificate_not_after_seconds";

	head(text, name, "gauge", "When the gateway's certificate ends, in seconds since 1970.");
	buf_printf(text, "%s %" PRId64 "\n", name, end);
}

void exposition_print(struct buf *text, const struct exposition_pool *pools, size_t n,
                      const struct exposition_gateway *gateway, int64_t now_ms, const char *version)
{
	struct metrics_counts all = {0};
	bool complete = true;

	for (size_t i = 0; i < n; i++) {
		complete = complete && pools[i].known;
		metrics_sum(&all, &pools[i].pool.counts);
	}
	head(text, "http_requests_total", "counter", "Requests that the workers answered.");
	each_app(text, pools, n, request_counts);
	head(text, "http_request_duration_seconds", "histogram",
	     "Time that the workers took for a request.");
	each_app(text, pools, n, request_times);
	count_rows(text, &all, complete);
	timer_rows(text, &all, complete);
	pool_rows(text, pools, n);
	revocations(text, pools, n, now_ms);
	if (gateway->counted)
		cache_rows(text, &gateway->caches);
	if (gateway->certificate_end != 0)
		certificate_row(text, gateway->certificate_end);
	head(text, "imagegate_build_info", "gauge", "Which version runs; always 1.");
	buf_printf(text, "imagegate_build_info{version=\"%s\"} 1\n", version);
}
