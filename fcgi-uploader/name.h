#ifndef FCGI_UPLOADER_NAME_H
#define FCGI_UPLOADER_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "err.h"

/*
 * How an image is called.
 *
 * Public name: `<account id>-<time><random>.<extension>`; key in the store: the same with a slash
 * for the hyphen.  The alphabet is base32hex in lower case (RFC 4648 section 7), whose order is
 * ASCII's.  The time is 2^50 - 1 minus milliseconds since 1970, so that a listing by key begins
 * with the newest.
 */

#define NAME_TIME_LEN   10 /* characters: 50 bits */
#define NAME_RANDOM_LEN 20 /* characters: 100 bits */
#define NAME_MAX_LEN    (ACCOUNT_ID_LEN + 1 + NAME_TIME_LEN + NAME_RANDOM_LEN + 1 + 4)

struct name {
	char file[NAME_MAX_LEN + 1];   /* the public name */
	char object[NAME_MAX_LEN + 1]; /* the key in the store */
};

/*
 * Make a new name for an image of ${account} that arrived at ${now_ms}, milliseconds since 1970.
 * ERR_INTERNAL if ${account} is no account id, ${extension} none of ours, the time out of range, or
 * there is no randomness.  ERR_NOMEM.
 */
MUST_CHECK enum err name_new(const char *account, int64_t now_ms, const char *extension,
                             struct name *ret);

/* Whether ${text} has exactly the form of a public name. */
bool name_is_file(const char *text);

/* Whether ${text} has exactly the form of a key in the store. */
bool name_is_object(const char *text);

/*
 * Set ${ret} to both forms of ${text}, which must have exactly one of them.  ERR_MALFORMED.
 */
MUST_CHECK enum err name_parse(const char *text, struct name *ret);

/* Whether ${name} is of an image of ${account}. */
bool name_is_of(const struct name *name, const char *account);

/* When ${name} was made, milliseconds since 1970. */
int64_t name_time(const struct name *name);

/* Whether ${text} can be a bucket's name.  The rule completes a sentence that begins with it. */
#define NAME_BUCKET_RULE "must be 3 to 63 of a-z, 0-9, hyphen and dot"
bool name_is_bucket(const char *text);

#endif
