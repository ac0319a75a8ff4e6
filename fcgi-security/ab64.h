#ifndef FCGI_SECURITY_AB64_H
#define FCGI_SECURITY_AB64_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Characters, without a NUL, that ${n} bytes become. */
#define AB64_LEN(n) (((n) * 4 + 2) / 3)

/*
 * "Adapted base64", in which passlib writes salts and keys: the alphabet of RFC 4648 section 4 with
 * `.` for `+`, no padding.
 *
 * Write the ${len} bytes of ${data} to ${text}, which has room for AB64_LEN(${len}) characters and
 * a NUL.
 */
void ab64_encode(const uint8_t *data, size_t len, char *text);

/*
 * Decode ${len} characters of ${text} into ${data}, which has room for ${cap} bytes; set
 * *${ret_len}. ERR_MALFORMED for a character outside the alphabet, an impossible length, or unused
 * bits that are not zero; ERR_TOO_LARGE if ${cap} is too small.
 */
MUST_CHECK enum err ab64_decode(const char *text, size_t len, uint8_t *data, size_t cap,
                                size_t *ret_len);

#endif
