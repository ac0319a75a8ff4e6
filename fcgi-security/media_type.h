#ifndef FCGI_SECURITY_MEDIA_TYPE_H
#define FCGI_SECURITY_MEDIA_TYPE_H

#include <stdbool.h>

/*
 * Whether ${header}, the value of a Content-Type header, is the media type ${type}, in any case and
 * with any parameters (RFC 9110 section 8.3.1).
 */
bool media_type_is(const char *header, const char *type);

/*
 * Whether ${header}, the value of an Accept header, names the media type ${type} and does not
 * refuse it with a weight of 0 (RFC 9110 section 12.5.1).  Wildcards name nothing.
 */
bool media_type_accepted(const char *header, const char *type);

#endif
