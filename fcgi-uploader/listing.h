#ifndef FCGI_UPLOADER_LISTING_H
#define FCGI_UPLOADER_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "name.h"

/*
 * The answer to ListObjectsV2 (Amazon S3 API Reference): the document ListBucketResult, in XML 1.0.
 * It comes from the store, which is trusted with the images, but not with this process.
 */

#define LISTING_MAX 100 /* objects of one answer: a page of the gallery */

struct listing_entry {
	char object[NAME_MAX_LEN + 1]; /* the key */
	int64_t size;                  /* bytes */
};

struct listing {
	struct listing_entry entries[LISTING_MAX]; /* in the answer's order */
	size_t n;
	size_t foreign; /* objects whose keys are not of our form: counted and left out */
	bool truncated; /* there are more */
};

/*
 * Parse the ${len} bytes of ${xml} into ${ret}.  ERR_MALFORMED if it is not well formed, has a
 * document type (so no entities but XML's own five) or is nested deeply; if it is no
 * ListBucketResult, lacks IsTruncated or has it twice; if an object has not exactly one Key and one
 * Size; if there are more than LISTING_MAX.  ERR_NOMEM.  After an error ${ret} is to be thrown
 * away.
 */
MUST_CHECK enum err listing_parse(const void *xml, size_t len, struct listing *ret);

#endif
