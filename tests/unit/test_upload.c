#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "log.h"
#include "multipart.h"
#include "name.h"
#include "upload.h"

#define ACCOUNT "0123456789abcdef"

enum { SMALL = 300, LARGE = 200000, CHUNK = 65536 };

/* A GIF of exactly ${len} bytes and 3 × 2 pixels: comments take what the image leaves. */
static unsigned char *gif(size_t len)
{
	static const unsigned char head[] = "GIF89a\3\0\2\0\0\0\0";
	static const unsigned char tail[] = "\0,\0\0\0\0\3\0\2\0\0\2\2\204Q\0;";
	const size_t tail_len = sizeof(tail) - 1;
	unsigned char *data = malloc(len);
	size_t at = sizeof(head) - 1;

	assert_non_null(data);
	assert_true(len >= SMALL);
	memcpy(data, head, at);
	data[at++] = 0x21;
	data[at++] = 0xfe;
	while (at + tail_len < len) {
		size_t block = len - tail_len - at - 1;

		/* What is left must never be one byte: a block has its length and more. */
		if (block > 200)
			block = block < 300 ? block / 2 : 200;
		data[at++] = (unsigned char)block;
		memset(data + at, 'c', block);
		at += block;
	}
	memcpy(data + at, tail, tail_len);
	assert_int_equal(at + tail_len, len);
	return data;
}

/* The client's side: a body that arrives in pieces, and perhaps not to its end. */
struct client {
	const unsigned char *data;
	size_t len; /* bytes that arrive */
	size_t at;
	size_t piece;     /* the most that arrives at once */
	bool cut;         /* the stream ends badly after them, */
	bool slow;        /* or nothing more comes in time */
	int64_t patience; /* that it was told */
};

static enum err client_read(void *ctx, void *data, size_t cap, size_t *ret_len)
{
	struct client *client = ctx;
	size_t n = client->len - client->at;

	if (n == 0 && client->cut)
		return ERR_CUT;
	if (n == 0 && client->slow)
		return ERR_SLOW;
	if (n > cap)
		n = cap;
	if (n > client->piece)
		n = client->piece;
	memcpy(data, client->data + client->at, n);
	client->at += n;
	*ret_len = n;
	return ERR_OK;
}

static void client_be_patient(void *ctx, int64_t ms)
{
	struct client *client = ctx;

	client->patience = ms;
}

static bool client_gone(void *ctx)
{
	(void)ctx;
	return false;
}

/* The store's side. */
enum behaviour {
	STORES,
	REFUSES_FIRST,  /* fails without having pulled anything */
	REFUSES_MIDWAY, /* fails after a chunk */
	REFUSES_LAST,   /* fails after everything was pulled */
	SAYS_YES_FIRST, /* the rest are wrong: success without having pulled anything, */
	SAYS_YES_MIDWAY,
	SAYS_YES_AFTER_ERROR, /* after an error of the source, */
	PULLS_BEYOND,         /* or more than there is */
	PULLS_NOTHING         /* zero bytes at once, for ever */
};

struct fake {
	enum behaviour behaviour;
	enum err err; /* of the refusals */
	int calls;
	size_t chunk;
	bool committed;
	bool got_last; /* the last byte was handed over */
	char key[NAME_MAX_LEN + 1];
	char type[32];
	unsigned char *data; /* what was pulled */
	int64_t len;
	int64_t length; /* that was announced */
};

static struct fake fake;
static struct response resp;
static char folder[] = "/dev/shm/test_upload.XXXXXX";

static int64_t now(void)
{
	return 1767225600 + 3600; /* an hour past midnight */
}

static struct upload upload = {
    .max_bytes = LARGE, .max_pixels = 1000000, .max_age_ms = 600000, .now = now};

static enum err fake_pull(const struct store_object *object, int64_t left)
{
	size_t len = left < (int64_t)fake.chunk ? (size_t)left : fake.chunk;
	/* A block of its own, so that the sanitizer sees a write beyond it. */
	unsigned char *block = malloc(len + (len == 0));
	enum err err = object->pull(object->ctx, block, len);

	if (err == ERR_OK) {
		memcpy(fake.data + fake.len, block, len);
		fake.len += (int64_t)len;
		fake.got_last = fake.len == object->length;
	}
	free(block);
	return err;
}

static enum err fake_put(void *ctx, const struct store_object *object, char why[STORE_WHY_LEN])
{
	enum err err = ERR_OK;

	assert_ptr_equal(ctx, &fake);
	fake.calls++;
	fake.length = object->length;
	(void)snprintf(fake.key, sizeof(fake.key), "%s", object->key);
	(void)snprintf(fake.type, sizeof(fake.type), "%s", object->type);
	fake.data = calloc(1, (size_t)object->length + 1);
	assert_non_null(fake.data);
	(void)snprintf(why, STORE_WHY_LEN, "the fake store refuses");
	if (fake.behaviour == REFUSES_FIRST)
		return fake.err;
	if (fake.behaviour == SAYS_YES_FIRST)
		return ERR_OK;
	if (fake.behaviour == PULLS_NOTHING)
		return object->pull(object->ctx, fake.data, 0);
	while (fake.len < object->length) {
		err = fake_pull(object, object->length - fake.len);
		if (err != ERR_OK)
			return fake.behaviour == SAYS_YES_AFTER_ERROR ? ERR_OK : err;
		if (fake.behaviour == REFUSES_MIDWAY)
			return fake.err;
		if (fake.behaviour == SAYS_YES_MIDWAY)
			return ERR_OK;
	}
	if (fake.behaviour == REFUSES_LAST)
		return fake.err;
	if (fake.behaviour == PULLS_BEYOND)
		return object->pull(object->ctx, fake.data, 1);
	fake.committed = true;
	return ERR_OK;
}

static int setup_group(void **state)
{
	(void)state;
	log_open("test", LOG_LEVEL_ERROR + 1);
	resp = response_new();
	upload.store = (struct store){.put = fake_put, .ctx = &fake};
	return 0;
}

static int teardown_group(void **state)
{
	(void)state;
	response_free(&resp);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fake = (struct fake){.chunk = CHUNK, .err = ERR_UNAVAILABLE};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(fake.data);
	return 0;
}

static void reset(void)
{
	enum behaviour behaviour = fake.behaviour;
	size_t chunk = fake.chunk;

	free(fake.data);
	fake = (struct fake){.behaviour = behaviour, .chunk = chunk, .err = ERR_UNAVAILABLE};
}

static struct request request_of(struct client *client, int64_t content_length)
{
	return (struct request){.id = "r",
	                        .route = "upload",
	                        .method = "POST",
	                        .authorization = "",
	                        .accept = "",
	                        .content_type = "image/gif",
	                        .remote_addr = "192.0.2.1",
	                        .account = ACCOUNT,
	                        .object = "",
	                        .content_length = content_length,
	                        .file_length = -1,
	                        .age_ms = 10,
	                        .read = client_read,
	                        .be_patient = client_be_patient,
	                        .gone = client_gone,
	                        .ctx = client};
}

static void ask(const struct request *req)
{
	response_clear(&resp);
	upload_handle(&upload, req, &resp);
}

static void send_body(const unsigned char *data, size_t len)
{
	struct client client = {.data = data, .len = len, .piece = 5000};
	struct request req = request_of(&client, (int64_t)len);

	ask(&req);
}

/* Refused with ${status}, no name given out, and nothing in the store. */
static void refused(int status)
{
	assert_int_equal(resp.status, status);
	assert_false(fake.committed);
	assert_null(strstr(buf_str(&resp.header), "Location"));
	assert_null(strstr(buf_str(&resp.header), ACCOUNT));
	assert_null(strstr(buf_str(&resp.body), ACCOUNT));
	assert_null(strstr(buf_str(&resp.body), "filename"));
}

static void test_no_account(void **state)
{
	static const char *const bad[] = {"", "0123456789abcde", "0123456789ABCDEF",
	                                  "0123456789abcdef ", "../../etc/passwd"};
	unsigned char *data = gif(SMALL);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct client client = {.data = data, .len = SMALL, .piece = SMALL};
		struct request req = request_of(&client, SMALL);

		req.account = bad[i];
		ask(&req);
		refused(500);
		assert_int_equal(client.at, 0);
		assert_int_equal(fake.calls, 0);
	}
	free(data);
}

static void test_route_and_method(void **state)
{
	unsigned char *data = gif(SMALL);
	struct client client = {.data = data, .len = SMALL, .piece = SMALL};
	struct request req = request_of(&client, SMALL);

	(void)state;
	req.route = "sign";
	ask(&req);
	refused(404);
	req.route = "upload";
	req.method = "PUT";
	ask(&req);
	refused(405);
	assert_non_null(strstr(buf_str(&resp.header), "Allow: POST\r\n"));
	assert_int_equal(client.at, 0);
	free(data);
}

static void test_bad_length(void **state)
{
	static const struct {
		int64_t length;
		int status;
		const char *says;
	} cases[] = {
	    {-1, 400, "length"},
	    {0, 400, "empty"},
	    {LARGE + 1, 413, "200000 bytes"},
	    {INT64_MAX, 413, "200000 bytes"},
	    {INT64_MIN, 400, "length"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client client = {.piece = 1};
		struct request req = request_of(&client, cases[i].length);

		ask(&req);
		refused(cases[i].status);
		assert_non_null(strstr(buf_str(&resp.body), cases[i].says));
		assert_int_equal(fake.calls, 0);
	}
}

static void test_slow_body(void **state)
{
	unsigned char *data = gif(SMALL);
	struct client client = {.data = data, .len = SMALL, .piece = SMALL};
	struct request req = request_of(&client, SMALL);

	(void)state;
	req.age_ms = upload.max_age_ms + 1;
	ask(&req);
	refused(408);
	assert_int_equal(client.at, 0);
	req.age_ms = upload.max_age_ms - 1;
	req.waited_ms = 2;
	ask(&req);
	refused(408);
	assert_int_equal(client.at, 0);
	req.waited_ms = 1;
	ask(&req);
	assert_int_equal(resp.status, 201);
	assert_int_equal(client.patience, 0);
	free(data);
}

/* One that is too slow while it is read: never anything made, wherever it stops. */
static void test_stopping_body(void **state)
{
	static const size_t stops[] = {0, 1, 5000, CHUNK, LARGE - 1};
	unsigned char *data = gif(LARGE);

	(void)state;
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		struct client client = {.data = data, .len = stops[i], .piece = 5000, .slow = true};
		struct request req = request_of(&client, LARGE);

		req.waited_ms = 5;
		reset();
		ask(&req);
		refused(408);
		assert_false(fake.committed);
		assert_int_equal(client.patience, upload.max_age_ms - req.age_ms - 5);
	}
	free(data);
}

static void test_other_types(void **state)
{
	static const struct {
		const char *data;
		const char *seen;
	} cases[] = {
	    {"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "svg"},
	    {"<!DOCTYPE html><html><body>x</body></html>", "html"},
	    {"%PDF-1.4\n", "pdf"},
	    {"\xff\x0a", ""},
	    {"x", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		send_body((const unsigned char *)cases[i].data, strlen(cases[i].data));
		refused(415);
		assert_non_null(strstr(buf_str(&resp.body), cases[i].seen));
		assert_int_equal(fake.calls, 0);
	}
}

/* Cut at every position, with the announced length that of the whole: never anything made. */
static void test_cut_small(void **state)
{
	unsigned char *data = gif(SMALL);

	(void)state;
	for (size_t cut = 0; cut < SMALL; cut++) {
		for (int bad_end = 0; bad_end < 2; bad_end++) {
			struct client client = {
			    .data = data, .len = cut, .piece = 7, .cut = bad_end == 1};
			struct request req = request_of(&client, SMALL);

			ask(&req);
			refused(400);
			assert_false(fake.got_last);
			reset();
		}
	}
	free(data);
}

static void test_cut_large(void **state)
{
	static const size_t cuts[] = {4095,      4096,      4097,          CHUNK - 1, CHUNK,
	                              CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, LARGE - 1};
	unsigned char *data = gif(LARGE);

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct client client = {.data = data, .len = cuts[i], .piece = 5000, .cut = true};
		struct request req = request_of(&client, LARGE);

		ask(&req);
		refused(400);
		assert_false(fake.got_last);
		reset();
	}
	free(data);
}

/* All bytes arrive, but the stream does not end well, or goes on: the last chunk stays here. */
static void test_bad_end(void **state)
{
	static const size_t lengths[] = {SMALL, CHUNK, LARGE - 1};
	unsigned char *data = gif(LARGE);

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		unsigned char *whole = gif(lengths[i]);
		struct client client = {
		    .data = whole, .len = lengths[i], .piece = 5000, .cut = true};
		struct request req = request_of(&client, (int64_t)lengths[i]);

		ask(&req);
		refused(400);
		assert_false(fake.got_last);
		free(whole);
		reset();
	}
	for (size_t length = LARGE - 2; length < LARGE; length++) {
		struct client client = {.data = data, .len = LARGE, .piece = 5000};
		struct request req = request_of(&client, (int64_t)length);

		ask(&req);
		refused(400);
		assert_false(fake.got_last);
		reset();
	}
	free(data);
}

/* Complete, but no image from some byte on: what was wrong is said, the last chunk stays here. */
static void test_malformed(void **state)
{
	static const size_t lengths[] = {SMALL, CHUNK, LARGE};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		unsigned char *data = gif(lengths[i]);

		data[lengths[i] - 1] = 0;
		send_body(data, lengths[i]);
		refused(400);
		assert_int_equal(fake.calls, 1);
		assert_false(fake.got_last);
		reset();
		/* A length that is shorter than the image, by the end that is missing. */
		data[lengths[i] - 1] = ';';
		send_body(data, lengths[i] - 1);
		refused(400);
		assert_false(fake.got_last);
		free(data);
		reset();
	}
}

static void test_too_many_pixels(void **state)
{
	unsigned char *data = gif(LARGE);

	(void)state;
	data[6] = data[7] = data[8] = data[9] = 0xff;
	send_body(data, LARGE);
	refused(413);
	assert_false(fake.got_last);
	free(data);
}

static void test_store_refuses(void **state)
{
	static const enum err errors[] = {ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_FULL, ERR_INTERNAL,
	                                  ERR_NOMEM};
	unsigned char *data = gif(LARGE);

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		for (int when = REFUSES_FIRST; when <= REFUSES_LAST; when++) {
			fake.behaviour = (enum behaviour)when;
			fake.err = errors[i];
			send_body(data, LARGE);
			refused(err_problem(errors[i])->status);
			/* The cause is for the log. */
			assert_null(strstr(buf_str(&resp.body), "fake"));
			reset();
		}
	}
	free(data);
}

/* A store that says yes to what it was not given is not believed. */
static void test_store_lies(void **state)
{
	static const enum behaviour lies[] = {SAYS_YES_FIRST, SAYS_YES_MIDWAY, PULLS_BEYOND,
	                                      PULLS_NOTHING};
	unsigned char *data = gif(LARGE);

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fake.behaviour = lies[i];
		send_body(data, LARGE);
		refused(500);
		reset();
	}
	fake.behaviour = SAYS_YES_AFTER_ERROR;
	data[LARGE - 1] = 0;
	send_body(data, LARGE);
	assert_in_range(resp.status, 400, 500);
	refused(resp.status);
	free(data);
}

static void stored(const unsigned char *data, size_t len, int status)
{
	char expected[400];
	char file[NAME_MAX_LEN + 1];

	assert_int_equal(resp.status, status);
	assert_true(fake.committed);
	assert_int_equal(fake.calls, 1);
	assert_int_equal(fake.length, len);
	assert_int_equal(fake.len, len);
	assert_memory_equal(fake.data, data, len);
	assert_string_equal(fake.type, "image/gif");
	assert_true(name_is_object(fake.key));
	assert_memory_equal(fake.key, ACCOUNT "/", 17);
	memcpy(file, fake.key, sizeof(file));
	file[16] = '-';
	(void)snprintf(expected, sizeof(expected),
	               "{\"filename\":\"%s\",\"type\":\"image/gif\",\"size\":%zu,\"width\":3,"
	               "\"height\":2}\n",
	               file, len);
	assert_string_equal(buf_str(&resp.body), expected);
	(void)snprintf(expected, sizeof(expected), "Content-Type: application/json\r\n%s%s%s",
	               status == 201 ? "Location: /v1/user/" : "", status == 201 ? file : "",
	               status == 201 ? "\r\n" : "");
	assert_string_equal(buf_str(&resp.header), expected);
}

static void test_stores(void **state)
{
	static const size_t lengths[] = {SMALL, 4095,      4096,      4097,      CHUNK - 1,
	                                 CHUNK, CHUNK + 1, 2 * CHUNK, LARGE - 1, LARGE};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		unsigned char *data = gif(lengths[i]);

		send_body(data, lengths[i]);
		stored(data, lengths[i], 201);
		free(data);
		reset();
	}
}

#define FORM      "multipart/form-data; boundary=b"
#define FORM_HEAD "--b\r\nContent-Disposition: form-data; name=f; filename=x.gif\r\n\r\n"
#define FORM_END  "\r\n--b--\r\n"

/* What the gateway says with the next form: see struct request. */
static bool repeatable;
static int64_t file_length = -1;

/* Send ${len} bytes of ${data} between ${before} and ${after}, in pieces, as a form. */
static void send_form(const char *before, const unsigned char *data, size_t len, const char *after,
                      size_t piece)
{
	size_t before_len = strlen(before);
	size_t size = before_len + len + strlen(after);
	unsigned char *body = malloc(size + 1);
	struct client client = {.data = body, .len = size, .piece = piece};
	struct request req = request_of(&client, (int64_t)size);

	assert_non_null(body);
	memcpy(body, before, before_len);
	memcpy(body + before_len, data, len);
	memcpy(body + before_len + len, after, strlen(after) + 1);
	req.content_type = FORM;
	req.repeatable = repeatable;
	req.file_length = file_length;
	ask(&req);
	free(body);
}

/* What is wrong with the form is said, and the last chunk stays here. */
static void test_bad_forms(void **state)
{
	static const struct {
		const char *before;
		const char *after;
		const char *says;
	} rows[] = {
	    {"--c\r\n", "", "beside its file"},
	    {"--b\r\nContent-Disposition: form-data; name=f\r\n\r\n" FORM_END, "", "no file"},
	    {FORM_HEAD, "", "ends before"},
	    {FORM_HEAD, "\r\n--b--\r", "ends before"},
	    {FORM_HEAD, "\r\n--b-- x", "ends before"},
	    /* Well formed, but not to be had once more. */
	    {FORM_HEAD, "\r\n--b--", "does not end with"},
	    {FORM_HEAD, FORM_END "\r\n", "does not end with"},
	    {FORM_HEAD, "\r\n" FORM_HEAD "x" FORM_END, "goes on behind its file"},
	    {FORM_HEAD FORM_END FORM_HEAD, FORM_END, "is empty"},
	    {FORM_HEAD "x\r\n" FORM_HEAD, FORM_END, "goes on behind its file"},
	};
	/* None is within the form's limit or over the file's for want of an end. */
	static const size_t lengths[] = {CHUNK, CHUNK + 1, LARGE - 1000};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		unsigned char *data = gif(lengths[i]);

		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
			send_form(rows[k].before, data, lengths[i], rows[k].after, 5000);
			assert_false(fake.got_last);
			refused(400);
			assert_non_null(strstr(buf_str(&resp.body), rows[k].says));
			reset();
		}
		free(data);
	}
}

static void test_form_without_boundary(void **state)
{
	struct client client = {.data = (const unsigned char *)FORM_HEAD, .len = 9, .piece = 9};
	struct request req = request_of(&client, 9);

	(void)state;
	req.content_type = "multipart/form-data";
	ask(&req);
	refused(400);
	assert_non_null(strstr(buf_str(&resp.body), "names no boundary"));
	assert_int_equal(client.at, 0);
}

/* A form that is cut at any byte makes nothing, whatever its end looks like. */
static void test_cut_form(void **state)
{
	unsigned char *image = gif(SMALL);
	unsigned char body[SMALL + sizeof(FORM_HEAD) + sizeof(FORM_END)];
	const size_t size = SMALL + sizeof(FORM_HEAD) - 1 + sizeof(FORM_END) - 1;

	(void)state;
	memcpy(body, FORM_HEAD, sizeof(FORM_HEAD) - 1);
	memcpy(body + sizeof(FORM_HEAD) - 1, image, SMALL);
	memcpy(body + sizeof(FORM_HEAD) - 1 + SMALL, FORM_END, sizeof(FORM_END));
	for (size_t cut = 0; cut < size; cut++) {
		for (int kind = 0; kind < 3; kind++) {
			struct client client = {
			    .data = body, .len = cut, .piece = 7, .cut = kind == 1};
			/* The third kind was announced as long as it is. */
			struct request req = request_of(&client, (int64_t)(kind < 2 ? size : cut));

			if (req.content_length == 0)
				continue;
			req.content_type = FORM;
			ask(&req);
			refused(400);
			assert_false(fake.got_last);
			reset();
		}
	}
	free(image);
}

/* The limit is that of the file, to the byte; what stands around it has its own. */
static void test_form_limit(void **state)
{
	static char before[MULTIPART_FRAMING_MAX - sizeof(FORM_END) + 2];
	unsigned char *data = gif(LARGE + 1);

	(void)state;
	send_form(FORM_HEAD, data, LARGE + 1, FORM_END, 5000);
	refused(413);
	assert_non_null(strstr(buf_str(&resp.body), "200000 bytes"));
	assert_int_equal(fake.calls, 0);
	free(data);
	data = gif(LARGE);
	send_form(FORM_HEAD, data, LARGE, FORM_END, 5000);
	stored(data, LARGE, 201);
	reset();
	memset(before, 'x', sizeof(before) - 1);
	memcpy(before + sizeof(before) - 1 - strlen("\r\n" FORM_HEAD), "\r\n" FORM_HEAD,
	       strlen("\r\n" FORM_HEAD));
	send_form(before, data, LARGE, FORM_END, 5000);
	stored(data, LARGE, 201);
	free(data);
}

/* The gateway is asked for the form once more, of which nothing was stored. */
static void asked_again(size_t len)
{
	char line[60];

	(void)snprintf(line, sizeof(line), "X-File-Length: %zu\r\n", len);
	assert_int_equal(resp.status, RESPONSE_REPEAT);
	assert_string_equal(buf_str(&resp.header), line);
	assert_int_equal(resp.body.len, 0);
	assert_false(fake.committed);
	assert_false(fake.got_last);
}

/* However a form ends that RFC 2046 allows: the second time its image is stored. */
static void test_other_ends(void **state)
{
	static char epilogue[MULTIPART_FRAMING_MAX - sizeof(FORM_HEAD FORM_END) + 3] = FORM_END;
	static const char *const ends[] = {"\r\n--b--", "\r\n--b-- \t ", FORM_END "x",
	                                   FORM_END "and an epilogue\r\n", epilogue};
	static const size_t lengths[] = {SMALL,     4000,  CHUNK - 8, CHUNK - 6, CHUNK - 5,
	                                 CHUNK - 1, CHUNK, CHUNK + 1, LARGE};

	(void)state;
	memset(epilogue + sizeof(FORM_END) - 1, 'x', sizeof(epilogue) - sizeof(FORM_END));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		unsigned char *data = gif(lengths[i]);

		for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++) {
			repeatable = true;
			send_form(FORM_HEAD, data, lengths[i], ends[k], 5000);
			asked_again(lengths[i]);
			reset();
			repeatable = false;
			file_length = (int64_t)lengths[i];
			send_form(FORM_HEAD, data, lengths[i], ends[k], 5000);
			stored(data, lengths[i], 201);
			reset();
			file_length = -1;
		}
		free(data);
	}
}

/* Bytes behind the file that were taken for its own do not make it a bad one. */
static void test_end_within_a_chunk(void **state)
{
	static const char end[] = "\r\n--b--\r\n and an epilogue";
	static const unsigned char webp[] =
	    "RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\0\x07\x10\x11\x11\x88\x88\xfe\x07\0";

	(void)state;
	repeatable = true;
	for (fake.chunk = 1; fake.chunk < 100; fake.chunk++) {
		send_form(FORM_HEAD, webp, sizeof(webp) - 1, end, 5000);
		asked_again(sizeof(webp) - 1);
		reset();
	}
	repeatable = false;
}

/* A second time is the last one; and what is wrong with the image is said at once. */
static void test_no_third_time(void **state)
{
	unsigned char *data = gif(CHUNK);

	(void)state;
	file_length = CHUNK - 1;
	send_form(FORM_HEAD, data, CHUNK, "\r\n--b--", 5000);
	refused(400);
	assert_non_null(strstr(buf_str(&resp.body), "does not end with"));
	reset();
	file_length = -1;
	repeatable = true;
	data[13] = '?';
	send_form(FORM_HEAD, data, CHUNK, FORM_END, 5000);
	refused(400);
	repeatable = false;
	free(data);
}

static void test_form_of_another_type(void **state)
{
	static const char html[] = "<!DOCTYPE html><html><body>x</body></html>";

	(void)state;
	send_form(FORM_HEAD, (const unsigned char *)html, sizeof(html) - 1, FORM_END, 5000);
	refused(415);
	assert_non_null(strstr(buf_str(&resp.body), "text/html"));
}

static void test_forms(void **state)
{
	static const size_t lengths[] = {SMALL,     4000,  4095,      4096,      4097,
	                                 CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, LARGE};
	static const size_t pieces[] = {1, 7, 4096, CHUNK};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		unsigned char *data = gif(lengths[i]);

		for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
			send_form(FORM_HEAD, data, lengths[i], FORM_END, pieces[k]);
			stored(data, lengths[i], 201);
			reset();
		}
		free(data);
	}
}

/* However the body arrives, and however the store takes it. */
static void test_pieces(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 4096, CHUNK};
	unsigned char *data = gif(9000);

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		for (size_t k = 0; k < 5; k++) {
			struct client client = {.data = data, .len = 9000, .piece = sizes[i]};
			struct request req = request_of(&client, 9000);

			fake.chunk = sizes[k];
			ask(&req);
			stored(data, 9000, 201);
			reset();
		}
	}
	free(data);
}

static void test_older_route(void **state)
{
	unsigned char *data = gif(SMALL);
	struct client client = {.data = data, .len = SMALL, .piece = SMALL};
	struct request req = request_of(&client, SMALL);

	(void)state;
	req.route = "upload-plain";
	ask(&req);
	stored(data, SMALL, 200);
	free(data);
}

/* An account with room for three images; a table of its own for the time of the test. */
/* The disk is fuller than it may get. */
static void test_no_room(void **state)
{
	unsigned char *data = gif(SMALL);

	(void)state;
	upload.space = (struct space){.path = "/", .floor = INT64_MAX};
	send_body(data, SMALL);
	upload.space = (struct space){0};
	refused(507);
	assert_int_equal(fake.calls, 0);
	free(data);
}

static void test_quota(void **state)
{
	unsigned char *data = gif(SMALL);
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/uploads", folder);
	assert_int_equal(tally_open(path, QUOTA_DAY, &upload.quota.tally), ERR_OK);
	upload.quota.limit = SMALL * 3;
	/* What is not stored does not count. */
	for (int i = 0; i < 3; i++) {
		fake.behaviour = REFUSES_LAST;
		reset();
		send_body(data, SMALL);
		refused(503);
	}
	/* Of a form its file counts, and nothing else: then there is room for a third one. */
	fake.behaviour = STORES;
	for (int i = 0; i < 3; i++) {
		reset();
		if (i < 2)
			send_form(FORM_HEAD, data, SMALL, FORM_END, 5000);
		else
			send_body(data, SMALL);
		stored(data, SMALL, 201);
	}
	reset();
	send_body(data, SMALL);
	refused(429);
	assert_int_equal(fake.calls, 0);
	assert_non_null(strstr(buf_str(&resp.header), "Retry-After: 82800\r\n"));
	tally_close(upload.quota.tally);
	upload.quota = (struct quota){0};
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	free(data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_no_account),
	    TEST(test_route_and_method),
	    TEST(test_bad_length),
	    TEST(test_slow_body),
	    TEST(test_stopping_body),
	    TEST(test_other_types),
	    TEST(test_cut_small),
	    TEST(test_cut_large),
	    TEST(test_bad_end),
	    TEST(test_malformed),
	    TEST(test_too_many_pixels),
	    TEST(test_store_refuses),
	    TEST(test_store_lies),
	    TEST(test_bad_forms),
	    TEST(test_form_without_boundary),
	    TEST(test_cut_form),
	    TEST(test_form_limit),
	    TEST(test_form_of_another_type),
	    TEST(test_other_ends),
	    TEST(test_end_within_a_chunk),
	    TEST(test_no_third_time),
	    TEST(test_forms),
	    TEST(test_stores),
	    TEST(test_pieces),
	    TEST(test_older_route),
	    TEST(test_no_room),
	    TEST(test_quota),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
