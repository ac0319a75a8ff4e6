#ifndef FCGI_METRICS_CACHE_RESULTS_H
#define FCGI_METRICS_CACHE_RESULTS_H

#include <stdint.h>

#include "err.h"

/*
 * What the gateway's two caches had for the requests that needed a token.
 *
 * nginx cannot count, so it appends a line for each of them to the file `results` of a tmpfs
 * (nginx/conf/log.conf): a letter for each cache, in the order of the lists below.  Here the lines
 * are added up and their pages given back to the tmpfs, so that the file takes up what came since,
 * however long it grows.  nginx never waits for this: while nobody counts, the tmpfs fills up, and
 * what has no room there is not counted.
 *
 * How far the file is counted, and the sums, are in the file `counted` beside it.  It is written in
 * one piece before the pages go: whenever this program dies, each line counts once.
 */

/* X(name, label) */
#define CACHE_RESULTS_CACHES(X)                                                                    \
	X(AUTH, "auth")                                                                            \
	X(IMAGE, "image")

/* X(name, letter, label) */
#define CACHE_RESULTS(X)                                                                           \
	X(HIT, 'h', "hit")                                                                         \
	X(MISS, 'm', "miss")                                                                       \
	X(EXPIRED, 'e', "expired")                                                                 \
	X(REVALIDATED, 'r', "revalidated")                                                         \
	X(BYPASS, 'b', "bypass")

#define CACHE_RESULTS_NAME(name, ...) CACHE_##name,
enum cache_results_cache { CACHE_RESULTS_CACHES(CACHE_RESULTS_NAME) CACHE_COUNT };
#undef CACHE_RESULTS_NAME
#define CACHE_RESULTS_NAME(name, ...) CACHE_RESULT_##name,
enum cache_results_result { CACHE_RESULTS(CACHE_RESULTS_NAME) CACHE_RESULT_COUNT };
#undef CACHE_RESULTS_NAME

struct cache_results {
	uint64_t counts[CACHE_COUNT][CACHE_RESULT_COUNT];
	uint64_t malformed; /* lines that were something else */
};

/*
 * Count what is new in the files of ${folder}, and set *${ret} to all that was counted ever.  What
 * is too much for a moment, and what another process is counting just now, comes with a later call.
 * Never waits.  ERR_NOT_FOUND: there are no such files.  ERR_UNAVAILABLE: the sums cannot be
 * written.
 */
MUST_CHECK enum err cache_results_count(const char *folder, struct cache_results *ret);

#endif
