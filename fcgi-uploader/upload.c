#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "image.h"
#include "log.h"
#include "metrics.h"
#include "name.h"
#include "sniff.h"
#include "source.h"
#include "upload.h"

/* The image on its way to the store. */
struct body {
	struct source source;
	struct image *image;
	int64_t left;      /* bytes that were not handed on */
	size_t head_len;   /* bytes of ${head} */
	size_t head_taken; /* of those, handed on */
	uint32_t width, height;
	bool complete;   /* every byte was handed on, and the image is well formed */
	const char *why; /* what is wrong with the image or its form; NULL for nothing */
	unsigned char head[SNIFF_BYTES];
};

/* Show the image check ${len} more bytes, and the end after the last one. */
static enum err inspect(struct body *body, const void *data, size_t len)
{
	enum err err = image_feed(body->image, data, len);

	if (err == ERR_OK && body->left == 0)
		err = image_end(body->image, &body->width, &body->height);
	if (err == ERR_MALFORMED || err == ERR_TOO_LARGE)
		body->why = image_why(body->image);
	return err;
}

/* The store's way to the bytes: see struct store_object. */
static enum err pull(void *ctx, void *data, size_t len)
{
	struct body *body = ctx;
	size_t kept = body->head_len - body->head_taken;
	enum err err = ERR_OK;

	if (len == 0 || (uint64_t)len > (uint64_t)body->left)
		return ERR_INTERNAL;
	if (kept > len)
		kept = len;
	memcpy(data, body->head + body->head_taken, kept);
	body->head_taken += kept;
	if (kept < len)
		err = source_read(&body->source, (unsigned char *)data + kept, len - kept);
	body->why = body->source.why;
	if (err != ERR_OK)
		return err;
	body->left -= (int64_t)len;
	err = inspect(body, data, len);
	body->complete = err == ERR_OK && body->left == 0;
	return err == ERR_MALFORMED ? source_settle(&body->source, err) : err;
}

/* Answer ${err}, with ${detail} unless that is NULL, and log it with its cause. */
static void refuse(struct response *resp, const struct request *req, enum err err,
                   const char *detail, const char *cause)
{
	const struct problem *problem = err_problem(err);
	enum log_level level = problem->status < 500 ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR;

	if (cause == NULL || cause[0] == '\0')
		cause = detail != NULL ? detail : problem->detail;
	log_write(level, "upload refused: %s: %s", problem->error, cause);
	if (detail != NULL)
		response_problem(resp, req, err, "%s", detail);
	else
		response_problem(resp, req, err, NULL);
	if (err == ERR_METHOD)
		response_header(resp, "Allow", "POST");
}

/* Answer that the disk has no room for ${req}, if so; return whether it is. */
static bool over_floor(const struct upload *upload, const struct request *req,
                       struct response *resp)
{
	enum err err = space_check(&upload->space, req->content_length);

	if (err != ERR_OK)
		refuse(resp, req, err, NULL, "the disk has not DISK_FREE to spare");
	return err != ERR_OK;
}

/* Answer that the account of ${req} has no room for it, if so; return whether it is. */
static bool over_quota(const struct upload *upload, const struct request *req,
                       struct response *resp)
{
	char detail[160];
	int64_t left = 0;
	int64_t wait = 0;
	enum err err = quota_check(&upload->quota, req->account, req->content_length, upload->now(),
	                           &left, &wait);

	if (err == ERR_OK)
		return false;
	if (err != ERR_TOO_MANY) {
		refuse(resp, req, err, NULL, NULL);
		return true;
	}
	(void)snprintf(detail, sizeof(detail),
	               "An account may store %" PRId64 " bytes a day; %" PRId64 " are left today.",
	               upload->quota.limit, left);
	log_info("upload refused: %s", detail);
	response_too_many(resp, req, wait, detail);
	return true;
}

/* The milliseconds that are left for the body to come; below 0 if it is late already. */
static int64_t time_left(const struct upload *upload, const struct request *req)
{
	return upload->max_age_ms - req->age_ms - req->waited_ms;
}

/* Answer what is wrong with ${req} before its body is looked at; return whether anything is. */
static bool refused(const struct upload *upload, const struct request *req, struct response *resp)
{
	if (strcmp(req->method, "POST") != 0)
		refuse(resp, req, ERR_METHOD, NULL, NULL);
	else if (!request_account_ok(req->account))
		refuse(resp, req, ERR_INTERNAL, NULL, "the gateway named no account");
	else if (req->content_length < 0)
		refuse(resp, req, ERR_MALFORMED, "The length of the body is not known.", NULL);
	else if (req->content_length == 0)
		refuse(resp, req, ERR_MALFORMED, "The body is empty.", NULL);
	else if (time_left(upload, req) < 0)
		refuse(resp, req, ERR_SLOW, NULL, NULL);
	else
		return over_floor(upload, req, resp) || over_quota(upload, req, resp);
	return true;
}

/* Answer what is wrong with the body; if only a form's length was, ask for it once more. */
static void refuse_body(struct body *body, struct response *resp, enum err err, const char *detail,
                        const char *cause)
{
	const struct request *req = body->source.req;
	int64_t length = body->source.multipart.measured;

	if (err != ERR_LENGTH || !req->repeatable) {
		refuse(resp, req, err, detail, cause);
		return;
	}
	log_info("the form does not end as most do: once more, for a file of %" PRId64 " bytes",
	         length);
	resp->status = RESPONSE_REPEAT;
	response_header(resp, "X-File-Length", "%" PRId64, length);
}

/* Find the image in the body and read its head; answer if it cannot be had or is too large. */
static enum err begin(const struct upload *upload, struct body *body, const struct request *req,
                      struct response *resp)
{
	struct source *source = &body->source;
	char limit[80] = "";
	enum err err = ERR_OK;

	request_be_patient(req, time_left(upload, req));
	err = source_open(source, req);
	if (err == ERR_OK && source->length > upload->max_bytes) {
		(void)snprintf(limit, sizeof(limit), "An image may have at most %" PRId64 " bytes.",
		               upload->max_bytes);
		err = source_settle(source, ERR_TOO_LARGE);
	}
	if (err == ERR_OK) {
		body->left = source->length;
		body->head_len = body->left < SNIFF_BYTES ? (size_t)body->left : SNIFF_BYTES;
		err = source_read(source, body->head, body->head_len);
	}
	if (err != ERR_OK)
		refuse_body(body, resp, err, err == ERR_TOO_LARGE ? limit : source->why, NULL);
	return err;
}

/* Find out what the image is; answer if that is nothing we take. */
static enum err detect(const struct body *body, struct response *resp, enum image_format *ret)
{
	char seen[SNIFF_TYPE_MAX] = "";
	char detail[160];
	enum err err = sniff_format(body->head, body->head_len, ret, seen);

	if (err == ERR_OK)
		return ERR_OK;
	(void)snprintf(detail, sizeof(detail),
	               "This is %s; accepted are JPEG, PNG, GIF, WebP and AVIF.", seen);
	refuse(resp, body->source.req, err, err == ERR_MEDIA_TYPE ? detail : NULL, NULL);
	return err;
}

static void created(struct response *resp, const struct request *req, const struct name *name,
                    enum image_format format, const struct body *body)
{
	bool plain = strcmp(req->route, "upload-plain") == 0;

	resp->status = plain ? 200 : 201;
	response_header(resp, "Content-Type", "application/json");
	if (!plain)
		response_header(resp, "Location", "/v1/user/%s", name->file);
	buf_printf(&resp->body,
	           "{\"filename\":\"%s\",\"type\":\"%s\",\"size\":%" PRId64 ",\"width\":%" PRIu32
	           ",\"height\":%" PRIu32 "}\n",
	           name->file, image_type(format), body->source.length, body->width, body->height);
}

/* Take what was stored off the account's quota. */
static void count(const struct upload *upload, const struct body *body)
{
	const char *account = body->source.req->account;

	if (quota_count(&upload->quota, account, body->source.length, upload->now()) != ERR_OK)
		log_error("an upload of account %s was not counted", account);
}

static enum metrics_counter counter_of(enum image_format format)
{
	static const enum metrics_counter counters[IMAGE_FORMAT_COUNT] = {
	    [IMAGE_JPEG] = METRIC_UPLOAD_JPEG, [IMAGE_PNG] = METRIC_UPLOAD_PNG,
	    [IMAGE_GIF] = METRIC_UPLOAD_GIF,   [IMAGE_WEBP] = METRIC_UPLOAD_WEBP,
	    [IMAGE_AVIF] = METRIC_UPLOAD_AVIF,
	};

	return counters[format];
}

/* What a refusal counts as. */
static enum metrics_counter refusal_of(int status)
{
	switch (status) {
	case 400:
	case 405:
		return METRIC_UPLOAD_MALFORMED;
	case 408:
		return METRIC_UPLOAD_SLOW;
	case 413:
		return METRIC_UPLOAD_TOO_LARGE;
	case 415:
		return METRIC_UPLOAD_TYPE;
	case 429:
		return METRIC_UPLOAD_QUOTA;
	case 507:
		return METRIC_UPLOAD_FULL;
	default:
		return METRIC_UPLOAD_UNAVAILABLE;
	}
}

/* Put the body into the store as an image of ${format}; answer. */
static void keep(const struct upload *upload, struct body *body, enum image_format format,
                 struct response *resp)
{
	const struct request *req = body->source.req;
	struct name name;
	struct store_object object = {.key = name.object,
	                              .type = image_type(format),
	                              .length = body->source.length,
	                              .pull = pull,
	                              .ctx = body};
	char cause[STORE_WHY_LEN] = "";
	enum err err = name_new(req->account, clock_unix_ms(), image_extension(format), &name);

	if (err == ERR_OK)
		err = image_new(format, upload->max_pixels, &body->image);
	if (err == ERR_OK)
		err = upload->store.put(upload->store.ctx, &object, cause);
	if (err == ERR_OK && !body->complete)
		err = ERR_INTERNAL;
	if (err != ERR_OK) {
		refuse_body(body, resp, err, body->why, cause);
		return;
	}
	count(upload, body);
	metrics_add(counter_of(format), 1);
	metrics_add(METRIC_UPLOAD_BYTES, (uint64_t)body->source.length);
	created(resp, req, &name, format, body);
}

void upload_handle(void *upload, const struct request *req, struct response *resp)
{
	struct body body = {0};
	enum image_format format = IMAGE_JPEG;

	if (strcmp(req->route, "upload") != 0 && strcmp(req->route, "upload-plain") != 0) {
		response_problem(resp, req, ERR_NOT_FOUND, NULL);
		return;
	}
	if (!refused(upload, req, resp) && begin(upload, &body, req, resp) == ERR_OK &&
	    detect(&body, resp, &format) == ERR_OK)
		keep(upload, &body, format, resp);
	if (resp->status >= 400 && resp->status != RESPONSE_REPEAT)
		metrics_add(refusal_of(resp->status), 1);
	image_free(body.image);
}
