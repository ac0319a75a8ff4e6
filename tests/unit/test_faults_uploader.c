#include <stdio.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "faults.h"
#include "gallery_request.h"
#include "image.h"
#include "list.h"
#include "listing.h"
#include "log.h"
#include "peer.h"
#include "removal.h"
#include "s3_gallery.h"
#include "s3_put.h"
#include "sign.h"
#include "upload.h"

/*
 * Each module of fcgi-uploader/ while memory runs out, the body breaks or the store fails, at every
 * place where it can.
 */

#define DOCUMENT                                                                                   \
	"<ListBucketResult><IsTruncated>false</IsTruncated>"                                       \
	"<Contents><Key>" OBJECT "</Key><Size>12</Size></Contents></ListBucketResult>"

static const unsigned char gif[] = "GIF89a\3\0\2\0\0\0\0,\0\0\0\0\3\0\2\0\0\2\2\204Q\0;";
enum { GIF_LEN = sizeof(gif) - 1 };

static bool never_gone(void *ctx)
{
	(void)ctx;
	return false;
}

static enum err broken_read(void *ctx, void *data, size_t cap, size_t *ret_len)
{
	size_t *at = ctx;
	size_t n = GIF_LEN - *at;

	if (fault_due())
		return ERR_CUT;
	n = n < cap ? n : cap;
	n = n < 10 ? n : 10;
	memcpy(data, gif + *at, n);
	*at += n;
	*ret_len = n;
	return ERR_OK;
}

static void be_patient(void *ctx, int64_t ms)
{
	(void)ctx;
	(void)ms;
}

static struct request request_of(const char *route, const char *method, size_t *at)
{
	return (struct request){.id = "r1",
	                        .route = route,
	                        .method = method,
	                        .authorization = "",
	                        .accept = "",
	                        .content_type = "image/gif",
	                        .remote_addr = "",
	                        .account = ACCOUNT,
	                        .object = OBJECT,
	                        .content_length = GIF_LEN,
	                        .read = broken_read,
	                        .be_patient = be_patient,
	                        .gone = never_gone,
	                        .ctx = at};
}

/* The answer as an error; a success is one by its status, and whole. */
static enum err outcome(const struct response *resp, int status)
{
	if (buf_err(&resp->header) != ERR_OK)
		return buf_err(&resp->header);
	if (buf_err(&resp->body) != ERR_OK)
		return buf_err(&resp->body);
	if (resp->status == status)
		return ERR_OK;
	if (resp->status == 400)
		return ERR_CUT;
	return resp->status == 503 || resp->status == err_problem(ERR_NOMEM)->status ? ERR_NOMEM
	                                                                             : ERR_INTERNAL;
}

/* --- the signer --- */

static enum err ask_signer(void *ctx)
{
	struct sign sign = {.host = "storage:9000", .bucket = "images", .now = time};
	struct request req = request_of("sign", "GET", NULL);
	struct response resp = response_new();
	const struct s3_config config = peer_config("");
	enum err err =
	    sigv4_init(&sign.sigv4, &config.access_key, &config.secret_key, config.region);

	(void)ctx;
	assert_int_equal(err, ERR_OK);
	sign_handle(&sign, &req, &resp);
	err = outcome(&resp, 204);
	if (err == ERR_OK)
		assert_non_null(strstr(resp.header.data, ",Signature="));
	sigv4_wipe(&sign.sigv4);
	response_free(&resp);
	return err;
}

static void signer(void **state)
{
	(void)state;
	fault_each(ask_signer, NULL, ERR_NOMEM);
}

/* --- what an upload goes through --- */

static enum err check_image(void *ctx)
{
	struct image *image = NULL;
	uint32_t width = 0;
	uint32_t height = 0;
	enum err err = image_new(IMAGE_GIF, 1000, &image);

	(void)ctx;
	if (err != ERR_OK) {
		assert_null(image);
		return err;
	}
	err = image_feed(image, gif, GIF_LEN);
	if (err == ERR_OK)
		err = image_end(image, &width, &height);
	assert_int_equal(width, 3);
	image_free(image);
	return err;
}

static void images(void **state)
{
	(void)state;
	fault_each(check_image, NULL, ERR_NOMEM);
}

/* What the store that does not exist holds. */
static struct {
	unsigned char data[GIF_LEN];
	bool whole;
} held;

static enum err broken_put(void *ctx, const struct store_object *object, char why[STORE_WHY_LEN])
{
	enum err err = ERR_OK;

	(void)ctx;
	why[0] = '\0';
	if (fault_due())
		return ERR_UNAVAILABLE;
	err = object->pull(object->ctx, held.data, (size_t)object->length);
	if (err != ERR_OK)
		return err;
	held.whole = true;
	return fault_due() ? ERR_TIMEOUT : ERR_OK;
}

static int64_t now(void)
{
	return 0;
}

static enum err upload_image(void *ctx)
{
	struct upload upload = {.store = {.put = broken_put},
	                        .now = now,
	                        .max_bytes = 1000,
	                        .max_pixels = 1000,
	                        .max_age_ms = 1000};
	size_t at = 0;
	struct request req = request_of("upload", "POST", &at);
	struct response resp = response_new();
	enum err err = ERR_OK;

	(void)ctx;
	held.whole = false;
	upload_handle(&upload, &req, &resp);
	err = outcome(&resp, 201);
	/* No name without an object, and no object that is not the image. */
	if (resp.status == 201)
		assert_true(held.whole);
	if (held.whole)
		assert_memory_equal(held.data, gif, GIF_LEN);
	if (resp.status != 201)
		assert_null(strstr(buf_str(&resp.body), "filename"));
	response_free(&resp);
	return err;
}

static void uploads(void **state)
{
	(void)state;
	fault_each(upload_image, NULL, ERR_CUT);
}

/* --- the gallery --- */

static enum err parse_listing(void *ctx)
{
	struct listing listing;
	enum err err = listing_parse(DOCUMENT, sizeof(DOCUMENT) - 1, &listing);

	(void)ctx;
	if (err == ERR_OK) {
		assert_int_equal(listing.n, 1);
		assert_string_equal(listing.entries[0].object, OBJECT);
	}
	return err;
}

static void listings(void **state)
{
	(void)state;
	fault_each(parse_listing, NULL, ERR_NOMEM);
}

/* A store and a cache with one image, which may fail at each step, before or after it is done. */
static struct {
	bool stored, cached;
} one;

static enum err broken_list(void *ctx, const char *prefix, const char *after, size_t max,
                            struct listing *ret, char why[STORE_WHY_LEN])
{
	(void)ctx;
	(void)prefix;
	(void)after;
	(void)max;
	why[0] = '\0';
	if (fault_due())
		return ERR_UNAVAILABLE;
	ret->n = one.stored;
	(void)snprintf(ret->entries[0].object, sizeof(ret->entries[0].object), "%s", OBJECT);
	return ERR_OK;
}

static enum err forget(bool *there, char why[STORE_WHY_LEN])
{
	why[0] = '\0';
	if (fault_due())
		return ERR_UNAVAILABLE;
	*there = false;
	return fault_due() ? ERR_TIMEOUT : ERR_OK;
}

static enum err broken_remove(void *ctx, const char *key, char why[STORE_WHY_LEN])
{
	(void)ctx;
	assert_string_equal(key, OBJECT);
	return forget(&one.stored, why);
}

static enum err broken_purge(void *ctx, const char *object, char why[PURGE_WHY_LEN])
{
	(void)ctx;
	assert_string_equal(object, OBJECT);
	assert_false(one.stored);
	return forget(&one.cached, why);
}

static const struct store_gallery broken_store = {.list = broken_list, .remove = broken_remove};

static enum err list_images(void *ctx)
{
	struct request req = gallery_request("GET");
	struct response resp = response_new();
	enum err err = ERR_OK;

	(void)ctx;
	one.stored = true;
	list_handle(&broken_store, &req, &resp);
	err = outcome(&resp, 200);
	if (err == ERR_OK)
		assert_non_null(strstr(resp.body.data, "\"filename\":\"" FILE_OF "\""));
	response_free(&resp);
	return err;
}

static void pages(void **state)
{
	(void)state;
	fault_each(list_images, NULL, ERR_NOMEM);
}

/* 204 only when both have forgotten it; and what failed can be asked for again. */
static enum err remove_image(void *ctx)
{
	const struct removal removal = {.store = &broken_store, .purge = broken_purge};
	struct request req = gallery_request("DELETE");
	struct response resp = response_new();
	enum err err = ERR_OK;

	(void)ctx;
	one.stored = one.cached = true;
	req.object = OBJECT;
	removal_handle(&removal, &req, &resp);
	err = outcome(&resp, 204);
	if (resp.status == 204)
		assert_false(one.stored || one.cached);
	fault_pause();
	removal_takedown(&removal, &req, &resp);
	assert_int_equal(resp.status, 204);
	assert_false(one.stored || one.cached);
	fault_resume();
	response_free(&resp);
	return err;
}

static void removals(void **state)
{
	(void)state;
	fault_each(remove_image, NULL, ERR_NOMEM);
}

/* --- the store --- */

/* Answers each request as if all was well. */
static int store_run(int listener, const void *ctx)
{
	(void)ctx;
	for (;;) {
		char head[PEER_HEAD_MAX];
		FILE *in = NULL;
		FILE *out = NULL;

		peer_accept(listener, &in, &out);
		while (peer_head(in, head) > 0) {
			for (long left = peer_length(head); left > 0; left--)
				(void)fgetc(in);
			if (head[0] == 'P')
				(void)fputs("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
				            "ETag: \"00000000000000000000000000000000\"\r\n\r\n",
				            out);
			else if (head[0] == 'G')
				(void)fprintf(out,
				              "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n"
				              "%s",
				              sizeof(DOCUMENT) - 1, DOCUMENT);
			else
				(void)fputs("HTTP/1.1 204 No Content\r\n\r\n", out);
			(void)fflush(out);
		}
		(void)fclose(in);
		(void)fclose(out);
	}
}

static enum err pull(void *ctx, void *data, size_t len)
{
	(void)ctx;
	memset(data, 'x', len);
	return fault_due() ? ERR_CUT : ERR_OK;
}

static enum err put_object(struct s3 *s3)
{
	const struct store_object object = {
	    .key = "a/b", .type = "image/gif", .length = 1000, .pull = pull};
	char why[STORE_WHY_LEN];
	enum err err = s3_put_store(s3).put(s3, &object, why);

	return err == ERR_CUT ? ERR_UNAVAILABLE : err;
}

static enum err list_objects(struct s3 *s3)
{
	struct listing listing;
	char why[STORE_WHY_LEN];
	enum err err = s3_gallery_store(s3).list(s3, ACCOUNT "/", "", 2, &listing, why);

	if (err == ERR_OK)
		assert_int_equal(listing.n, 1);
	return err;
}

static enum err delete_object(struct s3 *s3)
{
	char why[STORE_WHY_LEN];

	return s3_gallery_store(s3).remove(s3, OBJECT, why);
}

static struct peer peer;

/* ${ctx} points to what is asked of the store.  It works when memory is there again. */
static enum err ask_store(void *ctx)
{
	enum err (*const *ask)(struct s3 *) = ctx;
	struct s3_config config = peer_config(peer.url);
	struct s3 *s3 = NULL;
	enum err err = ERR_OK;

	config.trusted = false;
	config.connect_timeout_ms = 5000;
	err = s3_new(&config, &s3);
	if (err != ERR_OK) {
		assert_null(s3);
		return err;
	}
	err = (*ask)(s3);
	fault_pause();
	assert_int_equal((*ask)(s3), ERR_OK);
	s3_free(s3);
	fault_resume();
	return err;
}

static void objects(void **state)
{
	enum err (*asks[])(struct s3 *) = {put_object, list_objects, delete_object};

	(void)state;
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		peer_start(&peer, store_run, NULL);
		fault_each(ask_store, &asks[i], ERR_UNAVAILABLE);
		peer_kill(&peer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signer),   cmocka_unit_test(images), cmocka_unit_test(uploads),
	    cmocka_unit_test(listings), cmocka_unit_test(pages),  cmocka_unit_test(removals),
	    cmocka_unit_test(objects),
	};

	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
