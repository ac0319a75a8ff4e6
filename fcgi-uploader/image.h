#ifndef FCGI_UPLOADER_IMAGE_H
#define FCGI_UPLOADER_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* The formats that are accepted. */
enum image_format { IMAGE_JPEG, IMAGE_PNG, IMAGE_GIF, IMAGE_WEBP, IMAGE_AVIF, IMAGE_FORMAT_COUNT };

/*
 * The structural check of one image that arrives in pieces.  It sees every byte once, keeps a
 * constant amount of state, and never allocates or loops by a number that stands in the file.  The
 * verdict does not depend on how the bytes are cut into pieces.
 *
 * It says that the file has the form of its format from the first byte to the last, and what its
 * size is.  It decodes no pixels: a decoder must still defend itself.
 *
 * What devices write behind an image is accepted: after a JPEG 16 MiB, or as much as the image has
 * (further images, a video); after a PNG or a GIF 64 KiB (notes, padding).
 */
struct image;

/* The media type of ${format} (RFC 6838), such as `image/jpeg`. */
const char *image_type(enum image_format format);

/* The file name extension of ${format} without its dot: jpg, png, gif, webp or avif. */
const char *image_extension(enum image_format format);

/*
 * Begin the check of an image of ${format} with at most ${max_pixels} pixels (width × height, of
 * any frame).  On success *${ret} is the caller's, to be freed with image_free().  ERR_NOMEM.
 * This is the only allocation.
 */
MUST_CHECK enum err image_new(enum image_format format, int64_t max_pixels, struct image **ret);

/*
 * Check the next ${len} bytes.  ERR_MALFORMED if the image breaks its format here, ERR_TOO_LARGE if
 * it has too many pixels; image_why() says more.  Errors stick: after one the rest is not looked at
 * and every call returns it again.
 */
MUST_CHECK enum err image_feed(struct image *image, const void *data, size_t len);

/*
 * The bytes are over: set *${ret_width} and *${ret_height}, in pixels as stored (before a rotation
 * that metadata ask for), if the image is complete and well formed.  ERR_MALFORMED otherwise, or
 * the error of image_feed(); both are untouched then.
 */
MUST_CHECK enum err image_end(struct image *image, uint32_t *ret_width, uint32_t *ret_height);

/* A static sentence on what the error was, for the client; empty if there was none. */
const char *image_why(const struct image *image);

/* Free ${image}, which may be NULL. */
void image_free(struct image *image);

#endif
