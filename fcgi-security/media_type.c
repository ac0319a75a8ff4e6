#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "media_type.h"

static const char space[] = " \t";

/* Whether the ${len} bytes of ${element}, a media type and its parameters, are of type ${type}. */
static bool is(const char *element, size_t len, const char *type)
{
	size_t n = strlen(type);
	size_t gap = 0;

	if (len < n || strncasecmp(element, type, n) != 0)
		return false;
	gap = strspn(element + n, space);
	return n + gap >= len || element[n + gap] == ';';
}

/* Whether the ${len} bytes of ${element} hold the parameter q with a value of 0. */
static bool refused(const char *element, size_t len)
{
	const char *end = element + len;
	const char *at = element;

	while ((at = memchr(at, ';', (size_t)(end - at))) != NULL) {
		at += 1 + strspn(at + 1, space);
		if (end - at >= 3 && strncasecmp(at, "q=0", 3) == 0) {
			at += 3;
			at += strspn(at, ".0");
			return at >= end || strchr(" \t;", *at) != NULL;
		}
		if (at >= end)
			break;
	}
	return false;
}

bool media_type_is(const char *header, const char *type)
{
	header += strspn(header, space);
	return is(header, strlen(header), type);
}

bool media_type_accepted(const char *header, const char *type)
{
	for (;;) {
		size_t len = 0;

		header += strspn(header, " \t,");
		if (*header == '\0')
			return false;
		len = strcspn(header, ",");
		if (is(header, len, type) && !refused(header, len))
			return true;
		header += len;
	}
}
