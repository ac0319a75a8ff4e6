#ifndef FCGI_SECURITY_RESOLVER_H
#define FCGI_SECURITY_RESOLVER_H

#include <stdint.h>

#include "buf.h"
#include "err.h"

/* Looks up the addresses of one host within a deadline, which getaddrinfo(3) does not know. */
struct resolver;

/* A resolver of ${host}, which is borrowed.  *${ret} is to be freed with resolver_free().
 * ERR_NOMEM. */
MUST_CHECK enum err resolver_new(const char *host, struct resolver **ret);

/*
 * Append the numeric addresses of the host, separated by commas, to ${addresses}, and set *${ret_n}
 * to their number, at least 1.  Blocks for at most ${timeout_ms} milliseconds; a look-up that is
 * not answered by then goes on by itself and serves the next call. ERR_TIMEOUT; ERR_UNAVAILABLE:
 * there is no such host or nobody who knows; ERR_NOMEM.
 */
MUST_CHECK enum err resolver_lookup(struct resolver *resolver, int64_t timeout_ms,
                                    struct buf *addresses, int *ret_n);

/* Free ${resolver}, which may be NULL. */
void resolver_free(struct resolver *resolver);

#endif
