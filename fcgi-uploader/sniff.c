#include "sniff.h"

#include <magic.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Parsers for what is no image are left out: of archives, programs, office files. */
#define FLAGS                                                                                      \
	(MAGIC_MIME_TYPE | MAGIC_ERROR | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |            \
	 MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_APPTYPE | MAGIC_NO_CHECK_CSV |   \
	 MAGIC_NO_CHECK_JSON)

/* Load libmagic; on success *${ret} is the caller's, for magic_close(). */
static enum err load(magic_t *ret)
{
	magic_t cookie = magic_open(FLAGS);

	if (cookie == NULL)
		return ERR_NOMEM;
	if (magic_load(cookie, NULL) != 0) {
		magic_close(cookie);
		return ERR_INTERNAL;
	}
	*ret = cookie;
	return ERR_OK;
}

enum err sniff_check(void)
{
	magic_t cookie = NULL;
	enum err err = load(&cookie);

	if (err == ERR_OK)
		magic_close(cookie);
	return err;
}

/* Copy ${type} to ${seen}, without anything that could mean something to whoever shows it. */
static void copy_type(const char *type, char seen[SNIFF_TYPE_MAX])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789./+-";
	size_t i;

	for (i = 0; i < SNIFF_TYPE_MAX - 1 && type[i] != '\0'; i++) {
		seen[i] = '-';
		if (strchr(plain, type[i]) != NULL)
			seen[i] = type[i];
	}
	seen[i] = '\0';
}

/* Put into ${seen} what libmagic says that the bytes are. */
static enum err name_type(const void *data, size_t len, char seen[SNIFF_TYPE_MAX])
{
	magic_t cookie = NULL;
	const char *type = NULL;
	enum err err = load(&cookie);

	if (err != ERR_OK)
		return err;
	type = magic_buffer(cookie, data, len);
	if (type != NULL)
		copy_type(type, seen);
	magic_close(cookie);
	/* What it allocated would otherwise stay with the process. */
	(void)malloc_trim(0);
	return type == NULL ? ERR_INTERNAL : ERR_OK;
}

static bool begins(const uint8_t *data, size_t len, const char *signature, size_t signature_len)
{
	return len >= signature_len && memcmp(data, signature, signature_len) == 0;
}

#define BEGINS(data, len, signature) begins(data, len, signature, sizeof(signature) - 1)

/*
 * Whether the file is an AVIF: AVIF's own brand for images or sequences is the major one, or among
 * the compatible ones if the major one is general (AVIF 1.1 section 6, HEIF section 10).  Those
 * are the words from the fifth on, up to the length in the first (ISO/IEC 14496-12 section 4.3).
 */
static bool is_avif(const uint8_t *data, size_t len)
{
	size_t box = 0;

	if (len < 16 || memcmp(data + 4, "ftyp", 4) != 0)
		return false;
	if (memcmp(data + 8, "avif", 4) == 0 || memcmp(data + 8, "avis", 4) == 0)
		return true;
	if (memcmp(data + 8, "mif1", 4) != 0 && memcmp(data + 8, "msf1", 4) != 0)
		return false;
	box = (size_t)data[2] << 8 | data[3];
	if (box > len)
		box = len;
	for (size_t i = 16; i + 4 <= box; i += 4)
		if (memcmp(data + i, "avif", 4) == 0 || memcmp(data + i, "avis", 4) == 0)
			return true;
	return false;
}

/*
 * Find the accepted format whose signature the file begins with.  Whether it is more than a
 * signature is for the structural check of that format to say (image.h).
 */
static bool find_format(const uint8_t *data, size_t len, enum image_format *ret)
{
	if (BEGINS(data, len, "\xff\xd8\xff"))
		*ret = IMAGE_JPEG;
	else if (BEGINS(data, len, "\x89PNG\r\n\x1a\n"))
		*ret = IMAGE_PNG;
	else if (BEGINS(data, len, "GIF8"))
		*ret = IMAGE_GIF;
	else if (len >= 12 && BEGINS(data, len, "RIFF") && memcmp(data + 8, "WEBP", 4) == 0)
		*ret = IMAGE_WEBP;
	else if (is_avif(data, len))
		*ret = IMAGE_AVIF;
	else
		return false;
	return true;
}

enum err sniff_format(const void *data, size_t len, enum image_format *ret_format,
                      char seen[SNIFF_TYPE_MAX])
{
	enum err err = ERR_OK;

	if (len > SNIFF_BYTES)
		len = SNIFF_BYTES;
	if (find_format(data, len, ret_format))
		return ERR_OK;
	err = name_type(data, len, seen);
	return err == ERR_OK ? ERR_MEDIA_TYPE : err;
}
