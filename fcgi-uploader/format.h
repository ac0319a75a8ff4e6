#ifndef FCGI_UPLOADER_FORMAT_H
#define FCGI_UPLOADER_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "image.h"

/*
 * What image.c and the checks of the formats share; nobody else includes this header.
 *
 * A check is a chain of steps.  Each step looks at one small field of the file and says what comes
 * next: how many bytes to pass over, and how long the next field is.  image_feed() collects the
 * field, however the input is cut into pieces, and calls the step once the field is whole.  Every
 * turn of its loop uses up input, so that no number in a file can make it spin.
 */

#define IMAGE_FIELD_MAX   32                /* bytes; the longest field is 28, of a track in AVIF */
#define IMAGE_FRAMES_MAX  16384             /* of an animation: 27 minutes at 10 a second */
#define IMAGE_TRAILER_MAX ((uint64_t)65536) /* bytes after the end of a PNG or a GIF */

/*
 * Look at the whole ${field} and arrange what comes next.  An error ends the check; it is to come
 * from image_fail() or image_pixels(), which give the reason.
 */
typedef enum err image_step(struct image *image, const uint8_t *field);

/* One format. */
struct format {
	const char *type;      /* the media type */
	const char *extension; /* of a file name, without the dot */
	size_t size;           /* of the check's own struct, whose first member is a struct image */
	size_t first_len;      /* bytes of the first field */
	image_step *first;     /* its step */

	/* See the next ${len} bytes that are passed over.  NULL if nobody cares what they are. */
	void (*over)(struct image *image, const uint8_t *data, size_t len);

	/* The bytes are over: call image_done() if they may be.  NULL for formats with an end mark.
	 */
	enum err (*end)(struct image *image);
};

extern const struct format jpeg_format;
extern const struct format png_format;
extern const struct format gif_format;
extern const struct format webp_format;
extern const struct format avif_format;

/* The state that all checks share; each keeps its own behind it. */
struct image {
	const struct format *format;
	uint64_t max_pixels;
	enum err err;    /* the first error; it sticks */
	const char *why; /* the reason for ${err}, a static sentence */
	uint64_t pos;    /* bytes seen, the current field included */
	uint32_t width, height;
	bool done; /* the end mark was seen: what follows is no part of the image */

	/* What is awaited, in this order. */
	uint64_t skip;     /* bytes to pass over */
	bool seek;         /* pass over all that comes before the next byte 0xFF, and that byte */
	size_t have, want; /* bytes of the field: collected, in all */
	image_step *step;
	uint8_t field[IMAGE_FIELD_MAX];
};

/* Next comes a field of ${want} bytes, 1..IMAGE_FIELD_MAX, for ${step}.  Always ERR_OK. */
enum err image_await(struct image *image, size_t want, image_step *step);

/* Before the next field, pass over ${len} bytes more. */
void image_skip(struct image *image, uint64_t len);

/* Before the next field, pass over everything up to and including the next byte of value 0xFF. */
void image_seek(struct image *image);

/* The image is complete.  At most ${trailer_max} bytes may follow.  Always ERR_OK. */
enum err image_done(struct image *image, uint64_t trailer_max);

/* Whether no field has begun and nothing is left to pass over. */
bool image_between(const struct image *image);

/* Set the reason, a static sentence, and return ERR_MALFORMED. */
MUST_CHECK enum err image_fail(struct image *image, const char *why);

/* ERR_MALFORMED if ${width} or ${height} is 0; ERR_TOO_LARGE if their product is over the limit. */
MUST_CHECK enum err image_pixels(struct image *image, uint32_t width, uint32_t height);

/* image_pixels(), and take these as what image_end() reports. */
MUST_CHECK enum err image_size(struct image *image, uint32_t width, uint32_t height);

/* ERR_MALFORMED if ${frames} are more than an animation may have. */
MUST_CHECK enum err image_frames(struct image *image, uint32_t frames);

/* Integers in a file, most significant byte first (be) or last (le). */

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static inline uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t le24(const uint8_t *p)
{
	return (uint32_t)p[2] << 16 | le16(p);
}

static inline uint32_t le32(const uint8_t *p)
{
	return (uint32_t)le16(p + 2) << 16 | le16(p);
}

#endif
