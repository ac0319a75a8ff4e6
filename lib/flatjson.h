#ifndef LIB_FLATJSON_H
#define LIB_FLATJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* One flat JSON object (RFC 8259) of strings and integers. */
struct flatjson;

/*
 * Parse the ${len} bytes of ${text}, which must be exactly one object with at most
 * LIMIT_JSON_MEMBERS members, no name twice, valid UTF-8, no NUL in a string, and no array or
 * object inside.  On success *${ret} is the caller's, to be freed with flatjson_free().  On failure
 * *${ret} is untouched and *${why} is a static sentence for the client.
 * The copy that is made of ${text} is wiped when it is freed.  ERR_MALFORMED, ERR_NOMEM.
 */
MUST_CHECK enum err flatjson_parse(const void *text, size_t len, struct flatjson **ret,
                                   const char **why);

/* Whether there is a member ${name}, of whatever type. */
bool flatjson_has(const struct flatjson *json, const char *name);

/* The string member ${name} and its length in bytes, or NULL if it is absent or no string. */
const char *flatjson_string(const struct flatjson *json, const char *name, size_t *ret_len);

/* Whether the member ${name} is the string ${expected}. */
bool flatjson_is(const struct flatjson *json, const char *name, const char *expected);

/* Set *${ret} to the integer member ${name}; ERR_MALFORMED if it is absent or no integer. */
MUST_CHECK enum err flatjson_integer(const struct flatjson *json, const char *name, int64_t *ret);

/* Free ${json}, which may be NULL. */
void flatjson_free(struct flatjson *json);

#endif
