#include <string.h>

#include "format.h"

/*
 * GIF (CompuServe GIF87a and GIF89a): a logical screen, then blocks, each with a chain of
 * sub-blocks of up to 255 bytes that an empty one ends, then a trailer byte.
 */

enum {
	BLOCK_EXTENSION = 0x21,
	BLOCK_IMAGE = 0x2C,
	BLOCK_TRAILER = 0x3B,
	COLOUR_TABLE = 0x80, /* flag: a colour table follows */
	CODE_SIZE_MAX = 11,  /* bits of a colour: codes have at most 12 */
};

struct gif {
	struct image image;
	uint32_t frames;
};

static image_step block, descriptor, code_size, sub_block;

/* Pass over the colour table that ${flags} announce: 2 to 256 colours of three bytes. */
static void colour_table(struct image *image, uint8_t flags)
{
	if ((flags & COLOUR_TABLE) != 0)
		image_skip(image, (uint64_t)3 << ((flags & 0x07) + 1));
}

/* Sections 17 and 18. */
static enum err screen(struct image *image, const uint8_t *field)
{
	if (memcmp(field, "GIF87a", 6) != 0 && memcmp(field, "GIF89a", 6) != 0)
		return image_fail(image, "The GIF does not begin with its signature.");
	enum err err = image_size(image, le16(field + 6), le16(field + 8));
	if (err != ERR_OK)
		return err;
	colour_table(image, field[10]);
	return image_await(image, 1, block);
}

static enum err block(struct image *image, const uint8_t *field)
{
	const struct gif *gif = (const struct gif *)image;
	if (field[0] == BLOCK_IMAGE)
		return image_await(image, 9, descriptor);
	if (field[0] == BLOCK_EXTENSION) {
		image_skip(image, 1);
		return image_await(image, 1, sub_block);
	}
	if (field[0] != BLOCK_TRAILER)
		return image_fail(image, "The GIF has stray bytes between its blocks.");
	if (gif->frames == 0)
		return image_fail(image, "The GIF holds no image.");
	return image_done(image, IMAGE_TRAILER_MAX);
}

/*
 * Section 20.  Real encoders make frames that exceed the screen, and decoders enlarge it: what
 * counts is how far a frame reaches.
 */
static enum err descriptor(struct image *image, const uint8_t *field)
{
	struct gif *gif = (struct gif *)image;
	uint32_t left = le16(field);
	uint32_t top = le16(field + 2);
	uint32_t width = le16(field + 4);
	uint32_t height = le16(field + 6);

	if (width == 0 || height == 0)
		return image_fail(image, "The GIF has a frame without width or height.");
	enum err err = image_pixels(image, left + width, top + height);
	if (err == ERR_OK)
		err = image_frames(image, ++gif->frames);
	if (err != ERR_OK)
		return err;
	colour_table(image, field[8]);
	return image_await(image, 1, code_size);
}

/* Section 22. */
static enum err code_size(struct image *image, const uint8_t *field)
{
	if (field[0] < 1 || field[0] > CODE_SIZE_MAX)
		return image_fail(image, "The GIF has an impossible code size.");
	return image_await(image, 1, sub_block);
}

static enum err sub_block(struct image *image, const uint8_t *field)
{
	if (field[0] == 0)
		return image_await(image, 1, block);
	image_skip(image, field[0]);
	return image_await(image, 1, sub_block);
}

const struct format gif_format = {
    .type = "image/gif",
    .extension = "gif",
    .size = sizeof(struct gif),
    .first_len = 13,
    .first = screen,
};
