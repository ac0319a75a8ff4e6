#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "multipart.h"

#define TYPE  "multipart/form-data; boundary=b0"
#define FILE_ "Content-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\n"
#define FIELD "Content-Disposition: form-data; name=\"x\"\r\n"
#define END   "\r\n--b0--\r\n"

static struct multipart form;

struct verdict {
	enum err err;
	const char *why;
	int64_t file_length;
	int64_t measured;
	size_t len; /* bytes of the file that were given out */
};

static unsigned char given[200000];
static int64_t told = -1; /* the length of the file that the form is begun with */

/* Feed the body in a first piece of ${first} bytes and further ones of ${step}. */
static struct verdict feed(const char *type, const char *body, size_t len, size_t first,
                           size_t step)
{
	struct verdict verdict = {.err = multipart_begin(&form, type, (int64_t)len, told)};
	size_t at = 0;

	while (verdict.err == ERR_OK && at < len) {
		size_t n = at == 0 && first > 0 ? first : step;
		struct multipart_piece piece;
		/* A block of its own, so that the sanitizer sees a read beyond it. */
		unsigned char *block = NULL;

		if (n > len - at)
			n = len - at;
		block = malloc(n);
		assert_non_null(block);
		memcpy(block, body + at, n);
		verdict.err = multipart_feed(&form, block, n, &piece);
		assert_in_range(verdict.len + piece.len, 0, sizeof(given));
		if (piece.len > 0)
			memcpy(given + verdict.len, piece.data, piece.len);
		verdict.len += piece.len;
		at += n;
		free(block);
	}
	if (verdict.err == ERR_OK)
		verdict.err = multipart_end(&form);
	else
		assert_int_equal(multipart_end(&form), verdict.err);
	verdict.why = form.why;
	verdict.file_length = form.file_length;
	verdict.measured = form.measured;
	return verdict;
}

static void assert_refused(struct verdict verdict, const char *says)
{
	assert_int_equal(verdict.err, ERR_MALFORMED);
	assert_non_null(verdict.why);
	if (strstr(verdict.why, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", verdict.why, says);
}

/* The body is refused with a sentence that holds ${says}, however it is cut. */
static void refused(const char *type, const char *body, size_t len, const char *says)
{
	assert_refused(feed(type, body, len, 0, 1), says);
	for (size_t first = 1; first <= len; first++)
		assert_refused(feed(type, body, len, first, len), says);
}

static void assert_taken(struct verdict verdict, const char *file, size_t len)
{
	if (verdict.err != ERR_OK)
		fail_msg("refused: %s", verdict.why);
	assert_null(verdict.why);
	assert_int_equal(verdict.file_length, len);
	assert_int_equal(verdict.len, len);
	assert_memory_equal(given, file, len);
}

static void taken(const char *type, const char *body, size_t len, const char *file, size_t file_len)
{
	assert_taken(feed(type, body, len, 0, 1), file, file_len);
	for (size_t first = 1; first <= len; first++)
		assert_taken(feed(type, body, len, first, len), file, file_len);
}

static void test_content_types(void **state)
{
	static const char *const forms[] = {"multipart/form-data", "Multipart/Form-Data;x=y",
	                                    " multipart/form-data ; boundary=b"};
	static const char *const others[] = {"",
	                                     "image/png",
	                                     "multipart/mixed; boundary=b",
	                                     "multipart/form-data2; boundary=b",
	                                     "multipart/form-datax",
	                                     "x multipart/form-data",
	                                     "multipart/form",
	                                     "multipart/form-data,x"};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(multipart_is(others[i]));
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		assert_true(multipart_is(forms[i]));
}

#define SEVENTY "1234567890123456789012345678901234567890123456789012345678901234567890"

static void test_bad_boundaries(void **state)
{
	static const struct {
		const char *type;
		const char *says;
	} rows[] = {
	    {"multipart/form-data", "no boundary"},
	    {"multipart/form-data;", "no boundary"},
	    {"multipart/form-data; charset=utf-8", "no boundary"},
	    {"multipart/form-data; xboundary=b0", "no boundary"},
	    {"multipart/form-data; boundary=\"\"", "1 to 70"},
	    {"multipart/form-data; boundary=" SEVENTY "1", "1 to 70"},
	    {"multipart/form-data; boundary=\"" SEVENTY SEVENTY SEVENTY "\"", "1 to 70"},
	    {"multipart/form-data; boundary=\"a \"", "not end in a space"},
	    {"multipart/form-data; boundary=a#b", "1 to 70"},
	    {"multipart/form-data; boundary=\"a\tb\"", "1 to 70"},
	    {"multipart/form-data; boundary=\"a\xc3\xa4\"", "1 to 70"},
	    {"multipart/form-data; boundary=a; boundary=a", "two boundaries"},
	    {"multipart/form-data; boundary=a; Boundary=b", "two boundaries"},
	    {"multipart/form-data; boundary=", "Content-Type of the form is not well formed"},
	    {"multipart/form-data; boundary", "not well formed"},
	    {"multipart/form-data; boundary =a", "not well formed"},
	    {"multipart/form-data; boundary= a", "not well formed"},
	    {"multipart/form-data; boundary=a b", "not well formed"},
	    {"multipart/form-data; boundary=a/b", "not well formed"},
	    {"multipart/form-data; boundary=a, b", "not well formed"},
	    {"multipart/form-data; boundary=\"a", "not well formed"},
	    {"multipart/form-data; boundary=\"a\\", "not well formed"},
	    {"multipart/form-data; boundary=\"a\"b", "not well formed"},
	    {"multipart/form-data boundary=a", "not well formed"},
	    {"image/png; boundary=a", "not well formed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_refused(feed(rows[i].type, "", 0, 0, 1), rows[i].says);
		/* Errors stick. */
		assert_refused(feed(rows[i].type, "--b0\r\n", 6, 0, 6), rows[i].says);
	}
}

#define ROW(body, says) {body, sizeof(body) - 1, says}

static const struct {
	const char *body;
	size_t len;
	const char *says;
} malformed[] = {
    ROW("x", "ends before"),
    ROW("\x89PNG\r\n\x1a\n and no form at all", "ends before"),
    ROW("-", "ends before"),
    ROW("--b0", "ends before"),
    ROW("--b0\r", "ends before"),
    ROW("--b0\r\n", "ends before"),
    ROW("--b1\r\n" FILE_ "\r\ndata\r\n--b1--\r\n", "ends before"),
    ROW("--B0\r\n" FILE_ "\r\ndata\r\n--B0--\r\n", "ends before"),
    ROW("x--b0\r\n" FILE_ "\r\ndata" END, "no file"),
    ROW("\n--b0\r\n" FILE_ "\r\ndata" END, "no file"),
    ROW("--b0--", "no file"),
    ROW("--b0--\r\n", "no file"),
    ROW("--b0\r\n" FIELD "\r\nvalue" END, "no file"),
    ROW("--b0 x\r\n" FILE_ "\r\ndata" END, "not followed by CRLF"),
    ROW("--b0\0\r\n" FILE_ "\r\ndata" END, "control character"),
    ROW("--b0\n" FILE_ "\r\ndata" END, "end in CRLF"),
    ROW("--b0x\r\n" FILE_ "\r\ndata" END, "not followed by CRLF"),
    ROW("--b0-\r\n" FILE_ "\r\ndata" END, "not followed by CRLF"),
    ROW("--b0\r\r\n" FILE_ "\r\ndata" END, "control character"),
    /* headers */
    ROW("--b0\r\n\r\ndata" END, "no Content-Disposition"),
    ROW("--b0\r\nContent-Type: image/png\r\n\r\ndata" END, "no Content-Disposition"),
    ROW("--b0\r\n" FILE_ FILE_ "\r\ndata" END, "two Content-Disposition"),
    ROW("--b0\r\nContent-Disposition: attachment; filename=a\r\n\r\ndata" END, "not form-data"),
    ROW("--b0\r\nContent-Disposition:\r\n\r\ndata" END, "not form-data"),
    ROW("--b0\r\nContent-Disposition: form-data; filename=\"a\r\n\r\ndata" END, "not well formed"),
    ROW("--b0\r\nContent-Disposition: form-data; filename\r\n\r\ndata" END, "not well formed"),
    ROW("--b0\r\nContent-Disposition: form-data filename=a\r\n\r\ndata" END, "not well formed"),
    ROW("--b0\r\nContent-Disposition : form-data; filename=a\r\n\r\ndata" END, "line that is none"),
    ROW("--b0\r\nno header\r\n" FILE_ "\r\ndata" END, "line that is none"),
    ROW("--b0\r\n: x\r\n" FILE_ "\r\ndata" END, "line that is none"),
    ROW("--b0\r\n" FILE_ " folded: x\r\n\r\ndata" END, "line that is none"),
    ROW("--b0\r\nX: a\nY: b\r\n" FILE_ "\r\ndata" END, "end in CRLF"),
    ROW("--b0\r\n\nX: a\r\n" FILE_ "\r\ndata" END, "end in CRLF"),
    ROW("--b0\r\nX: a\rb\r\n" FILE_ "\r\ndata" END, "control character"),
    ROW("--b0\r\nX: a\r\r\n" FILE_ "\r\ndata" END, "control character"),
    ROW("--b0\r\nX: a\0b\r\n" FILE_ "\r\ndata" END, "control character"),
    ROW("--b0\r\nX: \x7f\r\n" FILE_ "\r\ndata" END, "control character"),
    ROW("--b0\r\n" FILE_ "Content-Transfer-Encoding: base64\r\n\r\nZGF0YQ==" END,
        "Content-Transfer-Encoding"),
    ROW("--b0\r\n" FILE_ "content-transfer-encoding: binary, x\r\n\r\ndata" END,
        "Content-Transfer-Encoding"),
    ROW("--b0\r\n" FILE_ "Content-Transfer-Encoding:\r\n\r\ndata" END, "Content-Transfer-Encoding"),
    ROW("--b0\r\n" FILE_ "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c" END,
        "a multipart itself"),
    ROW("--b0\r\n" FIELD "CONTENT-TYPE: Multipart/Mixed; boundary=c\r\n\r\n--c" END,
        "a multipart itself"),
    /* the file and what follows it */
    ROW("--b0\r\n" FILE_ "\r\n" END, "empty"),
    ROW("--b0\r\n" FILE_ "\r\n--b0--\r\n", "empty"),
    ROW("--b0\r\n" FILE_ "\r\n", "empty"),
    ROW("--b0\r\n" FILE_ "\r\ndata", "empty"),
    ROW("--b0\r\n" FILE_ "\r\n\r\n--b0\r\n" FIELD "\r\nvalue" END, "empty"),
    ROW("--b0\r\n" FILE_ "\r\n--b0\r\n" FIELD "\r\nvalue" END, "empty"),
    ROW("--b0\r\n" FILE_ "\r\ndata\r\n--b0\r\n" FIELD "\r\nvalue" END, "goes on behind its file"),
    ROW("--b0\r\n" FILE_ "\r\ndata\r\n--b0\r\n" FILE_ "\r\nmore" END, "goes on behind its file"),
    ROW("--b0\r\n" FILE_ "\r\ndata\r\n--b0x" END, "goes on behind its file"),
    ROW("--b0\r\n" FILE_ "\r\ndata\r\n--b0-\r\n", "goes on behind its file"),
    ROW("--b0\r\n" FILE_ "\r\ndata\r\n--b0-- x" END, "goes on behind its file"),
    ROW("--b0\r\n" FILE_ "\r\ndata\r\n--b0--x", "ends before"),
    ROW("--b0\r\n" FILE_ "\r\ndata\r\n--b0 --", "ends before"),
    ROW("--b0\r\n" FILE_ "\r\ndata\r\n--b0-", "ends before"),
    ROW("--b0\r\n" FILE_ "\r\ndata\r\n--b0--\r", "ends before"),
    ROW("--b0\r\n" FILE_ "\r\ndata\r\n--b0--\0", "control character"),
    ROW("--b0\r\n" FILE_ "\r\ndata\r\n--b0--\n", "end in CRLF"),
    ROW("--b0\r\n" FILE_ "\r\ndata\n--b0--\r\n", "ends before"),
    ROW("--b0\r\n" FILE_ "\r\ndata and more of it, but no end", "ends before"),
};

static void test_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		refused(TYPE, malformed[i].body, malformed[i].len, malformed[i].says);
}

/* A body that was announced longer than it is, or shorter. */
static void test_other_length(void **state)
{
	static const char body[] = "--b0\r\n" FILE_ "\r\ndata" END;
	const size_t len = sizeof(body) - 1;
	struct multipart_piece piece;

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(multipart_begin(&form, TYPE, (int64_t)len, -1), ERR_OK);
		assert_int_equal(multipart_feed(&form, body, cut, &piece), ERR_OK);
		assert_int_equal(multipart_end(&form), ERR_MALFORMED);
		assert_non_null(strstr(form.why, "ends before"));
	}
	assert_int_equal(multipart_begin(&form, TYPE, (int64_t)len, -1), ERR_OK);
	assert_int_equal(multipart_feed(&form, body, len, &piece), ERR_OK);
	assert_int_equal(multipart_feed(&form, "\r\n", 2, &piece), ERR_OK);
	assert_int_equal(piece.len, 0);
	assert_int_equal(multipart_end(&form), ERR_MALFORMED);
}

/* ${before}, ${n} times ${filler}, and ${after}; the caller frees it. */
static char *padded(const char *before, char filler, size_t n, const char *after, size_t *ret_len)
{
	size_t size = strlen(before) + n + strlen(after) + 1;
	char *text = malloc(size);

	assert_non_null(text);
	memset(text, filler, size);
	memcpy(text, before, strlen(before));
	memcpy(text + size - 1 - strlen(after), after, strlen(after) + 1);
	*ret_len = size - 1;
	return text;
}

/* A filler between ${before} and ${after} is taken up to ${max} bytes and no longer. */
static void limit(const char *before, size_t max, const char *after, const char *says)
{
	static const size_t steps[] = {1, 2, 1000, 4096, 1 << 20};

	for (size_t extra = 0; extra < 2; extra++) {
		size_t len = 0;
		char *body = padded(before, 'x', max + extra, after, &len);

		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			struct verdict verdict = feed(TYPE, body, len, 0, steps[i]);

			if (extra == 0)
				assert_taken(verdict, "data", 4);
			else
				assert_refused(verdict, says);
		}
		free(body);
	}
}

static void test_limits(void **state)
{
	static const char rest[] = "\r\n--b0\r\n" FILE_ "\r\ndata" END;
	const size_t room = MULTIPART_FRAMING_MAX - (sizeof(rest) - 1 - 4);

	(void)state;
	limit("", room, rest, "64 KiB beside its file");
	limit("--b0\r\n" FIELD "\r\n", room - strlen("--b0\r\n" FIELD "\r\n"), rest, "64 KiB");
	told = 4;
	limit("--b0\r\n" FILE_ "\r\ndata" END, room + 2, "", "64 KiB");
	told = -1;
	limit("--b0\r\n", MULTIPART_LINE_MAX - 4, ": x\r\n" FILE_ "\r\ndata" END, "2048 bytes");
}

static void test_many_headers(void **state)
{
	char body[2000];

	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		size_t len = (size_t)snprintf(body, sizeof(body), "--b0\r\n" FILE_);

		for (int i = 1; i < MULTIPART_HEADERS_MAX + extra; i++)
			len += (size_t)snprintf(body + len, sizeof(body) - len, "X-%d:\r\n", i);
		len += (size_t)snprintf(body + len, sizeof(body) - len, "\r\ndata" END);
		if (extra > 0)
			refused(TYPE, body, len, "more than 16 header lines");
		else
			taken(TYPE, body, len, "data", 4);
	}
}

static void test_taken(void **state)
{
	static const struct {
		const char *body;
		size_t len;
		const char *file;
	} rows[] = {
	    ROW("--b0\r\n" FILE_ "\r\nd" END, "d"),
	    ROW("--b0\r\n" FILE_ "Content-Type: image/png\r\n\r\ndata" END, "data"),
	    ROW("\r\n--b0\r\n" FILE_ "\r\ndata" END, "data"),
	    ROW("--b0 \t \r\n" FILE_ "\r\ndata" END, "data"),
	    ROW("A preamble.\r\n--b1\r\n-\r\n\r\n--b0\r\n" FILE_ "\r\ndata" END, "data"),
	    ROW("--b0\r\n" FIELD "\r\nvalue\r\n--b0\r\n" FILE_ "\r\ndata" END, "data"),
	    ROW("--b0\r\n" FIELD "\r\n--b0\r\n" FILE_ "\r\ndata" END, "data"),
	    ROW("--b0\r\n" FIELD "\r\n\r\n--b0\r\n" FIELD "\r\n\r\n\r\n--b\r\n--b0\r\n" FILE_
	        "\r\ndata" END,
	        "data"),
	    ROW("--b0\r\ncontent-DISPOSITION:\tForm-Data;filename=a\r\n\r\ndata" END, "data"),
	    ROW("--b0\r\nContent-Disposition: form-data; FileName=\"\" ; x=y ;\r\n\r\ndata" END,
	        "data"),
	    ROW("--b0\r\nContent-Disposition: form-data; "
	        "filename*=utf-8''%e2%82%ac\r\n\r\ndata" END,
	        "data"),
	    ROW("--b0\r\nContent-Disposition: form-data; filename=\"a\\\"; b\xc3\xa4.png\"\r\n\r\n"
	        "data" END,
	        "data"),
	    /* A file name only within a value. */
	    ROW("--b0\r\nContent-Disposition: form-data; name=\"; filename=x\"\r\n\r\nvalue\r\n"
	        "--b0\r\n" FILE_ "\r\ndata" END,
	        "data"),
	    ROW("--b0\r\n" FILE_ "Content-Transfer-Encoding: BINARY \r\n\r\ndata" END, "data"),
	    ROW("--b0\r\n" FILE_ "Content-Transfer-Encoding: 8bit\r\nX:\r\n\r\ndata" END, "data"),
	    /* Almost a boundary, everywhere in the file. */
	    ROW("--b0\r\n" FILE_ "\r\n--b" END, "--b"),
	    ROW("--b0\r\n" FILE_ "\r\n-\r\n" END, "-\r\n"),
	    ROW("--b0\r\n" FILE_ "\r\n\r\n--b1\r\r\n-\n--b0\r--b0\r\n--b" END,
	        "\r\n--b1\r\r\n-\n--b0\r--b0\r\n--b"),
	    ROW("--b0\r\n" FILE_ "\r\nd\r\r\n--b\r" END, "d\r\r\n--b\r"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		taken(TYPE, rows[i].body, rows[i].len, rows[i].file, strlen(rows[i].file));
}

/*
 * Forms that end otherwise than nearly all do: the length of the file is wrong at first, and what
 * is measured then is right, whatever the file ends in.
 */
static void test_other_ends(void **state)
{
	static const char *const ends[] = {
	    "\r\n--b0--",
	    "\r\n--b0-- ",
	    "\r\n--b0-- \t\t",
	    "\r\n--b0-- \r\n",
	    "\r\n--b0--\r\nx",
	    "\r\n--b0--\r\n\r\n",
	    "\r\n--b0--\r\n--b0--\r\n",
	    "\r\n--b0--\r\n and an epilogue\r\n--b0\r\n of several lines\r\n",
	};
	static const char *const files[] = {"data",        "data\r", "data\r\n",
	                                    "data\r\n--b", "data-",  "data--"};
	char body[400];

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		for (size_t k = 0; k < sizeof(files) / sizeof(files[0]); k++) {
			size_t file_len = strlen(files[k]);
			size_t len = (size_t)snprintf(
			    body, sizeof(body), "--b0\r\n" FILE_ "\r\n%s%s", files[k], ends[i]);

			for (size_t first = 1; first <= len; first++) {
				struct verdict verdict = feed(TYPE, body, len, first, len);

				assert_int_equal(verdict.err, ERR_LENGTH);
				assert_non_null(
				    strstr(verdict.why, "does not end with its closing boundary"));
				assert_int_equal(verdict.measured, file_len);
				assert_true(multipart_missed(&form));
			}
			told = (int64_t)file_len;
			taken(TYPE, body, len, files[k], file_len);
			assert_false(multipart_missed(&form));
			told = -1;
		}
	}
}

/* Whoever tells the length must be right. */
static void test_wrong_length(void **state)
{
	static const char body[] = "--b0\r\n" FILE_ "\r\ndata" END;

	(void)state;
	for (told = 1; told < 100; told++) {
		struct verdict verdict = feed(TYPE, body, sizeof(body) - 1, 0, sizeof(body));

		assert_int_equal(verdict.err, told == 4 ? ERR_OK : ERR_LENGTH);
		assert_int_equal(verdict.measured, 4);
	}
	told = 0;
	assert_refused(feed(TYPE, body, sizeof(body) - 1, 0, sizeof(body)), "empty");
	told = -1;
}

static void test_good_boundaries(void **state)
{
	static const struct {
		const char *type;
		const char *boundary;
	} rows[] = {
	    {"multipart/form-data; boundary=b", "b"},
	    {"multipart/form-data;charset=x;BOUNDARY=\"b\";x=\"y;z\"", "b"},
	    {"multipart/form-data; boundary=" SEVENTY, SEVENTY},
	    {"multipart/form-data; boundary=\"" SEVENTY "\" ;", SEVENTY},
	    {"multipart/form-data; boundary=----WebKitFormBoundaryAbC",
	     "----WebKitFormBoundaryAbC"},
	    {"multipart/form-data; boundary=\"a'()+_,-./:=? z\"", "a'()+_,-./:=? z"},
	    {"multipart/form-data; boundary=\"a\\b\"", "ab"},
	    {"multipart/form-data; boundary=--", "--"},
	};
	char body[400];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len =
		    (size_t)snprintf(body, sizeof(body), "--%s\r\n" FILE_ "\r\ndata\r\n--%s--\r\n",
		                     rows[i].boundary, rows[i].boundary);

		taken(rows[i].type, body, len, "data", 4);
	}
}

/* A file of many pieces that is full of beginnings of boundaries. */
static void test_large(void **state)
{
	static const char head[] = "--b0\r\n" FILE_ "\r\n";
	static const char almost[] = "\r\n--b\r\n\r\n--\r";
	static const size_t steps[] = {1, 7, 4096, 65536, 1 << 20};
	const size_t file_len = 150000;
	size_t len = 0;
	char *body = padded(head, '.', file_len, END, &len);

	(void)state;
	for (size_t i = 0; i < file_len; i++)
		body[sizeof(head) - 1 + i] = almost[i % (sizeof(almost) - 1)];
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		assert_taken(feed(TYPE, body, len, 0, steps[i]), body + sizeof(head) - 1, file_len);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_content_types), cmocka_unit_test(test_bad_boundaries),
	    cmocka_unit_test(test_malformed),     cmocka_unit_test(test_other_length),
	    cmocka_unit_test(test_limits),        cmocka_unit_test(test_many_headers),
	    cmocka_unit_test(test_taken),         cmocka_unit_test(test_good_boundaries),
	    cmocka_unit_test(test_other_ends),    cmocka_unit_test(test_wrong_length),
	    cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
