#include <string.h>

#include "format.h"

/*
 * AVIF (AV1 Image File Format 1.1) in its container (HEIF, ISO/IEC 23008-12; ISO base media file
 * format, ISO/IEC 14496-12): boxes within boxes.  A table names those that are opened; all others
 * are passed over.
 *
 * `meta` describes items: what each is (infe), which is the primary one (pitm), where its bytes are
 * in the file (iloc), properties such as a size (ispe), and who has which (ipma).  `moov` describes
 * the tracks of a sequence.
 *
 * Nothing here looks into the AV1 data: that a coded frame has the size that its item states is for
 * decoders to enforce, as with every such file.
 */

#define DEPTH_MAX 8  /* boxes within each other; those of the table reach 7 */
#define SIZES_MAX 16 /* sizes that are remembered; files have about three */

/* A type of box that is opened. */
struct box {
	char parent[5], type[5];
	size_t min, max;  /* bytes of its first field: that must be there, that are of interest */
	image_step *read; /* its step; NULL if boxes follow at once */
};

/* The size that a property states. */
struct size {
	uint32_t property; /* its number, from 1 */
	uint32_t width, height;
};

/* How an `iloc` or `ipma` box is laid out, and the item in it that is being read. */
struct items {
	size_t id_len, property_len; /* bytes of these numbers */
	size_t base_len, index_len, offset_len, length_len;
	bool method;   /* `iloc` states a construction method */
	uint32_t id;   /* the item */
	uint32_t left; /* its extents or properties that are still to come */
	uint64_t base; /* offset that its extents are relative to */
	bool in_file;  /* they are offsets in the file */
};

struct avif {
	struct image image;
	struct {
		const struct box *box;
		uint64_t end; /* offset behind it */
	} open[DEPTH_MAX];
	unsigned depth;
	uint8_t type[4]; /* of the box whose head is being read */

	bool started, brand, meta, track, data, av1;
	bool open_ended;   /* the last box reaches to the end of the file, wherever that is */
	uint64_t data_end; /* offset behind the last byte that an item refers to */

	struct items items;
	uint32_t primary;  /* the primary item */
	uint32_t property; /* the current property */
	struct size sizes[SIZES_MAX];
	size_t sizes_len;
	struct size chosen;  /* of the primary item */
	struct size largest; /* of all items, or of the first track; for want of the former */
};

static image_step box_head;
static enum err brand_next(struct avif *avif);
static enum err extent_next(struct avif *avif);
static enum err association_next(struct avif *avif);

/* Integer of ${len} bytes, at most 8, most significant first. */
static uint64_t be(const uint8_t *p, size_t len)
{
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | p[i];
	return value;
}

static bool is_type(const uint8_t *p, const char *type)
{
	return memcmp(p, type, 4) == 0;
}

/* Offset behind the innermost open box. */
static uint64_t box_end(const struct avif *avif)
{
	return avif->open[avif->depth - 1].end;
}

/* Next comes a field of ${want} bytes of the innermost box. */
static enum err box_await(struct avif *avif, size_t want, image_step *step)
{
	if (box_end(avif) - avif->image.pos < want)
		return image_fail(&avif->image, "The AVIF has a box that is too short.");
	return image_await(&avif->image, want, step);
}

/* Pass over the rest of the innermost box. */
static enum err box_close(struct avif *avif)
{
	image_skip(&avif->image, box_end(avif) - avif->image.pos);
	return image_await(&avif->image, 8, box_head);
}

/* A field of no interest was read, and boxes follow. */
static enum err boxes(struct image *image, const uint8_t *field)
{
	(void)field;
	return image_await(image, 8, box_head);
}

/* ISO/IEC 14496-12 section 4.3: brands, one of which must be AVIF's. */
static enum err brand(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	avif->brand |= is_type(field, "avif") || is_type(field, "avis");
	return brand_next(avif);
}

static enum err brand_next(struct avif *avif)
{
	if (avif->image.pos < box_end(avif))
		return box_await(avif, 4, brand);
	if (!avif->brand)
		return image_fail(&avif->image, "The file is of AVIF's family and no AVIF.");
	return image_await(&avif->image, 8, box_head);
}

static enum err meta(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	if (avif->meta)
		return image_fail(image, "The AVIF describes its items twice.");
	avif->meta = true;
	return boxes(image, field);
}

/* ISO/IEC 14496-12 section 8.11.4. */
static enum err primary_item(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	avif->primary = (uint32_t)be(field + 4, field[0] == 0 ? 2 : image->want - 4);
	return box_close(avif);
}

/* Section 8.11.6: the box holds a count, of 2 or 4 bytes, before the items' own boxes. */
static enum err item_infos(struct image *image, const uint8_t *field)
{
	if (field[0] == 0)
		return boxes(image, field);
	return box_await((struct avif *)image, 2, boxes);
}

static enum err item_info(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	size_t type = field[0] < 3 ? 8 : 10;
	if (field[0] >= 2 && image->want >= type + 4)
		avif->av1 |= is_type(field + type, "av01");
	return box_close(avif);
}

/* Bytes up to offset ${base} + ${offset} + ${length} are referred to. */
static enum err refer(struct avif *avif, uint64_t base, uint64_t offset, uint64_t length)
{
	uint64_t end;
	if (__builtin_add_overflow(base, offset, &end) || __builtin_add_overflow(end, length, &end))
		return image_fail(&avif->image, "The AVIF has an item at an impossible place.");
	if (avif->items.in_file && end > avif->data_end)
		avif->data_end = end;
	return ERR_OK;
}

static enum err extent(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	struct items *items = &avif->items;
	const uint8_t *offset = field + items->index_len;
	const uint8_t *length = offset + items->offset_len;
	enum err err =
	    refer(avif, items->base, be(offset, items->offset_len), be(length, items->length_len));
	if (err != ERR_OK)
		return err;
	items->left--;
	return extent_next(avif);
}

static enum err location(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	struct items *items = &avif->items;
	const uint8_t *p = field + items->id_len;
	items->in_file = true;
	if (items->method) {
		items->in_file = (be16(p) & 0x0F) == 0;
		p += 2;
	}
	p += 2; /* data reference: other files are not followed */
	items->base = be(p, items->base_len);
	items->left = be16(p + items->base_len);
	return extent_next(avif);
}

static enum err location_next(struct avif *avif)
{
	const struct items *items = &avif->items;
	if (avif->image.pos == box_end(avif))
		return box_close(avif);
	size_t method_len = items->method ? 2 : 0;
	return box_await(avif, items->id_len + method_len + 2 + items->base_len + 2, location);
}

static enum err extent_next(struct avif *avif)
{
	const struct items *items = &avif->items;
	size_t len = items->index_len + items->offset_len + items->length_len;
	if (items->left == 0 || len == 0)
		return location_next(avif);
	return box_await(avif, len, extent);
}

static enum err location_first(struct image *image, const uint8_t *field)
{
	(void)field;
	return location_next((struct avif *)image);
}

/* Whether a number in `iloc` may have ${len} bytes. */
static bool is_number_len(size_t len)
{
	return len == 0 || len == 4 || len == 8;
}

/* Section 8.11.3: for each item where its extents are. */
static enum err locations(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	struct items *items = &avif->items;
	uint8_t version = field[0];
	items->id_len = version < 2 ? 2 : 4;
	items->method = version > 0;
	items->offset_len = field[4] >> 4;
	items->length_len = field[4] & 0x0F;
	items->base_len = field[5] >> 4;
	items->index_len = version > 0 ? field[5] & 0x0F : 0;
	if (version > 2 || !is_number_len(items->offset_len) || !is_number_len(items->length_len) ||
	    !is_number_len(items->base_len) || !is_number_len(items->index_len))
		return image_fail(image, "The AVIF says in an unknown way where its items are.");
	/* Next is the count of items, as long as an id.  It is of no use: they end with the box. */
	return box_await(avif, items->id_len, location_first);
}

/* HEIF (ISO/IEC 23008-12) section 6.5.3. */
static enum err spatial_extents(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	struct size size = {avif->property, be32(field + 4), be32(field + 8)};
	enum err err = image_pixels(image, size.width, size.height);
	if (err != ERR_OK)
		return err;
	if ((uint64_t)size.width * size.height >
	    (uint64_t)avif->largest.width * avif->largest.height)
		avif->largest = size;
	if (avif->sizes_len < SIZES_MAX)
		avif->sizes[avif->sizes_len++] = size;
	return box_close(avif);
}

/* The primary item has ${property}: if that is a size, it is the image's. */
static void choose(struct avif *avif, uint32_t property)
{
	for (size_t i = 0; i < avif->sizes_len; i++)
		if (avif->sizes[i].property == property)
			avif->chosen = avif->sizes[i];
}

static enum err association(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	struct items *items = &avif->items;
	uint32_t essential = items->property_len == 1 ? 0x80 : 0x8000;
	if (items->id == avif->primary)
		choose(avif, (uint32_t)be(field, items->property_len) & ~essential);
	items->left--;
	return association_next(avif);
}

static enum err associated_item(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	struct items *items = &avif->items;
	items->id = (uint32_t)be(field, items->id_len);
	items->left = field[items->id_len];
	return association_next(avif);
}

static enum err association_next(struct avif *avif)
{
	const struct items *items = &avif->items;
	if (items->left > 0)
		return box_await(avif, items->property_len, association);
	if (avif->image.pos == box_end(avif))
		return box_close(avif);
	return box_await(avif, items->id_len + 1, associated_item);
}

/* HEIF section 9.3.1: for each item the numbers of its properties. */
static enum err associations(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	avif->items.id_len = field[0] == 0 ? 2 : 4;
	avif->items.property_len = (field[3] & 1) == 0 ? 1 : 2;
	avif->items.left = 0;
	return association_next(avif);
}

/* ISO/IEC 14496-12 section 12.1.3: a sample entry, with the size of its track. */
static enum err sample_entry(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	struct size size = {0, be16(field + 24), be16(field + 26)};
	avif->track = true;
	avif->av1 = true;
	if (avif->largest.width == 0)
		avif->largest = size;
	enum err err = image_pixels(image, size.width, size.height);
	if (err != ERR_OK)
		return err;
	return box_close(avif);
}

/* Section 8.7.3.2: the number of samples of a track. */
static enum err sample_sizes(struct image *image, const uint8_t *field)
{
	enum err err = image_frames(image, be32(field + 8));
	if (err != ERR_OK)
		return err;
	return box_close((struct avif *)image);
}

static const struct box table[] = {
    {"", "ftyp", 8, 8, brand},
    {"", "meta", 4, 4, meta},
    {"meta", "pitm", 6, 8, primary_item},
    {"meta", "iinf", 6, 6, item_infos},
    {"iinf", "infe", 12, 14, item_info},
    {"meta", "iloc", 6, 6, locations},
    {"meta", "iprp", 0, 0, NULL},
    {"iprp", "ipco", 0, 0, NULL},
    {"ipco", "ispe", 12, 12, spatial_extents},
    {"iprp", "ipma", 8, 8, associations},
    {"", "moov", 0, 0, NULL},
    {"moov", "trak", 0, 0, NULL},
    {"trak", "mdia", 0, 0, NULL},
    {"mdia", "minf", 0, 0, NULL},
    {"minf", "stbl", 0, 0, NULL},
    {"stbl", "stsd", 8, 8, boxes},
    {"stsd", "av01", 28, 28, sample_entry},
    {"stbl", "stsz", 12, 12, sample_sizes},
};

/* The type of the innermost open box; an empty one outside of all. */
static const char *parent_type(const struct avif *avif)
{
	return avif->depth > 0 ? avif->open[avif->depth - 1].box->type : "";
}

static const struct box *box_find(const struct avif *avif)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (is_type(avif->type, table[i].type) &&
		    strcmp(parent_type(avif), table[i].parent) == 0)
			return &table[i];
	return NULL;
}

/* Forget the open boxes that end at offset ${pos}. */
static void boxes_leave(struct avif *avif, uint64_t pos)
{
	while (avif->depth > 0 && box_end(avif) == pos)
		avif->depth--;
}

/* Enter a box of the type that was read, with ${len} bytes after its head. */
static enum err box_enter(struct avif *avif, uint64_t len)
{
	struct image *image = &avif->image;
	const struct box *box = box_find(avif);

	avif->data |= is_type(avif->type, "mdat") || is_type(avif->type, "idat");
	if (strcmp(parent_type(avif), "ipco") == 0)
		avif->property++;
	if (box == NULL) {
		image_skip(image, len);
		return image_await(image, 8, box_head);
	}
	if (len < box->min || avif->depth == DEPTH_MAX)
		return image_fail(image, "The AVIF has a box that is too short.");
	avif->open[avif->depth].box = box;
	avif->open[avif->depth].end = image->pos + len;
	avif->depth++;
	if (box->read == NULL)
		return image_await(image, 8, box_head);
	return image_await(image, len < box->max ? (size_t)len : box->max, box->read);
}

/* A box of ${size} bytes, ${head} of which were its head, must lie within its parent. */
static enum err box_bounds(struct avif *avif, uint64_t size, uint64_t head)
{
	uint64_t end = avif->depth > 0 ? box_end(avif) : UINT64_MAX;
	uint64_t pos = avif->image.pos;
	if (size < head || pos > end || size - head > end - pos)
		return image_fail(&avif->image, "The AVIF has a box of an impossible size.");
	return box_enter(avif, size - head);
}

static enum err box_large(struct image *image, const uint8_t *field)
{
	return box_bounds((struct avif *)image, be(field, 8), 16);
}

/*
 * A box of size 0 reaches to the end of the file.  That is taken for the image data, where the
 * items tell whether the file was cut, and not for the samples of tracks, where nothing would.
 */
static enum err box_open_ended(struct avif *avif)
{
	if (avif->depth > 0 || avif->track || !is_type(avif->type, "mdat"))
		return image_fail(&avif->image, "The AVIF has a box of no stated size.");
	avif->open_ended = true;
	return box_enter(avif, UINT64_MAX - avif->image.pos);
}

/* ISO/IEC 14496-12 section 4.2. */
static enum err box_head(struct image *image, const uint8_t *field)
{
	struct avif *avif = (struct avif *)image;
	uint32_t size = be32(field);

	boxes_leave(avif, image->pos - 8);
	memcpy(avif->type, field + 4, sizeof(avif->type));
	if (!avif->started && !is_type(avif->type, "ftyp"))
		return image_fail(image, "The AVIF does not begin with its file type.");
	avif->started = true;
	if (size == 0)
		return box_open_ended(avif);
	if (size == 1)
		return image_await(image, 8, box_large);
	return box_bounds(avif, size, 8);
}

/* Whether the file may end here: at the end of a box that is in no other. */
static bool at_end(struct avif *avif)
{
	if (avif->open_ended)
		return true;
	boxes_leave(avif, avif->image.pos);
	return avif->depth == 0 && image_between(&avif->image) && avif->image.step == box_head;
}

static enum err end(struct image *image)
{
	struct avif *avif = (struct avif *)image;
	if (!at_end(avif) || !avif->data || avif->data_end > image->pos)
		return ERR_OK;
	if (!avif->av1)
		return image_fail(image, "The AVIF holds no AV1 image.");
	const struct size *size = avif->chosen.width > 0 ? &avif->chosen : &avif->largest;
	enum err err = image_size(image, size->width, size->height);
	if (err != ERR_OK)
		return err;
	return image_done(image, 0);
}

const struct format avif_format = {
    .type = "image/avif",
    .extension = "avif",
    .size = sizeof(struct avif),
    .first_len = 8,
    .first = box_head,
    .end = end,
};
