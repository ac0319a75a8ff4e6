#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "image.h"

/* The vectors are described in tests/vectors/image/make. */
#define GOOD "tests/vectors/image/good/"
#define BAD  "tests/vectors/image/bad/"

#define MAX_PIXELS 100000000
#define FRAMES_MAX 16384              /* see format.h */
#define TRAILER    65536              /* of a PNG or a GIF */
#define PHOTO      (16 * 1024 * 1024) /* of a JPEG */

static const char too_large[] = "The image has more pixels than are accepted.";

struct file {
	char name[64];
	enum image_format format;
	uint8_t *data;
	size_t len;
};

struct verdict {
	enum err err;
	char why[100];
	uint32_t width, height;
};

static enum image_format format_of(const char *name)
{
	const char *extension = strrchr(name, '.') + 1;
	int format = 0;

	while (strcmp(extension, image_extension((enum image_format)format)) != 0)
		assert_int_not_equal(++format, IMAGE_FORMAT_COUNT);
	return (enum image_format)format;
}

static struct file load(const char *folder, const char *name)
{
	struct file file = {.format = format_of(name)};
	char path[200];
	FILE *stream = NULL;

	snprintf(file.name, sizeof(file.name), "%s", name);
	snprintf(path, sizeof(path), "%s%s", folder, name);
	stream = fopen(path, "rb");
	assert_non_null(stream);
	file.data = malloc(65536);
	assert_non_null(file.data);
	file.len = fread(file.data, 1, 65536, stream);
	assert_true(file.len > 0 && file.len < 65536);
	fclose(stream);
	return file;
}

static struct image *begin(enum image_format format, int64_t max_pixels)
{
	struct image *image = NULL;

	assert_int_equal(image_new(format, max_pixels, &image), ERR_OK);
	assert_non_null(image);
	return image;
}

static struct verdict end(struct image *image)
{
	struct verdict verdict = {0};

	verdict.err = image_end(image, &verdict.width, &verdict.height);
	snprintf(verdict.why, sizeof(verdict.why), "%s", image_why(image));
	image_free(image);
	return verdict;
}

/* The verdict on ${len} bytes, fed in a first piece of ${first} and others of at most ${step}. */
static struct verdict judge(enum image_format format, const uint8_t *data, size_t len, size_t first,
                            size_t step)
{
	struct image *image = begin(format, MAX_PIXELS);
	size_t n = first;

	for (size_t i = 0; i < len; i += n, n = step) {
		if (n > len - i)
			n = len - i;
		if (image_feed(image, data + i, n) != ERR_OK)
			break;
	}
	return end(image);
}

static void assert_same(const struct file *file, struct verdict a, struct verdict b)
{
	if (a.err != b.err || strcmp(a.why, b.why) != 0 || a.width != b.width ||
	    a.height != b.height)
		fail_msg("%s depends on the split: %d \"%s\", %d \"%s\"", file->name, a.err, a.why,
		         b.err, b.why);
}

/* The verdict on ${file}, which is the same for every split in two and byte by byte. */
static struct verdict judge_split(const struct file *file)
{
	struct verdict whole = judge(file->format, file->data, file->len, file->len, file->len);

	assert_same(file, whole, judge(file->format, file->data, file->len, 1, 1));
	for (size_t i = 1; i < file->len; i++)
		assert_same(file, whole, judge(file->format, file->data, file->len, i, file->len));
	return whole;
}

static void each_good(void (*visit)(const struct file *file))
{
	DIR *folder = opendir(GOOD);
	const struct dirent *entry = NULL;
	int count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		struct file file = load(GOOD, entry->d_name);
		visit(&file);
		free(file.data);
		count++;
	}
	closedir(folder);
	assert_true(count > 50);
}

static bool has_trailer(const struct file *file)
{
	return strstr(file->name, "trailer") != NULL;
}

/* Each line of the list names a file and the reason for which it is refused. */
static void bad_files_are_refused_for_their_reason(void **state)
{
	FILE *list = fopen(BAD "reasons", "r");
	char line[200];
	int count = 0;

	(void)state;
	assert_non_null(list);
	while (fgets(line, sizeof(line), list) != NULL) {
		char *why = strstr(line, ": ");
		assert_non_null(why);
		*why = '\0';
		why += 2;
		why[strcspn(why, "\n")] = '\0';
		struct file file = load(BAD, line);
		struct verdict verdict = judge_split(&file);
		if (verdict.err != (strcmp(why, too_large) == 0 ? ERR_TOO_LARGE : ERR_MALFORMED) ||
		    strcmp(verdict.why, why) != 0)
			fail_msg("%s: %d \"%s\"", file.name, verdict.err, verdict.why);
		free(file.data);
		count++;
	}
	fclose(list);
	assert_true(count > 150);
}

static void refuse_cuts(const struct file *file)
{
	for (size_t len = 0; len < file->len && !has_trailer(file); len++) {
		struct verdict verdict = judge(file->format, file->data, len, len, len);
		if (verdict.err != ERR_MALFORMED || verdict.why[0] == '\0')
			fail_msg("%s, cut at %zu: %d \"%s\"", file->name, len, verdict.err,
			         verdict.why);
	}
}

static void every_cut_is_refused(void **state)
{
	(void)state;
	each_good(refuse_cuts);
}

static void refuse_flips(const struct file *file)
{
	if (file->format != IMAGE_PNG || has_trailer(file))
		return;
	for (size_t bit = 0; bit < 8 * file->len; bit++) {
		uint8_t mask = (uint8_t)(1 << bit % 8);
		file->data[bit / 8] ^= mask;
		if (judge(file->format, file->data, file->len, file->len, 1).err == ERR_OK)
			fail_msg("%s: bit %zu can be flipped", file->name, bit);
		file->data[bit / 8] ^= mask;
	}
}

static void every_flipped_bit_of_a_png_is_found(void **state)
{
	(void)state;
	each_good(refuse_flips);
}

/* Whatever is done to a byte, the split makes no difference, and the size stays in bounds. */
static void damage(const struct file *file)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};

	for (size_t i = 0; i < file->len * sizeof(values); i++) {
		uint8_t *byte = &file->data[i / sizeof(values)];
		uint8_t old = *byte;
		*byte = values[i % sizeof(values)];
		struct verdict whole = judge(file->format, file->data, file->len, file->len, 1);
		assert_same(file, whole, judge(file->format, file->data, file->len, 1, 1));
		assert_true(whole.err == ERR_OK || whole.why[0] != '\0');
		assert_true((uint64_t)whole.width * whole.height <= MAX_PIXELS);
		assert_true(whole.err != ERR_OK || (whole.width > 0 && whole.height > 0));
		*byte = old;
	}
}

static void damaged_bytes_do_no_harm(void **state)
{
	(void)state;
	each_good(damage);
}

static void feed(struct image *image, const struct file *file, size_t from, size_t len)
{
	assert_true(len <= file->len - from);
	assert_int_equal(image_feed(image, file->data + from, len), ERR_OK);
}

static enum err feed_zeros(struct image *image, size_t len)
{
	static const uint8_t zeros[4096];
	enum err err = ERR_OK;

	for (; len > 0 && err == ERR_OK; len -= len < sizeof(zeros) ? len : sizeof(zeros))
		err = image_feed(image, zeros, len < sizeof(zeros) ? len : sizeof(zeros));
	return err;
}

static void trailer_of(const char *name, size_t max)
{
	struct file file = load(GOOD, name);
	struct image *image = begin(file.format, MAX_PIXELS);

	feed(image, &file, 0, file.len);
	assert_int_equal(feed_zeros(image, max), ERR_OK);
	assert_int_equal(end(image).err, ERR_OK);

	image = begin(file.format, MAX_PIXELS);
	feed(image, &file, 0, file.len);
	assert_int_equal(feed_zeros(image, max + 1), ERR_MALFORMED);
	assert_string_equal(end(image).why, "Too many bytes follow the end of the image.");
	free(file.data);
}

static void trailers_are_bounded(void **state)
{
	(void)state;
	trailer_of("rgb-17x13.png", TRAILER);
	trailer_of("plain-17x13.gif", TRAILER);
	trailer_of("baseline-17x13.jpg", PHOTO);
}

/* Behind a photo of more than 16 MiB there may be as much as the photo has. */
static void trailer_of_a_large_photo(void **state)
{
	static const uint8_t comment[4] = {0xFF, 0xFE, 0xFF, 0xFF};
	struct file file = load(GOOD, "baseline-17x13.jpg");
	struct image *image = begin(file.format, MAX_PIXELS);
	size_t own = file.len;

	(void)state;
	feed(image, &file, 0, 2);
	for (; own <= PHOTO; own += 2 + 65535) {
		assert_int_equal(image_feed(image, comment, sizeof(comment)), ERR_OK);
		assert_int_equal(feed_zeros(image, 65535 - 2), ERR_OK);
	}
	feed(image, &file, 2, file.len - 2);
	assert_int_equal(feed_zeros(image, own), ERR_OK);
	assert_int_equal(feed_zeros(image, 1), ERR_MALFORMED);
	image_free(image);
	free(file.data);
}

/* Feed the ${len} bytes of ${file} at ${from} ${times} times. */
static enum err feed_again(struct image *image, const struct file *file, size_t from, size_t len,
                           int times)
{
	enum err err = ERR_OK;

	for (int i = 0; i < times && err == ERR_OK; i++)
		err = image_feed(image, file->data + from, len);
	return err;
}

/* ${name} holds one frame in the ${len} bytes at ${from}; more than so many are refused. */
static void frames_of(const char *name, size_t from, size_t len, int times)
{
	struct file file = load(GOOD, name);
	struct image *image = begin(file.format, MAX_PIXELS);

	feed(image, &file, 0, from);
	assert_int_equal(feed_again(image, &file, from, len, times), ERR_OK);
	assert_int_equal(feed_again(image, &file, from, len, 1), ERR_MALFORMED);
	assert_string_equal(end(image).why, "The animation has too many frames.");
	free(file.data);
}

static void endless_frames_are_refused(void **state)
{
	(void)state;
	frames_of("beyond-screen-2x2.gif", 19, 15, FRAMES_MAX);
	frames_of("animation-17x13.png", 53, 38, FRAMES_MAX);
}

static void pixels_are_limited_exactly(const struct file *file)
{
	uint32_t width = 0;
	uint32_t height = 0;
	struct verdict verdict = judge(file->format, file->data, file->len, file->len, 1);
	int64_t pixels = (int64_t)verdict.width * verdict.height;
	struct image *image = NULL;

	if (strncmp(file->name, "beyond-screen", 13) == 0)
		pixels = 9;
	image = begin(file->format, pixels);
	assert_int_equal(image_feed(image, file->data, file->len), ERR_OK);
	assert_int_equal(image_end(image, &width, &height), ERR_OK);
	image_free(image);

	image = begin(file->format, pixels - 1);
	assert_int_equal(image_feed(image, file->data, file->len), ERR_TOO_LARGE);
	assert_string_equal(image_why(image), too_large);
	assert_int_equal(image_feed(image, file->data, file->len), ERR_TOO_LARGE);
	assert_int_equal(image_end(image, &width, &height), ERR_TOO_LARGE);
	image_free(image);
}

static void pixels_are_limited(void **state)
{
	(void)state;
	each_good(pixels_are_limited_exactly);
}

static void refuse_as_others(const struct file *file)
{
	for (int format = 0; format < IMAGE_FORMAT_COUNT; format++)
		if (format != (int)file->format)
			assert_int_not_equal(
			    judge((enum image_format)format, file->data, file->len, file->len, 1)
				.err,
			    ERR_OK);
}

static void no_format_passes_for_another(void **state)
{
	(void)state;
	each_good(refuse_as_others);
}

static void an_error_sticks_and_sets_nothing(void **state)
{
	struct image *image = begin(IMAGE_GIF, MAX_PIXELS);
	struct file file = load(GOOD, "plain-17x13.gif");
	uint32_t width = 99;
	uint32_t height = 98;

	(void)state;
	assert_int_equal(feed_zeros(image, 13), ERR_MALFORMED);
	assert_int_equal(image_feed(image, file.data, file.len), ERR_MALFORMED);
	assert_int_equal(image_end(image, &width, &height), ERR_MALFORMED);
	assert_int_equal(width, 99);
	assert_int_equal(height, 98);
	assert_string_equal(image_why(image), "The GIF does not begin with its signature.");
	image_free(image);
	image_free(NULL);
	free(file.data);
}

/* The size is in the name: <name>-<width>x<height>.<ext>. */
static void accept(const struct file *file)
{
	struct verdict verdict = judge_split(file);
	const char *size = strrchr(file->name, '-') + 1;
	char seen[32];

	if (verdict.err != ERR_OK)
		fail_msg("%s: %d \"%s\"", file->name, verdict.err, verdict.why);
	snprintf(seen, sizeof(seen), "%ux%u.%s", verdict.width, verdict.height,
	         image_extension(file->format));
	assert_string_equal(seen, size);
}

static void good_files_are_accepted(void **state)
{
	(void)state;
	each_good(accept);
}

static void types_and_extensions(void **state)
{
	static const char *const want[IMAGE_FORMAT_COUNT][2] = {{"image/jpeg", "jpg"},
	                                                        {"image/png", "png"},
	                                                        {"image/gif", "gif"},
	                                                        {"image/webp", "webp"},
	                                                        {"image/avif", "avif"}};

	(void)state;
	for (int format = 0; format < IMAGE_FORMAT_COUNT; format++) {
		assert_string_equal(image_type((enum image_format)format), want[format][0]);
		assert_string_equal(image_extension((enum image_format)format), want[format][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_files_are_refused_for_their_reason),
	    cmocka_unit_test(every_cut_is_refused),
	    cmocka_unit_test(every_flipped_bit_of_a_png_is_found),
	    cmocka_unit_test(damaged_bytes_do_no_harm),
	    cmocka_unit_test(trailers_are_bounded),
	    cmocka_unit_test(trailer_of_a_large_photo),
	    cmocka_unit_test(endless_frames_are_refused),
	    cmocka_unit_test(pixels_are_limited),
	    cmocka_unit_test(no_format_passes_for_another),
	    cmocka_unit_test(an_error_sticks_and_sets_nothing),
	    cmocka_unit_test(good_files_are_accepted),
	    cmocka_unit_test(types_and_extensions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
