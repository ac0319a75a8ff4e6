#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "chunked.h"
#include "crc32c.h"

#define SIGNATURE_FIELD ";chunk-signature="
#define TRAILER_FIELD   "x-amz-checksum-crc32c:"

const char *chunked_payload(enum chunked_mode mode)
{
	return mode == CHUNKED_SIGNED ? "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	                              : "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
}

static int64_t hex_digits(int64_t number)
{
	int64_t n = 1;

	for (; number > 15; number >>= 4)
		n++;
	return n;
}

/* The bytes of a chunk with ${length} bytes of payload. */
static int64_t chunk_length(enum chunked_mode mode, int64_t length)
{
	int64_t field =
	    mode == CHUNKED_SIGNED ? (int64_t)sizeof(SIGNATURE_FIELD) - 1 + SIGV4_SIGNATURE_LEN : 0;

	return hex_digits(length) + field + 2 + length + 2;
}

int64_t chunked_length(enum chunked_mode mode, int64_t length)
{
	int64_t trailer = (int64_t)sizeof(TRAILER_FIELD) - 1 + CHUNKED_CHECKSUM_LEN + 2;
	int64_t rest = length % CHUNKED_DATA_MAX;
	int64_t sum = length / CHUNKED_DATA_MAX * chunk_length(mode, CHUNKED_DATA_MAX);

	if (rest > 0)
		sum += chunk_length(mode, rest);
	/* The end is a chunk of size 0; the trailer stands before its empty line. */
	return sum + chunk_length(mode, 0) + (mode == CHUNKED_TRAILER ? trailer : 0);
}

void chunked_begin(struct chunked *chunked, enum chunked_mode mode, int64_t length,
                   struct sigv4 *sigv4, const char *date, const char *seed)
{
	chunked->mode = mode;
	chunked->sigv4 = sigv4;
	memcpy(chunked->date, date, sizeof(chunked->date));
	memcpy(chunked->signature, seed, sizeof(chunked->signature));
	chunked->crc = 0;
	chunked->left = length;
	chunked->frame = chunked->buffer;
	chunked->frame_len = 0;
}

/* Base64 (RFC 4648 section 4) of the four bytes, the most significant first. */
static void put_checksum(uint32_t crc, char text[CHUNKED_CHECKSUM_LEN + 1])
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (unsigned int i = 0; i < 5; i++)
		text[i] = alphabet[crc >> (26 - 6 * i) & 63];
	text[5] = alphabet[crc << 4 & 63];
	memcpy(text + 6, "==", 3);
}

/* Write to ${line} the first line of a chunk of ${len} bytes of ${data}; return its length. */
static enum err put_head(struct chunked *chunked, const void *data, size_t len,
                         char line[CHUNKED_BEFORE], size_t *ret_len)
{
	enum err err = ERR_OK;
	int n = 0;

	if (chunked->mode == CHUNKED_SIGNED) {
		err = sigv4_chunk(chunked->sigv4, chunked->date, data, len, chunked->signature);
		n = snprintf(line, CHUNKED_BEFORE, "%zx" SIGNATURE_FIELD "%s\r\n", len,
		             chunked->signature);
	} else {
		chunked->crc = crc32c(chunked->crc, data, len);
		n = snprintf(line, CHUNKED_BEFORE, "%zx\r\n", len);
	}
	*ret_len = (size_t)n;
	return err;
}

/* Write the end of the body to ${at}. */
static enum err put_end(struct chunked *chunked, char at[CHUNKED_AFTER], size_t *ret_len)
{
	size_t len = 0;
	enum err err = put_head(chunked, "", 0, at, &len);

	if (err != ERR_OK)
		return err;
	put_checksum(chunked->crc, chunked->checksum);
	if (chunked->mode == CHUNKED_TRAILER)
		len += (size_t)snprintf(at + len, CHUNKED_AFTER - len, TRAILER_FIELD "%s\r\n",
		                        chunked->checksum);
	memcpy(at + len, "\r\n", 2);
	*ret_len = len + 2;
	return ERR_OK;
}

enum err chunked_next(struct chunked *chunked, chunked_pull *pull, void *ctx)
{
	size_t len = chunked->left < CHUNKED_DATA_MAX ? (size_t)chunked->left : CHUNKED_DATA_MAX;
	char *data = chunked->buffer + CHUNKED_BEFORE;
	char head[CHUNKED_BEFORE];
	size_t head_len = 0;
	size_t end_len = 0;
	enum err err = pull(ctx, data, len);

	if (err == ERR_OK)
		err = put_head(chunked, data, len, head, &head_len);
	if (err != ERR_OK)
		return err;
	memcpy(data - head_len, head, head_len);
	memcpy(data + len, "\r\n", 2);
	chunked->left -= (int64_t)len;
	if (chunked->left == 0)
		err = put_end(chunked, data + len + 2, &end_len);
	chunked->frame = data - head_len;
	chunked->frame_len = head_len + len + 2 + end_len;
	return err;
}
