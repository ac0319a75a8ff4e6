#include <string.h>
#include <zlib.h>

#include "format.h"

/*
 * PNG (W3C Portable Network Graphics, third edition, which has APNG): a signature, and chunks of a
 * length, a type, data and a CRC.  Every CRC is verified, so that each changed bit is found; zlib's
 * crc32() is more than twice as fast as a table of ours would be.
 */

#define CHUNK_LEN_MAX ((uint32_t)INT32_MAX) /* section 5.3 */

enum colour {
	COLOUR_GREY = 0,
	COLOUR_RGB = 2,
	COLOUR_PALETTE = 3,
	COLOUR_GREY_ALPHA = 4,
	COLOUR_RGBA = 6,
	COLOUR_COUNT
};

/* The bit depths that each colour type may have, as the sum of them: all are powers of two. */
static const uint8_t depths[COLOUR_COUNT] = {
    [COLOUR_GREY] = 1 | 2 | 4 | 8 | 16, [COLOUR_RGB] = 8 | 16,  [COLOUR_PALETTE] = 1 | 2 | 4 | 8,
    [COLOUR_GREY_ALPHA] = 8 | 16,       [COLOUR_RGBA] = 8 | 16,
};

struct png;

/* What is known of a type of chunk. */
struct chunk {
	char type[5];
	uint32_t min, max;                                       /* bytes of data */
	size_t field;                                            /* bytes that ${read} looks at */
	enum err (*place)(struct png *png);                      /* may it stand here? */
	enum err (*read)(struct png *png, const uint8_t *field); /* its first bytes */
};

struct png {
	struct image image;
	const struct chunk *chunk; /* the current one */
	uint32_t len;              /* bytes of its data */
	uint32_t crc;              /* of its type and data so far */
	uint8_t colour;
	uint32_t frames;
	bool header, palette, animation;   /* these chunks were seen */
	bool data, data_filled, data_over; /* so was image data; some that is not empty; its end */
};

static image_step chunk_head, chunk_field, chunk_crc;

static enum err header_place(struct png *png)
{
	if (png->header)
		return image_fail(&png->image, "The PNG has two headers.");
	png->header = true;
	return ERR_OK;
}

/* Section 11.2.1. */
static enum err header_read(struct png *png, const uint8_t *field)
{
	struct image *image = &png->image;
	uint8_t depth = field[8];
	png->colour = field[9];
	bool known = png->colour < COLOUR_COUNT && (depth & (depth - 1)) == 0 &&
	             (depths[png->colour] & depth) != 0;
	if (!known)
		return image_fail(image, "The PNG has an impossible colour type or depth.");
	if (field[10] != 0 || field[11] != 0 || field[12] > 1)
		return image_fail(
		    image, "The PNG has an unknown compression, filter or interlace method.");
	return image_size(image, be32(field), be32(field + 4));
}

static enum err palette_place(struct png *png)
{
	struct image *image = &png->image;
	if (png->palette || png->data)
		return image_fail(image, "The PNG has a palette in a wrong place.");
	if (png->colour == COLOUR_GREY || png->colour == COLOUR_GREY_ALPHA)
		return image_fail(image, "The PNG is grey and has a palette.");
	if (png->len % 3 != 0)
		return image_fail(image, "The PNG has a palette of a wrong length.");
	png->palette = true;
	return ERR_OK;
}

static enum err data_place(struct png *png)
{
	struct image *image = &png->image;
	if (png->data_over)
		return image_fail(image, "The PNG has something between its image data.");
	if (png->colour == COLOUR_PALETTE && !png->palette)
		return image_fail(image, "The PNG has no palette before its image data.");
	png->data = true;
	png->data_filled |= png->len > 0;
	return ERR_OK;
}

static enum err end_place(struct png *png)
{
	if (!png->data_filled)
		return image_fail(&png->image, "The PNG holds no image data.");
	return ERR_OK;
}

static enum err animation_place(struct png *png)
{
	if (png->animation || png->data)
		return image_fail(&png->image, "The PNG has an animation header in a wrong place.");
	png->animation = true;
	return ERR_OK;
}

static enum err animation_read(struct png *png, const uint8_t *field)
{
	if (be32(field) == 0)
		return image_fail(&png->image, "The PNG is an animation of no frames.");
	return image_frames(&png->image, be32(field));
}

static enum err frame_place(struct png *png)
{
	return image_frames(&png->image, ++png->frames);
}

/* A frame lies within the image: sequence number, width, height, x, y, ... */
static enum err frame_read(struct png *png, const uint8_t *field)
{
	struct image *image = &png->image;
	uint32_t width = be32(field + 4);
	uint32_t height = be32(field + 8);
	uint32_t x = be32(field + 12);
	uint32_t y = be32(field + 16);
	bool inside = width <= image->width && x <= image->width - width &&
	              height <= image->height && y <= image->height - height;
	if (!inside)
		return image_fail(image, "The PNG has a frame outside of the image.");
	return image_pixels(image, width, height);
}

enum { IHDR, PLTE, IDAT, IEND, ACTL, FCTL, CHUNKS };

static const struct chunk chunks[CHUNKS] = {
    [IHDR] = {"IHDR", 13, 13, 13, header_place, header_read},
    [PLTE] = {"PLTE", 3, 768, 0, palette_place, NULL},
    [IDAT] = {"IDAT", 0, CHUNK_LEN_MAX, 0, data_place, NULL},
    [IEND] = {"IEND", 0, 0, 0, end_place, NULL},
    [ACTL] = {"acTL", 8, 8, 8, animation_place, animation_read},
    [FCTL] = {"fcTL", 26, 26, 26, frame_place, frame_read},
};

/* Any other one that may be ignored. */
static const struct chunk ancillary = {"", 0, CHUNK_LEN_MAX, 0, NULL, NULL};

static const struct chunk *chunk_find(const uint8_t *type)
{
	for (size_t i = 0; i < CHUNKS; i++)
		if (memcmp(type, chunks[i].type, 4) == 0)
			return &chunks[i];
	return (type[0] & 0x20) != 0 ? &ancillary : NULL;
}

static bool is_chunk_type(const uint8_t *type)
{
	for (int i = 0; i < 4; i++)
		if ((type[i] | 0x20) < 'a' || (type[i] | 0x20) > 'z')
			return false;
	return true;
}

static void checksum(struct image *image, const uint8_t *data, size_t len)
{
	struct png *png = (struct png *)image;
	png->crc = (uint32_t)crc32_z(png->crc, data, len);
}

/* Section 5.2. */
static enum err signature(struct image *image, const uint8_t *field)
{
	if (memcmp(field, "\x89PNG\r\n\x1a\n", 8) != 0)
		return image_fail(image, "The PNG does not begin with its signature.");
	return image_await(image, 8, chunk_head);
}

static enum err chunk_rest(struct png *png)
{
	image_skip(&png->image, png->len - (uint32_t)png->chunk->field);
	return image_await(&png->image, 4, chunk_crc);
}

static enum err chunk_head(struct image *image, const uint8_t *field)
{
	struct png *png = (struct png *)image;
	const uint8_t *type = field + 4;

	png->len = be32(field);
	png->crc = 0;
	checksum(image, type, 4);
	if (!is_chunk_type(type))
		return image_fail(image, "The PNG has a chunk without a type.");
	png->chunk = chunk_find(type);
	if (png->chunk == NULL)
		return image_fail(image, "The PNG has an unknown chunk that may not be ignored.");
	if (png->len < png->chunk->min || png->len > png->chunk->max)
		return image_fail(image, "The PNG has a chunk of an impossible length.");
	if (!png->header && png->chunk != &chunks[IHDR])
		return image_fail(image, "The PNG has a chunk before its header.");
	png->data_over |= png->data && png->chunk != &chunks[IDAT];

	enum err err = png->chunk->place != NULL ? png->chunk->place(png) : ERR_OK;
	if (err != ERR_OK)
		return err;
	if (png->chunk->field == 0)
		return chunk_rest(png);
	return image_await(image, png->chunk->field, chunk_field);
}

static enum err chunk_field(struct image *image, const uint8_t *field)
{
	struct png *png = (struct png *)image;
	checksum(image, field, png->chunk->field);
	enum err err = png->chunk->read(png, field);
	if (err != ERR_OK)
		return err;
	return chunk_rest(png);
}

static enum err chunk_crc(struct image *image, const uint8_t *field)
{
	const struct png *png = (const struct png *)image;
	if (be32(field) != png->crc)
		return image_fail(image, "The PNG has a chunk with a wrong checksum.");
	if (png->chunk == &chunks[IEND])
		return image_done(image, IMAGE_TRAILER_MAX);
	return image_await(image, 8, chunk_head);
}

const struct format png_format = {
    .type = "image/png",
    .extension = "png",
    .size = sizeof(struct png),
    .first_len = 8,
    .first = signature,
    .over = checksum,
};
