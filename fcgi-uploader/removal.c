#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "listing.h"
#include "log.h"
#include "name.h"
#include "removal.h"

static bool method_ok(const struct request *req, struct response *resp)
{
	if (strcmp(req->method, "DELETE") == 0)
		return true;
	response_problem(resp, req, ERR_METHOD, NULL);
	response_header(resp, "Allow", "DELETE");
	return false;
}

static void fail(struct response *resp, const struct request *req, enum err err, const char *why)
{
	log_error("removal failed: %s", why[0] != '\0' ? why : err_problem(err)->detail);
	response_problem(resp, req, err, NULL);
}

/* Whether the store has ${object}.  Its key may list and delete, but not look at an object. */
static enum err exists(const struct removal *removal, const char *object, bool *ret,
                       char why[STORE_WHY_LEN])
{
	struct listing listing = {0};
	enum err err = removal->store->list(removal->store->ctx, object, "", 1, &listing, why);

	if (err == ERR_OK)
		*ret = listing.n == 1 && strcmp(listing.entries[0].object, object) == 0;
	return err;
}

/*
 * Take ${name} out of store and cache; set *${ret_existed} to whether the store had it.  Return
 * whether it is gone; otherwise the problem is answered.
 *
 * The cache is purged of what the store does not have too: an earlier removal may have failed
 * there.
 */
static bool take_out(const struct removal *removal, const struct name *name, bool *ret_existed,
                     const struct request *req, struct response *resp)
{
	_Static_assert(PURGE_WHY_LEN <= STORE_WHY_LEN, "one cause has room for either");
	char why[STORE_WHY_LEN] = "";
	enum err err = exists(removal, name->object, ret_existed, why);

	if (err == ERR_OK && *ret_existed)
		err = removal->store->remove(removal->store->ctx, name->object, why);
	if (err == ERR_OK)
		err = removal->purge(removal->ctx, name->object, why);
	if (err == ERR_OK)
		return true;
	fail(resp, req, err, why);
	return false;
}

void removal_handle(const struct removal *removal, const struct request *req, struct response *resp)
{
	struct name name;
	bool existed = false;

	if (!method_ok(req, resp))
		return;
	if (!request_account_ok(req->account)) {
		fail(resp, req, ERR_INTERNAL, "the gateway named no account");
		return;
	}
	if (name_parse(req->object, &name) != ERR_OK) {
		response_problem(resp, req, ERR_NOT_FOUND, "There is no image of this name.");
		return;
	}
	if (!name_is_of(&name, req->account)) {
		response_problem(resp, req, ERR_FORBIDDEN, "Only its owner may remove an image.");
		return;
	}
	if (!take_out(removal, &name, &existed, req, resp))
		return;
	if (!existed) {
		response_problem(resp, req, ERR_NOT_FOUND, "There is no image of this name.");
		return;
	}
	log_info("removed by its owner: %s", name.file);
	resp->status = 204;
}

void removal_takedown(const struct removal *removal, const struct request *req,
                      struct response *resp)
{
	struct name name;
	bool existed = false;

	if (!method_ok(req, resp))
		return;
	if (name_parse(req->object, &name) != ERR_OK) {
		response_problem(resp, req, ERR_MALFORMED, "This is no name of an image.");
		return;
	}
	if (!take_out(removal, &name, &existed, req, resp))
		return;
	log_warn("taken down by an operator: %s%s", name.file,
	         existed ? "" : ", which the store did not have");
	resp->status = 204;
}

/*
 * Take ${object}, which the store has, out of cache and store.  The cache comes first, too: a
 * removal that is cut after the store has forgotten the image is not made up by another listing,
 * and leaves no copy but one that was fetched in between.
 */
static enum err take_out_listed(const struct removal *removal, const char *object,
                                char why[STORE_WHY_LEN])
{
	enum err err = removal->purge(removal->ctx, object, why);

	if (err == ERR_OK)
		err = removal->store->remove(removal->store->ctx, object, why);
	if (err == ERR_OK)
		err = removal->purge(removal->ctx, object, why);
	return err;
}

/* Take out the newest images of ${account}, a page of them; set *${ret} to how many. */
static enum err take_out_page(const struct removal *removal, const char *account, size_t *ret,
                              char why[STORE_WHY_LEN])
{
	struct listing page = {0};
	char prefix[ACCOUNT_ID_LEN + 2];
	enum err err = ERR_OK;

	(void)snprintf(prefix, sizeof(prefix), "%s/", account);
	err = removal->store->list(removal->store->ctx, prefix, "", LISTING_MAX, &page, why);
	/* There may be images behind them, which would be left. */
	if (err == ERR_OK && page.truncated && page.n == 0) {
		(void)snprintf(why, STORE_WHY_LEN, "the store holds only foreign names here");
		err = ERR_UNAVAILABLE;
	}
	for (size_t i = 0; err == ERR_OK && i < page.n; i++)
		err = take_out_listed(removal, page.entries[i].object, why);
	if (err == ERR_OK)
		*ret = page.n;
	return err;
}

void removal_erase(const struct removal *removal, const struct request *req, struct response *resp)
{
	char why[STORE_WHY_LEN] = "";
	size_t n = 0;
	enum err err = ERR_OK;

	if (!method_ok(req, resp))
		return;
	if (!request_account_ok(req->account)) {
		response_problem(resp, req, ERR_MALFORMED, "This is no id of an account.");
		return;
	}
	err = take_out_page(removal, req->account, &n, why);
	if (err != ERR_OK) {
		fail(resp, req, err, why);
		return;
	}
	if (n > 0)
		log_warn("removed by an operator: %zu images of account %s", n, req->account);
	resp->status = 200;
	response_header(resp, "Content-Type", "application/json");
	buf_printf(&resp->body, "{\"removed\":%zu}\n", n);
}
