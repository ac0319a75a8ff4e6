#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "multipart.h"

/*
 * The first byte is the length of the pieces that the rest is fed in; up to the first LF the rest
 * is the Content-Type's parameters, then comes the body.  The verdict and the file must be those of
 * feeding the body whole, and a form that is taken must end behind its file as it has to.  One that
 * is only of another length than was assumed must be taken when it is told what was measured.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct verdict {
	enum err err;
	const char *why;
	int64_t file_length;
	int64_t measured;
	const uint8_t *file; /* within the body */
	size_t file_len;
};

static struct multipart form;

static void must(int condition)
{
	if (!condition)
		abort();
}

static struct verdict judge(const char *type, const uint8_t *body, size_t size, size_t step,
                            int64_t told)
{
	struct verdict verdict = {.err = multipart_begin(&form, type, (int64_t)size, told)};

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
	verdict.measured = form.measured;
	return verdict;
}

/* Whether ${at} may follow the closing delimiter: padding, and CRLF with an epilogue or nothing. */
static int is_rest(const uint8_t *at, const uint8_t *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at == end || (end - at >= 2 && memcmp(at, "\r\n", 2) == 0);
}

static void check_taken(const struct verdict *verdict, const uint8_t *body, size_t size)
{
	const uint8_t *end = verdict->file + verdict->file_len;
	const uint8_t *rest = end + form.delimiter_len + 2;

	must(verdict->why == NULL);
	must(verdict->file_len > 0 && (int64_t)verdict->file_len == verdict->file_length);
	must(verdict->measured == verdict->file_length);
	must(size - verdict->file_len <= MULTIPART_FRAMING_MAX);
	must((size_t)(body + size - end) >= form.delimiter_len + 2);
	must(memcmp(end, form.delimiter, form.delimiter_len) == 0 &&
	     memcmp(rest - 2, "--", 2) == 0);
	must(is_rest(rest, body + size));
	must(memmem(verdict->file, verdict->file_len, form.delimiter, form.delimiter_len) == NULL);
}

/* Feed the body in two ways, with a file of ${told} bytes or -1; the verdict. */
static struct verdict check(const char *type, const uint8_t *body, size_t len, size_t step,
                            int64_t told)
{
	struct verdict split = judge(type, body, len, step, told);
	struct verdict whole = judge(type, body, len, len + 1, told);

	must(whole.err == split.err && whole.why == split.why);
	must(whole.file_length == split.file_length && whole.measured == split.measured);
	must(whole.err == ERR_OK || whole.err == ERR_MALFORMED || whole.err == ERR_LENGTH);
	if (whole.err != ERR_OK) {
		must(whole.why != NULL);
		return whole;
	}
	must(whole.file == split.file && whole.file_len == split.file_len);
	check_taken(&whole, body, len);
	return whole;
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
	const size_t step = data[0] + (size_t)1;
	struct verdict verdict = check(type, body, len, step, -1);

	if (verdict.err == ERR_LENGTH)
		must(check(type, body, len, step, verdict.measured).err == ERR_OK);
	return 0;
}
