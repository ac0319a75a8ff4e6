#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "format.h"

static const struct format *const formats[IMAGE_FORMAT_COUNT] = {
    [IMAGE_JPEG] = &jpeg_format, [IMAGE_PNG] = &png_format,   [IMAGE_GIF] = &gif_format,
    [IMAGE_WEBP] = &webp_format, [IMAGE_AVIF] = &avif_format,
};

const char *image_type(enum image_format format)
{
	return formats[format]->type;
}

const char *image_extension(enum image_format format)
{
	return formats[format]->extension;
}

enum err image_new(enum image_format format, int64_t max_pixels, struct image **ret)
{
	struct image *image = calloc(1, formats[format]->size);
	if (image == NULL)
		return ERR_NOMEM;
	image->format = formats[format];
	image->max_pixels = max_pixels > 0 ? (uint64_t)max_pixels : 0;
	image->why = "";
	image_await(image, image->format->first_len, image->format->first);
	*ret = image;
	return ERR_OK;
}

/* Pass over some of the bytes to be skipped.  Returns how many. */
static size_t pass(struct image *image, const uint8_t *data, size_t len)
{
	size_t n = len < image->skip ? len : (size_t)image->skip;
	if (image->format->over != NULL)
		image->format->over(image, data, n);
	image->skip -= n;
	image->pos += n;
	return n;
}

/* Pass over everything up to and including a byte 0xFF.  Returns how many bytes that were. */
static size_t seek(struct image *image, const uint8_t *data, size_t len)
{
	const uint8_t *found = memchr(data, 0xFF, len);
	size_t n = found != NULL ? (size_t)(found - data) + 1 : len;
	image->seek = found == NULL;
	image->pos += n;
	return n;
}

/* Collect bytes of the field; when it is whole, take the step.  Returns how many bytes were used.
 */
static size_t collect(struct image *image, const uint8_t *data, size_t len)
{
	size_t missing = image->want - image->have;
	size_t n = len < missing ? len : missing;
	memcpy(image->field + image->have, data, n);
	image->have += n;
	image->pos += n;
	if (n == missing) {
		image->have = 0;
		image->err = image->step(image, image->field);
	}
	return n;
}

enum err image_feed(struct image *image, const void *data, size_t len)
{
	const uint8_t *next = data;
	while (len > 0 && image->err == ERR_OK) {
		size_t n;
		if (image->skip > 0)
			n = pass(image, next, len);
		else if (image->seek)
			n = seek(image, next, len);
		else
			n = collect(image, next, len);
		next += n;
		len -= n;
	}
	return image->err;
}

enum err image_end(struct image *image, uint32_t *ret_width, uint32_t *ret_height)
{
	if (image->err == ERR_OK && image->format->end != NULL)
		image->err = image->format->end(image);
	if (image->err == ERR_OK && !image->done)
		image->err = image_fail(image, "The file ends before the image is complete.");
	if (image->err != ERR_OK)
		return image->err;
	*ret_width = image->width;
	*ret_height = image->height;
	return ERR_OK;
}

const char *image_why(const struct image *image)
{
	return image->why;
}

void image_free(struct image *image)
{
	free(image);
}

enum err image_await(struct image *image, size_t want, image_step *step)
{
	image->want = want;
	image->step = step;
	return ERR_OK;
}

void image_skip(struct image *image, uint64_t len)
{
	image->skip = len;
}

void image_seek(struct image *image)
{
	image->seek = true;
}

static enum err after_trailer(struct image *image, const uint8_t *field)
{
	(void)field;
	return image_fail(image, "Too many bytes follow the end of the image.");
}

enum err image_done(struct image *image, uint64_t trailer_max)
{
	image->done = true;
	image_skip(image, trailer_max);
	return image_await(image, 1, after_trailer);
}

bool image_between(const struct image *image)
{
	return image->skip == 0 && image->have == 0;
}

enum err image_fail(struct image *image, const char *why)
{
	image->why = why;
	return ERR_MALFORMED;
}

enum err image_pixels(struct image *image, uint32_t width, uint32_t height)
{
	if (width == 0 || height == 0)
		return image_fail(image, "The image has no width or no height.");
	if ((uint64_t)width * height > image->max_pixels) {
		image->why = "The image has more pixels than are accepted.";
		return ERR_TOO_LARGE;
	}
	return ERR_OK;
}

enum err image_size(struct image *image, uint32_t width, uint32_t height)
{
	image->width = width;
	image->height = height;
	return image_pixels(image, width, height);
}

enum err image_frames(struct image *image, uint32_t frames)
{
	if (frames > IMAGE_FRAMES_MAX)
		return image_fail(image, "The animation has too many frames.");
	return ERR_OK;
}
