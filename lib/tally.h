#ifndef LIB_TALLY_H
#define LIB_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * Counters by key, shared by the workers of a pool.  Time is cut into windows of one length, which
 * begin at its multiples since 1970; a counter begins each window at zero.
 *
 * They are in a file of a fixed size that each worker maps, in a tmpfs.  There is
 * no lock.  A counter is one word and a change one compare-and-swap, so a worker that is killed
 * or stopped at any instruction leaves nothing half done and keeps nobody waiting.
 *
 * There is room for TALLY_KEYS keys in a window.  A further one takes the place of the lowest of
 * eight counters, which then begins at zero: too many keys let somebody pass, and never count
 * against anybody.  A word tells keys apart by 38 bits of a hash that is keyed with a random key of
 * the file's own, so nobody can choose keys that meet; and windows by 16 bits of their number, so a
 * word that nobody took for 65,536 windows would count once more.
 */
struct tally;

#define TALLY_KEYS (1 << 17)             /* of 8 bytes each: 1 MiB */
#define TALLY_MAX  ((1 << 24) - 1)       /* counters stay there */
#define TALLY_SIZE (64 + 8 * TALLY_KEYS) /* bytes of the file */

/*
 * Open the counters in file ${path}, of windows of ${window} seconds; make the file, readable for
 * its owner only, if there is none.  All who share a file must name the same window.  On success
 * *${ret} is to be given to tally_close().  ERR_MALFORMED: the file is something else.  ERR_FULL:
 * no room for it.  ERR_UNAVAILABLE: errno says why.  ERR_NOMEM, ERR_INTERNAL.
 */
MUST_CHECK enum err tally_open(const char *path, int64_t window, struct tally **ret);

/* Unmap ${tally}, which may be NULL.  The counters stay in the file. */
void tally_close(struct tally *tally);

/*
 * Set *${ret} to the counter of the ${len} bytes ${key} at the time ${now}, in seconds since 1970.
 * ERR_INTERNAL.
 */
MUST_CHECK enum err tally_get(const struct tally *tally, const void *key, size_t len, int64_t now,
                              int64_t *ret);

/* Add ${n}, from 0 on, to a counter and set *${ret} to the sum.  As tally_get(). */
MUST_CHECK enum err tally_add(struct tally *tally, const void *key, size_t len, int64_t n,
                              int64_t now, int64_t *ret);

/* Set a counter to zero.  As tally_get(). */
MUST_CHECK enum err tally_clear(struct tally *tally, const void *key, size_t len, int64_t now);

/* Seconds from ${now} until the window ends: from 1 to its length. */
int64_t tally_left(const struct tally *tally, int64_t now);

#endif
