#ifndef TESTS_UNIT_REFUSAL_H
#define TESTS_UNIT_REFUSAL_H

#include <string.h>

#include "check.h"
#include "err.h"

/* credentials_parse() and its kin, with the type of the result left out. */
typedef enum err parser(const char *text, size_t len, void *ret, const char **ret_why);

/*
 * Assert that ${parse} refuses ${text}, tells the client about ${word}, and leaves its result of
 * ${size} bytes alone.
 */
static inline void assert_parser_refuses(parser *parse, size_t size, const char *text,
                                         const char *word)
{
	unsigned char given[8192];
	unsigned char before[8192];
	const char *why = NULL;

	assert_true(size <= sizeof(given));
	memset(given, 0x5a, size);
	memcpy(before, given, size);
	assert_int_equal(parse(text, strlen(text), given, &why), ERR_MALFORMED);
	assert_non_null(why);
	if (strstr(why, word) == NULL)
		fail_msg("%s: %s", text, why);
	assert_memory_equal(given, before, size);
}

#endif
