#include <string.h>

#include "format.h"

/*
 * WebP (RFC 9649): a RIFF file of chunks.  A simple file is one bitstream; an extended one (VP8X)
 * states its canvas first and holds one bitstream, or frames that hold one each.
 *
 * Profiles, metadata and unknown chunks are passed over, wherever they stand.
 */

enum flag { FLAG_ANIMATION = 0x02 };

struct webp;

/* A chunk that matters: may it stand here, and what is its first field? */
struct chunk {
	char type[5];
	uint32_t min; /* bytes of data, at least those of the field */
	size_t field; /* bytes; 0 to pass over everything */
	enum err (*place)(struct webp *webp);
	image_step *read;
};

struct webp {
	struct image image;
	uint64_t riff_end;  /* offset behind the last chunk */
	uint64_t frame_end; /* offset behind the current frame of an animation; 0 outside of one */
	uint64_t chunk_end; /* offset behind the current chunk and its padding */
	uint32_t len;       /* bytes of data of the current chunk */
	bool started, extended, animation, animation_header;
	uint32_t frames;

	/* The scope, which is the file or the current frame. */
	uint32_t width, height; /* that its bitstream must have; 0 if nothing said so yet */
	bool alpha, bitstream;  /* what it holds so far */
};

static image_step chunk_head;

static enum err next_chunk(struct webp *webp)
{
	image_skip(&webp->image, webp->chunk_end - webp->image.pos);
	return image_await(&webp->image, 8, chunk_head);
}

/* A bitstream stated its size: exactly that of its frame or canvas, if there is one. */
static enum err bitstream_size(struct webp *webp, uint32_t width, uint32_t height)
{
	struct image *image = &webp->image;
	if (!webp->extended) {
		enum err err = image_size(image, width, height);
		if (err != ERR_OK)
			return err;
	} else if (width != webp->width || height != webp->height) {
		return image_fail(image,
		                  "The WebP holds an image that differs in size from its canvas.");
	}
	return next_chunk(webp);
}

/* RFC 6386 section 9.1: a frame tag of 3 bytes, a start code, and the size. */
static enum err lossy_read(struct image *image, const uint8_t *field)
{
	struct webp *webp = (struct webp *)image;
	uint32_t tag = le24(field);
	bool key = (tag & 1) == 0;
	bool known = (tag >> 1 & 7) <= 3;
	bool shown = (tag >> 4 & 1) != 0;
	uint32_t first_partition = tag >> 5;

	if (!key || !known || !shown || memcmp(field + 3, "\x9d\x01\x2a", 3) != 0)
		return image_fail(image, "The WebP holds no VP8 key frame.");
	if (first_partition > webp->len - 10)
		return image_fail(image, "The WebP has a VP8 partition that exceeds its chunk.");
	return bitstream_size(webp, le16(field + 6) & 0x3FFF, le16(field + 8) & 0x3FFF);
}

/* RFC 9649 section 3.4: a signature byte, two sizes of 14 bits, an alpha hint, a version. */
static enum err lossless_read(struct image *image, const uint8_t *field)
{
	uint32_t bits = le32(field + 1);
	if (field[0] != 0x2F || bits >> 29 != 0)
		return image_fail(image, "The WebP holds no VP8L image.");
	return bitstream_size((struct webp *)image, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1);
}

/* RFC 9649 section 2.7: flags, and a canvas. */
static enum err extended_read(struct image *image, const uint8_t *field)
{
	struct webp *webp = (struct webp *)image;
	webp->animation = (field[0] & FLAG_ANIMATION) != 0;
	webp->width = le24(field + 4) + 1;
	webp->height = le24(field + 7) + 1;
	enum err err = image_size(image, webp->width, webp->height);
	if (err != ERR_OK)
		return err;
	return next_chunk(webp);
}

/* RFC 9649 section 2.7.1.1: position (in units of 2), size, duration, flags; then chunks. */
static enum err frame_read(struct image *image, const uint8_t *field)
{
	struct webp *webp = (struct webp *)image;
	uint32_t x = 2 * le24(field);
	uint32_t y = 2 * le24(field + 3);
	webp->width = le24(field + 6) + 1;
	webp->height = le24(field + 9) + 1;
	if (x + webp->width > image->width || y + webp->height > image->height)
		return image_fail(image, "The WebP has a frame outside of its canvas.");
	webp->frame_end = webp->chunk_end;
	webp->alpha = false;
	webp->bitstream = false;
	return image_await(image, 8, chunk_head);
}

static enum err extended_place(struct webp *webp)
{
	if (webp->started)
		return image_fail(&webp->image, "The WebP states its canvas in a wrong place.");
	webp->extended = true;
	return ERR_OK;
}

static enum err bitstream_place(struct webp *webp)
{
	if (webp->bitstream)
		return image_fail(&webp->image, "The WebP has two images where one may be.");
	if (webp->animation && webp->frame_end == 0)
		return image_fail(&webp->image, "The WebP has an image outside of its frames.");
	webp->bitstream = true;
	return ERR_OK;
}

static enum err alpha_place(struct webp *webp)
{
	if (!webp->extended || webp->alpha || webp->bitstream)
		return image_fail(&webp->image, "The WebP has transparency in a wrong place.");
	webp->alpha = true;
	return ERR_OK;
}

static enum err animation_place(struct webp *webp)
{
	if (!webp->animation || webp->animation_header || webp->frame_end != 0)
		return image_fail(&webp->image,
		                  "The WebP has an animation header in a wrong place.");
	webp->animation_header = true;
	return ERR_OK;
}

static enum err frame_place(struct webp *webp)
{
	if (!webp->animation_header || webp->frame_end != 0)
		return image_fail(&webp->image, "The WebP has a frame in a wrong place.");
	return image_frames(&webp->image, ++webp->frames);
}

static const struct chunk chunks[] = {
    {"VP8 ", 10, 10, bitstream_place, lossy_read},   /* lossy */
    {"VP8L", 5, 5, bitstream_place, lossless_read},  /* lossless */
    {"VP8X", 10, 10, extended_place, extended_read}, /* canvas */
    {"ALPH", 1, 0, alpha_place, NULL},               /* transparency of a lossy one */
    {"ANIM", 6, 0, animation_place, NULL},           /* animation header */
    {"ANMF", 24, 16, frame_place, frame_read},       /* frame of an animation */
};

static const struct chunk *chunk_find(const uint8_t *type)
{
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++)
		if (memcmp(type, chunks[i].type, 4) == 0)
			return &chunks[i];
	return NULL;
}

/* If the current frame ends at offset ${pos}, go back to the scope of the file. */
static enum err leave_frame(struct webp *webp, uint64_t pos)
{
	if (webp->frame_end == 0 || pos != webp->frame_end)
		return ERR_OK;
	if (!webp->bitstream)
		return image_fail(&webp->image, "The WebP has a frame without an image.");
	webp->frame_end = 0;
	webp->alpha = false;
	webp->bitstream = false;
	return ERR_OK;
}

/* Section 2.3: where the chunk that ${field} begins ends, which must be within its parent. */
static enum err chunk_bounds(struct webp *webp, const uint8_t *field)
{
	enum err err = leave_frame(webp, webp->image.pos - 8);
	if (err != ERR_OK)
		return err;
	uint64_t parent_end = webp->frame_end != 0 ? webp->frame_end : webp->riff_end;
	webp->len = le32(field + 4);
	webp->chunk_end = webp->image.pos + webp->len + (webp->len & 1);
	if (webp->chunk_end > parent_end)
		return image_fail(&webp->image, "The WebP has a chunk that exceeds what holds it.");
	return ERR_OK;
}

static enum err chunk_head(struct image *image, const uint8_t *field)
{
	struct webp *webp = (struct webp *)image;
	enum err err = chunk_bounds(webp, field);
	if (err != ERR_OK)
		return err;

	const struct chunk *chunk = chunk_find(field);
	bool first = !webp->started;
	if (first && (chunk == NULL || memcmp(chunk->type, "VP8", 3) != 0))
		return image_fail(image, "The WebP does not begin with an image or a canvas.");
	if (chunk == NULL)
		return next_chunk(webp);
	if (webp->len < chunk->min)
		return image_fail(image, "The WebP has a chunk that is too short.");
	err = chunk->place(webp);
	if (err != ERR_OK)
		return err;
	webp->started = true;
	if (chunk->field == 0)
		return next_chunk(webp);
	return image_await(image, chunk->field, chunk->read);
}

/* Section 2.4. */
static enum err riff(struct image *image, const uint8_t *field)
{
	struct webp *webp = (struct webp *)image;
	uint32_t len = le32(field + 4);
	if (memcmp(field, "RIFF", 4) != 0 || memcmp(field + 8, "WEBP", 4) != 0)
		return image_fail(image, "The WebP does not begin with its signature.");
	if (len % 2 != 0)
		return image_fail(image, "The WebP states an odd file size.");
	webp->riff_end = (uint64_t)len + 8;
	return image_await(image, 8, chunk_head);
}

static enum err end(struct image *image)
{
	struct webp *webp = (struct webp *)image;
	if (image->pos > webp->riff_end && webp->started)
		return image_fail(image, "The WebP is longer than it says.");
	if (image->pos < webp->riff_end || !image_between(image))
		return ERR_OK;
	enum err err = leave_frame(webp, image->pos);
	if (err != ERR_OK)
		return err;
	if (!webp->bitstream && webp->frames == 0)
		return image_fail(image, "The WebP holds no image.");
	return image_done(image, 0);
}

const struct format webp_format = {
    .type = "image/webp",
    .extension = "webp",
    .size = sizeof(struct webp),
    .first_len = 12,
    .first = riff,
    .end = end,
};
