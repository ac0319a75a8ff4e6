#include <stddef.h>
#include <string.h>

#include "trace.h"

#define DIGITS "0123456789"
#define HEX    DIGITS "abcdef"

enum { TRACE_ID_AT = 3, PARENT_ID_AT = 36, PARENT_ID_LEN = 16, FLAGS_AT = 53, FLAGS_LEN = 2 };

bool trace_request_id_ok(const char *text)
{
	static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "abcdefghijklmnopqrstuvwxyz" DIGITS "._-";
	size_t len = strlen(text);

	return len >= 1 && len <= TRACE_REQUEST_ID_MAX && strspn(text, characters) == len;
}

/* Whether the ${len} characters at ${text} are of ${characters}, and what follows them is not. */
static bool only(const char *text, size_t len, const char *characters)
{
	return strspn(text, characters) == len;
}

bool trace_parent_ok(const char *text)
{
	return strlen(text) == TRACE_PARENT_LEN && memcmp(text, "00-", TRACE_ID_AT) == 0 &&
	       only(text + TRACE_ID_AT, TRACE_ID_LEN, HEX) && text[PARENT_ID_AT - 1] == '-' &&
	       only(text + PARENT_ID_AT, PARENT_ID_LEN, HEX) && text[FLAGS_AT - 1] == '-' &&
	       only(text + FLAGS_AT, FLAGS_LEN, HEX) &&
	       !only(text + TRACE_ID_AT, TRACE_ID_LEN, "0") &&
	       !only(text + PARENT_ID_AT, PARENT_ID_LEN, "0");
}

const char *trace_id(const char *traceparent)
{
	return traceparent + TRACE_ID_AT;
}
