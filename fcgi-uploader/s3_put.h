#ifndef FCGI_UPLOADER_S3_PUT_H
#define FCGI_UPLOADER_S3_PUT_H

#include "s3.h"
#include "store.h"

/*
 * The store as the upload handler sees it; ${s3} is borrowed.
 *
 * An object is made by one PutObject with `If-None-Match: *`, in a body of known length that the
 * store checks before it commits.  It counts as made when the answer was 200 with an entity tag
 * and, where the body had a checksum, with the same checksum.
 */
struct store s3_put_store(struct s3 *s3);

#endif
