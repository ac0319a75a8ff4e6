#include "format.h"

/*
 * JPEG (ITU-T T.81 = ISO/IEC 10918-1, annex B): markers, each with a segment of stated length, and
 * entropy-coded data after each scan header.  The segments that only say how to decode (tables,
 * application data, comments) are passed over.
 */

enum marker {
	MARKER_STUFFING = 0x00, /* a 0xFF of the entropy-coded data */
	MARKER_SOF0 = 0xC0,     /* frame headers: SOF0..SOF15, but for the next three */
	MARKER_DHT = 0xC4,
	MARKER_JPG = 0xC8, /* reserved */
	MARKER_DAC = 0xCC,
	MARKER_SOF15 = 0xCF,
	MARKER_RST0 = 0xD0,
	MARKER_RST7 = 0xD7,
	MARKER_SOI = 0xD8,
	MARKER_EOI = 0xD9,
	MARKER_SOS = 0xDA,
	MARKER_DNL = 0xDC,
	MARKER_DHP = 0xDE,
	MARKER_FILL = 0xFF,
};

#define COMPONENTS_MAX 4 /* CMYK; T.81 allows 255, decoders do not */

/*
 * Encoders write about ten scans, and at most some hundred would make sense.  Each makes a decoder
 * go over the whole image again, and can be a few bytes.
 */
#define SCANS_MAX 500

/*
 * What phones and cameras put behind the image: further whole images (MPF, gain maps), a maker's
 * notes, a video of three seconds.  None of it is larger than the image itself or than this.
 */
#define TRAILER_MAX ((uint64_t)16 << 20)

struct jpeg {
	struct image image;
	uint8_t marker; /* of the current segment */
	uint16_t len;   /* of the current segment, its own two bytes included */
	uint8_t components;
	uint16_t scans;
	bool hierarchical; /* frames of growing size follow */
	bool in_scan;      /* entropy-coded data may go on after a marker */
};

static image_step marker_prefix, marker, segment;

static bool is_frame(uint8_t code)
{
	return code >= MARKER_SOF0 && code <= MARKER_SOF15 && code != MARKER_DHT &&
	       code != MARKER_JPG && code != MARKER_DAC;
}

static bool is_restart(uint8_t code)
{
	return code >= MARKER_RST0 && code <= MARKER_RST7;
}

/* Whether ${code} may not begin a segment: reserved, or a marker that stands alone. */
static bool is_misplaced(uint8_t code)
{
	return code < MARKER_SOF0 || code == MARKER_JPG || is_restart(code) || code == MARKER_SOI;
}

static enum err start(struct image *image, const uint8_t *field)
{
	if (field[0] != 0xFF || field[1] != MARKER_SOI)
		return image_fail(image, "The JPEG does not begin with its signature.");
	return image_await(image, 1, marker_prefix);
}

/* The next byte that is 0xFF may be a marker. */
static enum err entropy(struct jpeg *jpeg)
{
	jpeg->in_scan = true;
	image_seek(&jpeg->image);
	return image_await(&jpeg->image, 1, marker);
}

static enum err end_mark(struct jpeg *jpeg)
{
	if (jpeg->scans == 0)
		return image_fail(&jpeg->image, "The JPEG holds no image data.");
	uint64_t own = jpeg->image.pos;
	return image_done(&jpeg->image, own > TRAILER_MAX ? own : TRAILER_MAX);
}

static enum err marker_prefix(struct image *image, const uint8_t *field)
{
	if (field[0] != 0xFF)
		return image_fail(image, "The JPEG has stray bytes where a marker is due.");
	return image_await(image, 1, marker);
}

static enum err marker(struct image *image, const uint8_t *field)
{
	struct jpeg *jpeg = (struct jpeg *)image;
	uint8_t code = field[0];

	if (code == MARKER_FILL)
		return image_await(image, 1, marker);
	if (jpeg->in_scan && (code == MARKER_STUFFING || is_restart(code)))
		return entropy(jpeg);
	if (code == MARKER_EOI)
		return end_mark(jpeg);
	if (is_misplaced(code))
		return image_fail(image, "The JPEG has a marker in a wrong place.");
	/* It would change the height after the fact; what shows images ignores it. */
	if (code == MARKER_DNL)
		return image_fail(image, "The JPEG states its height late (DNL).");
	jpeg->in_scan = false;
	jpeg->marker = code;
	return image_await(image, 2, segment);
}

static enum err components(struct image *image, const uint8_t *field)
{
	const struct jpeg *jpeg = (const struct jpeg *)image;
	for (unsigned i = 0; i < jpeg->components; i++) {
		unsigned horizontal = field[3 * i + 1] >> 4;
		unsigned vertical = field[3 * i + 1] & 0x0F;
		if (horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4)
			return image_fail(image, "The JPEG has an impossible sampling factor.");
	}
	return image_await(image, 1, marker_prefix);
}

/* Section B.2.2. */
static enum err frame(struct image *image, const uint8_t *field)
{
	struct jpeg *jpeg = (struct jpeg *)image;
	uint8_t precision = field[0];
	uint16_t height = be16(field + 1);
	uint16_t width = be16(field + 3);

	if (jpeg->components > 0 && !jpeg->hierarchical)
		return image_fail(image, "The JPEG has two frame headers.");
	jpeg->components = field[5];
	if (jpeg->components < 1 || jpeg->components > COMPONENTS_MAX)
		return image_fail(image, "The JPEG has an impossible number of components.");
	if (jpeg->len != 8 + 3 * jpeg->components)
		return image_fail(image, "The JPEG has a frame header of a wrong length.");
	if (precision < 2 || precision > 16)
		return image_fail(image, "The JPEG has an impossible precision.");
	enum err err = image_size(image, width, height);
	if (err != ERR_OK)
		return err;
	return image_await(image, 3 * (size_t)jpeg->components, components);
}

/* Section B.2.3. */
static enum err scan(struct image *image, const uint8_t *field)
{
	struct jpeg *jpeg = (struct jpeg *)image;
	uint8_t count = field[0];

	if (jpeg->components == 0)
		return image_fail(image, "The JPEG has a scan before its frame header.");
	if (count < 1 || count > jpeg->components || jpeg->len != 6 + 2 * count)
		return image_fail(image, "The JPEG has a wrong scan header.");
	if (++jpeg->scans > SCANS_MAX)
		return image_fail(image, "The JPEG has too many scans.");
	image_skip(image, jpeg->len - 3U);
	return entropy(jpeg);
}

static enum err segment(struct image *image, const uint8_t *field)
{
	struct jpeg *jpeg = (struct jpeg *)image;
	jpeg->len = be16(field);
	if (jpeg->len < 2)
		return image_fail(image, "The JPEG has a segment of an impossible length.");
	if (is_frame(jpeg->marker))
		return image_await(image, 6, frame);
	if (jpeg->marker == MARKER_SOS)
		return image_await(image, 1, scan);
	if (jpeg->marker == MARKER_DHP)
		jpeg->hierarchical = true;
	image_skip(image, jpeg->len - 2U);
	return image_await(image, 1, marker_prefix);
}

const struct format jpeg_format = {
    .type = "image/jpeg",
    .extension = "jpg",
    .size = sizeof(struct jpeg),
    .first_len = 2,
    .first = start,
};
