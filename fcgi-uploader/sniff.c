#include "sniff.h"

#include <magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct sniff {
	magic_t cookie;
};

/*
 * The media types that are accepted, as libmagic says them.  A list of what is allowed, not a rule:
 * `image/...` as a whole would let in SVG, which can hold scripts.
 */
static const struct {
	const char *type;
	enum image_format format;
} allowed[] = {
    {"image/jpeg", IMAGE_JPEG}, {"image/png", IMAGE_PNG},
    {"image/apng", IMAGE_PNG},  {"image/vnd.mozilla.apng", IMAGE_PNG},
    {"image/gif", IMAGE_GIF},   {"image/webp", IMAGE_WEBP},
    {"image/avif", IMAGE_AVIF},
};

/* Parsers for what is no image are left out: of archives, programs, office files. */
#define FLAGS                                                                                      \
	(MAGIC_MIME_TYPE | MAGIC_ERROR | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |            \
	 MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_APPTYPE | MAGIC_NO_CHECK_CSV |   \
	 MAGIC_NO_CHECK_JSON)

enum err sniff_open(struct sniff **ret)
{
	struct sniff *sniff = malloc(sizeof(*sniff));
	if (sniff == NULL)
		return ERR_NOMEM;
	sniff->cookie = magic_open(FLAGS);
	if (sniff->cookie == NULL || magic_load(sniff->cookie, NULL) != 0) {
		sniff_close(sniff);
		return ERR_INTERNAL;
	}
	*ret = sniff;
	return ERR_OK;
}

/*
 * libmagic goes by the major brand of a file of HEIF's family, which may be the general `mif1`.
 * AVIF's own brand among the compatible ones makes it an AVIF (AVIF 1.1 section 6): those are the
 * words from the fifth on, up to the length in the first (ISO/IEC 14496-12 section 4.3).
 */
static bool has_avif_brand(const uint8_t *data, size_t len)
{
	if (len < 16)
		return false;
	size_t box = (size_t)data[2] << 8 | data[3];
	size_t end = box < len ? box : len;
	for (size_t i = 16; i + 4 <= end; i += 4)
		if (memcmp(data + i, "avif", 4) == 0 || memcmp(data + i, "avis", 4) == 0)
			return true;
	return false;
}

/* Copy ${type} to ${seen}, without anything that could mean something to whoever shows it. */
static void copy_type(const char *type, char seen[SNIFF_TYPE_MAX])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789./+-";
	size_t i;
	for (i = 0; i < SNIFF_TYPE_MAX - 1 && type[i] != '\0'; i++)
		seen[i] = strchr(plain, type[i]) != NULL ? type[i] : '-';
	seen[i] = '\0';
}

enum err sniff_format(struct sniff *sniff, const void *data, size_t len,
                      enum image_format *ret_format, char seen[SNIFF_TYPE_MAX])
{
	if (len > SNIFF_BYTES)
		len = SNIFF_BYTES;
	const char *type = magic_buffer(sniff->cookie, data, len);
	if (type == NULL)
		return ERR_INTERNAL;
	if (strcmp(type, "image/heif") == 0 && has_avif_brand(data, len))
		type = "image/avif";
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (strcmp(type, allowed[i].type) == 0) {
			*ret_format = allowed[i].format;
			return ERR_OK;
		}
	}
	copy_type(type, seen);
	return ERR_MEDIA_TYPE;
}

void sniff_close(struct sniff *sniff)
{
	if (sniff == NULL)
		return;
	if (sniff->cookie != NULL)
		magic_close(sniff->cookie);
	free(sniff);
}
