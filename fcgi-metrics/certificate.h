#ifndef FCGI_METRICS_CERTIFICATE_H
#define FCGI_METRICS_CERTIFICATE_H

#include <stdint.h>

#include "err.h"

/*
 * Set *${ret} to when the file ${path}, a certificate with its chain in PEM, ends to be good: the
 * first of them that does, in seconds since 1970.  ERR_NOT_FOUND: there is no such file.
 * ERR_MALFORMED: it holds no certificate, or more than LIMIT_SECRET_FILE bytes.  ERR_NOMEM,
 * ERR_INTERNAL.
 */
MUST_CHECK enum err certificate_end(const char *path, int64_t *ret);

#endif
