#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken can stand in a header and in a line of the log as it is. */
static void harmless(const char *text, size_t max)
{
	static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789._-";
	size_t len = strlen(text);

	if (len == 0 || len > max || strspn(text, characters) != len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	if (text == NULL)
		return 0;
	if (trace_request_id_ok(text))
		harmless(text, TRACE_REQUEST_ID_MAX);
	if (trace_parent_ok(text)) {
		harmless(text, TRACE_PARENT_LEN);
		if (strspn(trace_id(text), "0123456789abcdef") != TRACE_ID_LEN)
			abort();
	}
	free(text);
	return 0;
}
