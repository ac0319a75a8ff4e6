#ifndef FCGI_SECURITY_BLOCKLIST_H
#define FCGI_SECURITY_BLOCKLIST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether the ${len} bytes of ${password} are, without regard to the case of ASCII letters, one of
 * the passwords that are chosen most often and so tried first (NIST SP 800-63B section 5.1.1.2).
 * The list is short: it stops the first hundred guesses of anybody, and is no measure of strength.
 */
bool blocklist_has(const char *password, size_t len);

#endif
