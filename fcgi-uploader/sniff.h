#ifndef FCGI_UPLOADER_SNIFF_H
#define FCGI_UPLOADER_SNIFF_H

#include <stddef.h>

#include "err.h"
#include "image.h"

#define SNIFF_BYTES    4096 /* what sniff_format() looks at: all that the formats need, at most */
#define SNIFF_TYPE_MAX 64   /* bytes of the text of a type, with its NUL */

/*
 * Whether libmagic has a database to name other types with.  ERR_NOMEM; ERR_INTERNAL if it has no
 * usable one.
 */
MUST_CHECK enum err sniff_check(void);

/*
 * Set *${ret_format} to the format of a file that begins with the ${len} bytes of ${data}, of which
 * at most SNIFF_BYTES are looked at; give all of them if the file has so many.  ERR_MEDIA_TYPE if
 * it has the signature of none of the accepted ones; ${seen} is then the media type that libmagic
 * finds instead, as text of a-z, 0-9 and ./+-, for the client.  ERR_NOMEM and ERR_INTERNAL if
 * libmagic fails.
 *
 * libmagic is loaded for each file that it has to name, which takes milliseconds, and then put
 * away: naming touches most of its database, some 10 MB that would stay resident.
 */
MUST_CHECK enum err sniff_format(const void *data, size_t len, enum image_format *ret_format,
                                 char seen[SNIFF_TYPE_MAX]);

#endif
