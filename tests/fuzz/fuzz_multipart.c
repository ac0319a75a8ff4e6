#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "multipart.h"

/*
 * The first byte is the length of the pieces that the rest is fed in; up to the first LF the rest
 * is the Content-Type's parameters, then comes the body.  The verdict and the file must be those of
 * feeding the body whole, and a form that is taken must end behind its file as it has to.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct verdict {
	enum err err;
	const char *why;
	int64_t file_length;
	const uint8_t *file; /* within the body */
	size_t file_len;
};

static struct multipart form;

static void must(int condition)
{
	if (!condition)
		abort();
}

static struct verdict judge(const char *type, const uint8_t *body, size_t size, size_t step)
{
	struct verdict verdict = {.err = multipart_begin(&form, type, (int64_t)size)};

	for (size_t i = 0; i < size && verdict.err == ERR_OK; i += step) {
		struct multipart_piece piece;

		verdict.err =
		    multipart_feed(&form, body + i, size - i < step ? size - i : step, &piece);
		if (piece.len == 0 || verdict.err != ERR_OK)
			continue;
		if (verdict.file == NULL)
			verdict.file = piece.data;
		must(piece.data == verdict.file + verdict.file_len);
		verdict.file_len += piece.len;
	}
	if (verdict.err == ERR_OK)
		verdict.err = multipart_end(&form);
	verdict.why = form.why;
	verdict.file_length = form.file_length;
	return verdict;
}

static void check_taken(const struct verdict *verdict, const uint8_t *body, size_t size)
{
	const uint8_t *end = verdict->file + verdict->file_len;

	must(verdict->why == NULL);
	must(verdict->file_len > 0 && (int64_t)verdict->file_len == verdict->file_length);
	must(size - verdict->file_len <= MULTIPART_FRAMING_MAX);
	must((size_t)(body + size - end) == form.closing_len);
	must(memcmp(end, form.closing, form.closing_len) == 0);
	must(memmem(verdict->file, verdict->file_len, form.closing, form.delimiter_len) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char media_type[] = "multipart/form-data";
	const uint8_t *end = size == 0 ? NULL : memchr(data + 1, '\n', size - 1);
	char type[1024];

	if (end == NULL || (size_t)(end - data) > sizeof(type) - sizeof(media_type))
		return 0;
	memcpy(type, media_type, sizeof(media_type) - 1);
	memcpy(type + sizeof(media_type) - 1, data + 1, (size_t)(end - data) - 1);
	type[sizeof(media_type) + (size_t)(end - data) - 2] = '\0';

	const uint8_t *body = end + 1;
	size_t len = size - (size_t)(body - data);
	struct verdict split = judge(type, body, len, data[0] + (size_t)1);
	struct verdict whole = judge(type, body, len, len + 1);

	must(whole.err == split.err && whole.why == split.why);
	must(whole.file_length == split.file_length);
	must(whole.err == ERR_OK || whole.err == ERR_MALFORMED);
	if (whole.err != ERR_OK) {
		must(whole.why != NULL);
		return 0;
	}
	must(whole.file == split.file && whole.file_len == split.file_len);
	check_taken(&whole, body, len);
	return 0;
}
