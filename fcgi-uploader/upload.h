#ifndef FCGI_UPLOADER_UPLOAD_H
#define FCGI_UPLOADER_UPLOAD_H

#include <stdint.h>

#include "quota.h"
#include "request.h"
#include "response.h"
#include "space.h"
#include "store.h"

/* What the uploader's handler works with. */
struct upload {
	struct store store;
	struct quota quota;
	struct space space; /* of the disk on which all volumes are by default */
	int64_t max_bytes;  /* of an image */
	int64_t max_pixels; /* of an image */
	/* Of a request when a worker takes it up, with all waits for its body. */
	int64_t max_age_ms;
	int64_t (*now)(void); /* the time in seconds since 1970, for the quota */
};

/*
 * Answer the routes `upload` and `upload-plain`: take the body, or the one file of the form that it
 * is, as an image, check every byte on its way, and make it an object of ${req->account}.  201 (200
 * for `upload-plain`) with a JSON object: filename, type, size, width, height.
 *
 * A name is given out only when the store has said that it holds all bytes, and the last chunk goes
 * to the store only when the body is complete and the image well formed.
 *
 * RESPONSE_REPEAT with X-File-Length, and nothing stored, if ${req} is repeatable and a form whose
 * file has another length than had to be assumed; see multipart.h.
 *
 * 507 before anything goes to the store if the disk has no room for the body, 429 if the account's
 * quota has none.
 *
 * ${upload} is a struct upload *.  Blocks, as long as reading the body and the store do.
 */
void upload_handle(void *upload, const struct request *req, struct response *resp);

#endif
