#ifndef FCGI_METRICS_EXPOSITION_H
#define FCGI_METRICS_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "cache_results.h"
#include "metrics.h"

/* A pool and what is known of it. */
struct exposition_pool {
	const char *name; /* of its program */
	const char *app;  /* its app_name */
	bool known;       /* whether its file could be read */
	struct metrics_pool pool;
};

/* What is known of the gateway. */
struct exposition_gateway {
	bool counted; /* whether ${caches} is known */
	struct cache_results caches;
	int64_t certificate_end; /* in seconds since 1970; 0 if it has no certificate */
};

/*
 * Append to ${text} all that the ${n} ${pools} counted, in Prometheus' text format, version 0.0.4
 * (docs/instrumenting/exposition_formats of its documentation), at the time ${now_ms} in
 * milliseconds since 1970.  ${version} is printable ASCII.
 *
 * A pool that is not known has imagegate_pool_up 0 and nothing else.  While there is one, zeros are
 * left out, since they would look like a restart of its counters.
 */
void exposition_print(struct buf *text, const struct exposition_pool *pools, size_t n,
                      const struct exposition_gateway *gateway, int64_t now_ms,
                      const char *version);

#endif
