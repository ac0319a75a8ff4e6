#ifndef FCGI_UPLOADER_CHUNKED_H
#define FCGI_UPLOADER_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "sigv4.h"

/*
 * The content coding aws-chunked, in which S3 takes a body that is streamed ("Signature
 * Calculations for the Authorization Header: Transferring Payload in Multiple Chunks" and "...
 * Including Trailing Headers" of the Amazon S3 API Reference).  Bytes are pulled into one buffer of
 * fixed size, a chunk at a time, and get their frame there, without being copied.
 */

enum chunked_mode {
	/* Chunks are not signed; a trailer holds the CRC-32C.  For links that can be trusted. */
	CHUNKED_TRAILER,
	/* Every chunk is signed, in a chain that begins with the request's signature. */
	CHUNKED_SIGNED,
};

#define CHUNKED_DATA_MAX  65536 /* bytes of payload in every chunk but the last */
#define CHUNKED_BEFORE    128   /* room for "10000;chunk-signature=<64>\r\n" */
#define CHUNKED_AFTER     128   /* room for the end of a chunk and of the body */
#define CHUNKED_FRAME_MAX (CHUNKED_BEFORE + CHUNKED_DATA_MAX + CHUNKED_AFTER) /* bytes */

#define CHUNKED_CHECKSUM_LEN 8 /* characters of a CRC-32C in base64 */

/* A body in the making.  Read by its user: frame, frame_len, left; and checksum at the end. */
struct chunked {
	enum chunked_mode mode;
	struct sigv4 *sigv4; /* borrowed; for CHUNKED_SIGNED */
	char date[SIGV4_DATE_LEN + 1];
	char signature[SIGV4_SIGNATURE_LEN + 1];
	uint32_t crc;
	int64_t left;                            /* bytes of payload that were not pulled yet */
	const char *frame;                       /* what goes over the wire next */
	size_t frame_len;                        /* bytes; at most CHUNKED_FRAME_MAX */
	char checksum[CHUNKED_CHECKSUM_LEN + 1]; /* of the payload; set with the last frame */
	char buffer[CHUNKED_FRAME_MAX];
};

/* Write the next ${len} bytes of payload to ${data}: all of them, or fail. */
typedef enum err chunked_pull(void *ctx, void *data, size_t len);

/* The value of x-amz-content-sha256 in ${mode}. */
const char *chunked_payload(enum chunked_mode mode);

/* The bytes that ${length} bytes of payload take in ${mode}: the request's Content-Length. */
int64_t chunked_length(enum chunked_mode mode, int64_t length);

/*
 * Begin a body of ${length} bytes, more than 0, for the request that ${sigv4} signed with the
 * x-amz-date ${date} and the signature ${seed}.  ${sigv4} is borrowed until the last frame.
 */
void chunked_begin(struct chunked *chunked, enum chunked_mode mode, int64_t length,
                   struct sigv4 *sigv4, const char *date, const char *seed);

/*
 * Pull the next chunk's payload and make its frame; the last one, after which nothing is left,
 * holds the end of the body too.  Not to be called when nothing is left.  The error of ${pull};
 * those of sigv4_chunk().
 */
MUST_CHECK enum err chunked_next(struct chunked *chunked, chunked_pull *pull, void *ctx);

#endif
