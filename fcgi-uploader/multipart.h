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
 * stand before it and are ignored, like a preamble.  Because no part may follow, the length of the
 * file can be told at its first byte: from there to the end of the body, without the closing
 * boundary and the one CRLF behind it, as nearly everybody writes it.  RFC 2046 lets padding stand
 * there, that CRLF be absent, or an epilogue follow: then the length was wrong, is known at the
 * end, and can be told to whoever reads the form once more.
 */

#define MULTIPART_BOUNDARY_MAX 70    /* characters: RFC 2046 section 5.1.1 */
#define MULTIPART_LINE_MAX     2048  /* bytes of a header line: a file name of 255 times %XX fits */
#define MULTIPART_HEADERS_MAX  16    /* header lines of a part; three are known */
#define MULTIPART_FRAMING_MAX  65536 /* bytes of a form that are not of its file */

/* A form in the reading.  Read by its user: file_length, measured and why. */
struct multipart {
	enum {
		MULTIPART_PREAMBLE,
		MULTIPART_BOUNDARY, /* the rest of a boundary's line */
		MULTIPART_HEADER,
		MULTIPART_FIELD,
		MULTIPART_FILE,
		MULTIPART_EPILOGUE
	} state;
	enum err err;         /* sticks */
	const char *why;      /* a static sentence on the error, for the client; NULL without one */
	int64_t told;         /* the file's length as the user knows it, or -1 */
	int64_t file_length;  /* bytes of the file, told or assumed; -1 until it begins */
	int64_t measured;     /* bytes of the file; -1 until the boundary behind it has come */
	int64_t file_seen;    /* bytes of the file that were seen, and of that boundary */
	int64_t left;         /* bytes of the body that were not seen */
	size_t room;          /* bytes that may still come before and behind the file */
	size_t matched;       /* bytes of ${delimiter} that were seen in a row */
	size_t delimiter_len; /* bytes */
	size_t line_len;
	size_t headers;                                 /* lines of this part */
	bool disposition;                               /* this part has a Content-Disposition */
	bool filename;                                  /* and it names a file */
	char delimiter[4 + MULTIPART_BOUNDARY_MAX + 1]; /* CRLF, two hyphens and the boundary */
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
 * Begin a body of ${length} bytes with that Content-Type, whose file has ${file_length} bytes, or
 * -1 if that is not known.  ERR_MALFORMED if it names no boundary, or one that RFC 2046 does not
 * allow.
 */
MUST_CHECK enum err multipart_begin(struct multipart *form, const char *content_type,
                                    int64_t length, int64_t file_length);

/*
 * Look at the next ${len} bytes of the body; set *${ret_file} to those of them that are the file's,
 * up to its file_length; a boundary that comes before that may be among them.  ERR_MALFORMED if
 * this is no such form.  Errors stick.
 */
MUST_CHECK enum err multipart_feed(struct multipart *form, const void *data, size_t len,
                                   struct multipart_piece *ret_file);

/* Whether the file has ended, and not at its file_length. */
bool multipart_missed(const struct multipart *form);

/*
 * The bytes are over: ERR_MALFORMED if the form is not; the error of multipart_feed().  ERR_LENGTH
 * if it is, but its file_length was wrong and ${form->measured} is right.
 */
MUST_CHECK enum err multipart_end(struct multipart *form);

#endif
