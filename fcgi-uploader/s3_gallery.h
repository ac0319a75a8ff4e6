#ifndef FCGI_UPLOADER_S3_GALLERY_H
#define FCGI_UPLOADER_S3_GALLERY_H

#include "s3.h"
#include "store.h"

/*
 * The store as the gallery's handlers see it, by ListObjectsV2 and DeleteObject; ${s3} is borrowed.
 * A listing is believed only if it is what was asked for: of this prefix, in order, after the name
 * that was given, and not longer.
 */
struct store_gallery s3_gallery_store(struct s3 *s3);

#endif
