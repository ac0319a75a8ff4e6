#ifndef FCGI_UPLOADER_SIGV4_H
#define FCGI_UPLOADER_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "buf.h"
#include "config.h"
#include "crypto.h"
#include "err.h"

/*
 * AWS Signature Version 4 for S3: "Authenticating Requests: Using the Authorization Header" and
 * "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks" of
 * the Amazon S3 API Reference.
 */

#define SIGV4_DATE_LEN      16  /* characters of YYYYMMDDTHHMMSSZ */
#define SIGV4_SIGNATURE_LEN 64  /* hexadecimal digits */
#define SIGV4_KEY_MAX       128 /* bytes of an access key, a secret key or a region */

/* The SHA-256 of no bytes: what x-amz-content-sha256 says of a request without a body. */
#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* A key pair for one region, and the signing key that was derived from it last. */
struct sigv4 {
	const struct secret *access_key; /* borrowed, as are the next two */
	const struct secret *secret_key;
	const char *region;
	char day[9]; /* YYYYMMDD that ${key} is for; empty at first */
	uint8_t key[CRYPTO_SHA256_LEN];
};

/* A header to be signed: the name in lower case, the value without spaces around it. */
struct sigv4_header {
	const char *name;
	const char *value;
};

struct sigv4_request {
	const char *method;
	const char *path;  /* not encoded; begins with a slash */
	const char *query; /* canonical: names and values encoded, sorted; "" if there is none */
	const struct sigv4_header
	    *headers;     /* in the order of their names; host and the following */
	size_t n_headers; /* must be there: x-amz-content-sha256, x-amz-date */
};

/*
 * Append to ${problems} a line for each of a key pair and a region that cannot stand in an
 * Authorization header.  One that is NULL was not given and is not judged.
 */
void sigv4_check(const struct secret *access_key, const char *region, struct buf *problems);

/*
 * Begin to sign with a key pair, which is borrowed until sigv4_wipe().  ERR_MALFORMED if one of the
 * three is empty, longer than SIGV4_KEY_MAX, or cannot stand in an Authorization header.
 */
MUST_CHECK enum err sigv4_init(struct sigv4 *sigv4, const struct secret *access_key,
                               const struct secret *secret_key, const char *region);

/* Wipe the signing key. */
void sigv4_wipe(struct sigv4 *sigv4);

/* Write ${now}, seconds since 1970, as the value of x-amz-date. */
void sigv4_date(time_t now, char date[SIGV4_DATE_LEN + 1]);

/*
 * Append ${text} as S3 wants URIs encoded: all but A-Za-z0-9-._~ as %XX in upper case; a slash too,
 * unless ${keep_slash}.  Errors stick in ${out}.
 */
void sigv4_uri_encode(struct buf *out, const char *text, bool keep_slash);

/*
 * Sign ${request}: append the value of the Authorization header to ${authorization} and write the
 * signature, which also is the seed of a chunked body's signatures.  ERR_INTERNAL if a header is
 * missing, ERR_TOO_LARGE, ERR_NOMEM.
 */
MUST_CHECK enum err sigv4_sign(struct sigv4 *sigv4, const struct sigv4_request *request,
                               struct buf *authorization, char signature[SIGV4_SIGNATURE_LEN + 1]);

/*
 * Sign the next chunk of a body, ${len} bytes of ${data}, of the request that was signed last with
 * the x-amz-date ${date}.  ${signature} holds the one before it, the seed at first, and becomes the
 * chunk's.  ERR_INTERNAL, ERR_TOO_LARGE, ERR_NOMEM.
 */
MUST_CHECK enum err sigv4_chunk(struct sigv4 *sigv4, const char *date, const void *data, size_t len,
                                char signature[SIGV4_SIGNATURE_LEN + 1]);

#endif
