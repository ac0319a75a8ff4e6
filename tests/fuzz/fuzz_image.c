#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

/*
 * The first byte chooses the format, the second the length of the pieces that the rest is fed in.
 * The verdict must be that of feeding it whole.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_PIXELS = 100000000 };

struct verdict {
	enum err err;
	const char *why;
	uint32_t width, height;
};

static void must(int condition)
{
	if (!condition)
		abort();
}

static struct verdict judge(enum image_format format, const uint8_t *data, size_t size, size_t step)
{
	struct verdict verdict = {ERR_OK, NULL, 0, 0};
	struct image *image = NULL;

	must(image_new(format, MAX_PIXELS, &image) == ERR_OK);
	for (size_t i = 0; i < size && verdict.err == ERR_OK; i += step)
		verdict.err = image_feed(image, data + i, size - i < step ? size - i : step);
	if (verdict.err == ERR_OK)
		verdict.err = image_end(image, &verdict.width, &verdict.height);
	verdict.why = image_why(image);
	image_free(image);
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	enum image_format format = (enum image_format)(data[0] % IMAGE_FORMAT_COUNT);
	struct verdict whole = judge(format, data + 2, size - 2, size - 2);
	struct verdict split = judge(format, data + 2, size - 2, data[1] + (size_t)1);

	must(whole.err == split.err && whole.why == split.why);
	must(whole.width == split.width && whole.height == split.height);
	if (whole.err == ERR_OK) {
		must(whole.width > 0 && whole.height > 0);
		must((uint64_t)whole.width * whole.height <= MAX_PIXELS);
	} else {
		must(whole.err == ERR_MALFORMED || whole.err == ERR_TOO_LARGE);
		must(whole.why[0] != '\0');
	}
	return 0;
}
