#ifndef LIB_TRACE_H
#define LIB_TRACE_H

#include <stdbool.h>

/* What ties together the lines that a request leaves in all parts.  Neither can break a header. */

#define TRACE_REQUEST_ID_MAX 128 /* characters: a UUID has 36, others up to 100 */
#define TRACE_PARENT_LEN     55  /* characters of a traceparent */
#define TRACE_ID_LEN         32  /* characters of the trace-id in it */

/* Whether ${text} is a request's id: 1 to TRACE_REQUEST_ID_MAX of A-Za-z0-9._- */
bool trace_request_id_ok(const char *text);

/*
 * Whether ${text} is a traceparent of version 00, the only one that the gateway writes: W3C Trace
 * Context level 1, section 3.2.
 */
bool trace_parent_ok(const char *text);

/* The trace-id in ${traceparent}, which is one: TRACE_ID_LEN characters, not ended by a NUL. */
const char *trace_id(const char *traceparent);

#endif
