#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "peer.h"
#include "s3.h"
#include "s3_put.h"

/*
 * The store here is a child process that follows a script, a step for each request that it gets.
 * What a real one does with the requests is tested with a real one.
 */

enum { SMALL = 1000, LARGE = 200000 };

#define ETAG "ETag: \"00000000000000000000000000000000\"\r\n"
#define SUM  "x-amz-checksum-crc32c: %s\r\n" /* %s becomes the trailer's */
#define GOOD "HTTP/1.1 200 OK\r\n" ETAG SUM "Content-Length: 0\r\n\r\n"

struct step {
	enum {
		END,    /* the script is over */
		ANSWER, /* read the whole body, answer, wait for the next request */
		LAST,   /* the same, but close the connection */
		EARLY,  /* answer the head alone and close the connection */
		DIE,    /* close the connection after the head */
		MIDWAY, /* ask for the body, and close the connection in the middle of it */
		CUT,    /* expect the body to end early, with the connection */
		HANG,   /* read the body, and answer nothing until the client goes */
		SILENT, /* expect the client to go without having sent a body */
		HASTY   /* answer the head alone; then read until the client goes */
	} kind;
	const char *text;
};

static bool with_trace; /* of the client's request, with these: */
#define REQUEST_ID  "0123-abc"
#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

/* --- the child --- */

/* What is wrong with the client: an exit status that the parent shows. */
enum { WRONG_HEAD = 10, WRONG_BODY };

static void child_needs(bool ok, int status)
{
	if (!ok)
		_exit(status);
}

/* Copy the value of the trailer at the end of ${body} to ${sum}. */
static void child_sum(const char *body, size_t len, char sum[64])
{
	static const char name[] = "x-amz-checksum-crc32c:";
	const char *at = memmem(body, len, name, sizeof(name) - 1);

	sum[0] = '\0';
	if (at != NULL)
		(void)snprintf(sum, 64, "%.8s", at + sizeof(name) - 1);
}

/* Read a body of ${length} bytes; return how many came. */
static size_t child_body(FILE *stream, size_t length, char sum[64])
{
	char *body = malloc(length);
	size_t len = 0;

	child_needs(body != NULL, WRONG_BODY);
	len = fread(body, 1, length, stream);
	child_sum(body, len, sum);
	free(body);
	return len;
}

/* Whether the head has what s3_trace() was told, and nothing else. */
static bool traced(const char *head)
{
	if (!with_trace)
		return strcasestr(head, "x-request-id") == NULL &&
		       strcasestr(head, "traceparent") == NULL;
	return strcasestr(head, "\r\nx-request-id: " REQUEST_ID "\r\n") != NULL &&
	       strcasestr(head, "\r\ntraceparent: " TRACEPARENT "\r\n") != NULL &&
	       strcasestr(head, ";x-request-id") == NULL &&
	       strcasestr(head, ";traceparent") == NULL;
}

static void child_check_head(const char *head)
{
	child_needs(strncmp(head, "PUT /images/a/b HTTP/1.1\r\n", 26) == 0 &&
	                strcasestr(head, "\r\nif-none-match: *\r\n") != NULL &&
	                strcasestr(head, "\r\nauthorization: AWS4-HMAC-SHA256 Cred") != NULL &&
	                strcasestr(head, "\r\ncontent-encoding: aws-chunked\r\n") != NULL &&
	                strcasestr(head, "\r\ncontent-type: image/gif\r\n") != NULL &&
	                strcasestr(head, "\r\ntransfer-encoding:") == NULL && traced(head) &&
	                peer_length(head) >= 0,
	            WRONG_HEAD);
}

static void child_say(FILE *stream, const char *text, const char *sum)
{
	const char *place = strstr(text, "%s");

	if (place == NULL)
		(void)fputs(text, stream);
	else
		(void)fprintf(stream, "%.*s%s%s", (int)(place - text), text, sum, place + 2);
	(void)fflush(stream);
}

/* Follow one step; return whether the connection goes on. */
static bool child_step(FILE *in, FILE *out, const struct step *step, const char *head)
{
	size_t length = (size_t)peer_length(head);
	size_t came = 0;
	char sum[64];

	if (step->kind == EARLY)
		child_say(out, step->text, "");
	if (step->kind == SILENT)
		child_needs(fgetc(in) == EOF, WRONG_BODY);
	if (step->kind == EARLY || step->kind == DIE || step->kind == SILENT)
		return false;
	if (step->kind == HASTY)
		child_say(out, step->text, "");
	else if (strcasestr(head, "\r\nexpect: 100-continue\r\n") != NULL)
		child_say(out, "HTTP/1.1 100 Continue\r\n\r\n", "");
	came = child_body(in, step->kind == MIDWAY ? length / 2 : length, sum);
	if (step->kind == MIDWAY || step->kind == HASTY)
		return false;
	child_needs((came == length) == (step->kind != CUT), WRONG_BODY);
	if (step->kind == HANG)
		child_needs(fgetc(in) == EOF, WRONG_BODY);
	if (step->kind == HANG || step->kind == CUT)
		return false;
	child_say(out, step->text, sum);
	return step->kind == ANSWER;
}

static int child_run(int listener, const void *script)
{
	const struct step *step = script;
	char head[PEER_HEAD_MAX];

	while (step->kind != END) {
		FILE *in = NULL;
		FILE *out = NULL;
		bool more = true;

		peer_accept(listener, &in, &out);
		while (more && step->kind != END && peer_head(in, head) > 0) {
			child_check_head(head);
			more = child_step(in, out, step++, head);
		}
		(void)fclose(in);
		(void)fclose(out);
	}
	return 0;
}

/* --- the parent --- */

static struct peer peer;
static struct s3_config config;
static struct s3 *s3;
static char why[STORE_WHY_LEN];

static void begin(const struct step *script)
{
	peer_start(&peer, child_run, script);
	config = peer_config(peer.url);
}

static void connect_to_it(void)
{
	assert_int_equal(s3_new(&config, &s3), ERR_OK);
}

/* The child has followed its script, and found nothing wrong. */
static void end(void)
{
	s3_free(s3);
	s3 = NULL;
	peer_end(&peer);
}

struct source {
	int64_t given;
	int64_t fails_at; /* -1 for never */
	int wait;         /* milliseconds before each piece */
};

static enum err pull(void *ctx, void *data, size_t len)
{
	struct source *source = ctx;

	if (source->fails_at >= 0 && source->given + (int64_t)len > source->fails_at)
		return ERR_MALFORMED;
	(void)poll(NULL, 0, source->wait);
	memset(data, 'x', len);
	source->given += (int64_t)len;
	return ERR_OK;
}

static enum err put_from(struct source *source, int64_t length)
{
	struct store_object object = {
	    .key = "a/b", .type = "image/gif", .length = length, .pull = pull, .ctx = source};
	struct store store = s3_put_store(s3);

	return store.put(store.ctx, &object, why);
}

static enum err put(int64_t length, int64_t fails_at)
{
	struct source source = {.fails_at = fails_at};

	return put_from(&source, length);
}

static void test_bad_config(void **state)
{
	static char *const urls[] = {"",
	                             "storage:9000",
	                             "ftp://storage",
	                             "http://",
	                             "http:///images",
	                             "http://storage/images",
	                             "http://storage:9000/?x",
	                             "http://storage:99999",
	                             "http://storage:x",
	                             "http://user@storage",
	                             "http://user:secret@storage",
	                             "http://stor age",
	                             "http://storage\r\nx: y",
	                             "http://[::1",
	                             "file:///etc/passwd"};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct s3_config bad = peer_config(urls[i]);
		struct buf problems = buf_new(1000);
		struct s3 *none = NULL;

		s3_check(&bad, &problems);
		assert_non_null(strstr(buf_str(&problems), "STORE_URL: "));
		assert_int_equal(s3_new(&bad, &none), ERR_MALFORMED);
		assert_null(none);
		buf_free(&problems);
	}
}

static void test_all_problems(void **state)
{
	static char spaced[] = "a b";
	struct s3_config bad = peer_config("x");
	struct buf problems = buf_new(1000);

	(void)state;
	bad.bucket = "A";
	bad.region = "a/b";
	bad.access_key = (struct secret){.data = spaced, .len = 3};
	s3_check(&bad, &problems);
	assert_non_null(strstr(buf_str(&problems), "STORE_URL: "));
	assert_non_null(strstr(buf_str(&problems), "\nSTORE_BUCKET: "));
	assert_non_null(strstr(buf_str(&problems), "\nSTORE_ACCESS_KEY: "));
	assert_non_null(strstr(buf_str(&problems), "\nSTORE_REGION: "));
	buf_clear(&problems);
	bad = (struct s3_config){.url = NULL};
	s3_check(&bad, &problems);
	assert_int_equal(problems.len, 0);
	buf_free(&problems);
}

static void test_good_config(void **state)
{
	static char *const urls[] = {"http://storage:9000", "https://s3.example.org/",
	                             "http://192.0.2.1", "http://[2001:db8::1]:9000"};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct s3_config good = peer_config(urls[i]);
		struct buf problems = buf_new(1000);

		s3_check(&good, &problems);
		assert_string_equal(buf_str(&problems), "");
		assert_int_equal(s3_new(&good, &s3), ERR_OK);
		s3_free(s3);
		s3 = NULL;
	}
}

static void test_no_store(void **state)
{
	static const struct step nothing[] = {{END, NULL}};

	(void)state;
	begin(nothing);
	connect_to_it();
	peer_end(&peer);
	assert_int_equal(put(SMALL, -1), ERR_UNAVAILABLE);
	assert_int_equal(put(LARGE, -1), ERR_UNAVAILABLE);
	assert_string_not_equal(why, "");
	s3_free(s3);
	s3 = NULL;
}

static const struct {
	struct step step;
	enum err err;
} not_believed[] = {
    {{LAST, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 412 Precondition Failed\r\n" ETAG SUM "Content-Length: 0\r\n\r\n"},
     ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 500 Internal\r\n" ETAG SUM "Content-Length: 0\r\n\r\n"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 503 Slow\r\nContent-Length: 0\r\n\r\n"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 507 Full\r\nContent-Length: 0\r\n\r\n"}, ERR_FULL},
    {{LAST, "HTTP/1.1 400 Bad\r\n\r\n<Error><Code>XMinioStorageFull</Code></Error>"}, ERR_FULL},
    {{LAST, "HTTP/1.1 400 Bad\r\n\r\n<Error>"
            "<Code>XMinioAdminBucketQuotaExceeded</Code></Error>"},
     ERR_FULL},
    {{LAST, "HTTP/1.1 400 Bad\r\n\r\n<Error><Code>XMinioStorageFullness</Code></Error>"},
     ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 201 Created\r\n" ETAG SUM "Content-Length: 0\r\n\r\n"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 204 None\r\n" ETAG SUM "\r\n"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 200 OK\r\n" SUM "Content-Length: 0\r\n\r\n"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 200 OK\r\nETag: \"0\"\r\n" SUM "Content-Length: 0\r\n\r\n"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 200 OK\r\n" ETAG ETAG SUM "Content-Length: 0\r\n\r\n"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 200 OK\r\n" ETAG "Content-Length: 0\r\n\r\n"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 200 OK\r\n" ETAG "x-amz-checksum-crc32c: AAAAAA==\r\n"
            "Content-Length: 0\r\n\r\n"},
     ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 200 OK\r\n" ETAG SUM "Content-Length: 9\r\n\r\ncut"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 200 OK\r\nETag"}, ERR_UNAVAILABLE},
    {{LAST, "HTTP/1.1 100 Continue\r\n\r\n"}, ERR_UNAVAILABLE},
    {{LAST, "\x01\x02 garbage\r\n\r\n"}, ERR_UNAVAILABLE},
    {{LAST, ""}, ERR_UNAVAILABLE},
    {{EARLY, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"}, ERR_UNAVAILABLE},
    {{MIDWAY, NULL}, ERR_UNAVAILABLE},
};

static void test_answers_not_believed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(not_believed) / sizeof(not_believed[0]); i++) {
		/* And the next upload finds nothing left over from it. */
		const struct step script[] = {not_believed[i].step,
		                              {ANSWER, GOOD},
		                              not_believed[i].step,
		                              {ANSWER, GOOD},
		                              {END, NULL}};

		begin(script);
		connect_to_it();
		assert_int_equal(put(SMALL, -1), not_believed[i].err);
		assert_string_not_equal(why, "");
		assert_int_equal(put(SMALL, -1), ERR_OK);
		s3_free(s3);
		connect_to_it();
		assert_int_equal(put(LARGE, -1), not_believed[i].err);
		assert_string_not_equal(why, "");
		assert_int_equal(put(LARGE, -1), ERR_OK);
		end();
	}
}

static void test_cause(void **state)
{
	static const struct step script[] = {
	    {LAST, "HTTP/1.1 503 Slow\r\n\r\n<Error><Code>SlowDown</Code></Error>"}, {END, NULL}};

	(void)state;
	begin(script);
	connect_to_it();
	assert_int_equal(put(SMALL, -1), ERR_UNAVAILABLE);
	assert_string_equal(why, "the store answered 503 SlowDown");
	end();
}

static void test_endless_answer(void **state)
{
	static char text[300000];
	const struct step script[] = {{LAST, text}, {END, NULL}};
	size_t len = strlen(strcpy(text, "HTTP/1.1 200 OK\r\n" ETAG SUM "\r\n"));

	(void)state;
	memset(text + len, 'x', sizeof(text) - len - 1);
	begin(script);
	connect_to_it();
	assert_int_equal(put(SMALL, -1), ERR_UNAVAILABLE);
	end();
}

/* The source fails: its error comes back, and the store never sees a complete body. */
static void test_source_fails(void **state)
{
	static const struct step script[] = {{CUT, NULL}, {CUT, NULL}, {ANSWER, GOOD}, {END, NULL}};

	(void)state;
	begin(script);
	connect_to_it();
	assert_int_equal(put(SMALL, 0), ERR_MALFORMED);
	assert_int_equal(put(LARGE, LARGE - 1), ERR_MALFORMED);
	assert_int_equal(put(LARGE, 65536), ERR_MALFORMED);
	assert_int_equal(put(LARGE, -1), ERR_OK);
	end();
}

static void test_store_hangs(void **state)
{
	static const struct step script[] = {{HANG, NULL}, {ANSWER, GOOD}, {END, NULL}};

	(void)state;
	begin(script);
	config.timeout_ms = 100; /* and a second for the part of a MiB */
	connect_to_it();
	assert_int_equal(put(LARGE, -1), ERR_TIMEOUT);
	assert_int_equal(put(LARGE, -1), ERR_OK);
	end();
}

/* The store is not to blame. */
static void test_source_is_slow(void **state)
{
	static const struct step script[] = {{CUT, NULL}, {ANSWER, GOOD}, {END, NULL}};
	struct source source = {.fails_at = -1, .wait = 700};

	(void)state;
	begin(script);
	config.timeout_ms = 100;
	connect_to_it();
	assert_int_equal(put_from(&source, LARGE), ERR_SLOW);
	assert_int_equal(put(LARGE, -1), ERR_OK);
	end();
}

static void test_puts(void **state)
{
	static const struct step script[] = {
	    {ANSWER, GOOD}, {ANSWER, GOOD}, {ANSWER, GOOD}, {LAST, GOOD}, {END, NULL}};
	static const int64_t lengths[] = {1, 65536, 65537, LARGE};

	(void)state;
	begin(script);
	connect_to_it();
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_int_equal(put(lengths[i], -1), ERR_OK);
		assert_string_equal(why, "");
	}
	end();
}

/* At both attempts, if there are two. */
static void test_carries_the_trace(void **state)
{
	static const struct step script[] = {
	    {ANSWER, GOOD}, {DIE, NULL}, {ANSWER, GOOD}, {LAST, GOOD}, {END, NULL}};

	(void)state;
	with_trace = true;
	begin(script);
	connect_to_it();
	s3_trace(s3, REQUEST_ID, TRACEPARENT);
	for (int i = 0; i < 3; i++)
		assert_int_equal(put(SMALL, -1), ERR_OK);
	end();
	with_trace = false;
}

static void test_signed_chunks(void **state)
{
	static const struct step script[] = {
	    {ANSWER, "HTTP/1.1 200 OK\r\n" ETAG "Content-Length: 0\r\n\r\n"},
	    {LAST, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
	    {END, NULL}};

	(void)state;
	begin(script);
	config.trusted = false;
	connect_to_it();
	assert_int_equal(put(LARGE, -1), ERR_OK);
	assert_int_equal(put(LARGE, -1), ERR_UNAVAILABLE);
	end();
}

/* A kept connection that dies when it is used again loses no upload. */
static void test_stale_connection(void **state)
{
	static const struct step script[] = {{ANSWER, GOOD}, {DIE, NULL},  {ANSWER, GOOD},
	                                     {DIE, NULL},    {LAST, GOOD}, {END, NULL}};

	(void)state;
	begin(script);
	connect_to_it();
	assert_int_equal(put(SMALL, -1), ERR_OK);
	assert_int_equal(put(LARGE, -1), ERR_OK);
	assert_int_equal(put(SMALL, -1), ERR_OK);
	end();
}

/* A kept connection that says nothing gets nothing of a body that could not be given again. */
static void test_silent_connection(void **state)
{
	static const struct step script[] = {
	    {ANSWER, GOOD}, {SILENT, NULL}, {LAST, GOOD}, {END, NULL}};

	(void)state;
	begin(script);
	connect_to_it();
	assert_int_equal(put(SMALL, -1), ERR_OK);
	assert_int_equal(put(LARGE, -1), ERR_OK);
	end();
}

/* A 200 that comes before the body cannot mean the body. */
static void test_hasty_answer(void **state)
{
	static const struct step script[] = {
	    {HASTY, "HTTP/1.1 200 OK\r\n" ETAG "Content-Length: 0\r\n\r\n"},
	    {HASTY, "HTTP/1.1 200 OK\r\n" ETAG "Connection: close\r\n\r\n"},
	    {END, NULL}};

	(void)state;
	begin(script);
	config.trusted = false;
	connect_to_it();
	for (size_t i = 0; script[i].kind != END; i++) {
		assert_int_equal(put(40 * LARGE, -1), ERR_UNAVAILABLE);
		s3_free(s3);
		connect_to_it();
	}
	end();
}

/* But there is one more attempt, not more; and what was given away cannot be given again. */
static void test_no_endless_attempts(void **state)
{
	static const struct step script[] = {{ANSWER, GOOD}, {DIE, NULL},    {DIE, NULL},
	                                     {ANSWER, GOOD}, {MIDWAY, NULL}, {ANSWER, GOOD},
	                                     {END, NULL}};

	(void)state;
	begin(script);
	connect_to_it();
	assert_int_equal(put(SMALL, -1), ERR_OK);
	assert_int_equal(put(SMALL, -1), ERR_UNAVAILABLE);
	assert_int_equal(put(LARGE, -1), ERR_OK);
	assert_int_equal(put(20 * LARGE, -1), ERR_UNAVAILABLE);
	assert_int_equal(put(LARGE, -1), ERR_OK);
	end();
}

static int teardown(void **state)
{
	(void)state;
	s3_free(s3);
	s3 = NULL;
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_bad_config),
	    TEST(test_all_problems),
	    TEST(test_good_config),
	    TEST(test_no_store),
	    TEST(test_answers_not_believed),
	    TEST(test_cause),
	    TEST(test_endless_answer),
	    TEST(test_source_fails),
	    TEST(test_store_hangs),
	    TEST(test_source_is_slow),
	    TEST(test_puts),
	    TEST(test_signed_chunks),
	    TEST(test_stale_connection),
	    TEST(test_silent_connection),
	    TEST(test_hasty_answer),
	    TEST(test_no_endless_attempts),
	    TEST(test_carries_the_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
