#ifndef FCGI_SECURITY_THROTTLE_H
#define FCGI_SECURITY_THROTTLE_H

#include <stdint.h>

#include "err.h"
#include "tally.h"

/*
 * How often a password may be wrong.  What is counted are failures of the pair of a login, without
 * regard to case, and the client's network (see address.h): so nobody can lock out who comes from
 * elsewhere, and it makes no difference whether the login exists.  A right password takes back all
 * that was counted.
 *
 * Workers that try the same pair at the same time do not see each other's failure until it is
 * counted: a pair may have one attempt more for each worker but one.  To count before would refuse
 * somebody who logs in many times at once.
 */
struct throttle {
	struct tally *tally; /* its window is the limit's */
	int64_t failures;    /* that a pair has in a window */
};

/*
 * Whether ${login} may be tried from ${address} at the time ${now}, in seconds since 1970.
 * ERR_TOO_MANY: not before *${ret_wait} seconds are over.  ERR_INTERNAL.
 */
MUST_CHECK enum err throttle_check(const struct throttle *throttle, const char *login,
                                   const char *address, int64_t now, int64_t *ret_wait);

/* The password was wrong: count it.  ERR_INTERNAL. */
MUST_CHECK enum err throttle_count(const struct throttle *throttle, const char *login,
                                   const char *address, int64_t now);

/* The password was right: forget the failures.  ERR_INTERNAL. */
MUST_CHECK enum err throttle_forget(const struct throttle *throttle, const char *login,
                                    const char *address, int64_t now);

#endif
