#ifndef FCGI_UPLOADER_SOURCE_H
#define FCGI_UPLOADER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "multipart.h"
#include "request.h"

/*
 * Where the bytes of an upload come from: the body as it is, or the one file of a form
 * (multipart.h), by the request's Content-Type.
 */

#define SOURCE_BUFFER 4096 /* bytes of a body that are read at once where they do not stay */

/* An upload in the reading.  Read by its user: length, left and why. */
struct source {
	const struct request *req;
	bool form;
	int64_t length;  /* bytes of the file */
	int64_t left;    /* of those, not read yet */
	const char *why; /* what is wrong with the form, for the client; NULL for nothing */
	struct multipart multipart;
	struct multipart_piece kept; /* what was read of the file with what stands before it */
	unsigned char buffer[SOURCE_BUFFER];
};

/*
 * Find the file in the body of ${req}, whose length is known and not 0; of a form all is read that
 * stands before the file.  ${req} is borrowed.  ERR_MALFORMED: see ${source->why}; errors of
 * request_read().  Blocks as that does.
 */
MUST_CHECK enum err source_open(struct source *source, const struct request *req);

/*
 * Read the next ${len} bytes of the file into ${data}: all of them, or fail.  ${len} is at most
 * what is left.  The last ones are given out only if the body ended behind them, complete and well
 * formed.  ERR_CUT if it did not; ERR_LENGTH if only ${source->length} was wrong, and
 * ${source->multipart.measured} is right; otherwise as source_open().
 */
MUST_CHECK enum err source_read(struct source *source, void *data, size_t len);

/*
 * Something is wrong with the file, ${err}: but is that because a wrong length let bytes that are
 * not its own count as its own?  If so, and the request can be repeated, ERR_LENGTH as above, else
 * ${err}.  Reads what is left of the body.
 */
MUST_CHECK enum err source_settle(struct source *source, enum err err);

#endif
