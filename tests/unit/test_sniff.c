#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "sniff.h"

#define GOOD "tests/vectors/image/good/"

static void assert_refused(const void *data, size_t len, const char *want)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789./+-";
	enum image_format format = IMAGE_FORMAT_COUNT;
	char seen[SNIFF_TYPE_MAX];

	memset(seen, '!', sizeof(seen));
	assert_int_equal(sniff_format(data, len, &format, seen), ERR_MEDIA_TYPE);
	assert_int_equal(format, IMAGE_FORMAT_COUNT);
	assert_non_null(memchr(seen, '\0', sizeof(seen)));
	assert_int_equal(strspn(seen, plain), strlen(seen));
	if (want != NULL)
		assert_string_equal(seen, want);
}

/* A row of bytes and the media type that is seen in them; NULL if any will do. */
#define ROW(bytes, type) {bytes, sizeof(bytes) - 1, type}

static void other_types_are_named(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *type;
	} rows[] = {
	    ROW("", NULL),
	    ROW("x", NULL),
	    ROW("\xff\x0a", NULL), /* the start of a JPEG XL, and of much else */
	    ROW("\xff\xd8", NULL),
	    ROW("<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>", "image/svg+xml"),
	    ROW("<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>",
	        "image/svg+xml"),
	    ROW("<!DOCTYPE html><html><script>alert(1)</script></html>", "text/html"),
	    ROW("%PDF-1.7\n", "application/pdf"),
	    ROW("PK\x03\x04\x14\0\0\0\x08\0", NULL),
	    ROW("II*\0\x08\0\0\0", "image/tiff"),
	    ROW("\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14"
	        "ftypjxl \0\0\0\0jxl ",
	        "image/jxl"),
	    ROW("\0\0\0\x18"
	        "ftypheic\0\0\0\0mif1heic",
	        "image/heic"),
	    ROW("\0\0\0\x18"
	        "ftypmif1\0\0\0\0mif1heic",
	        "image/heif"),
	    ROW("\0\0\0\x14"
	        "ftypmif1\0\0\0\0mif1avif", /* behind the end of the box */
	        "image/heif"),
	    ROW("\0\0\0\x18"
	        "ftypmif1\0\0\0\0mif1avi", /* cut */
	        "image/heif"),
	    ROW("\0\0\0\x18"
	        "ftypmif1",
	        "image/heif"),
	    ROW("\0\0\0\x18"
	        "ftypmp42\0\0\0\0mp42isom",
	        "video/mp4"),
	    ROW("RIFF\x10\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0", NULL),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_refused(rows[i].data, rows[i].len, rows[i].type);
}

/* Nothing that stands behind the first kilobytes has a say. */
static void only_the_beginning_counts(void **state)
{
	static char data[2 * SNIFF_BYTES];
	enum image_format format = IMAGE_FORMAT_COUNT;
	char seen[SNIFF_TYPE_MAX];

	(void)state;
	memset(data, ' ', sizeof(data));
	memcpy(data, "GIF89a\1\0\1\0", 10);
	memcpy(data + SNIFF_BYTES, "<!DOCTYPE html><html>", 21);
	assert_int_equal(sniff_format(data, sizeof(data), &format, seen), ERR_OK);
	assert_int_equal(format, IMAGE_GIF);
}

static void images_are_known(void **state)
{
	DIR *folder = opendir(GOOD);
	const struct dirent *entry = NULL;
	uint8_t data[SNIFF_BYTES];
	char path[300];
	char seen[SNIFF_TYPE_MAX];

	(void)state;
	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		enum image_format format = IMAGE_FORMAT_COUNT;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), GOOD "%s", entry->d_name);
		FILE *stream = fopen(path, "rb");
		assert_non_null(stream);
		size_t len = fread(data, 1, sizeof(data), stream);
		fclose(stream);
		if (sniff_format(data, len, &format, seen) != ERR_OK)
			fail_msg("%s: %s", entry->d_name, seen);
		assert_string_equal(strrchr(entry->d_name, '.') + 1, image_extension(format));
	}
	closedir(folder);
}

/* The gateway's workers have no database but the system's; without one they must not start. */
static void no_database_is_an_error(void **state)
{
	enum image_format format = IMAGE_FORMAT_COUNT;
	char seen[SNIFF_TYPE_MAX];

	(void)state;
	setenv("MAGIC", "/nowhere/magic", 1);
	assert_int_equal(sniff_check(), ERR_INTERNAL);
	assert_int_equal(sniff_format("text", 4, &format, seen), ERR_INTERNAL);
	/* What is accepted does not depend on it. */
	assert_int_equal(sniff_format("GIF89a\1\0\1\0", 10, &format, seen), ERR_OK);
	unsetenv("MAGIC");
	assert_int_equal(sniff_check(), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_database_is_an_error),
	    cmocka_unit_test(other_types_are_named),
	    cmocka_unit_test(only_the_beginning_counts),
	    cmocka_unit_test(images_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
