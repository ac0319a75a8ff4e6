#ifndef FCGI_SECURITY_TERMINAL_H
#define FCGI_SECURITY_TERMINAL_H

#include <stddef.h>

#include "err.h"

/*
 * Read one line from descriptor ${fd} into ${line}, which has room for ${cap} bytes, and set
 * *${ret_len}; the newline is left out, the end of the input ends the line too.  On a terminal,
 * ${prompt} is written to it first and what is typed is not shown.  Blocks without a limit.
 * ERR_TOO_LARGE: the line is longer.  ERR_CUT: there is none.  ERR_UNAVAILABLE: the system refused;
 * errno tells why.
 */
MUST_CHECK enum err terminal_secret(int fd, const char *prompt, char *line, size_t cap,
                                    size_t *ret_len);

#endif
