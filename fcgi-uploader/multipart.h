#ifndef FCGI_UPLOADER_MULTIPART_H
#define FCGI_UPLOADER_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * The one file of a body in multipart/form-data (RFC 7578; RFC 2046 section 5.1), which arrives in
 * pieces.  Allocates nothing, copies nothing of the file, and its verdict does not depend on how
 * the bytes are cut into pieces.
 *
 * A form is taken if its last part, and no other, is a file: that is, has a file name.  Fields may
 * stand before it and are ignored, like a preamble.  Because nothing may follow, the length of the
 * file is known at its first byte: from there to the end of the body, without the closing boundary
 * and the one CRLF behind it.  RFC 2046 would let that CRLF be absent, or an epilogue follow; then
 * the length could not be told in advance.
 */

#define MULTIPART_BOUNDARY_MAX 70    /* characters: RFC 2046 section 5.1.1 */
#define MULTIPART_LINE_MAX     2048  /* bytes of a header line: a file name of 255 times %XX fits */
#define MULTIPART_HEADERS_MAX  16    /* header lines of a part; three are known */
#define MULTIPART_FRAMING_MAX  65536 /* bytes of a form that are not of its file */

/* A form in the reading.  Read by its user: file_length and why. */
struct multipart {
	enum {
		MULTIPART_PREAMBLE,
		MULTIPART_BOUNDARY, /* behind a boundary: CRLF, or two hyphens */
		MULTIPART_HEADER,
		MULTIPART_FIELD,
		MULTIPART_FILE,
		MULTIPART_CLOSING,
		MULTIPART_DONE
	} state;
	enum err err;         /* sticks */
	const char *why;      /* a static sentence on the error, for the client; NULL without one */
	int64_t file_length;  /* bytes; -1 until the file begins */
	int64_t left;         /* bytes of the body that were not seen */
	int64_t file_left;    /* bytes of the file that were not seen */
	size_t room;          /* bytes that may still come before the file */
	size_t matched;       /* bytes of ${closing} that were seen in a row */
	size_t delimiter_len; /* CRLF, two hyphens and the boundary: the beginning of ${closing} */
	size_t closing_len;
	size_t line_len;
	size_t headers;   /* lines of this part */
	bool disposition; /* this part has a Content-Disposition */
	bool filename;    /* and it names a file */
	char closing[4 + MULTIPART_BOUNDARY_MAX + 4 + 1];
	char line[MULTIPART_LINE_MAX + 1];
};

/* Bytes of the file, within what was fed. */
struct multipart_piece {
	const unsigned char *data;
	size_t len;
};

/* Whether ${content_type}, the value of a Content-Type header, is multipart/form-data. */
bool multipart_is(const char *content_type);

/*
 * Begin a body of ${length} bytes with that Content-Type.  ERR_MALFORMED if it names no boundary,
 * or one that RFC 2046 does not allow.
 */
MUST_CHECK enum err multipart_begin(struct multipart *form, const char *content_type,
                                    int64_t length);

/*
 * Look at the next ${len} bytes of the body; set *${ret_file} to those of them that are the file's.
 * ERR_MALFORMED if this is no such form.  Errors stick.
 */
MUST_CHECK enum err multipart_feed(struct multipart *form, const void *data, size_t len,
                                   struct multipart_piece *ret_file);

/* The bytes are over: ERR_MALFORMED if the form is not; the error of multipart_feed(). */
MUST_CHECK enum err multipart_end(struct multipart *form);

#endif
