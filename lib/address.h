#ifndef LIB_ADDRESS_H
#define LIB_ADDRESS_H

#include <stdint.h>

#include "err.h"

#define ADDRESS_NETWORK_LEN 16 /* bytes */

/*
 * The network that one client is taken to have, from its numeric address ${text}: all of an IPv4
 * address, whether it is written as such or mapped into IPv6 (RFC 4291 section 2.5.5.2), and the
 * first 64 bits of an IPv6 address, of which everybody has as many as he likes.  ${network} is an
 * IPv6 address, the rest of which is zero.  ERR_MALFORMED: ${text} is no address; ${network} is
 * untouched.
 */
MUST_CHECK enum err address_network(const char *text, uint8_t network[ADDRESS_NETWORK_LEN]);

#endif
