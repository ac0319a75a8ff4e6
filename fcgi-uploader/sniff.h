#ifndef FCGI_UPLOADER_SNIFF_H
#define FCGI_UPLOADER_SNIFF_H

#include <stddef.h>

#include "err.h"
#include "image.h"

#define SNIFF_BYTES    4096 /* what sniff_format() looks at: all that the formats need, at most */
#define SNIFF_TYPE_MAX 64   /* bytes of the text of a type, with its NUL */

/* What libmagic knows.  Not for use by two threads at a time. */
struct sniff;

/*
 * Load the database of libmagic, once per process: it takes milliseconds.  On success *${ret} is
 * the caller's, to be freed with sniff_close().  ERR_NOMEM; ERR_INTERNAL if there is no usable
 * database.
 */
MUST_CHECK enum err sniff_open(struct sniff **ret);

/*
 * Set *${ret_format} to the format of a file that begins with the ${len} bytes of ${data}, of which
 * at most SNIFF_BYTES are looked at; give all of them if the file has so many.  ERR_MEDIA_TYPE if
 * it is none of the accepted ones; ${seen} is then the media type that was found instead, as text
 * of a-z, 0-9 and ./+-, for the client.  ERR_INTERNAL if libmagic fails.
 */
MUST_CHECK enum err sniff_format(struct sniff *sniff, const void *data, size_t len,
                                 enum image_format *ret_format, char seen[SNIFF_TYPE_MAX]);

/* Free ${sniff}, which may be NULL. */
void sniff_close(struct sniff *sniff);

#endif
