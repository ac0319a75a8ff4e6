#ifndef LIB_BASE64URL_H
#define LIB_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * Decode ${len} characters of base64url without padding (RFC 4648 section 5; RFC 7515 section 2)
 * into ${data}, which has room for ${cap} bytes; set *${ret_len}.  Strict: ERR_MALFORMED for a
 * character outside the alphabet, an impossible length, or unused bits that are not zero;
 * ERR_TOO_LARGE if ${cap} is too small.
 */
MUST_CHECK enum err base64url_decode(const char *text, size_t len, uint8_t *data, size_t cap,
                                     size_t *ret_len);

#endif
