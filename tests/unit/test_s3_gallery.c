#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "gallery_request.h"
#include "listing.h"
#include "peer.h"
#include "s3_gallery.h"

/* The store here is a child process with one answer for each request, each on a new connection. */

#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define PREFIX      ACCOUNT "/"
#define EARLIER     ACCOUNT "/vuci4ialvu0123456789abcdefghij.jpg"
#define LATER       ACCOUNT "/vuci4ibaaa0123456789abcdefghij.jpg"
#define ENTRY(key)  "<Contents><Key>" key "</Key><Size>1</Size></Contents>"
#define LISTING(entries)                                                                           \
	"HTTP/1.1 200 OK\r\n\r\n<ListBucketResult><IsTruncated>false</IsTruncated>" entries        \
	"</ListBucketResult>"

static struct peer peer;
static struct s3_config config;
static struct s3 *s3;
static struct listing listing;
static char why[STORE_WHY_LEN];

struct exchange {
	const char *line; /* the request's first */
	const char *answer;
};

/* Fails if the request is not the expected one, with what every signed one has, and what it is
 * found by. */
static int serve(int listener, const void *ctx)
{
	const struct exchange *exchange = ctx;
	char head[PEER_HEAD_MAX];
	FILE *in = NULL;
	FILE *out = NULL;

	peer_accept(listener, &in, &out);
	if (peer_head(in, head) == 0 ||
	    strncmp(head, exchange->line, strlen(exchange->line)) != 0 ||
	    strcasestr(head, "\r\nauthorization: AWS4-HMAC-SHA256 Cred") == NULL ||
	    strcasestr(head, "\r\nx-amz-content-sha256: " SIGV4_EMPTY_SHA256) == NULL ||
	    strcasestr(head, "\r\nx-request-id: 0123-abc\r\n") == NULL ||
	    strcasestr(head, "\r\ntraceparent: " TRACEPARENT "\r\n") == NULL ||
	    strcasestr(head, "\r\nif-none-match") != NULL || peer_length(head) >= 0 ||
	    strcasestr(head, "\r\ntransfer-encoding") != NULL ||
	    strcasestr(head, "\r\nexpect") != NULL)
		return 1;
	(void)fputs(exchange->answer, out);
	(void)fflush(out); /* the client may have read enough */
	return 0;
}

static void begin(const char *line, const char *answer)
{
	const struct exchange exchange = {.line = line, .answer = answer};

	peer_start(&peer, serve, &exchange);
	config = peer_config(peer.url);
	assert_int_equal(s3_new(&config, &s3), ERR_OK);
	s3_trace(s3, "0123-abc", TRACEPARENT);
}

static void end(void)
{
	s3_free(s3);
	s3 = NULL;
	peer_end(&peer);
}

static enum err list(const char *answer, const char *after, size_t max)
{
	char line[512];
	char start[128] = "";
	struct store_gallery store;
	enum err err = ERR_OK;

	if (after[0] != '\0')
		(void)snprintf(start, sizeof(start), "&start-after=" ACCOUNT "%%2F%s",
		               after + strlen(PREFIX));
	(void)snprintf(line, sizeof(line),
	               "GET /images/?list-type=2&max-keys=%zu&prefix=" ACCOUNT
	               "%%2F%s HTTP/1.1\r\n",
	               max, start);
	begin(line, answer);
	store = s3_gallery_store(s3);
	err = store.list(store.ctx, PREFIX, after, max, &listing, why);
	end();
	return err;
}

static enum err delete_object(const char *answer)
{
	struct store_gallery store;
	enum err err = ERR_OK;

	begin("DELETE /images/" OBJECT " HTTP/1.1\r\n", answer);
	store = s3_gallery_store(s3);
	err = store.remove(store.ctx, OBJECT, why);
	end();
	return err;
}

static void test_listings_not_believed(void **state)
{
	static const struct {
		const char *answer, *after;
		size_t max;
	} cases[] = {
	    {"", "", 2},
	    {"garbage", "", 2},
	    {"HTTP/1.1 200 OK\r\n\r\n", "", 2},
	    {"HTTP/1.1 200 OK\r\n\r\n<html>", "", 2},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<cut", "", 2},
	    {"HTTP/1.1 204 No Content\r\n\r\n", "", 2},
	    {"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "", 2},
	    {"HTTP/1.1 403 Forbidden\r\n\r\n<Error><Code>AccessDenied</Code></Error>", "", 2},
	    {"HTTP/1.1 500 Error\r\n\r\n<ListBucketResult><IsTruncated>false</IsTruncated>"
	     "</ListBucketResult>",
	     "", 2},
	    /* More than a page, */
	    {LISTING(ENTRY(EARLIER) ENTRY(OBJECT)), "", 1},
	    {LISTING(ENTRY("x") ENTRY(OBJECT)), "", 1},
	    /* out of order, twice, before the beginning, */
	    {LISTING(ENTRY(OBJECT) ENTRY(EARLIER)), "", 2},
	    {LISTING(ENTRY(OBJECT) ENTRY(OBJECT)), "", 2},
	    {LISTING(ENTRY(OBJECT)), OBJECT, 2},
	    {LISTING(ENTRY(EARLIER)), OBJECT, 2},
	    /* of somebody else. */
	    {LISTING(ENTRY(OTHER "/" REST)), "", 2},
	    {LISTING(ENTRY(OBJECT) ENTRY(OTHER "/" REST)), "", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(list(cases[i].answer, cases[i].after, cases[i].max),
		                 ERR_UNAVAILABLE);
		assert_string_not_equal(why, "");
	}
}

static void test_endless_listing(void **state)
{
	enum { LEN = 400000 };
	char *text = malloc(LEN + 1);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', LEN);
	text[LEN] = '\0';
	memcpy(text, "HTTP/1.1 200 OK\r\n\r\n<ListBucketResult>", 37);
	assert_int_equal(list(text, "", 2), ERR_UNAVAILABLE);
	free(text);
}

static void test_lists(void **state)
{
	(void)state;
	assert_int_equal(list(LISTING(ENTRY(OBJECT) ENTRY(LATER)), EARLIER, 2), ERR_OK);
	assert_int_equal(listing.n, 2);
	assert_string_equal(listing.entries[1].object, LATER);
	assert_int_equal(list(LISTING(""), "", 100), ERR_OK);
	assert_int_equal(listing.n, 0);
}

static void test_deletions_not_believed(void **state)
{
	static const char *const answers[] = {
	    "",
	    "HTTP/1.1 200 OK\r\n\r\n",
	    "HTTP/1.1 202 Accepted\r\n\r\n",
	    "HTTP/1.1 403 Forbidden\r\n\r\n<Error><Code>AccessDenied</Code></Error>",
	    "HTTP/1.1 404 Not Found\r\n\r\n",
	    "HTTP/1.1 500 Error\r\n\r\n",
	    "HTTP/1.1 503 Slow\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		assert_int_equal(delete_object(answers[i]), ERR_UNAVAILABLE);
		assert_string_not_equal(why, "");
	}
}

static void test_deletes(void **state)
{
	(void)state;
	assert_int_equal(delete_object("HTTP/1.1 204 No Content\r\n\r\n"), ERR_OK);
	assert_string_equal(why, "");
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
	    TEST(test_listings_not_believed),  TEST(test_endless_listing), TEST(test_lists),
	    TEST(test_deletions_not_believed), TEST(test_deletes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
