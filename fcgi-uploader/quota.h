#ifndef FCGI_UPLOADER_QUOTA_H
#define FCGI_UPLOADER_QUOTA_H

#include <stdint.h>

#include "err.h"
#include "tally.h"

#define QUOTA_DAY 86400 /* seconds; days are those of UTC */

/*
 * How many bytes an account may store in a day.  What is counted is what was stored, each
 * image rounded up to a unit of a byte and 2^-23 of the limit.  Workers that store at the same time
 * do not see each other's images until they are counted: together they may go over the limit by one
 * image for each worker but one.
 */
struct quota {
	struct tally *tally; /* of windows of QUOTA_DAY; NULL for no limit */
	int64_t limit;       /* bytes */
};

/*
 * Whether ${account} may store ${bytes} more at the time ${now}, in seconds since 1970.
 * ERR_TOO_MANY: *${ret_left} bytes are left, and *${ret_wait} seconds until there are more.
 * ERR_INTERNAL.
 */
MUST_CHECK enum err quota_check(const struct quota *quota, const char *account, int64_t bytes,
                                int64_t now, int64_t *ret_left, int64_t *ret_wait);

/* Count ${bytes} that ${account} has stored.  ERR_INTERNAL. */
MUST_CHECK enum err quota_count(const struct quota *quota, const char *account, int64_t bytes,
                                int64_t now);

#endif
