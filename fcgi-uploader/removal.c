#include <stdbool.h>
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
