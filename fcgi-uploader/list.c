#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "list.h"
#include "listing.h"
#include "log.h"
#include "name.h"

/* A client's ${text} as a number from 1 to LISTING_MAX; ERR_MALFORMED if it is none. */
static enum err parse_limit(const char *text, size_t *ret)
{
	size_t len = strlen(text);
	unsigned long limit = LISTING_MAX;

	if (len > 3 || strspn(text, "0123456789") != len)
		return ERR_MALFORMED;
	if (len > 0)
		limit = strtoul(text, NULL, 10);
	if (limit < 1 || limit > LISTING_MAX)
		return ERR_MALFORMED;
	*ret = limit;
	return ERR_OK;
}

/* The key that the page comes after; empty for the first page. */
static enum err parse_after(const struct request *req, struct name *ret)
{
	*ret = (struct name){0};
	if (req->after[0] == '\0')
		return ERR_OK;
	if (!name_is_file(req->after) || name_parse(req->after, ret) != ERR_OK ||
	    !name_is_of(ret, req->account))
		return ERR_MALFORMED;
	return ERR_OK;
}

/* Append ${ms} since 1970 as RFC 3339 has it, in UTC. */
static void put_time(struct buf *out, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm = {0};
	char text[32] = "";

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(out, "%s.%03dZ", text, (int)(ms % 1000));
}

static void put_image(struct buf *out, const struct name *name, int64_t size)
{
	buf_printf(out, "{\"filename\":\"%s\",\"size\":%" PRId64 ",\"created_at\":\"", name->file,
	           size);
	put_time(out, name_time(name));
	buf_puts(out, "\"}");
}

static enum err put_page(struct response *resp, const struct listing *listing)
{
	struct buf *out = &resp->body;
	struct name name = {0};

	buf_puts(out, "{\"images\":[");
	for (size_t i = 0; i < listing->n; i++) {
		enum err err = name_parse(listing->entries[i].object, &name);

		if (err != ERR_OK)
			return ERR_INTERNAL;
		buf_puts(out, i == 0 ? "" : ",");
		put_image(out, &name, listing->entries[i].size);
	}
	buf_puts(out, "],\"next\":");
	buf_jsons(out, listing->truncated ? name.file : NULL);
	buf_puts(out, "}\n");
	return ERR_OK;
}

static void answer(const struct store_gallery *store, const struct request *req, size_t limit,
                   const char *after, struct response *resp)
{
	struct listing listing = {0};
	char prefix[ACCOUNT_ID_LEN + 2];
	char why[STORE_WHY_LEN] = "";
	enum err err = ERR_OK;

	(void)snprintf(prefix, sizeof(prefix), "%s/", req->account);
	err = store->list(store->ctx, prefix, after, limit, &listing, why);
	/* There is more, but no name to go on from. */
	if (err == ERR_OK && listing.truncated && listing.n == 0) {
		(void)snprintf(why, sizeof(why), "the store holds only foreign names here");
		err = ERR_UNAVAILABLE;
	}
	if (err == ERR_OK)
		err = put_page(resp, &listing);
	if (err != ERR_OK) {
		log_error("listing failed: %s", why[0] != '\0' ? why : err_problem(err)->detail);
		response_problem(resp, req, err, NULL);
		return;
	}
	resp->status = 200;
	response_header(resp, "Content-Type", "application/json");
	response_header(resp, "Cache-Control", "no-store");
}

void list_handle(const struct store_gallery *store, const struct request *req,
                 struct response *resp)
{
	struct name after;
	size_t limit = 0;

	if (strcmp(req->method, "GET") != 0) {
		response_problem(resp, req, ERR_METHOD, NULL);
		response_header(resp, "Allow", "GET, HEAD");
	} else if (!request_account_ok(req->account)) {
		log_error("listing refused: the gateway named no account");
		response_problem(resp, req, ERR_INTERNAL, NULL);
	} else if (parse_limit(req->limit, &limit) != ERR_OK) {
		response_problem(resp, req, ERR_MALFORMED, "limit must be a number from 1 to %d.",
		                 LISTING_MAX);
	} else if (parse_after(req, &after) != ERR_OK) {
		response_problem(resp, req, ERR_MALFORMED,
		                 "after must be the name of an image of your own.");
	} else {
		answer(store, req, limit, after.object, resp);
	}
}
