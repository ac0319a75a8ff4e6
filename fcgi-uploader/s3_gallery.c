#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "listing.h"
#include "s3_gallery.h"

enum {
	QUERY_MAX = 512,  /* bytes of a listing's query */
	PAGE_MAX = 262144 /* bytes of a listing: 100 objects, with all that S3 says of each */
};

/* The names in the order that signing wants. */
static enum err make_query(struct buf *query, const char *prefix, const char *after, size_t max)
{
	buf_printf(query, "list-type=2&max-keys=%zu&prefix=", max);
	sigv4_uri_encode(query, prefix, false);
	if (after[0] != '\0') {
		buf_puts(query, "&start-after=");
		sigv4_uri_encode(query, after, false);
	}
	return buf_err(query);
}

static bool is_as_asked(const struct listing *listing, const char *prefix, const char *after,
                        size_t max)
{
	const char *before = after;

	if (listing->n + listing->foreign > max)
		return false;
	for (size_t i = 0; i < listing->n; i++) {
		const char *object = listing->entries[i].object;

		if (strncmp(object, prefix, strlen(prefix)) != 0 || strcmp(object, before) <= 0)
			return false;
		before = object;
	}
	return true;
}

static enum err list(void *ctx, const char *prefix, const char *after, size_t max,
                     struct listing *ret, char why[STORE_WHY_LEN])
{
	struct buf query = buf_new(QUERY_MAX);
	struct s3_answer answer = {.body = buf_new(PAGE_MAX)};
	struct s3_request request = {.method = "GET", .key = ""};
	enum err err = make_query(&query, prefix, after, max);

	request.query = buf_str(&query);
	if (err == ERR_OK)
		err = s3_send(ctx, &request, &answer, why);
	if (err == ERR_OK && answer.status != 200)
		err = s3_refusal(&answer, why);
	if (err != ERR_OK)
		goto out;
	err = listing_parse(buf_str(&answer.body), answer.body.len, ret);
	if (err == ERR_MALFORMED || (err == ERR_OK && !is_as_asked(ret, prefix, after, max))) {
		(void)snprintf(why, STORE_WHY_LEN, "the store's listing is not what was asked for");
		err = ERR_UNAVAILABLE;
	}
out:
	buf_free(&answer.body);
	buf_free(&query);
	return err;
}

static enum err delete_object(void *ctx, const char *key, char why[STORE_WHY_LEN])
{
	const struct s3_request request = {.method = "DELETE", .key = key, .query = ""};
	struct s3_answer answer = {.body = buf_new(S3_ANSWER_MAX)};
	enum err err = s3_send(ctx, &request, &answer, why);

	if (err == ERR_OK && answer.status != 204)
		err = s3_refusal(&answer, why);
	buf_free(&answer.body);
	return err;
}

struct store_gallery s3_gallery_store(struct s3 *s3)
{
	return (struct store_gallery){.list = list, .remove = delete_object, .ctx = s3};
}
